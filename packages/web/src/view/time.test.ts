import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sinceZero, ticksOf } from './time.ts';

test.each([
  [0, '0'],
  [336_700, '+336.7 µs'],
  [-7_230_000, '−7.23 ms'],
  [931_800_000, '+931.8 ms'],
  [999_999_999, '+1.000 s'],
  [-7_695_000_000, '−7.695 s'],
  [44_200_000_000, '+44.200 s'],
])('%i ns from zero is %s', (ns, text) => {
  expect(sinceZero(ns)).toBe(text);
});

describe('the marks of an axis', () => {
  test.each([
    [-0.1e9, 4.1e9, 9, ['0', '+0.5 s', '+1 s', '+1.5 s', '+2 s', '+2.5 s', '+3 s', '+3.5 s', '+4 s']],
    [-20e6, 90e6, 6, ['−20 ms', '0', '+20 ms', '+40 ms', '+60 ms', '+80 ms']],
    [100e3, 400e3, 4, ['+0.1 ms', '+0.2 ms', '+0.3 ms', '+0.4 ms']],
    [0, 5000, 6, ['0', '+1 µs', '+2 µs', '+3 µs', '+4 µs', '+5 µs']],
  ])('from %f to %f with room for %i', (from, to, most, labels) => {
    expect(ticksOf(from, to, most).map(({ label }) => label)).toEqual(labels);
  });
  test('are as many as there is room for, in order, inside, and no two say the same', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e12, max: 1e12 }),
        fc.integer({ min: 1e3, max: 1e13 }),
        fc.integer({ min: 2, max: 40 }),
        (from, span, most) => {
          const ticks = ticksOf(from, from + span, most);
          expect(ticks.length).toBeLessThanOrEqual(most + 1);
          expect(ticks.length).toBeGreaterThanOrEqual(Math.floor(most / 5));
          for (const { at } of ticks) expect(at >= from && at <= from + span).toBe(true);
          expect(ticks.map(({ at }) => at)).toEqual(ticks.map(({ at }) => at).toSorted((a, b) => a - b));
          // Beyond what is printed of it a moment cannot be told from another.
          if (Math.abs(from) < span * 1e3) expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
        },
      ),
    );
  });
  test('of no time there are none', () => {
    expect(ticksOf(5, 5, 10)).toEqual([]);
  });
});
