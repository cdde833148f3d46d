import { expect, test } from 'vitest';
import { waitAfter } from './outbox.ts';

test('the wait grows from a second to five minutes, and a receiver may ask for more, up to an hour', () => {
  expect([1, 2, 3, 9, 10, 1000].map(n => waitAfter(n))).toEqual([1000, 2000, 4000, 256_000, 300_000, 300_000]);
  expect(waitAfter(1, 60_000)).toBe(60_000);
  expect(waitAfter(1, 1e12)).toBe(3_600_000);
  expect(waitAfter(3, 5)).toBe(4000);
});
