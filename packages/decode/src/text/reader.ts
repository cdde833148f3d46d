/** @module What a reader of text is: one for each program that writes. */

/** Reads what one program writes, and hands on items. It never throws on text and keeps a bounded amount of it. */
export interface Reader {
  /** Takes a line without what its transport put before it; returns whether it is one of this program's that matter. */
  push(text: string, lineNumber: number): boolean;
  /** True while something is open whose lines carry none of the words by which lines are found (LOG_NEEDLES). */
  readonly wanted?: boolean;
  /** The first line of the oldest record that is open; Infinity when none is. */
  readonly since?: number;
  /** Lines without interest passed. */
  skipped?(lines: number): void;
  /** The source ended: hands on what was still open. */
  end(): void;
}
