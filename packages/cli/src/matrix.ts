import { UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { kernelAxis } from '@syndrome/lab/matrix/axes.ts';
import { cellsOf, type CellResult, MatrixMemory } from '@syndrome/lab/matrix/cells.ts';
import { automaticJobs, runMatrix } from '@syndrome/lab/matrix/run.ts';
import { type RunSpec, scenarioData } from '@syndrome/lab/run-spec.ts';
import { findScenario, type Scenario } from '@syndrome/lab/scenario/load.ts';
import { KeptMatrix } from '@syndrome/lab/report/kept-matrix.ts';
import { type MatrixReport, matrixText } from '@syndrome/lab/report/matrix.ts';
import { exitCodeOf } from './exit-codes.ts';
import { writeMatrixPage } from './matrix-html.ts';
import { interruptSignal } from './interrupt.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { checkAxes, kernelsFor, partChoices, type PartOptions, refuseUnusedParts, services } from './part-options.ts';
import { type GlobalOptions, print, printJson, say, stdoutLook } from './output.ts';

interface Options extends GlobalOptions, SupplyOptions, PartOptions {
  jobs: string;
  json?: boolean;
  html?: string;
  fresh?: boolean;
  cold?: boolean;
  timeout?: number;
}

function jobsOf(text: string, scenario: Scenario): number {
  if (text === 'auto') return automaticJobs(scenario);
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 64) return jobs;
  throw new UsageError('E_USAGE', `--jobs ${text}: expected auto or a number from 1 to 64`);
}

/** `syndrome matrix`: one scenario over many kernels; resumable after an interruption. */
export async function matrix(name: string, options: Options): Promise<void> {
  const scenario = findScenario(name);
  refuseUnusedParts([scenario], options);
  if (options.html !== undefined) checkOutput('--html', options.html);
  const signal = interruptSignal();
  const supply = await openSupply(options, signal);
  const axis = async (text: string | undefined): Promise<string[]> =>
    text === undefined ? [] : kernelAxis(text, /\.\.|^all$/.test(text) ? await kernelsFor(supply, scenario) : []);
  const { kernel: chosen, hostKernel: host, cpu, ...choices } = partChoices(options);
  const axes = { kernels: await axis(chosen ?? 'all'), hostKernels: await axis(host) };
  await checkAxes(scenario, options, supply, axes);
  const cells = cellsOf(axes.kernels, axes.hostKernels, cpu === undefined ? [] : cpu.split(';'));
  const memory = new MatrixMemory(scenario.name);
  if (options.fresh) memory.forget();
  const jobs = jobsOf(options.jobs, scenario);
  say(`${scenario.name}: ${cells.length} cells, ${jobs} at a time; an interrupted matrix goes on where it stopped`);
  const started = process.hrtime.bigint();
  const kept = new KeptMatrix(scenario.name, new Date());
  const reportOf = (entries: readonly CellResult[]): MatrixReport => ({
    schemaVersion: 1,
    scenario: scenario.name,
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    cells: entries,
  });
  const measured: CellResult[] = [];
  const onCell = ({ cell, result }: CellResult, known: boolean): void => {
    const done = measured.push({ cell, result });
    kept.write(reportOf(measured));
    const what = [cell.kernel, cell.hostKernel, cell.cpu].filter(Boolean).join(' ');
    say(
      `${String(done).padStart(3)}/${cells.length} ${what.padEnd(16)} ${result.verdict} ${result.outcome}${known ? ' (known)' : ` ${result.seconds.toFixed(1)} s`}`,
    );
  };
  const spec: RunSpec = {
    ...choices,
    scenario: scenarioData(scenario),
    ...(options.cold ? { cold: true } : {}),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout * 1e9 }),
  };
  const results = await runMatrix(spec, cells, { ...services(supply), jobs, memory, signal, onCell });
  const report = reportOf(results);
  kept.write(report);
  if (options.json) printJson(report);
  else for (const line of matrixText(results, stdoutLook(options))) print(line);
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
