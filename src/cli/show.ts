import { stringify } from '../common/hex.ts';
import { judgeFile } from '../lab/expect/verdict.ts';
import { readTrace } from '../lab/trace/reader.ts';
import { layersOf, partsLine, verdictLines } from '../report/text.ts';
import { Timeline } from '../report/timeline.ts';
import { type GlobalOptions, print, stdoutStyle } from './output.ts';
import { exitCodeOf } from './exit-codes.ts';

interface Options extends GlobalOptions {
  all?: boolean;
  json?: boolean;
}

/** Renders a trace again; the verdict is computed from it, and is the exit code. */
export async function show(file: string, options: Options): Promise<void> {
  const trace = await readTrace(file);
  const judgement = judgeFile(trace);
  process.exitCode = exitCodeOf([judgement.verdict]);
  if (options.json) {
    print(
      stringify({
        schemaVersion: 1,
        scenario: trace.header.scenario,
        ...judgement,
        trace: file,
        diagnostics: trace.diagnostics,
      }),
    );
    return;
  }
  const style = stdoutStyle(options);
  const timeline = new Timeline({ style, layers: layersOf(trace.header), ...(options.all ? { all: true } : {}) });
  print(`${style('bold', trace.header.scenario)}  ${trace.header.startedAt}`);
  print(style('dim', partsLine(trace.header.parts)));
  print(timeline.head());
  for (const event of trace.events) for (const line of timeline.lines(event)) print(line);
  for (const line of verdictLines(trace.header.scenario, judgement, undefined, style)) print(line);
  for (const { line, problem } of trace.diagnostics.slice(0, 5)) print(`${file}:${line}: ${problem}`);
}
