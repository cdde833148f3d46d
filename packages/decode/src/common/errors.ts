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

/** The text of anything thrown, with the chain of causes, on one line. What is said already is not said again. */
export function messageOf(error: unknown): string {
  let text = '';
  const met = new Set<unknown>();
  for (let at = error; at !== undefined && !met.has(at); at = at instanceof Error ? at.cause : undefined) {
    met.add(at);
    text = withReason(text, ownMessage(at));
  }
  return text;
}

/** Of one error. One that stands for several (each address of a name was tried) says what they say. */
function ownMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return [...new Set(error.errors.map(messageOf))].join('; ');
}

/** A message and what is behind it. A reason that stands in the message already, as whole words, is not repeated. */
export function withReason(message: string, reason: string): string {
  if (reason === '' || says(message, reason)) return message;
  return message === '' || reason.startsWith(`${message}: `) ? reason : `${message}: ${reason}`;
}

function says(text: string, part: string): boolean {
  const word = /\w/;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    const [before, after] = [text[at - 1] ?? '', text[at + part.length] ?? ''];
    if (!(word.test(before) && word.test(part[0] ?? '')) && !(word.test(after) && word.test(part.at(-1) ?? '')))
      return true;
  }
  return false;
}
