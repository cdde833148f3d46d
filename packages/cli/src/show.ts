import { safeText } from '@syndrome/decode/common/screen.ts';
import { judgeFile } from '@syndrome/trace/expect/verdict.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { readTrace, readTraceBytes } from '@syndrome/lab/trace/read-file.ts';
import { runLine } from '@syndrome/trace/parts-line.ts';
import { verdictLines } from '@syndrome/trace/verdict-lines.ts';
import { lanesOf, Timeline, wrap } from '@syndrome/trace/timeline.ts';
import { type GlobalOptions, print, printJson, stdoutLook } from './output.ts';
import { exitCodeOf } from './exit-codes.ts';

interface Options extends GlobalOptions {
  all?: boolean;
  html?: string;
  json?: boolean;
}

/** Renders a trace again; the verdict is computed from it, and is the exit code. */
export async function show(file: string, options: Options): Promise<void> {
  const { html } = options;
  if (html !== undefined) checkOutput('--html', html);
  const { trace, bytes } =
    html === undefined ? { trace: await readTrace(file), bytes: undefined } : await readTraceBytes(file);
  const judgement = judgeFile(trace);
  process.exitCode = exitCodeOf([judgement.verdict]);
  if (html !== undefined && bytes !== undefined) {
    const { writeTracePage } = await import('./html.ts');
    await writeTracePage(html, [{ file, bytes }]);
    if (!options.json) return;
  }
  if (options.json) {
    printJson({
      schemaVersion: 1,
      scenario: trace.header.scenario,
      ...(trace.header.identity === undefined ? {} : { identity: trace.header.identity.run }),
      ...judgement,
      trace: file,
      diagnostics: trace.diagnostics,
      departures: trace.departures,
      moreDepartures: trace.moreDepartures,
    });
    return;
  }
  const { header, events, diagnostics, departures, moreDepartures } = trace;
  const look = stdoutLook(options);
  const { style, width } = look;
  const all = options.all === true;
  const timeline = new Timeline({ style, width, layers: lanesOf(header, all), all });
  print(`${style('bold', safeText(header.scenario, 200))}  ${safeText(header.startedAt, 100)}`);
  for (const line of wrap(runLine(header), width)) print(style('dim', line));
  print(timeline.head());
  for (const event of events) for (const line of timeline.lines(event)) print(line);
  for (const line of verdictLines(header.scenario, judgement, undefined, look)) print(line);
  for (const { line, problem } of diagnostics.slice(0, 5)) print(safeText(`${file}:${line}: ${problem}`));
  if (diagnostics.length > 5) print(`${diagnostics.length - 5} more damaged lines`);
  for (const { line, problem, count } of departures.slice(0, 5))
    print(safeText(`${file}:${line}: ${problem}${count === 1 ? '' : ` (${count} events)`}`));
  const others = departures.slice(5).reduce((sum, { count }) => sum + count, moreDepartures);
  if (others > 0) print(`${others} more events are not as the catalogue of this program has them`);
}
