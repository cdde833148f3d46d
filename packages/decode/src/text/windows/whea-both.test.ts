/** An event of WHEA-Logger that holds both its fields and the firmware record is told once. */
import { expect, test } from 'vitest';
import type { TextItem } from '../item.ts';
import { LogReader } from '../log-reader.ts';
import { LineScanner } from '../transport/line-scanner.ts';

const itemsOf = (text: string): TextItem[] => {
  const items: TextItem[] = [];
  const reader = new LogReader(item => items.push(item), 'log');
  const scanner = new LineScanner(reader);
  scanner.push(new TextEncoder().encode(text));
  scanner.end();
  reader.end();
  return items;
};
/** A record header of 200 bytes, by its own word. */
const record = (length: number): string => `43504552${'00'.repeat(16)}c8000000${'00'.repeat(length - 24)}`;
const event = (raw: string): string => `<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">
  <System><Provider Name="Microsoft-Windows-WHEA-Logger" /><EventID>19</EventID></System>
  <EventData>
    <Data Name="ErrorSource">1</Data>
    <Data Name="MCABank">5</Data>
    <Data Name="MciStat">0x9c00000000010135</Data>
    <Data Name="RawData">${raw}</Data>
  </EventData>
</Event>
`;

test('by the record, where that is whole', () => {
  expect(itemsOf(event(record(200))).map(i => i.type)).toEqual(['bytes']);
});

test('by both, where the record was cut', () => {
  expect(
    itemsOf(event(record(150)))
      .map(i => i.type)
      .toSorted(),
  ).toEqual(['bytes', 'mca']);
});

test('in one line too', () => {
  expect(itemsOf(`${event(record(200)).replaceAll('\n', '')}\n`).map(i => i.type)).toEqual(['bytes']);
});
