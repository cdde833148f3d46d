/**
 * @module JSON that stands in one line and is longer than is held of one: its values one by one, each the largest that is not too long
 * itself. So an export of a log store is read to its end, whatever is around its entries. Source: RFC 8259.
 */

/** Containers that were too long, one in another. Log stores nest five deep (Loki's streams). */
const MAX_LEVELS = 16;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const N = 0x6e;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const isOpening = (byte: number): boolean => byte === OPEN_ARRAY || byte === OPEN_OBJECT;
const isClosing = (byte: number): boolean => byte === CLOSE_ARRAY || byte === CLOSE_OBJECT;

/** Whether bytes begin as an array or an object of JSON does. A kernel begins lines with `[` and a digit, a blank or a capital. */
export function beginsJson(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && at < start + 64 && (bytes[at] === OPEN_ARRAY || (bytes[at] ?? 0) <= 0x20)) at++;
  if (bytes[at] === QUOTE) return at > start;
  if (bytes[at] !== OPEN_OBJECT) return false;
  do at++;
  while (at < end && (bytes[at] ?? 0) <= 0x20);
  return bytes[at] === QUOTE;
}

/** Takes the bytes of one line, and hands on the values in it. Bytes are lent for the time of the call. */
export class LongJson {
  readonly #value: (bytes: Uint8Array, end: number, offset: number) => void;
  readonly #lost: (bytes: Uint8Array, end: number, offset: number) => void;
  readonly #isOneRecord: (bytes: Uint8Array) => boolean;
  readonly #held: Uint8Array;
  #length = 0;
  /** Where the first byte that is held stands. */
  #offset = 0;
  /** Containers around what is held, which are too long. */
  #levels = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** In a value that is too long and is not taken apart. */
  #skipping = false;

  /**
   * @param value takes a whole value, or the beginning of one in which the line ends: `bytes[0, end)`, of which the first stands at `offset`
   * @param lost takes the beginning of what is too long to be read and is not taken apart
   * @param isOneRecord whether the beginning of a container is that of what is read as a whole or not at all
   */
  constructor(
    bound: number,
    value: (bytes: Uint8Array, end: number, offset: number) => void,
    lost: (bytes: Uint8Array, end: number, offset: number) => void,
    isOneRecord: (bytes: Uint8Array) => boolean = () => false,
  ) {
    this.#held = new Uint8Array(bound);
    this.#value = value;
    this.#lost = lost;
    this.#isOneRecord = isOneRecord;
  }

  /** Takes `bytes[from, to)`, of which the first stands at `offset`. */
  push(bytes: Uint8Array, from: number, to: number, offset: number): void {
    for (let at = from; at < to; at++) {
      this.#byte(bytes[at] as number, offset + at - from);
      if (this.#length < this.#held.length) continue;
      if (this.#held[0] === QUOTE) this.#cutString();
      else this.#descend();
    }
  }

  /** The line ended. */
  end(): void {
    if (this.#length > 0 && this.#held[0] === QUOTE) this.#cutString();
    if (this.#length > 0) this.#whole();
  }

  #byte(byte: number, offset: number): void {
    if (this.#skipping) this.#skipping = !this.#follow(byte);
    else if (this.#length === 0) this.#begin(byte, offset);
    else {
      this.#held[this.#length++] = byte;
      if (this.#follow(byte)) this.#whole();
    }
  }

  #begin(byte: number, offset: number): void {
    if (byte === QUOTE || isOpening(byte)) {
      this.#offset = offset;
      this.#held[0] = byte;
      this.#length = 1;
      this.#inString = byte === QUOTE;
      this.#escaped = false;
      this.#depth = byte === QUOTE ? 0 : 1;
    } else if (isClosing(byte) && this.#levels > 0) this.#levels--;
  }

  /** Whether a byte ends the value that is held. */
  #follow(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) {
        this.#inString = false;
        return this.#depth === 0;
      }
      return false;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (isOpening(byte)) this.#depth++;
    else if (isClosing(byte)) return --this.#depth === 0;
    return false;
  }

  #whole(): void {
    const end = this.#length;
    this.#length = 0;
    this.#value(this.#held, end, this.#offset);
  }

  /** Leaves out what is held, and what follows of it. */
  #leaveOut(): void {
    this.#lost(this.#held, this.#length, this.#offset);
    this.#skipping = true;
    this.#length = 0;
  }

  /** The container that is held is too long: the values in it are taken one by one. */
  #descend(): void {
    if (this.#levels >= MAX_LEVELS || this.#isOneRecord(this.#held.subarray(0, this.#length))) {
      this.#leaveOut();
      return;
    }
    this.#levels++;
    const inner = this.#held.slice(1, this.#length);
    const offset = this.#offset + 1;
    this.#length = 0;
    for (let at = 0; at < inner.length; at++) this.#byte(inner[at] as number, offset + at);
  }

  /** A text that is too long is handed on up to the last end of a line in it. */
  #cutString(): void {
    const held = this.#held;
    let cut = 0;
    for (let at = 1; at + 1 < this.#length; at++) {
      if (held[at] !== BACKSLASH) continue;
      if (held[at + 1] === N) cut = at;
      at++;
    }
    if (cut === 0) {
      this.#leaveOut();
      return;
    }
    const rest = held.slice(cut + 2, this.#length);
    held[cut] = QUOTE;
    this.#value(held, cut + 1, this.#offset);
    this.#offset += cut + 1;
    held[0] = QUOTE;
    held.set(rest, 1);
    this.#length = 1 + rest.length;
  }
}
