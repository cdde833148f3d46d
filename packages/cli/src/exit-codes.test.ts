import { expect, test } from 'vitest';
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';
import { EXIT, EXIT_TEXT, exitCodeOf } from './exit-codes.ts';

test.each<[Verdict[], number, number]>([
  [['pass'], 0, 0],
  [['fail'], 1, 1],
  [['error'], 3, 125],
  [['skip'], 4, 125],
  [['pass', 'skip'], 0, 0],
  [['skip', 'skip'], 4, 125],
  [['pass', 'fail', 'skip'], 1, 1],
  [['pass', 'fail', 'error'], 3, 125],
])('%j: %i, for git bisect %i', (verdicts, code, bisect) => {
  expect([exitCodeOf(verdicts), exitCodeOf(verdicts, 'bisect')]).toEqual([code, bisect]);
});

test('the help text names every code', () => {
  expect(EXIT_TEXT.map(([code]) => code)).toEqual([...Object.values(EXIT).map(String), '130, 143']);
});
