import { availableParallelism } from 'node:os';
import { SyndromeError, UsageError } from '@syndrome/decode/common/errors.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { LabInterrupted } from '@syndrome/lab/errors.ts';
import { shellQuote, stableArgs } from '@syndrome/lab/machine/qemu-args.ts';
import type { Services } from '@syndrome/lab/parts.ts';
import type { EngineKind } from '@syndrome/lab/engine/engine.ts';
import { prepareRun, type RunResult } from '@syndrome/lab/run.ts';
import { type RunSpec, scenarioData } from '@syndrome/lab/run-spec.ts';
import { bundledScenarios, findScenarios, narrowed, type Scenario } from '@syndrome/lab/scenario/load.ts';
import { jsonReporter, screenJson } from '@syndrome/lab/report/json.ts';
import { all, type Reporter } from '@syndrome/lab/report/reporter.ts';
import { textReporter } from '@syndrome/lab/report/text.ts';
import { type ExitStyle, exitCodeOf } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { type GlobalOptions, print, printLines, say, stderrLook, stdoutLook } from './output.ts';
import { chosenEngine } from './chosen-engine.ts';
import { chosenParams } from './param-option.ts';
import { checkUserParts, partChoices, type PartOptions, refuseUnusedParts, services } from './part-options.ts';

interface Options extends GlobalOptions, SupplyOptions, PartOptions {
  all?: boolean;
  json?: boolean;
  junit?: string;
  ktap?: boolean;
  html?: string;
  trace?: string;
  timeout?: number;
  param?: string[];
  repeat?: number;
  cold?: boolean;
  engine?: EngineKind;
  printCmd?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  exitCode: ExitStyle;
}

function choose(names: readonly string[], options: Options): Scenario[] {
  if (options.all && names.length > 0) throw new UsageError('E_USAGE', 'give names or --all, not both');
  if (!options.all && names.length === 0) {
    const known = bundledScenarios().map(s => s.name);
    throw new UsageError('E_USAGE', 'no scenario given', { hint: `Give names or --all. Known: ${known.join(', ')}.` });
  }
  const found = options.all ? bundledScenarios() : findScenarios(names);
  const chosen = narrowed(found, chosenParams(options.param));
  for (const one of ['trace', 'html'] as const) {
    if (options[one] === undefined || chosen.length === 1) continue;
    throw new UsageError('E_USAGE', `--${one} is for one scenario`, {
      hint: 'Without it each run gets a trace of its own, of which `syndrome show` makes a page.',
    });
  }
  return chosen;
}

/** What goes where: the machine-readable report on stdout, and then the time line for people on stderr. */
async function reporters(options: Options, signal: AbortSignal): Promise<Reporter[]> {
  const machine = options.json === true || options.ktap === true;
  const level = { ...(options.verbose ? { all: true } : {}), ...(options.quiet ? { quiet: true } : {}) };
  const look = machine ? stderrLook(options) : stdoutLook(options);
  const text = textReporter(machine ? say : print, look, level);
  return [
    ...(machine && options.quiet ? [] : [text]),
    ...(options.json ? [jsonReporter(print)] : []),
    ...(options.ktap ? [(await import('@syndrome/lab/report/ktap.ts')).ktapReporter(printLines)] : []),
    ...(options.junit === undefined
      ? []
      : [(await import('@syndrome/lab/report/junit.ts')).junitReporter(options.junit, signal)]),
  ];
}

/** Where results go is looked at first: a long run should not end in a report that cannot be written. @throws UsageError. */
function checkOutputs(options: Options): void {
  if (options.junit !== undefined) checkOutput('--junit', options.junit);
  if (options.trace !== undefined) checkOutput('--trace', options.trace, { stream: true });
  if (options.html !== undefined) checkOutput('--html', options.html);
}

/** `syndrome run`. The exit code is that of all runs together. */
export async function run(names: string[], options: Options): Promise<void> {
  const scenarios = choose(names, options);
  refuseUnusedParts(scenarios, options);
  checkOutputs(options);
  const signal = interruptSignal();
  const supply = await openSupply(options, signal);
  await checkUserParts(scenarios, options, supply);
  const specOf = (scenario: Scenario): RunSpec => ({
    ...partChoices(options),
    scenario: scenarioData(scenario),
    ...(options.cold ? { cold: true } : {}),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout * 1e9 }),
  });
  if (options.printCmd) {
    for (const scenario of scenarios) await printCommand(specOf(scenario), services(supply));
    return;
  }
  const repeat = options.repeat ?? 1;
  const report = all(await reporters(repeat > 1 ? { ...options, quiet: true, verbose: false } : options, signal));
  const results: RunResult[] = [];
  let interrupted = false;
  const engine = await chosenEngine(options, repeat > 1 ? 'fork' : 'restore', { ...services(supply), signal });
  try {
    const repeated = scenarios.flatMap(s => Array.from({ length: repeat }, (_, i) => ({ scenario: s, number: i + 1 })));
    const carryOut = async ({ scenario, number }: (typeof repeated)[number]): Promise<RunResult> => {
      const { result } = await engine.run(specOf(scenario), {
        ...(options.trace === undefined ? {} : { trace: options.trace }),
        ...(repeat === 1 ? { onHeader: report.header, onEvent: report.event } : {}),
      });
      return repeat === 1 ? result : { ...result, repetition: { number, of: repeat } };
    };
    // What goes on beside others is told in the order of the runs all the same.
    const begun: Promise<RunResult>[] = [];
    const jobs =
      repeat > 1 && options.trace === undefined && ['fork', 'template'].includes(engine.kind)
        ? 2 * availableParallelism()
        : 1;
    for (const [i, { scenario }] of repeated.entries()) {
      for (const next of repeated.slice(begun.length, i + jobs)) {
        const run = carryOut(next);
        run.catch(() => {});
        begun.push(run);
      }
      report.start(scenario);
      const result = await (begun[i] as Promise<RunResult>);
      results.push(result);
      report.result(result);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    interrupted = true;
  } finally {
    await engine.close();
  }
  // What was finished before an interruption is reported all the same.
  const finish = async (): Promise<void> => {
    await report.finish(results);
    if (options.html !== undefined) await writePage(options.html, results);
  };
  const lost = await finish().then(
    () => undefined,
    (cause: unknown) => ({ cause }),
  );
  if (repeat > 1) await printDistributions(scenarios, results, options);
  if (interrupted || signal.aborted) throw new LabInterrupted();
  if (lost !== undefined) {
    throw new SyndromeError('E_REPORT', 'the report could not be written', {
      ...lost,
      hint: 'The runs are finished; their verdicts stand above, and each has its trace.',
    });
  }
  process.exitCode = exitCodeOf(
    results.map(r => r.verdict),
    options.exitCode,
  );
}

/** The page of the run, of its trace as it was written. */
async function writePage(page: string, [result]: readonly RunResult[]): Promise<void> {
  if (result === undefined) return;
  const { readTraceBytes } = await import('@syndrome/lab/trace/read-file.ts');
  const { writeTracePage } = await import('./html.ts');
  await writeTracePage(page, [{ file: result.trace, bytes: (await readTraceBytes(result.trace)).bytes }]);
}

/** Flakiness is a result: how often which outcome, and how long it took. */
async function printDistributions(
  scenarios: readonly Scenario[],
  results: readonly RunResult[],
  options: Options,
): Promise<void> {
  const { distribution, distributionLines } = await import('@syndrome/lab/report/repeat.ts');
  for (const name of new Set(scenarios.map(s => s.name))) {
    const runs = results.filter(r => r.scenario === name);
    // Interrupted before the first of them had ended.
    if (runs.length === 0) continue;
    const d = distribution(name, runs);
    if (options.json) print(screenJson(d));
    else if (!options.ktap) for (const line of distributionLines(d)) print(line);
  }
}

/** The outer QEMU's command line, in a nested machine that of the VMM in the host layer, and what the run is known by. */
async function printCommand(spec: RunSpec, by: Services): Promise<void> {
  const { assembly, identity } = await prepareRun(spec, by);
  print(shellQuote(stableArgs(assembly)));
  print(`# identity: ${identity.run}`);
  if (assembly.host) print(`# in the host layer: ${shellQuote(assembly.host.vmm)}`);
}
