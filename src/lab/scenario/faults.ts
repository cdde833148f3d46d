/** @module What is wrong with a scenario file: every fault, in the order of the file. */
import { UsageError } from '../../common/errors.ts';

/** One wrong place. */
export interface ScenarioFault {
  line: number;
  column: number;
  message: string;
  hint?: string | undefined;
}

/** Faults that a message tells; how many more there are stands at its end. */
const MAX_TOLD = 20;
/** Faults that are kept: where there are more, the file is no scenario. */
const MAX_KEPT = 1000;

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

  /** @param more faults that are not among those given */
  constructor(file: string, faults: readonly [ScenarioFault, ...ScenarioFault[]], more = 0) {
    const [first] = faults;
    const place = (f: ScenarioFault): string => `${file}:${f.line}:${f.column}: ${f.message}`;
    const alone = faults.length + more === 1;
    const told = faults.slice(0, MAX_TOLD);
    const left = faults.length + more - told.length;
    const lines = told.flatMap(f => [place(f), ...(alone || f.hint === undefined ? [] : [`  ${f.hint}`])]);
    if (left > 0) lines.push(`and ${left} more of them`);
    super('E_SCENARIO', lines.join('\n'), alone && first.hint !== undefined ? { hint: first.hint } : {});
    this.file = file;
    this.line = first.line;
    this.column = first.column;
    this.faults = faults;
  }
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
