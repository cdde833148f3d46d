/** @module The beginnings of the last lines that were handed on: readers take off what stands before a message, its time with it. */
import { ascii } from '../bytes.ts';

/** Bytes kept of a line. The prefixes of all transports hold their time in fewer. */
const KEPT = 96;
const BRACKET = 0x5b;
const BRACE = 0x7b;
const BLANK = 0x20;
const POINT = 0x2e;
const CLOSE = 0x5d;
/** The time of an entry of journald, anywhere in its object. */
const REALTIME = ascii('"__REALTIME_TIMESTAMP"');

/** Constant memory: of each line its number and its beginning. */
export class LineStamps {
  readonly #mask: number;
  readonly #lines: Float64Array;
  readonly #lengths: Uint8Array;
  readonly #bytes: Uint8Array;
  /** Of a line that begins with its time since boot, in place of its bytes; below 0 for the others. */
  readonly #boot: Float64Array;

  /** @param kept lines from the oldest that is known to the newest, a power of two */
  constructor(kept: number) {
    this.#mask = kept - 1;
    this.#lines = new Float64Array(kept);
    this.#lengths = new Uint8Array(kept);
    this.#bytes = new Uint8Array(kept * KEPT);
    this.#boot = new Float64Array(kept);
  }

  /** Takes a line that is handed on. */
  add(line: number, bytes: Uint8Array, start: number, end: number): void {
    const at = line & this.#mask;
    this.#lines[at] = line;
    const boot = bytes[start] === BRACKET ? bootTime(bytes, start + 1, end) : -1;
    this.#boot[at] = boot;
    if (boot >= 0) return;
    const from = bytes[start] === BRACE ? realtime(bytes, start, end) : start;
    const length = Math.min(KEPT, end - from);
    const to = at * KEPT;
    const kept = this.#bytes;
    for (let i = 0; i < length; i++) kept[to + i] = bytes[from + i] as number;
    this.#lengths[at] = length;
  }

  /**
   * The beginning of a line, or the seconds of a time since boot that it begins with and that is followed by no other;
   * undefined where the line is no longer known.
   */
  of(line: number): string | number | undefined {
    const at = line & this.#mask;
    if (this.#lines[at] !== line) return undefined;
    const start = at * KEPT;
    const end = start + (this.#lengths[at] as number);
    const bytes = this.#bytes;
    const boot = this.#boot[at] as number;
    if (boot >= 0) return boot;
    let text = '';
    for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] as number);
    return text;
  }
}

/** `    1.234567]` as seconds; -1 for anything else. */
function bootTime(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === BLANK) at++;
  let whole = 0;
  const digits = at;
  for (; at < end && isDigit(bytes[at]); at++) whole = whole * 10 + (bytes[at] as number) - 0x30;
  if (at === digits || at - digits > 10 || bytes[at] !== POINT) return -1;
  let part = 0;
  const point = ++at;
  for (; at < end && isDigit(bytes[at]); at++) part = part * 10 + (bytes[at] as number) - 0x30;
  return at - point === 6 && bytes[at] === CLOSE ? whole + part / 1e6 : -1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Where the time of an entry of journald begins in its object; the start where it is not there. */
function realtime(bytes: Uint8Array, start: number, end: number): number {
  const first = REALTIME[1] as number;
  for (let at = bytes.indexOf(first, start); at > 0 && at < end; at = bytes.indexOf(first, at + 1)) {
    if (REALTIME.every((b, i) => bytes[at - 1 + i] === b)) return at - 1;
  }
  return start;
}
