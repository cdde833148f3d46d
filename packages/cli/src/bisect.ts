import { UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { bisect as search, type BisectResult } from '@syndrome/lab/matrix/bisect.ts';
import { LabError } from '@syndrome/lab/errors.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import type { Cause } from '@syndrome/trace/expect/causes.ts';
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';
import { causeLines, type Look, problemText } from '@syndrome/trace/verdict-lines.ts';
import { type RunResult, runScenario } from '@syndrome/lab/run.ts';
import { scenarioData } from '@syndrome/lab/run-spec.ts';
import { findScenario } from '@syndrome/lab/scenario/load.ts';
import { compareKernels } from '@syndrome/lab/supply/kernels.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { writeMatrixPage } from './matrix-html.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import {
  checkUserParts,
  kernelsFor,
  partChoices,
  type PartOptions,
  refuseUnusedParts,
  services,
} from './part-options.ts';
import { type GlobalOptions, print, printJson, say, stdoutLook } from './output.ts';

interface Options extends GlobalOptions, SupplyOptions, PartOptions {
  good: string;
  bad: string;
  json?: boolean;
  html?: string;
}

/** What a bisection has come to. */
interface Found extends BisectResult {
  change: 'good to bad' | 'bad to good';
  causes: readonly Cause[];
}

/** `syndrome bisect`: between which two kernels on offer does the verdict of a scenario change? */
export async function bisect(name: string, options: Options): Promise<void> {
  const scenario = findScenario(name);
  refuseUnusedParts([scenario], options);
  if (options.guestKernel !== undefined || options.kernel !== undefined) {
    const flag = options.guestKernel === undefined ? '--kernel' : '--guest-kernel';
    throw new UsageError('E_USAGE', `${flag} does not apply to a bisection`, {
      hint: 'Its guest kernels are those on offer from --good to --bad.',
    });
  }
  if (options.html !== undefined) checkOutput('--html', options.html);
  const signal = interruptSignal();
  const supply = await openSupply(options, signal);
  await checkUserParts([scenario], options, supply);
  const onOffer = [...new Set((await kernelsFor(supply, scenario)).map(o => o.version))].toSorted(compareKernels);
  for (const version of [options.good, options.bad]) {
    if (!onOffer.includes(version)) {
      throw new UsageError('E_USAGE', `Linux ${version} is not on offer`, { hint: `On offer: ${onOffer.join(' ')}` });
    }
  }
  const order = compareKernels(options.good, options.bad);
  if (order === 0) throw new UsageError('E_USAGE', '--good and --bad are the same version');
  const [from, to] = order < 0 ? [options.good, options.bad] : [options.bad, options.good];
  const versions = onOffer.slice(onOffer.indexOf(from), onOffer.indexOf(to) + 1);
  const results = new Map<string, RunResult>();
  const started = process.hrtime.bigint();
  const test = async (version: string): Promise<Verdict> => {
    const spec = { ...partChoices(options), scenario: scenarioData(scenario), kernel: version };
    const result = await runScenario(spec, { ...services(supply), signal });
    results.set(version, result);
    say(`${version.padEnd(12)} ${result.verdict} ${result.outcome} ${result.seconds.toFixed(1)} s`);
    if (result.problem !== undefined) say(safeText(`  ${problemText(result.problem)}`, 500));
    return result.verdict;
  };
  say(`${scenario.name}: ${versions.length} kernels from ${from} to ${to}`);
  for (const [version, wanted] of [
    [options.good, 'pass'],
    [options.bad, 'fail'],
  ] as const) {
    const verdict = await test(version);
    if (verdict !== wanted) {
      throw new LabError(
        'E_BISECT_ENDS',
        `${version} was given as ${wanted === 'pass' ? 'good' : 'bad'}, but its verdict is ${verdict}`,
        {
          hint: 'See `syndrome run` with that kernel; a bisection needs one end that passes and one that fails.',
        },
      );
    }
  }
  const start = order < 0 ? 'pass' : 'fail';
  const found = await search(versions, start, test);
  // The pair is known, but not that the verdict changes there.
  if (found.unsteady.length > 0) process.exitCode = EXIT.error;
  const causes = [...results.values()].flatMap(result => result.causes);
  const { hostKernel, cpu } = partChoices(options);
  const fixed = { ...(hostKernel === undefined ? {} : { hostKernel }), ...(cpu === undefined ? {} : { cpu }) };
  const report = {
    schemaVersion: 1,
    scenario: scenario.name,
    change: start === 'pass' ? 'good to bad' : 'bad to good',
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    // A matrix of what was tried, over all that is between: a page shows it as one.
    cells: versions.flatMap(kernel => {
      const result = results.get(kernel);
      return result === undefined ? [] : [{ cell: { kernel, ...fixed }, result }];
    }),
    kernels: versions,
    ...found,
    causes: [...new Map(causes.map(cause => [cause.id, cause])).values()],
  } as const;
  if (options.json) printJson(report);
  else printFound(name, report, results, stdoutLook(options));
  const hint = 'What was found stands above, and each run has its trace.';
  if (options.html !== undefined) await writeMatrixPage(options.html, report, signal, hint);
}

/** The pair, and what is to be known of it. */
function printFound(
  name: string,
  { change, first, last, tried, unsteady, untested, causes }: Found,
  results: ReadonlyMap<string, RunResult>,
  look: Look,
): void {
  const { style } = look;
  const [to, from] = change === 'good to bad' ? ['bad', 'good'] : ['good', 'bad'];
  print(style('bold', `first ${to} kernel: ${first}`));
  print(`last ${from} kernel: ${last}; ${tried.length + 2} runs`);
  for (const { version, verdicts } of unsteady) {
    print(style('yellow', `not steady: ${version} was ${verdicts.join(', then ')}; the change may lie elsewhere`));
    print(`  syndrome run ${name} --guest-kernel ${version} --repeat 20   # how often which`);
  }
  for (const version of untested) {
    const problem = results.get(version)?.problem;
    print(safeText(`could not be tested: ${version}${problem === undefined ? '' : `, ${problemText(problem)}`}`, 500));
  }
  for (const line of causeLines(causes, look)) print(line);
}
