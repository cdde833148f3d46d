/** The reference VMM for arm64 KVM: boots a Linux guest and handles KVM_EXIT_ARM_SEA. */
import { messageOf, SyndromeError, UsageError } from '../common/errors.ts';
import { Machine } from './machine.ts';
import { parseOptions, USAGE } from './options.ts';

/** What the guest's end means for the one who started it; everything else is a failure. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  shutdown: 0,
  control: 0,
  SIGTERM: 0,
  SIGINT: 0,
  reset: 3,
  threshold: 4,
};
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const machine = new Machine(parseOptions(argv));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => machine.end(signal));
  return EXIT_CODES[await machine.run()] ?? EXIT_FAILED;
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  const hint = error instanceof SyndromeError && error.hint !== undefined ? `\n${error.hint}` : '';
  process.stderr.write(`syndrome-vmm: ${messageOf(error)}${hint}\n`);
  process.exit(error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED);
}
