import { describe, expect, test } from 'vitest';
import { Departures } from './departures.ts';
import { parseTrace } from './testing/parse.ts';

const HEADER = '{"type":"trace","version":2}';
const line = (name: string, fields: object): string =>
  JSON.stringify({ seq: 1, t: 1, layer: 'guest', source: 'console', name, fields });
const read = (...lines: string[]): ReturnType<typeof parseTrace> => parseTrace([HEADER, ...lines].join('\n'), 'x');

const PFN = '0x000000000000e1eb';
const good = { pfn: PFN, page: 'dirty LRU page', result: 'Recovered' };

describe('an event that the catalogue does not have so is kept, and told', () => {
  test.each([
    [
      'guest.memory-failures',
      good,
      'the catalogue of this program has no event guest.memory-failures; the nearest is guest.memory-failure',
    ],
    ['card.parity', { lane: 3 }, 'the catalogue of this program has no event card.parity'],
    ['guest.memory-failure', { ...good, colour: 'red' }, 'guest.memory-failure has no field colour in the catalogue'],
    ['guest.memory-failure', { pfn: PFN, page: 'x' }, 'guest.memory-failure lacks its field result'],
    [
      'guest.memory-failure',
      { ...good, pfn: 57835 },
      'the field pfn of guest.memory-failure is not a page frame number',
    ],
    ['guest.memory-failure', { ...good, page: 4 }, 'the field page of guest.memory-failure is not a text'],
    ['vmm.exit', { expected: 'yes' }, 'the field expected of vmm.exit is not true or false'],
  ])('%s %j', (name, fields, problem) => {
    const { events, diagnostics, departures } = read(line('lab.end', {}), line(name, fields), line(name, fields));
    expect(events.map(e => e.name)).toEqual(['lab.end', name, name]);
    expect(diagnostics).toEqual([]);
    expect(departures).toEqual([expect.objectContaining({ event: name, line: 3, count: 2, problem })]);
  });

  test('what it has so is not', () => {
    const { departures } = read(line('guest.memory-failure', good), line('vmm.exit', { code: 0 }));
    expect(departures).toEqual([]);
  });
});

test('so many different ones are told, and the others counted', () => {
  const found = new Departures();
  for (let i = 0; i < 250; i++) {
    const [event] = read(line(`card.x${i}`, {})).events;
    if (event) found.see(event, i);
  }
  expect(found.list()).toHaveLength(100);
  expect(found.more).toBe(150);
});

test('a text of the catalogue that looks like an address stays a text', () => {
  const { events } = read(line('guest.panic', { message: PFN }), line('lab.value', { name: 'page', value: PFN }));
  expect(events.map(e => e.fields)).toEqual([{ message: PFN }, { name: 'page', value: 0xe1ebn }]);
});
