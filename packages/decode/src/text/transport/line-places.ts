/** @module Where in the input the lines stand that were handed on: readers know the lines of a record, and this its bytes. */

/** The bytes of the last lines that were handed on, in constant memory. */
export class LinePlaces {
  readonly #before: number;
  readonly #mask: number;
  /** By the last bits of its number: the line that is there, its first byte, and the one behind its last. */
  readonly #lines: Float64Array;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;

  /**
   * @param before bytes of the input in front of those in which places are counted: a byte order mark
   * @param kept lines from the oldest that is known to the newest, a power of two
   */
  constructor(before: number, kept: number) {
    this.#before = before;
    this.#mask = kept - 1;
    this.#lines = new Float64Array(kept);
    this.#starts = new Float64Array(kept);
    this.#ends = new Float64Array(kept);
  }

  /** @param end byte behind the last one of the line, its line feed not counted */
  add(line: number, start: number, end: number): void {
    const at = line & this.#mask;
    this.#lines[at] = line;
    this.#starts[at] = start;
    this.#ends[at] = end;
  }

  /** What a line announced ends only at `end`: a value over several lines is known by its first. */
  extend(line: number, end: number): void {
    const at = line & this.#mask;
    if (this.#lines[at] === line) this.#ends[at] = end;
  }

  /** The first byte of a line; undefined where it is no longer known. */
  startOf(line: number): number | undefined {
    const at = line & this.#mask;
    return this.#lines[at] === line ? this.#before + (this.#starts[at] as number) : undefined;
  }

  /** The byte behind the last one of a line; undefined where it is no longer known. */
  endOf(line: number): number | undefined {
    const at = line & this.#mask;
    return this.#lines[at] === line ? this.#before + (this.#ends[at] as number) : undefined;
  }
}
