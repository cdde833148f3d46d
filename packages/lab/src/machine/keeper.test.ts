import { expect, test } from 'vitest';
import { childTimes } from './keeper.ts';

test.each<[string, number | undefined]>([
  ['0m0.00s 0m0.00s\n0m1.50s 1m0.25s\n', 61.75],
  ['0m0.000000s 0m0.000000s\n0m0.375000s 0m0.125000s\n', 0.5],
  ['', undefined],
  ['0m0.00s 0m0.00s\n', undefined],
])('times %j', (text, seconds) => {
  expect(childTimes(text)).toBe(seconds);
});
