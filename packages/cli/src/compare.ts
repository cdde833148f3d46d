import { readTrace } from '@syndrome/lab/trace/read-file.ts';
import { comparedRun, type Comparison, compareRuns } from '@syndrome/trace/compare/compare.ts';
import { compareData } from '@syndrome/trace/compare/data.ts';
import { compareLines } from '@syndrome/trace/compare/lines.ts';
import { EXIT } from './exit-codes.ts';
import { type GlobalOptions, print, printJson, stdoutLook } from './output.ts';

interface Options extends GlobalOptions {
  json?: boolean;
}

/** Like `diff`: 0 the same, 1 different; 3 where a trace is cut or damaged, for what is missing may be the difference. */
function exitCode({ a, b, differ }: Comparison): number {
  if ([a, b].some(({ judgement }) => judgement.verdict === 'error')) return EXIT.error;
  return differ ? EXIT.fail : EXIT.pass;
}

/** `syndrome compare`: two runs beside each other, and the first difference. */
export async function compare(a: string, b: string, options: Options): Promise<void> {
  const comparison = compareRuns(comparedRun(await readTrace(a)), comparedRun(await readTrace(b)));
  process.exitCode = exitCode(comparison);
  if (options.json) printJson(compareData(comparison, [a, b]));
  else for (const line of compareLines(comparison, [a, b], stdoutLook(options))) print(line);
}
