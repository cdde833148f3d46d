import { escapeText } from '@syndrome/decode/common/screen.ts';
import type { RunResult } from '../run.ts';
import { problemText } from '@syndrome/trace/verdict-lines.ts';
import { type Reporter, testName } from './reporter.ts';

/**
 * No `#` or line end may stand in a KTAP description: they would begin a directive or a new line. Other control characters
 * become visible, as on every screen.
 */
const plain = (text: string): string => escapeText(text.replace(/[\r\n]+/g, ' ')).replaceAll('#', '%23');

/** KTAP version 1 (Linux Documentation/dev-tools/ktap.rst): a subtest for each run, a line for each expectation. */
export function ktap(results: readonly RunResult[]): string {
  const lines = ['KTAP version 1', `1..${results.length}`];
  for (const [i, result] of results.entries()) {
    const { expectations, verdict, problem } = result;
    const scenario = plain(testName(result));
    const ran = verdict === 'pass' || verdict === 'fail';
    if (ran) {
      lines.push('  KTAP version 1', `  # Subtest: ${scenario}`, `  1..${expectations.length}`);
      for (const [j, e] of expectations.entries()) {
        if (e.status === 'fail') lines.push(`  # ${plain(e.reason)}`);
        const skipped = e.status === 'not-judged' ? ` # SKIP ${plain(e.reason)}` : '';
        lines.push(`  ${e.status === 'fail' ? 'not ok' : 'ok'} ${j + 1} ${plain(e.expectation)}${skipped}`);
      }
    } else if (problem) lines.push(`# ${scenario}: ${plain(problemText(problem))}`);
    const why = problem === undefined ? '' : ` ${plain(problemText(problem))}`;
    const directive = verdict === 'skip' ? ` # SKIP${why}` : '';
    lines.push(`${verdict === 'pass' || verdict === 'skip' ? 'ok' : 'not ok'} ${i + 1} ${scenario}${directive}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Prints the document when all runs are over. */
export function ktapReporter(write: (text: string) => void): Reporter {
  return { finish: results => write(ktap(results).trimEnd()) };
}
