/** @module Where in the input the lines stand that were handed on: readers know the lines of a record, and this its bytes. */

/** Where bytes that are counted stand in the input that they were made of. */
interface Origins {
  /** The place of the byte `offset`; undefined where it is no longer known. */
  of(offset: number): number | undefined;
}

/** No line has this number. */
const NO_LINE = 0;

/** The bytes of the last lines that were handed on, in constant memory. */
export class LinePlaces {
  readonly #before: number;
  readonly #origins: Origins | undefined;
  readonly #mask: number;
  /** By the last bits of its number: the line that is there, its first byte, and the one behind its last. */
  readonly #lines: Float64Array;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;

  /**
   * @param before bytes of the input in front of those in which places are counted: a byte order mark
   * @param kept lines from the oldest that is known to the newest, a power of two
   * @param origins where places are counted in something that was made of the input; then there is nothing before it
   */
  constructor(before: number, kept: number, origins?: Origins) {
    this.#before = before;
    this.#origins = origins;
    this.#mask = kept - 1;
    this.#lines = new Float64Array(kept);
    this.#starts = new Float64Array(kept);
    this.#ends = new Float64Array(kept);
  }

  /** @param end byte behind the last one of the line, its line feed not counted */
  add(line: number, start: number, end: number): void {
    const at = line & this.#mask;
    this.#lines[at] = line;
    if (this.#origins === undefined) {
      this.#starts[at] = start;
      this.#ends[at] = end;
      return;
    }
    const first = this.#origins.of(start);
    const behind = this.#origins.of(end);
    if (first === undefined || behind === undefined) this.#lines[at] = NO_LINE;
    else {
      this.#starts[at] = first;
      this.#ends[at] = behind;
    }
  }

  /** What a line announced ends only at `end`: a value over several lines is known by its first. */
  extend(line: number, end: number): void {
    const at = line & this.#mask;
    if (this.#lines[at] !== line) return;
    const behind = this.#origins === undefined ? end : this.#origins.of(end);
    if (behind === undefined) this.#lines[at] = NO_LINE;
    else this.#ends[at] = behind;
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
