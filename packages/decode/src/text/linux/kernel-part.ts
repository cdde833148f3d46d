/** @module What the reader of a kernel's log is made of. */

/** Reads the messages of one subsystem: takes a stripped line, or leaves it to the others. */
export interface KernelPart {
  take(text: string, lineNumber: number): boolean;
  skipped(lines: number): void;
  end(): void;
}
