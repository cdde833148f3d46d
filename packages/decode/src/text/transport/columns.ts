/**
 * @module Lines that a terminal broke at its last column, as a capture of a pane of tmux or screen and text copied from a console have
 * them: nothing stands where the line was broken, and the rest begins the next row, in the middle of a word.
 */
import { beginningOf, beginsLine } from './begins.ts';

/** Widths of terminals; of another one more than one row has to be full. */
const USUAL: ReadonlySet<number> = new Set([80, 100, 120, 132, 160]);
const LEAST = 60;
const MOST = 512;
/** Full rows for each line that begins as none does. */
const FEW = 4;
/** Rows of one line. */
const MAX_ROWS = 24;
/** Characters by which a row is known. */
const KNOWN = 96;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const latin1 = new TextDecoder('latin1');
/** What a pane ends its rows with, as it is decoded here. */
const BORDERS: readonly string[] = Array.from('│┃║▕', c => latin1.decode(new TextEncoder().encode(c)));
const rowOf = (line: string): string => line.replace(/\r$/, '');

/**
 * Whether a row may be the rest of a line: it begins none of its own, and not as that line does, as the lines of a list do.
 * @param line the first row of the line
 */
const isRestOf = (line: string, row: string): boolean =>
  row !== '' && !/^\s\s/.test(row) && !beginsLine(row) && beginningOf(row) !== beginningOf(line);

/**
 * The width at which the lines of a text were broken; undefined where they were not.
 * @param head its first bytes; the last line may be cut
 */
export function columnsOf(head: Uint8Array): number | undefined {
  const rows = latin1.decode(head).split('\n').slice(0, -1).map(rowOf);
  const width = Math.max(0, ...rows.map(row => row.length));
  if (width < LEAST || width > MOST) return undefined;
  let [full, laidOut] = [0, 0];
  let ofLine = 0;
  let first = '';
  for (const [i, row] of rows.entries()) {
    // How many rows the line has by now; 0 where nothing began it.
    const goesOn = ofLine > 0 && rows[i - 1]?.length === width;
    if (!isRestOf(first, row)) {
      ofLine = beginsLine(row) ? 1 : 0;
      first = row;
      // Behind the last row of a line another line begins: other text is laid out by somebody.
    } else if (ofLine > 1 && !goesOn) [ofLine, laidOut] = [0, laidOut + 1];
    else ofLine = goesOn ? ofLine + 1 : 0;
    const next = rows[i + 1];
    if (row.length !== width || next === undefined || !isRestOf(first, next) || ofLine === 0) continue;
    // What fills its rows up with blanks broke none.
    if (row.endsWith('   ')) return undefined;
    // A mail breaks otherwise, a block of digits is none of a log, and a border was drawn by what filled the row.
    if (ofLine > MAX_ROWS || row.endsWith('=') || !row.includes(' ')) return undefined;
    if (BORDERS.some(b => row.endsWith(b))) return undefined;
    full++;
  }
  // Among the lines of a log some begin as none does.
  if (laidOut * FEW > full) return undefined;
  return full > 1 || (full === 1 && USUAL.has(width)) ? width : undefined;
}

/**
 * Whether a text may be broken so as far as it goes: no line is longer than one of the usual width. Then it is not decided before a longer
 * line has come, or as much as is looked at.
 * @param bytes whole lines
 */
export function mayBeBroken(bytes: Uint8Array): boolean {
  let width = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at);
    if (end < 0) break;
    width = Math.max(width, end - at - (bytes[end - 1] === RETURN ? 1 : 0));
    at = end + 1;
  }
  return USUAL.has(width);
}

/** A line that is whole, with the line and the byte of the input where it begins, and how many rows it had. */
export interface WholeLine {
  bytes: Uint8Array;
  line: number;
  offset: number;
  rows: number;
}

/** Puts the rows of such lines together again, until one comes that the terminal would have broken; constant memory. */
export class Columns {
  readonly #width: number;
  #held: (WholeLine & { last: number }) | undefined;
  #isOver = false;

  constructor(width: number) {
    this.#width = width;
  }

  /** Whether a row was longer than the terminal was wide: it and what follows is of something else. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The first line of what is held; Infinity where nothing is. */
  get since(): number {
    return this.#held?.line ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Takes a row.
   * @returns the lines that are whole now
   */
  take(row: Uint8Array, line: number, offset: number): WholeLine[] {
    const end = row.length > 0 && row[row.length - 1] === RETURN ? row.length - 1 : row.length;
    const text = row.subarray(0, end);
    const held = this.#held;
    this.#held = undefined;
    this.#isOver ||= text.length > this.#width;
    const goesOn =
      held !== undefined && held.rows < MAX_ROWS && !this.#isOver && isRestOf(known(held.bytes), known(text));
    const out = held === undefined || goesOn ? [] : [held];
    const whole = goesOn
      ? { ...held, bytes: joined(held, text, this.#width), rows: held.rows + 1, last: text.length }
      : { bytes: text.slice(), line, offset, rows: 1, last: text.length };
    // A blank in the last column is not there any more.
    const isFull = text.length === this.#width || text.length === this.#width - 1;
    if (isFull && !this.#isOver && beginsLine(known(whole.bytes))) this.#held = whole;
    else out.push(whole);
    return out;
  }

  end(): WholeLine[] {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined ? [] : [held];
  }
}

const known = (bytes: Uint8Array): string => latin1.decode(bytes.subarray(0, KNOWN));

function joined(held: { bytes: Uint8Array; last: number }, text: Uint8Array, width: number): Uint8Array {
  const gap = width - held.last;
  const bytes = new Uint8Array(held.bytes.length + gap + text.length).fill(0x20);
  bytes.set(held.bytes);
  bytes.set(text, held.bytes.length + gap);
  return bytes;
}
