import { messageOf, SyndromeError, UsageError } from '../common/errors.ts';
import { safeText } from '../common/screen.ts';
import { BISECT, EXIT } from './exit-codes.ts';
import { interruptedBy } from './interrupt.ts';

/** Prints an error for people (what happened, what to do, its code) and gives the exit code. */
export function fail(error: unknown, argv: readonly string[]): number {
  const bisect = argv.some((a, i) => a === '--exit-code=bisect' || (a === '--exit-code' && argv[i + 1] === 'bisect'));
  const table = bisect ? BISECT : EXIT;
  if (!(error instanceof SyndromeError)) {
    // A defect of ours: the stack is what a report needs.
    process.stderr.write(
      `syndrome: unexpected error, please report it\n${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return table.error;
  }
  process.stderr.write(`syndrome: ${safeText(messageOf(error), 2000)} [${error.code}]\n`);
  if (error.hint !== undefined) process.stderr.write(`${safeText(error.hint, 2000)}\n`);
  if (error.code === 'E_LAB_INTERRUPTED') return interruptedBy() === 'SIGTERM' ? 143 : 130;
  return error instanceof UsageError ? table.usage : table.error;
}
