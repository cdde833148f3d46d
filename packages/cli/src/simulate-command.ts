import type { Flaw } from '@syndrome/supervisor/sim/simulate.ts';
import { type Command, InvalidArgumentError, Option } from 'commander';

type Merge = <T>(program: Command, options: object) => T;

/** Checks that `--break` leaves out: each that `sim/simulate.ts` knows, which a help text does not load. */
const BREAKS = Object.keys({ epoch: true, proof: true, dedupe: true, breaker: true } satisfies Record<Flaw, true>);

const whole =
  (least: number, most: number) =>
  (value: string): number => {
    if (!/^\d{1,15}$/.test(value) || Number(value) < least || Number(value) > most)
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}.`);
    return Number(value);
  };

const rate = (value: string): number => {
  if (!/^\d{1,3}(?:\.\d{1,6})?$/.test(value)) throw new InvalidArgumentError('expected a number, such as 0.2.');
  return Number(value);
};

/** What the supervisor decides, over years of faults. */
export function addSimulateCommand(program: Command, merged: Merge): void {
  program
    .command('simulate')
    .description(
      'years of a site in minutes: the core of the supervisor amid all that fails, and what must hold at each step',
    )
    .option('--hosts <n>', 'hosts of a site', whole(2, 100_000), 20)
    .option('--hours <n>', 'host-hours in total', whole(1, 1e9), 10_000)
    .option('--shards <n>', 'ledgers of a site, which three controllers share', whole(1, 100), 1)
    .option('--seed <n>', 'of the first site; the next one has the next', whole(0, 2 ** 31 - 1), 1)
    .option('--faults <rate>', 'faults a host and hour; fewer prove little', rate, 0.12)
    .addOption(new Option('--break <check>', 'leave this check out, to see that it is missed').choices(BREAKS))
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `\nNothing real is touched. The same seed and options give the same history. Exit code 1 where something did not hold.

Examples:
  syndrome simulate
  syndrome simulate --hosts 20 --hours 100000 --json | jq '{hostHours, faults, starts, violations}'
  syndrome simulate --hosts 20 --shards 4         controllers that take over from each other
  syndrome simulate --hosts 20 --break proof      a VM runs twice, and which seed shows it`,
    )
    .action(async (options: object) => (await import('./simulate.ts')).runSimulation(merged(program, options)));
}
