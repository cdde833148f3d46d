import type { CellParts } from '@syndrome/trace/axes.ts';
import type { CellResult } from '../../matrix/cells.ts';
import type { RunResult } from '../../run.ts';
import { runResult } from '../../testing/result.ts';

/** A cell with a verdict and an outcome. */
export const entry = (cell: CellParts, verdict: RunResult['verdict'], outcome: RunResult['outcome']): CellResult => ({
  cell,
  result: runResult({ verdict, outcome, seconds: 2.345 }),
});

/** One column of a matrix, in which both change. */
export const column = [
  entry({ kernel: '6.18' }, 'pass', 'signalled'),
  entry({ kernel: '6.19' }, 'fail', 'panicked'),
  entry({ kernel: '7.0' }, 'pass', 'signalled'),
  entry({ kernel: '7.1' }, 'fail', 'signalled'),
  entry({ kernel: '7.2' }, 'fail', 'signalled'),
];
