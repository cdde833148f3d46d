import { availableParallelism } from 'node:os';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { type Flaw, simulate, type Simulated } from '@syndrome/supervisor/sim/simulate.ts';
import type { Violation } from '@syndrome/supervisor/sim/site.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { type GlobalOptions, print, printJson, say, sayForNow } from './output.ts';

interface Options extends GlobalOptions {
  hosts: number;
  hours: number;
  shards: number;
  seed: number;
  faults: number;
  break?: Flaw;
  json?: boolean;
}

/** Of violations that are shown to a person. */
const SHOWN = 10;

/** Exit code 1 where something did not hold. @throws UsageError E_SIMULATE where no site would have a minute */
export async function runSimulation(options: Options): Promise<void> {
  const { hosts, hours, shards, seed, faults, break: flaw, json } = options;
  if (hours * 60 < hosts)
    throw new UsageError('E_SIMULATE', `${hours} host-hours are less than a minute for each of ${hosts} hosts`, {
      hint: 'Give more --hours, or fewer --hosts.',
    });
  if (shards > hosts)
    throw new UsageError('E_SIMULATE', `${hosts} hosts are too few for ${shards} shards`, {
      hint: 'Give more --hosts, or fewer --shards.',
    });
  const signal = interruptSignal();
  const began = performance.now();
  let done = 0;
  /** Host-hours of each site, by its seed. */
  const sites = new Map<number, number>();
  const result = await simulate({
    hosts,
    hours,
    seed,
    faultsPerHostHour: faults,
    shards,
    ...(flaw === undefined ? {} : { flaw }),
    threads: availableParallelism(),
    signal,
    passing: passed => sayForNow(`simulated ${Math.round(passed)} of ${hours} host-hours`, false),
    told: site => {
      done += site.hostHours;
      sites.set(site.seed, site.hostHours);
      sayForNow(`simulated ${Math.round(done)} of ${hours} host-hours`, false);
      for (const { invariant, what } of site.violations.slice(0, 1)) say(`seed ${site.seed}: ${invariant}: ${what}`);
    },
  });
  const seconds = Math.round((performance.now() - began) / 10) / 100;
  if (result.violations.length > 0) process.exitCode = EXIT.fail;
  const { seeds, hostHours, starts, proofs, nemesis } = result;
  const violations = result.violations.map(found => ({ ...found, again: commandOf(options, found.seed, sites) }));
  if (json === true)
    return printJson({ seeds, hostHours, faults: result.faults, starts, proofs, violations, seconds, nemesis });
  for (const line of linesOf({ ...result, violations }, options, seconds)) print(line);
}

/** The command that simulates one site of those that were asked for, and no other. */
function commandOf(
  { hosts, faults, shards, break: flaw }: Options,
  seed: number,
  sites: ReadonlyMap<number, number>,
): string {
  const of = shards === 1 ? '' : ` --shards ${shards}`;
  const without = flaw === undefined ? of : `${of} --break ${flaw}`;
  return `syndrome simulate --hosts ${hosts} --hours ${sites.get(seed) ?? 0} --seed ${seed} --faults ${faults}${without}`;
}

/** What was found, each violation with the command that shows it again. */
type Found = Omit<Simulated, 'violations'> & { violations: readonly (Violation & { again: string })[] };

function linesOf(result: Found, { hosts, seed, break: flaw }: Options, seconds: number): string[] {
  const { seeds, hostHours, faults, starts, proofs, inputs, violations } = result;
  const seedsText = seeds === 1 ? `seed ${seed}` : `seeds ${seed} to ${seed + seeds - 1}`;
  return [
    `${hostHours} host-hours of ${seeds === 1 ? 'a site' : `${seeds} sites`} with ${hosts} hosts (${seedsText})${flaw === undefined ? '' : `, without the check "${flaw}"`}`,
    `  ${faults} faults, ${inputs} inputs, ${starts} starts elsewhere, ${proofs} proofs of a stop, in ${seconds} s`,
    ...violations
      .slice(0, SHOWN)
      .map(({ invariant, seed: of, hours, what }) => `  ${invariant}, seed ${of}, hour ${hours}: ${what}`),
    ...[...new Set(violations.map(({ again }) => again))].slice(0, SHOWN).map(again => `  again: ${again}`),
    ...(violations.length > SHOWN ? [`  … and ${violations.length - SHOWN} more`] : []),
    violations.length === 0
      ? 'all held: nothing lost, nothing twice, no VM in two places, each start with its proofs, everything to its end'
      : `${violations.length} times something did not hold`,
  ];
}
