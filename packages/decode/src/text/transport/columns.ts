/**
 * @module Lines that a terminal broke at its last column, as a capture of a pane of tmux or screen and text copied from a console have
 * them: nothing stands where the line was broken, and the rest begins the next row, in the middle of a word.
 */

/** Widths of terminals; of another one more than one row has to be full. */
const USUAL: ReadonlySet<number> = new Set([80, 100, 120, 132, 160]);
const LEAST = 60;
const MOST = 512;
/** Rows of one line. */
const MAX_ROWS = 24;

/**
 * What a line begins with of its own: a time, a stamp of the kernel, a tag, a number and a date, a program with its process, a mark of
 * a quotation.
 */
const BEGINS =
  /^(?:> |\s{0,8}\[ {0,8}\d{1,10}\.\d{3,9}[\],]|\[[A-Z][a-z]{2} |<\d{1,3}>|[A-Z][a-z]{2} [ \d]\d \d{2}:|[A-Z][a-z]{2} \d{4}-|\s{0,8}\d{4}-\d{2}-\d{2}[T ]\d{2}:|\s{0,8}[0-9a-f]{1,5} {1,2}\|? ?\d{2,4}[-/]\d{2}|\(XEN\) |(?:mce: |\{\d{1,10}\})?\[Hardware Error\]|EDAC |Memory failure: |(?:kernel|mcelog|rasdaemon|systemd|qemu-[\w-]{1,32})(?:\[\d{1,10}\])?: |\s{0,24}<\.{3}>-\d|[\w./-]{1,24}[@:][\w~/.-]{0,64}[#$] )/;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const latin1 = new TextDecoder('latin1');
const rowOf = (line: string): string => line.replace(/\r$/, '');

/** Whether a row may be the rest of the one before it. */
const isRestOfRow = (row: string): boolean => row !== '' && !/^\s\s/.test(row) && !BEGINS.test(row);

/**
 * The width at which the lines of a text were broken; undefined where they were not.
 * @param head its first bytes; the last line may be cut
 */
export function columnsOf(head: Uint8Array): number | undefined {
  const rows = latin1.decode(head).split('\n').slice(0, -1).map(rowOf);
  const width = Math.max(0, ...rows.map(row => row.length));
  if (width < LEAST || width > MOST) return undefined;
  let full = 0;
  let ofLine = 0;
  for (const [i, row] of rows.entries()) {
    // How many rows the line has by now; 0 where nothing began it.
    const goesOn = ofLine > 0 && rows[i - 1]?.length === width;
    if (!isRestOfRow(row)) ofLine = BEGINS.test(row) ? 1 : 0;
    // Behind the last row of a line another line begins: other text is laid out by somebody.
    else if (ofLine > 1 && !goesOn) return undefined;
    else ofLine = goesOn ? ofLine + 1 : 0;
    const next = rows[i + 1];
    if (row.length !== width || next === undefined || !isRestOfRow(next) || ofLine === 0) continue;
    // A mail breaks otherwise, and a block of digits is none of a log.
    if (ofLine > MAX_ROWS || row.endsWith('=') || !row.includes(' ')) return undefined;
    full++;
  }
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

/** Puts the rows of such lines together again; constant memory. */
export class Columns {
  readonly #width: number;
  #held: { bytes: Uint8Array; line: number; offset: number; rows: number; last: number } | undefined;

  constructor(width: number) {
    this.#width = width;
  }

  /** The first line of what is held; Infinity where nothing is. */
  get since(): number {
    return this.#held?.line ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Takes a row.
   * @returns the lines that are whole now, each with the line and the byte where it begins
   */
  take(row: Uint8Array, line: number, offset: number): { bytes: Uint8Array; line: number; offset: number }[] {
    const end = row.length > 0 && row[row.length - 1] === 0x0d ? row.length - 1 : row.length;
    const text = row.subarray(0, end);
    const held = this.#held;
    this.#held = undefined;
    const goesOn = held !== undefined && held.rows < MAX_ROWS && isRestOfRow(latin1.decode(text.subarray(0, 96)));
    const out = held === undefined || goesOn ? [] : [held];
    const whole = goesOn
      ? { ...held, bytes: joined(held, text, this.#width), rows: held.rows + 1, last: text.length }
      : { bytes: text.slice(), line, offset, rows: 1, last: text.length };
    // A blank in the last column is not there any more.
    if (text.length === this.#width || text.length === this.#width - 1) this.#held = whole;
    else out.push(whole);
    return out;
  }

  end(): { bytes: Uint8Array; line: number; offset: number }[] {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined ? [] : [held];
  }
}

function joined(held: { bytes: Uint8Array; last: number }, text: Uint8Array, width: number): Uint8Array {
  const gap = width - held.last;
  const bytes = new Uint8Array(held.bytes.length + gap + text.length).fill(0x20);
  bytes.set(held.bytes);
  bytes.set(text, held.bytes.length + gap);
  return bytes;
}
