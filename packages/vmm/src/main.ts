/**
 * The reference VMM for arm64 KVM: boots a Linux guest and handles KVM_EXIT_ARM_SEA. To read it: machine.ts sets the
 * machine up and owns its memory, vcpu-thread.ts runs the guest and answers its exits, sea.ts decides about an abort,
 * quarantine.ts about memory slots, events.ts says what comes out.
 */
import { messageOf, SyndromeError, UsageError } from '@syndrome/decode/common/errors.ts';
import { escapeLines } from '@syndrome/decode/common/screen.ts';
import { VmmError } from './errors.ts';
import { EXIT_FAILED, exitCodeOf } from './exit-codes.ts';
import { parseOptions, USAGE } from './options.ts';

const EXIT_USAGE = 2;

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = parseOptions(argv);
  if (process.platform !== 'linux' || process.arch !== 'arm64') {
    throw new VmmError('E_VMM_KVM', `this VMM runs on Linux for arm64, not on ${process.platform} ${process.arch}`, {
      hint: 'Use it inside the lab: there an arm64 host is emulated.',
    });
  }
  // Only now: loading it takes koffi, which a machine of another kind need not have.
  const { Machine } = await import('./machine.ts');
  const machine = new Machine(options);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => machine.end(signal));
  return exitCodeOf(await machine.run());
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  const hint = error instanceof SyndromeError && error.hint !== undefined ? `\n${escapeLines(error.hint)}` : '';
  process.stderr.write(`syndrome-vmm: ${escapeLines(messageOf(error))}${hint}\n`);
  process.exit(error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED);
}
