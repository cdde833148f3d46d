/** @module What a bisection has come to, in words. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { BisectResult } from '@syndrome/lab/matrix/bisect.ts';
import { AXES, type Axis } from '@syndrome/trace/axes.ts';
import type { Cause } from '@syndrome/trace/expect/causes.ts';
import { causeLines, type Look, problemText } from '@syndrome/trace/verdict-lines.ts';
import type { RunResult } from '@syndrome/lab/run.ts';

/** What a bisection has come to. */
interface Found extends BisectResult {
  axis: Axis;
  change: 'good to bad' | 'bad to good';
  /** What is known of the defects that its runs show. */
  causes: readonly Cause[];
}

/**
 * The pair, and what is to be known of it; each line without its line feed.
 * @param name of the scenario
 * @param results by version
 */
export function foundLines(
  name: string,
  { axis, change, first, last, tried, unsteady, untested, causes }: Found,
  results: ReadonlyMap<string, Pick<RunResult, 'problem'>>,
  look: Look,
): string[] {
  const { style } = look;
  const { one, option } = AXES[axis];
  const [to, from] = change === 'good to bad' ? ['bad', 'good'] : ['good', 'bad'];
  const lines = [
    style('bold', `first ${to} ${one}: ${first}`),
    `last ${from} ${one}: ${last}; ${tried.length + 2} runs`,
  ];
  for (const { version, verdicts } of unsteady) {
    lines.push(
      style('yellow', `not steady: ${version} was ${verdicts.join(', then ')}; the change may lie elsewhere`),
      `  syndrome run ${name} ${option} ${version} --repeat 20   # how often which`,
    );
  }
  for (const version of untested) {
    const problem = results.get(version)?.problem;
    lines.push(
      safeText(`could not be tested: ${version}${problem === undefined ? '' : `, ${problemText(problem)}`}`, 500),
    );
  }
  return [...lines, ...causeLines(causes, look)];
}

/** The defects that some runs show, each once. */
export function causesOfRuns(results: Iterable<Pick<RunResult, 'causes'>>): Cause[] {
  const all = [...results].flatMap(({ causes }) => causes);
  return [...new Map(all.map(cause => [cause.id, cause])).values()];
}
