import { expect, test } from 'vitest';
import type { RunResult } from '../run.ts';
import { distribution, distributionLines } from './repeat.ts';
import { entry } from './testing/cells.ts';

const run = (
  seconds: number,
  verdict: RunResult['verdict'] = 'pass',
  outcome: RunResult['outcome'] = 'logged',
  injected?: number,
): RunResult => ({
  ...entry({}, verdict, outcome).result,
  seconds,
  phases: injected === undefined ? {} : { injected },
});

test.each([
  [[3], { min: 3, median: 3, p90: 3, max: 3 }],
  [[2, 1], { min: 1, median: 1, p90: 2, max: 2 }],
  [[3, 1, 2], { min: 1, median: 2, p90: 3, max: 3 }],
  [[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], { min: 1, median: 5, p90: 9, max: 10 }],
  [Array.from({ length: 100 }, (_, i) => 100 - i), { min: 1, median: 50, p90: 90, max: 100 }],
])('quantiles of %j', (seconds, expected) => {
  expect(
    distribution(
      's',
      seconds.map(s => run(s)),
    ).seconds,
  ).toEqual(expected);
});

test('the distribution counts verdicts and outcomes, and times what came after the injection where there was one', () => {
  const results = [
    run(2, 'pass', 'signalled', 1.5),
    run(4, 'pass', 'signalled', 1),
    run(3, 'fail', 'panicked', 2),
    run(9, 'error', 'none'),
  ];
  const d = distribution('s', results);
  expect(d).toMatchObject({
    runs: 4,
    verdicts: { pass: 2, fail: 1, error: 1 },
    outcomes: { signalled: 2, panicked: 1, none: 1 },
    afterInjection: { min: 0.5, median: 1, p90: 3, max: 3 },
  });
  expect(distributionLines(d)).toEqual([
    's: 4 runs, 2 pass, 1 fail, 1 error',
    `  signalled     2  ${'█'.repeat(20)}`,
    `  panicked      1  ${'█'.repeat(10)}`,
    `  none          1  ${'█'.repeat(10)}`,
    '  run        min 2.00  median 3.00  p90 9.00  max 9.00 s',
    '  after inj. min 0.50  median 1.00  p90 3.00  max 3.00 s',
  ]);
  expect(distribution('s', [run(1)])).not.toHaveProperty('afterInjection');
});
