/**
 * @module Rows of a hex dump that stand among the lines of a log, behind whatever its transport put before them: `hexdump -C`, xxd, od,
 * the kernel's print_hex_dump(), a UEFI shell's or a debugger's. Only a dump that begins with a firmware record is looked at; where that
 * ends its header says. What a dump is whose file holds nothing else is read in the decode room (hex-dump.ts), which checks every row.
 */

/** `CPER`. */
const SIGNATURE = [0x43, 0x50, 0x45, 0x52] as const;
/** Where the header has the length of the record, and how long the header is. UEFI 2.10 N.2.1. */
const LENGTH_AT = 20;
const HEADER = 128;
const MAX_BYTES = 1 << 20;
/** Rows are of 16 or 32 bytes; characters behind them may look like more. */
const MAX_ROW = 64;
/** Other lines between two rows. */
const MAX_OTHERS = 8;

const ROW =
  /(?<![0-9A-Za-z`])((?:[0-9a-fA-F]{8}`)?[0-9a-fA-F]{4,16})(?::|[ \t])[ \t]{0,4}((?:[0-9a-fA-F]{2}){1,8}(?:[ \t-]{1,2}(?:[0-9a-fA-F]{2}){1,8}){0,63})(?![0-9a-fA-F])/g;
/** The first two bytes of {@link SIGNATURE}, as a row has them: apart, or the other way round within a number. */
const BEGUN = /43[ \t-]{0,2}50|5043/;
const BASES = ['0x', '0o', ''] as const;
const DIGITS: Readonly<Record<(typeof BASES)[number], RegExp>> = { '0x': /^/, '0o': /^[0-7]+$/, '': /^\d+$/ };
type Base = (typeof BASES)[number];

interface Row {
  offset: string;
  groups: string[];
}

interface Open {
  firstLine: number;
  lastLine: number;
  others: number;
  bytes: number[];
  /** The last row: how much of it is of the record only the next one tells. */
  row: Row;
  /** Groups of digits are little-endian numbers. */
  words: boolean;
  base: Base | undefined;
  /** A `*` stands for rows like the last. */
  repeat: boolean;
}

const bytesIn = (groups: readonly string[], words: boolean): number[] =>
  groups.flatMap(g => {
    const bytes = (g.match(/../gs) ?? []).map(d => Number.parseInt(d, 16));
    return words ? bytes.toReversed() : bytes;
  });

const begins = (bytes: readonly number[]): boolean => SIGNATURE.every((b, i) => bytes[i] === b);

function rowsIn(text: string): Row[] {
  return Array.from(text.matchAll(ROW), m => ({
    offset: (m[1] ?? '').replace('`', ''),
    groups: (m[2] ?? '').split(/[ \t-]+/).slice(0, MAX_ROW),
  }));
}

/** The number of bytes from one offset to another, in a base in which that can be; undefined where it is none. */
function ahead(
  from: string,
  to: string,
  most: number,
  base: Base | undefined,
): [bytes: number, base: Base] | undefined {
  for (const b of base === undefined ? BASES : [base]) {
    if (!DIGITS[b].test(from) || !DIGITS[b].test(to)) continue;
    const bytes = BigInt(`${b}${to}`) - BigInt(`${b}${from}`);
    if (bytes > 0n && bytes <= BigInt(most)) return [Number(bytes), b];
  }
  return undefined;
}

/** Puts the rows of one dump together. */
export class DumpedBytes {
  readonly #sink: (bytes: Uint8Array, firstLine: number, lastLine: number) => void;
  #open: Open | undefined;

  constructor(sink: (bytes: Uint8Array, firstLine: number, lastLine: number) => void) {
    this.#sink = sink;
  }

  get wanted(): boolean {
    return this.#open !== undefined;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  /** Takes a line; returns whether it is a row. */
  take(text: string, lineNumber: number): boolean {
    const open = this.#open;
    if (open !== undefined && /(?:^|\s)\*\s*$/.test(text)) {
      open.repeat = true;
      return true;
    }
    // Most lines hold none, and to look for rows costs more than all else that is done for a line.
    if (open === undefined && !BEGUN.test(text)) return false;
    const rows = rowsIn(text);
    if (open !== undefined) {
      for (const row of rows) if (this.#next(open, row, lineNumber)) return true;
      if (++open.others > MAX_OTHERS) this.end();
    }
    for (const row of rows) {
      for (const words of [false, true]) {
        if (!begins(bytesIn(row.groups, words))) continue;
        this.end();
        const place = { firstLine: lineNumber, lastLine: lineNumber, others: 0 };
        this.#open = { ...place, bytes: [], row, words, base: undefined, repeat: false };
        return true;
      }
    }
    return false;
  }

  skipped(lines: number): void {
    if (this.#open === undefined) return;
    this.#open.others += lines;
    if (this.#open.others > MAX_OTHERS) this.end();
  }

  end(): void {
    const open = this.#open;
    if (open === undefined) return;
    const { bytes, row, words, firstLine, lastLine } = open;
    this.#open = undefined;
    const all = [...bytes, ...bytesIn(row.groups, words)];
    const length = lengthOf(all);
    // Less of one is no evidence of a record.
    if (all.length < HEADER || length === undefined) return;
    this.#sink(Uint8Array.from(all.slice(0, length)), firstLine, lastLine);
  }

  /** Takes a row that follows the last one; false where it does not. */
  #next(open: Open, row: Row, lineNumber: number): boolean {
    const last = bytesIn(open.row.groups, open.words);
    const most = open.repeat ? MAX_BYTES : last.length;
    const found = ahead(open.row.offset, row.offset, most, open.base);
    if (found === undefined) return false;
    const [count, base] = found;
    open.base = base;
    if (open.bytes.length + count > MAX_BYTES) return false;
    for (let i = 0; i < count; i++) open.bytes.push(last[i % last.length] ?? 0);
    Object.assign(open, { row, lastLine: lineNumber, others: 0, repeat: false });
    const length = lengthOf(open.bytes);
    if (length !== undefined && open.bytes.length + bytesIn(row.groups, open.words).length >= length) this.end();
    return true;
  }
}

/** How long the record says that it is, where that much of it is there. */
export function lengthOf(bytes: readonly number[] | Uint8Array): number | undefined {
  if (bytes.length < LENGTH_AT + 4) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(LENGTH_AT, LENGTH_AT + 4);
  return a + 0x100 * b + 0x1_0000 * c + 0x100_0000 * d;
}
