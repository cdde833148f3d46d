import { expect, test } from 'vitest';
import { isInForeground } from './foreground.ts';

test.each([
  ['in the foreground', '4242 (node) S 4000 4242 4000 34816 4242 4194304 100', true],
  ['in the background', '4242 (node) S 4000 4242 4000 34816 4000 4194304 100', false],
  ['of a name that looks like the end of one', '4242 (x) S 1 7 7 0 7) S 4000 4242 4000 34816 4000 4194304', false],
  ['without a terminal', '4242 (node) S 4000 4242 4000 0 -1 4194304 100', false],
  ['of what is no such line', '', false],
])('a process %s', (_, stat, is) => {
  expect(isInForeground(stat)).toBe(is);
});
