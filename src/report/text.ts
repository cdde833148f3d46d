import { safeText } from '../common/screen.ts';
import type { Judgement, Verdict } from '../lab/expect/verdict.ts';
import type { Layer, TraceHeader } from '../lab/trace/event.ts';
import type { RunResult } from '../lab/run.ts';
import type { Reporter } from './reporter.ts';
import type { Style } from './style.ts';
import { Timeline, wrap } from './timeline.ts';

const MARKS = { pass: ['green', '✓'], fail: ['red', '✗'], pending: ['yellow', '?'] } as const;
const VERDICTS: Record<Verdict, 'green' | 'red' | 'yellow'> = {
  pass: 'green',
  fail: 'red',
  error: 'yellow',
  skip: 'yellow',
};

/** The layers of a trace, from the machine named in its header. */
export function layersOf(header: TraceHeader): Layer[] {
  if (header.parts.hostKernel !== undefined) return ['lab', 'host', 'vmm', 'guest', 'process'];
  return header.parts.xen === undefined
    ? ['lab', 'vmm', 'guest', 'process']
    : ['lab', 'vmm', 'xen', 'guest', 'process'];
}

/** One line on what the machine was made of. */
export function partsLine(parts: Record<string, string>): string {
  return Object.entries(parts)
    .filter(([key]) => !key.endsWith('Path'))
    .map(([key, value]) => `${key} ${value}`)
    .join(' · ');
}

/** The expectations and the verdict, as they stand under a time line. */
export function verdictLines(name: string, judgement: Judgement, trace: string | undefined, style: Style): string[] {
  const lines: string[] = [];
  for (const { expectation, status, reason, evidence, nearest } of judgement.expectations) {
    const [color, mark] = MARKS[status];
    const events = evidence.length > 0 ? evidence : nearest;
    lines.push(`  ${style(color, mark)} ${safeText(expectation)}`);
    const why = `${reason}${events.length > 1 ? ` [events ${events.join(', ')}]` : ''}`;
    if (status !== 'pass') lines.push(...wrap(safeText(why), 92).map(line => style(color, `      ${line}`)));
    else lines.push(style('dim', `      ${safeText(why)}`));
  }
  for (const { id, text, history } of judgement.causes) {
    lines.push(...wrap(`Known cause (${id}): ${text}`, 96).map(line => style('yellow', `  ${line}`)));
    lines.push(...wrap(history, 94).map(line => `    ${line}`));
  }
  if (judgement.problem) {
    lines.push(
      ...wrap(`${judgement.problem.code}: ${safeText(judgement.problem.message)}`, 96).map(l =>
        style('yellow', `  ${l}`),
      ),
    );
    if (judgement.problem.hint) lines.push(...wrap(safeText(judgement.problem.hint), 96).map(l => `  ${l}`));
  }
  const word = style(['bold', VERDICTS[judgement.verdict]], judgement.verdict.toUpperCase());
  lines.push(`${word}  ${name}  outcome ${judgement.outcome}  ${judgement.seconds.toFixed(1)} s`);
  if (trace !== undefined) lines.push(style('dim', `      trace ${trace}`));
  return lines;
}

/** The live time line and the verdict, for people. */
export function textReporter(
  write: (line: string) => void,
  style: Style,
  options: { all?: boolean; quiet?: boolean } = {},
): Reporter {
  let timeline: Timeline | undefined;
  return {
    header(header) {
      if (options.quiet) return;
      timeline = new Timeline({ style, layers: layersOf(header), ...(options.all ? { all: true } : {}) });
      write(style('dim', partsLine(header.parts)));
      write(timeline.head());
    },
    start(scenario) {
      if (!options.quiet) write(`${style('bold', scenario.name)}  ${scenario.title}`);
    },
    event(event) {
      for (const line of timeline?.lines(event) ?? []) write(line);
    },
    result(result) {
      timeline = undefined;
      if (options.quiet && result.verdict === 'pass') write(summaryLine(result, style));
      else for (const line of verdictLines(result.scenario, result, result.trace, style)) write(line);
      if (!options.quiet) write('');
    },
    finish(results) {
      if (results.length > 1) for (const line of summaryTable(results, style)) write(line);
    },
  };
}

function summaryLine(r: RunResult, style: Style): string {
  const verdict = style(VERDICTS[r.verdict], r.verdict.padEnd(6));
  return `${verdict} ${r.scenario.padEnd(24)} ${r.outcome.padEnd(10)} ${r.seconds.toFixed(1).padStart(6)} s`;
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
