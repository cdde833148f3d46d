/** @module What is wrong with a scenario file: every fault, in the order of the file. */
import { messageOf, UsageError } from '@syndrome/decode/common/errors.ts';

/** One wrong place. */
export interface ScenarioFault {
  line: number;
  column: number;
  message: string;
  hint?: string | undefined;
}

/** Faults that a message tells, of one file or of several; how many more there are stands at its end. */
const MAX_TOLD = 20;
/** Faults that are kept: where there are more, the file is no scenario. */
const MAX_KEPT = 1000;

/** A fault as it is told. */
interface Told {
  text: string;
  hint?: string | undefined;
}

/** What a message tells of the faults of several files: of each as much as of the others, as far as there is room. */
function tell(files: readonly (readonly Told[])[], all: number): string {
  const counts = files.map(() => 0);
  let room = MAX_TOLD;
  for (let before = -1; room > 0 && before !== room; ) {
    before = room;
    for (const [i, faults] of files.entries()) {
      if (room === 0 || counts[i] === faults.length) continue;
      counts[i] = (counts[i] ?? 0) + 1;
      room--;
    }
  }
  const told = files.flatMap((faults, i) => faults.slice(0, counts[i]));
  const lines = told.flatMap(({ text, hint }) => [text, ...(all === 1 || hint === undefined ? [] : [`  ${hint}`])]);
  if (all > told.length) lines.push(`and ${all - told.length} more of them`);
  return lines.join('\n');
}

/**
 * Wrong places in a scenario file, as an editor shows them: `file:line:column: message`, one a line. A lone hint is that
 * of the error, of several each stands under its fault.
 */
export class ScenarioError extends UsageError {
  readonly file: string;
  /** Of the first fault. */
  readonly line: number;
  readonly column: number;
  /** In the order of the file. */
  readonly faults: readonly ScenarioFault[];
  /** How many there are, with those that are not among {@link faults}. */
  readonly count: number;

  /** @param more faults that are not among those given */
  constructor(file: string, faults: readonly [ScenarioFault, ...ScenarioFault[]], more = 0) {
    const [first] = faults;
    const count = faults.length + more;
    super('E_SCENARIO', tell([placesOf(file, faults)], count), count === 1 && first.hint ? { hint: first.hint } : {});
    this.file = file;
    this.line = first.line;
    this.column = first.column;
    this.faults = faults;
    this.count = count;
  }
}

function placesOf(file: string, faults: readonly ScenarioFault[]): Told[] {
  return faults.slice(0, MAX_TOLD).map(f => ({ text: `${file}:${f.line}:${f.column}: ${f.message}`, hint: f.hint }));
}

/** What is wrong with several scenarios as one error: nobody should have to mend one file to hear of the next. */
export function together(errors: readonly [UsageError, ...UsageError[]]): UsageError {
  const [first, ...others] = errors;
  if (others.length === 0) return first;
  const files = errors.map(e =>
    e instanceof ScenarioError ? placesOf(e.file, e.faults) : [{ text: messageOf(e), hint: e.hint }],
  );
  const count = errors.reduce((sum, e) => sum + (e instanceof ScenarioError ? e.count : 1), 0);
  const code = others.every(e => e.code === first.code) ? first.code : 'E_SCENARIO';
  return new UsageError(code, tell(files, count));
}

/** Gathers faults. */
export class Faults {
  readonly #file: string;
  readonly #kept: ScenarioFault[] = [];
  #more = 0;

  constructor(file: string) {
    this.#file = file;
  }

  add(fault: ScenarioFault): void {
    // What follows from a fault may find the same again.
    if (this.at(fault.line, fault.column, fault.message)) return;
    if (this.#kept.length < MAX_KEPT) this.#kept.push(fault);
    else this.#more++;
  }

  /** Whether there is one at this place, with this message if one is given. */
  at(line: number, column: number, message?: string): boolean {
    return this.#kept.some(
      f => f.line === line && f.column === column && (message === undefined || f.message === message),
    );
  }

  /** @throws {ScenarioError} when there are any. */
  check(): void {
    const [first, ...others] = this.#kept.toSorted((a, b) => a.line - b.line || a.column - b.column);
    if (first !== undefined) throw new ScenarioError(this.#file, [first, ...others], this.#more);
  }
}
