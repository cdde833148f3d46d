import { expect, test } from 'vitest';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import { BAD, GOOD, runOf } from './testing/runs.ts';
import { decodedOf } from './record.ts';
import { fieldLines, savedLines } from './values.ts';

const good = runOf(GOOD);
const bad = runOf(BAD);
const named = (run: typeof good, name: string): TraceEvent => {
  const event = run.trace.events.find(e => e.name === name);
  if (event === undefined) throw new Error(`no ${name}`);
  return event;
};

test('the record that a line completed is decoded with its registers', () => {
  const decoded = decodedOf(named(good, 'guest.mce-record'));
  expect(decoded).toMatchObject({ whole: true, record: { class: 'Deferred', severity: 'deferred' } });
  expect(decoded?.record.registers['status']).toBe(0x9c00180000000000n);
});
test('an event that tells of an error says what the catalogue knows of it', () => {
  const decoded = decodedOf(named(bad, 'guest.msr-error'));
  expect(decoded).toMatchObject({ whole: false, record: { severity: 'fatal' } });
  expect(decoded?.record.nextStep).toContain('6.19.10');
});
test('a step tells of none', () => {
  expect(decodedOf(named(good, 'lab.step'))).toBeUndefined();
});
test('a damaged record is none', () => {
  const event = { ...named(good, 'lab.step'), record: { kind: 'x86-mca', status: 'bad' } } as TraceEvent;
  expect(decodedOf(event)).toBeUndefined();
});
test('fields are exact, with what the run calls them', () => {
  expect(fieldLines(good, named(good, 'process.signal'))).toContainEqual({
    name: 'addr',
    value: '0x00007f7997088000',
    saved: '$page.virt',
  });
  expect(fieldLines(good, named(good, 'host.memory-failure'))).toContainEqual({
    name: 'pfn',
    value: '0x000000000000b5e5',
    saved: 'the frame of $hostpage',
  });
  expect(savedLines(good).map(({ name }) => name)).toEqual(['$page', '$page.virt', '$hostpage']);
});
