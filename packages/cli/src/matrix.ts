import { UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { asksWhatIsOnOffer, namesSeveral, versionsOf } from '@syndrome/lab/matrix/axes.ts';
import { cellsOf, type CellResult, MatrixMemory } from '@syndrome/lab/matrix/cells.ts';
import { automaticJobs, runMatrix } from '@syndrome/lab/matrix/run.ts';
import type { EngineKind } from '@syndrome/lab/engine/engine.ts';
import type { PartChoices } from '@syndrome/lab/part-choices.ts';
import { type RunSpec, scenarioData } from '@syndrome/lab/run-spec.ts';
import { findScenarios, narrowed, type Scenario } from '@syndrome/lab/scenario/load.ts';
import { KeptMatrix } from '@syndrome/lab/report/kept-matrix.ts';
import { columnOf, MATRIX_VERSION, type MatrixReport, matrixText } from '@syndrome/lab/report/matrix.ts';
import { labelOf } from '@syndrome/lab/params/space.ts';
import { chosenParams } from './param-option.ts';
import { chosenEngine } from './chosen-engine.ts';
import { exitCodeOf } from './exit-codes.ts';
import { writeMatrixPage } from './matrix-html.ts';
import { interruptSignal } from './interrupt.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { AXES, AXIS_NAMES, type Axis, type CellParts } from '@syndrome/trace/axes.ts';
import { checkAxes, offersFor, partChoices, type PartOptions, refuseUnusedParts, services } from './part-options.ts';
import { type GlobalOptions, print, printJson, say, stdoutLook } from './output.ts';

interface Options extends GlobalOptions, SupplyOptions, PartOptions {
  jobs: string;
  json?: boolean;
  html?: string;
  fresh?: boolean;
  cold?: boolean;
  engine?: EngineKind;
  timeout?: number;
  param?: string[];
}

function jobsOf(text: string, scenario: Scenario): number {
  if (text === 'auto') return automaticJobs(scenario);
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 64) return jobs;
  throw new UsageError('E_USAGE', `--jobs ${text}: expected auto or a number from 1 to 64`);
}

/** Parts that a matrix may have beside its kernels as further columns. */
const COLUMNS: readonly Axis[] = ['hostKernel'];

/**
 * What is varied: the part of which several versions are named, guest kernels where there is none.
 * @throws UsageError where several of two parts are named
 */
function axisOf(choices: Pick<PartChoices, Axis>): Axis {
  const several = AXIS_NAMES.filter(name => namesSeveral(choices[name] ?? ''));
  const [first, second] = several.length === 1 ? several : several.filter(name => !COLUMNS.includes(name));
  if (first !== undefined && second !== undefined) {
    const [one, other] = [AXES[first].option, AXES[second].option];
    throw new UsageError('E_USAGE', `${one} and ${other} both name several versions`, {
      hint: 'A matrix varies one of them: give one version of the other.',
    });
  }
  // Host kernels alone are beside all guest kernels, unless one of these is chosen.
  return first === 'hostKernel' && choices.kernel === undefined ? 'kernel' : (first ?? 'kernel');
}

/** `syndrome matrix`: one scenario over many kernels, or versions of another part; resumable after an interruption. */
export async function matrix(name: string, options: Options): Promise<void> {
  const variants = narrowed(findScenarios([name]), chosenParams(options.param));
  const [scenario] = variants as [Scenario];
  refuseUnusedParts(variants, options);
  if (options.html !== undefined) checkOutput('--html', options.html);
  const choices = partChoices(options);
  const axis = axisOf(choices);
  const signal = interruptSignal();
  const supply = await openSupply(options, signal);
  const named = new Map<Axis, string[]>();
  for (const part of [axis, ...AXIS_NAMES.filter(name => name !== axis)]) {
    const text = choices[part] ?? (part === axis ? 'all' : undefined);
    if (text === undefined) continue;
    named.set(part, versionsOf(part, text, asksWhatIsOnOffer(text) ? await offersFor(supply, scenario, part) : []));
  }
  await checkAxes(scenario, options, supply, named);
  const labelled = variants.flatMap(({ variant }) => (variant === undefined ? [] : [labelOf(variant.point)]));
  // Variants of one machine stand beside each other: they start from the same kept state.
  const cells = cellsOf([...named, ['cpu', choices.cpu?.split(';') ?? []], ['variant', labelled]]);
  const family = scenario.variant?.of ?? scenario.name;
  const memory = new MatrixMemory(family);
  if (options.fresh) memory.forget();
  const jobs = jobsOf(options.jobs, scenario);
  const versions = named.get(axis) ?? [];
  say(
    `${family}: ${cells.length} cells over ${AXES[axis].many}, ${jobs} at a time; an interrupted matrix goes on where it stopped`,
  );
  const started = process.hrtime.bigint();
  const kept = new KeptMatrix(family, new Date());
  const reportOf = (entries: readonly CellResult[]): MatrixReport => ({
    schemaVersion: MATRIX_VERSION,
    scenario: family,
    axis,
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    cells: entries,
    versions,
  });
  const measured: CellResult[] = [];
  const onCell = ({ cell, result }: CellResult, known: boolean): void => {
    const done = measured.push({ cell, result });
    kept.write(reportOf(measured));
    const what = [cell[axis], columnOf(cell, axis)].filter(Boolean).join(' ');
    say(
      `${String(done).padStart(3)}/${cells.length} ${what.padEnd(16)} ${result.verdict} ${result.outcome}${known ? ' (known)' : ` ${result.seconds.toFixed(1)} s`}`,
    );
  };
  const specOf = ({ variant }: CellParts): RunSpec => ({
    ...choices,
    scenario: scenarioData(variants[Math.max(0, labelled.indexOf(variant ?? ''))] ?? scenario),
    ...(options.cold ? { cold: true } : {}),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout * 1e9 }),
  });
  const by = { ...services(supply), signal };
  const engine = await chosenEngine(options, 'restore', by);
  let results: Awaited<ReturnType<typeof runMatrix>>;
  try {
    results = await runMatrix(specOf, cells, { ...by, engine, jobs, memory, onCell });
  } finally {
    await engine.close();
  }
  const report = reportOf(results);
  kept.write(report);
  if (options.json) printJson(report);
  else for (const line of matrixText(report, stdoutLook(options))) print(line);
  // What cost hours to measure is known until all that was asked for is written.
  const hint = 'The table stands above; the same matrix, started again, has its cells already.';
  if (options.html !== undefined) await writeMatrixPage(options.html, report, signal, hint);
  memory.complete();
  if (memory.lost !== undefined) say(`an interrupted matrix would not go on: ${safeText(memory.lost.message, 300)}`);
  if (kept.lost !== undefined) say(`the matrix is not kept in the state folder: ${safeText(kept.lost.message, 300)}`);
  say(`${results.length} cells in ${report.seconds.toFixed(0)} s`);
  // A matrix shows differences: a failed cell is a result. Only a lab that could not work is an error.
  process.exitCode = exitCodeOf(results.map(r => (r.result.verdict === 'error' ? 'error' : 'pass')));
}
