import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { readTraceBytes } from '@syndrome/lab/trace/read-file.ts';
import { comparedRun, type Comparison, compareRuns } from '@syndrome/trace/compare/compare.ts';
import { compareData } from '@syndrome/trace/compare/data.ts';
import { compareLines } from '@syndrome/trace/compare/lines.ts';
import { EXIT } from './exit-codes.ts';
import { type GlobalOptions, print, printJson, stdoutLook } from './output.ts';

interface Options extends GlobalOptions {
  html?: string;
  json?: boolean;
}

/** Like `diff`: 0 the same, 1 different; 3 where a trace is cut or damaged, for what is missing may be the difference. */
function exitCode({ a, b, differ }: Comparison): number {
  if ([a, b].some(({ judgement }) => judgement.verdict === 'error')) return EXIT.error;
  return differ ? EXIT.fail : EXIT.pass;
}

/** `syndrome compare`: two runs beside each other, and the first difference. */
export async function compare(a: string, b: string, options: Options): Promise<void> {
  const { html } = options;
  if (html !== undefined) checkOutput('--html', html);
  const [left, right] = [await readTraceBytes(a), await readTraceBytes(b)];
  const comparison = compareRuns(comparedRun(left.trace), comparedRun(right.trace));
  process.exitCode = exitCode(comparison);
  if (html !== undefined) {
    const { writeTracePage } = await import('./html.ts');
    await writeTracePage(html, [
      { file: a, bytes: left.bytes },
      { file: b, bytes: right.bytes },
    ]);
    if (!options.json) return;
  }
  if (options.json) printJson(compareData(comparison, [a, b]));
  else for (const line of compareLines(comparison, [a, b], stdoutLook(options))) print(line);
}
