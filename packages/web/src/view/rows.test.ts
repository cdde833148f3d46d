import { describe, expect, test } from 'vitest';
import { compareRuns } from '@syndrome/trace/compare/compare.ts';
import { BAD, GOOD, runOf } from './testing/runs.ts';
import { comparedRows, eventRows, inLane, textOf } from './rows.ts';

const good = runOf(GOOD);
const bad = runOf(BAD);
const all = good.trace.events.length;

describe('the events of a run', () => {
  test('are those with words, or every line', () => {
    expect(eventRows(good, '', false)).toBe(good.told);
    expect(eventRows(good, '', true)).toHaveLength(all);
  });
  test('are found by words, by name, by raw line and by layer', () => {
    const names = (find: string): (string | undefined)[] =>
      [...eventRows(good, find, false)].map(index => good.trace.events[index]?.name);
    expect(names('dirty LRU')).toEqual(['host.memory-failure', 'guest.memory-failure']);
    expect(names('PROCESS.SIGNAL')).toEqual(['process.signal']);
    // Its line begins with PROCESSOR.
    const found = ['lab.step', 'process.mapped', 'process.signal', 'guest.mce-record'];
    expect(new Set(names('process'))).toEqual(new Set(found));
    expect(names('no such thing')).toEqual([]);
  });
  test('raw lines are searched where they are listed', () => {
    const found = eventRows(good, 'check-interval', true);
    expect([...found].some(index => textOf(good, index).raw)).toBe(true);
  });
  test('what is found in the lane comes next there', () => {
    const [first = -1] = good.told;
    const next = inLane(good, good.told, first, 1);
    expect(good.trace.events[next ?? -1]?.layer).toBe(good.trace.events[first]?.layer);
    expect(inLane(good, good.told, next ?? -1, -1)).toBe(first);
    expect(inLane(good, good.told, first, -1)).toBeUndefined();
  });
});

describe('the rows of a comparison', () => {
  const comparison = compareRuns(bad, good);
  test('are all, or those that differ', () => {
    expect(comparedRows(comparison, '', false)).toHaveLength(comparison.rows.length);
    const rows = comparedRows(comparison, '', true);
    expect(rows[0]).toBe(comparison.first);
    expect([...rows].every(row => comparison.rows[row]?.kind !== 'same')).toBe(true);
  });
  test('are found in either run', () => {
    expect(comparedRows(comparison, 'victim gets', false)).toHaveLength(1);
    expect(comparedRows(comparison, 'architectural violation', false)).toHaveLength(1);
  });
});
