import type { Verdict } from '@syndrome/trace/expect/verdict.ts';

/** The one table of exit codes, for every command. */
export const EXIT = {
  pass: 0,
  fail: 1,
  usage: 2,
  error: 3,
  skip: 4,
  partial: 5,
} as const;

/** What each code means, for help texts. */
export const EXIT_TEXT: readonly (readonly [string, string])[] = [
  ['0', 'pass: everything happened as expected; for other commands, success'],
  ['1', 'fail: the system under test did something else'],
  ['2', 'usage: the command line or a file given is wrong'],
  ['3', 'error: the lab could not do its work, nothing is known about the system under test'],
  ['4', 'skip: what is needed is not here; of records, that there is none'],
  ['5', 'partial: of the input something was cut or could not be read; stderr says what, the rest was read'],
  ['130, 143', 'interrupted by SIGINT or SIGTERM; everything is cleaned up'],
];

/** The codes that `git bisect run` understands (git-bisect(1)): 0 good, 1 bad, 125 cannot be tested, 128 give up. */
const BISECT = { pass: 0, fail: 1, error: 125, skip: 125, usage: 128 } as const;

/** The codes that this command line asks for. */
export function exitTable(argv: readonly string[]): typeof EXIT | typeof BISECT {
  const bisect = argv.some((a, i) => a === '--exit-code=bisect' || (a === '--exit-code' && argv[i + 1] === 'bisect'));
  return bisect ? BISECT : EXIT;
}

/** What came of the inputs of a command that reads records. */
export interface ReadResult {
  /** How many records were used. */
  found: number;
  /** What was typed, and not a file, gave none. */
  typedNothing: boolean;
  /** How often something was lost: diagnostics with a code `E_…`. */
  lost: number;
}

/**
 * The code of a command that read records. What was typed and is none is a wrong command line. Loss outweighs that there
 * is nothing: what was lost may have been a record. A file without one beside others that have some is no fault.
 */
export function readCode({ found, typedNothing, lost }: ReadResult): number {
  if (typedNothing) return EXIT.usage;
  if (lost > 0) return EXIT.partial;
  return found > 0 ? EXIT.pass : EXIT.skip;
}

export type ExitStyle = 'default' | 'bisect';

/** The code for all runs together: an error outweighs a failure, a failure a pass; 4 only if nothing ran. */
export function exitCodeOf(verdicts: readonly Verdict[], style: ExitStyle = 'default'): number {
  const table = style === 'bisect' ? BISECT : EXIT;
  if (verdicts.includes('error')) return table.error;
  if (verdicts.includes('fail')) return table.fail;
  return verdicts.length > 0 && verdicts.every(v => v === 'skip') ? table.skip : table.pass;
}
