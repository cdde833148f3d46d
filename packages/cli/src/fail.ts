import { messageOf, SyndromeError, UsageError, withReason } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { exitTable } from './exit-codes.ts';
import { earlyEnd, exitCodeOfSignal } from './interrupt.ts';
import { say } from './output.ts';
import { sourceStack } from './source-stack.ts';

/** Prints an error for people (what happened, what to do, its code) and gives the exit code. */
export function fail(error: unknown, argv: readonly string[]): number {
  const table = exitTable(argv);
  const early = earlyEnd();
  if (early) {
    // Whatever was going on then has failed of that.
    if (early.line !== undefined) say(`syndrome: ${early.line} [E_LAB_INTERRUPTED]`);
    return early.code;
  }
  if (!(error instanceof SyndromeError)) {
    // A defect of ours, or of the installation: the stack is what a report needs.
    const isLost = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    say(
      isLost
        ? 'syndrome: a file of the installation is missing; in a clone, remove node_modules and try again'
        : 'syndrome: unexpected error, please report it',
    );
    sayAll((error instanceof Error ? sourceStack(error.stack ?? error.message) : String(error)).split('\n'));
    return table.error;
  }
  const [first = '', ...more] = said(error).split('\n');
  sayAll([`syndrome: ${safeText(first, 2000)} [${error.code}]`, ...more, ...(error.hint?.split('\n') ?? [])]);
  if (error.code === 'E_LAB_INTERRUPTED') return exitCodeOfSignal();
  return error instanceof UsageError || WRONG_INPUT.has(error.code) ? table.usage : table.error;
}

/** What a peer or a file said may be in them: so many lines, each of so many characters. */
function sayAll(lines: readonly string[]): void {
  for (const line of lines.slice(0, 50)) say(safeText(line, 2100));
}

/** A file that the user named, or a word, that is not what it should be is a wrong command line, whichever room finds it out. */
const WRONG_INPUT: ReadonlySet<string> = new Set([
  'E_INPUT',
  'E_POLICY',
  'E_ARM_CLASS',
  'E_ARM_RANGE',
  'E_ARM_WORD',
  'E_CPER_FIELD',
  'E_CPER_GUID',
  'E_CPER_JSON',
  'E_CPER_RANGE',
  'E_REGISTER_FIELD',
  'E_REGISTER_RANGE',
  'E_STORE_EXPORT',
  'E_SUPPLY_FILE',
  'E_LAB_TRACE_FORMAT',
  'E_LAB_TRACE_READ',
  'E_LAB_TRACE_VERSION',
]);

/** The message with its causes. Of a system error about a path that was just named only the reason is added. */
function said(error: SyndromeError): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  if (typeof cause?.path !== 'string' || !error.message.includes(cause.path)) return messageOf(error);
  if (error.message.endsWith('does not exist')) return error.message;
  const reason = /^[A-Z0-9]+: (?<text>[^,]+),/.exec(cause.message)?.groups?.text;
  return withReason(error.message, reason ?? cause.message);
}
