import { UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { type BisectResult, bisect as search } from '@syndrome/lab/matrix/bisect.ts';
import { LabError } from '@syndrome/lab/errors.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { inOrder } from '@syndrome/lab/matrix/axes.ts';
import { MATRIX_VERSION } from '@syndrome/lab/report/matrix.ts';
import { AXES, AXIS_NAMES, type Axis, type CellParts } from '@syndrome/trace/axes.ts';
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';
import { problemText } from '@syndrome/trace/verdict-lines.ts';
import type { EngineKind } from '@syndrome/lab/engine/engine.ts';
import type { RunResult } from '@syndrome/lab/run.ts';
import { scenarioData } from '@syndrome/lab/run-spec.ts';
import { findScenario } from '@syndrome/lab/scenario/load.ts';
import { causesOfRuns, foundLines } from './bisect-text.ts';
import { chosenEngine } from './chosen-engine.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { writeMatrixPage } from './matrix-html.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import {
  checkUserParts,
  offersFor,
  partChoices,
  type PartOptions,
  refuseUnusedParts,
  services,
} from './part-options.ts';
import { type GlobalOptions, print, printJson, say, stdoutLook } from './output.ts';

interface Options extends GlobalOptions, SupplyOptions, PartOptions {
  good: string;
  bad: string;
  over: Axis;
  json?: boolean;
  html?: string;
  engine?: EngineKind;
}

/** `syndrome bisect`: between which two versions on offer does the verdict of a scenario change? */
export async function bisect(name: string, options: Options): Promise<void> {
  const scenario = findScenario(name);
  const { over: axis } = options;
  const choices = partChoices(options);
  const { one, many, option } = AXES[axis];
  if (choices[axis] !== undefined) {
    const flag = axis === 'kernel' && options.guestKernel === undefined ? '--kernel' : option;
    throw new UsageError('E_USAGE', `${flag} does not apply to a bisection over ${many}`, {
      hint: `Its ${many} are those on offer from --good to --bad.`,
    });
  }
  // That the machine has such a part is asked as if it were chosen.
  refuseUnusedParts([scenario], axis === 'kernel' ? options : { ...options, [axis]: options.good });
  if (options.html !== undefined) checkOutput('--html', options.html);
  const signal = interruptSignal();
  const supply = await openSupply(options, signal);
  await checkUserParts([scenario], options, supply);
  const onOffer = inOrder(await offersFor(supply, scenario, axis));
  const [good, bad] = [options.good, options.bad].map(text => {
    const version = onOffer.includes(text) ? text : onOffer.findLast(one => one.startsWith(`${text}.`));
    if (version !== undefined) return version;
    throw new UsageError('E_USAGE', `the ${one} ${text} is not on offer`, { hint: `On offer: ${onOffer.join(' ')}` });
  }) as [string, string];
  const order = onOffer.indexOf(good) - onOffer.indexOf(bad);
  if (order === 0) throw new UsageError('E_USAGE', '--good and --bad are the same version');
  const [from, to] = order < 0 ? [good, bad] : [bad, good];
  const versions = onOffer.slice(onOffer.indexOf(from), onOffer.indexOf(to) + 1);
  const results = new Map<string, RunResult>();
  const engine = await chosenEngine(options, 'restore', { ...services(supply), signal });
  const started = process.hrtime.bigint();
  const test = async (version: string): Promise<Verdict> => {
    const spec = { ...choices, scenario: scenarioData(scenario), [axis]: version };
    const { result } = await engine.run(spec);
    results.set(version, result);
    say(`${version.padEnd(12)} ${result.verdict} ${result.outcome} ${result.seconds.toFixed(1)} s`);
    if (result.problem !== undefined) say(safeText(`  ${problemText(result.problem)}`, 500));
    return result.verdict;
  };
  say(`${scenario.name}: ${versions.length} ${many} from ${from} to ${to}`);
  const start = order < 0 ? 'pass' : 'fail';
  const measure = async (): Promise<BisectResult> => {
    for (const [version, wanted] of [
      [good, 'pass'],
      [bad, 'fail'],
    ] as const) {
      const verdict = await test(version);
      if (verdict !== wanted) {
        throw new LabError(
          'E_BISECT_ENDS',
          `${version} was given as ${wanted === 'pass' ? 'good' : 'bad'}, but its verdict is ${verdict}`,
          {
            hint: `See what \`syndrome run\` says with ${option} ${version}; a bisection needs one end that passes and one that fails.`,
          },
        );
      }
    }
    return search(versions, start, test);
  };
  let found: Awaited<ReturnType<typeof measure>>;
  try {
    found = await measure();
  } finally {
    await engine.close();
  }
  // The pair is known, but not that the verdict changes there.
  if (found.unsteady.length > 0) process.exitCode = EXIT.error;
  const fixed: CellParts = Object.fromEntries(
    ([...AXIS_NAMES, 'cpu'] as const).flatMap(part => (choices[part] === undefined ? [] : [[part, choices[part]]])),
  );
  const report = {
    schemaVersion: MATRIX_VERSION,
    scenario: scenario.name,
    axis,
    change: start === 'pass' ? 'good to bad' : 'bad to good',
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    // A matrix of what was tried, over all that is between: a page shows it as one.
    cells: versions.flatMap(version => {
      const result = results.get(version);
      return result === undefined ? [] : [{ cell: { [axis]: version, ...fixed }, result }];
    }),
    versions,
    ...found,
    causes: causesOfRuns(results.values()),
  } as const;
  if (options.json) printJson(report);
  else for (const line of foundLines(name, report, results, stdoutLook(options))) print(line);
  const hint = 'What was found stands above, and each run has its trace.';
  if (options.html !== undefined) await writeMatrixPage(options.html, report, signal, hint);
}
