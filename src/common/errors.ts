/**
 * The one error shape of the project: what happened, on what, what to do. Every room subclasses it, so that a
 * caller can switch on `code` and a person can read `message` and `hint`.
 */
export class SyndromeError extends Error {
  /** Stable, upper-case identifier (`E_SUPPLY_NO_APT`), safe to program against. */
  readonly code: string;
  /** What the reader can do about it; one or more sentences, or undefined where nothing helps. */
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
  }
}

/** The caller's input is wrong (command line, scenario file, parameter). Exit code 2. */
export class UsageError extends SyndromeError {}

/** The text of anything thrown, with the chain of causes, on one line. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${messageOf(error.cause)}`;
  return error.message + cause;
}
