import { resolve } from 'node:path';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { makeRepro } from '@syndrome/lab/repro/repro.ts';
import { type RunSpec, scenarioData } from '@syndrome/lab/run-spec.ts';
import { findScenarios } from '@syndrome/lab/scenario/load.ts';
import { textReporter } from '@syndrome/lab/report/text.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { type GlobalOptions, print, printJson, say, stderrLook } from './output.ts';
import { checkUserParts, partChoices, type PartOptions, refuseUnusedParts, services } from './part-options.ts';

interface Options extends GlobalOptions, SupplyOptions, PartOptions {
  out?: string;
  json?: boolean;
  check: boolean;
  timeout?: number;
  quiet?: boolean;
}

/** `syndrome repro`. What the run came to is no error of it; a folder that does not show it again is. */
export async function repro(name: string, options: Options): Promise<void> {
  const scenarios = findScenarios([name]);
  const [scenario] = scenarios;
  if (scenario === undefined) throw new UsageError('E_USAGE', `there is no scenario ${name}`);
  refuseUnusedParts(scenarios, options);
  const signal = interruptSignal();
  const supply = await openSupply(options, signal);
  await checkUserParts(scenarios, options, supply);
  const spec: RunSpec = {
    ...partChoices(options),
    scenario: scenarioData(scenario),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout * 1e9 }),
  };
  const folder = resolve(options.out ?? `repro-${scenario.name}`);
  const reporter = textReporter(say, stderrLook(options), options.quiet ? { quiet: true } : {});
  reporter.start?.(scenario);
  const { result, files, replay } = await makeRepro(spec, {
    ...services(supply),
    signal,
    folder,
    check: options.check,
    onHeader: (header, trace) => reporter.header?.(header, trace),
    onEvent: event => reporter.event?.(event),
    onCheck: () => say(`The folder is written; it is played by its own program: python3 ${folder}/reproduce.py`),
  });
  const { verdict, outcome } = result;
  if (options.json)
    printJson({
      scenario: scenario.name,
      folder,
      verdict,
      outcome,
      files,
      ...(replay === undefined ? {} : { replay }),
    });
  else {
    print(`${folder}  verdict ${verdict}, outcome ${outcome}`);
    for (const file of files) print(`  ${file}`);
    if (replay !== undefined) print(replay.output.trimEnd().split('\n').at(-1) ?? '');
    else if (options.check) print('The folder was not played: there is no python3 on PATH.');
  }
  if (replay !== undefined && replay.status !== 0) process.exitCode = EXIT.fail;
}
