import { availableParallelism } from 'node:os';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { type Flaw, simulate, type Simulated } from '@syndrome/supervisor/sim/simulate.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { type GlobalOptions, print, printJson, say, sayForNow } from './output.ts';

interface Options extends GlobalOptions {
  hosts: number;
  hours: number;
  seed: number;
  faults: number;
  break?: Flaw;
  json?: boolean;
}

/** Of violations that are shown to a person. */
const SHOWN = 10;

/** Exit code 1 where something did not hold. @throws UsageError E_SIMULATE where no site would have a minute */
export async function runSimulation(options: Options): Promise<void> {
  const { hosts, hours, seed, faults, break: flaw, json } = options;
  if (hours * 60 < hosts)
    throw new UsageError('E_SIMULATE', `${hours} host-hours are less than a minute for each of ${hosts} hosts`, {
      hint: 'Give more --hours, or fewer --hosts.',
    });
  const signal = interruptSignal();
  const began = performance.now();
  let done = 0;
  const result = await simulate({
    hosts,
    hours,
    seed,
    faultsPerHostHour: faults,
    ...(flaw === undefined ? {} : { flaw }),
    threads: availableParallelism(),
    signal,
    told: site => {
      done += site.hostHours;
      sayForNow(`simulated ${Math.round(done)} of ${hours} host-hours`, false);
      for (const { invariant, what } of site.violations.slice(0, 1)) say(`seed ${site.seed}: ${invariant}: ${what}`);
    },
  });
  const seconds = Math.round((performance.now() - began) / 10) / 100;
  if (result.violations.length > 0) process.exitCode = EXIT.fail;
  if (json === true)
    return printJson({
      schemaVersion: 1,
      hosts,
      seed,
      ...(flaw === undefined ? {} : { break: flaw }),
      ...result,
      seconds,
    });
  for (const line of linesOf(result, options, seconds)) print(line);
}

function linesOf(result: Simulated, { hosts, seed, break: flaw }: Options, seconds: number): string[] {
  const { seeds, hostHours, faults, starts, proofs, inputs, violations } = result;
  const seedsText = seeds === 1 ? `seed ${seed}` : `seeds ${seed} to ${seed + seeds - 1}`;
  return [
    `${hostHours} host-hours of ${seeds === 1 ? 'a site' : `${seeds} sites`} with ${hosts} hosts (${seedsText})${flaw === undefined ? '' : `, without the check "${flaw}"`}`,
    `  ${faults} faults, ${inputs} inputs, ${starts} starts elsewhere, ${proofs} proofs of a stop, in ${seconds} s`,
    ...violations
      .slice(0, SHOWN)
      .map(({ invariant, seed: of, hours, what }) => `  ${invariant}, seed ${of}, hour ${hours}: ${what}`),
    ...(violations.length > SHOWN ? [`  … and ${violations.length - SHOWN} more`] : []),
    violations.length === 0
      ? 'all held: nothing lost, nothing twice, no VM in two places, each start with its proofs, everything to its end'
      : `${violations.length} times something did not hold`,
  ];
}
