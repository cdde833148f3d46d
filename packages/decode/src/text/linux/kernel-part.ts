/** @module What the reader of a kernel's log is made of. */

/** Reads the messages of one subsystem: takes a stripped line, or leaves it to the others. */
export interface KernelPart {
  /** `firstLine`: where the line begins, where it was put together of several. */
  take(text: string, lineNumber: number, firstLine?: number): boolean;
  skipped(lines: number): void;
  end(): void;
}
