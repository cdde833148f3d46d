import { safeText } from '@syndrome/decode/common/screen.ts';
import { ownSeconds, type RunResult } from '../run.ts';
import type { Reporter } from './reporter.ts';
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';
import { runLine } from '@syndrome/trace/parts-line.ts';
import type { Style } from '@syndrome/trace/style.ts';
import { lanesOf, Timeline, wrap } from '@syndrome/trace/timeline.ts';
import { type Look, VERDICTS, verdictLines } from '@syndrome/trace/verdict-lines.ts';

/** The live time line and the verdict, for people. */
export function textReporter(
  write: (line: string) => void,
  look: Look,
  options: { all?: boolean; quiet?: boolean } = {},
): Reporter {
  const { style, width } = look;
  const { all = false } = options;
  let timeline: Timeline | undefined;
  return {
    header(header) {
      if (options.quiet) return;
      timeline = new Timeline({ style, width, layers: lanesOf(header, all), all });
      for (const line of wrap(runLine(header), width)) write(style('dim', line));
      write(timeline.head());
    },
    start(scenario) {
      if (!options.quiet) write(`${style('bold', safeText(scenario.name))}  ${safeText(scenario.title)}`);
    },
    event(event) {
      for (const line of timeline?.lines(event) ?? []) write(line);
    },
    result(result) {
      timeline = undefined;
      if (options.quiet && result.verdict === 'pass') write(summaryLine(result, style));
      else for (const line of verdictLines(result.scenario, result, result.trace, look)) write(line);
      if (!options.quiet) write('');
    },
    finish(results) {
      if (results.length > 1) for (const line of summaryTable(results, style)) write(line);
    },
  };
}

function summaryLine(r: RunResult, style: Style): string {
  const verdict = style(VERDICTS[r.verdict], r.verdict.padEnd(6));
  return `${verdict} ${safeText(r.scenario, 64).padEnd(24)} ${safeText(r.outcome, 64).padEnd(10)} ${ownSeconds(r).toFixed(1).padStart(6)} s${r.restarts === 0 ? '' : '  started once more'}`;
}

function summaryTable(results: readonly RunResult[], style: Style): string[] {
  const count = (verdict: Verdict): number => results.filter(r => r.verdict === verdict).length;
  const totals = (['pass', 'fail', 'error', 'skip'] as const).filter(v => count(v) > 0).map(v => `${count(v)} ${v}`);
  const seconds = results.reduce((sum, r) => sum + ownSeconds(r), 0);
  return [
    style('dim', 'verdict scenario                 outcome      time'),
    ...results.map(r => summaryLine(r, style)),
    `${totals.join(', ')} in ${seconds.toFixed(1)} s`,
  ];
}
