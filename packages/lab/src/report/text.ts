import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Judgement, Verdict } from '@syndrome/trace/expect/verdict.ts';
import type { RunResult } from '../run.ts';
import type { Reporter } from './reporter.ts';
import { partsLine } from '@syndrome/trace/parts-line.ts';
import type { Style } from '@syndrome/trace/style.ts';
import { lanesOf, Timeline, wrap } from '@syndrome/trace/timeline.ts';

export { partsLine };

/** How an expectation is marked. What could not be judged has a mark of its own: it neither held nor failed. */
const MARKS = { pass: ['green', '✓'], fail: ['red', '✗'], 'not-judged': ['yellow', '?'] } as const;
const VERDICTS: Record<Verdict, 'green' | 'red' | 'yellow'> = {
  pass: 'green',
  fail: 'red',
  error: 'yellow',
  skip: 'yellow',
};

/** How a report is drawn. */
export interface Look {
  style: Style;
  /** Columns of the screen. */
  width: number;
}

/** The expectations and the verdict, as they stand under a time line. All text is made safe: a trace may come from anybody. */
export function verdictLines(name: string, judgement: Judgement, trace: string | undefined, look: Look): string[] {
  const { style, width } = look;
  const lines: string[] = [];
  /** Wraps first, so that each line has the style. */
  const put = (text: string, indent: number, format: Parameters<Style>[0] = 'reset'): void => {
    const pieces = wrap(safeText(text), width - indent);
    lines.push(...pieces.map(piece => ' '.repeat(indent) + (format === 'reset' ? piece : style(format, piece))));
  };
  // Of a run that this machine cannot do only what was seen is worth a line; one that broke off says of each that it did.
  const judged = judgement.verdict !== 'skip';
  for (const { expectation, status, reason, evidence, nearest } of judgement.expectations) {
    if (!judged && evidence.length === 0) continue;
    const [color, mark] = MARKS[status];
    const events = evidence.length > 0 ? evidence : nearest;
    for (const [i, piece] of wrap(safeText(expectation), width - 4).entries())
      lines.push(i === 0 ? `  ${style(color, mark)} ${piece}` : `    ${piece}`);
    const why = `${reason}${events.length > 1 ? ` [events ${events.join(', ')}]` : ''}`;
    put(why, 6, status === 'pass' ? 'dim' : color);
  }
  for (const { id, text, history } of judgement.causes) {
    put(`Known cause (${id}): ${text}`, 2, 'yellow');
    put(history, 4);
  }
  if (judgement.problem) {
    put(`${judgement.problem.code}: ${judgement.problem.message}`, 2, 'yellow');
    if (judgement.problem.hint) put(judgement.problem.hint, 2);
  }
  const word = style(['bold', VERDICTS[judgement.verdict]], judgement.verdict.toUpperCase());
  lines.push(
    `${word}  ${safeText(name, 200)}  outcome ${safeText(judgement.outcome, 64)}  ${judgement.seconds.toFixed(1)} s`,
  );
  // A path stays in one piece, so that it can be copied.
  if (trace !== undefined) lines.push(style('dim', `      trace ${safeText(trace)}`));
  return lines;
}

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
      for (const line of wrap(partsLine(header.parts), width)) write(style('dim', line));
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
  return `${verdict} ${safeText(r.scenario, 64).padEnd(24)} ${safeText(r.outcome, 64).padEnd(10)} ${r.seconds.toFixed(1).padStart(6)} s${r.restarts === 0 ? '' : '  started once more'}`;
}

function summaryTable(results: readonly RunResult[], style: Style): string[] {
  const count = (verdict: Verdict): number => results.filter(r => r.verdict === verdict).length;
  const totals = (['pass', 'fail', 'error', 'skip'] as const).filter(v => count(v) > 0).map(v => `${count(v)} ${v}`);
  const seconds = results.reduce((sum, r) => sum + r.seconds, 0);
  return [
    style('dim', 'verdict scenario                 outcome      time'),
    ...results.map(r => summaryLine(r, style)),
    `${totals.join(', ')} in ${seconds.toFixed(1)} s`,
  ];
}
