/** @module Reading numbers and fixed words straight out of bytes: the fast way through a log. */

/** Value of each hex digit, -1 for other bytes. */
const HEX = new Int8Array(256).fill(-1);
for (let i = 0; i < 10; i++) HEX[0x30 + i] = i;
for (let i = 0; i < 6; i++) {
  HEX[0x41 + i] = 10 + i;
  HEX[0x61 + i] = 10 + i;
}

/** Index of the lower half, which depends on the machine's byte order. */
const LOW = new Uint32Array(new BigUint64Array([1n]).buffer)[0] === 1 ? 0 : 1;

/** Makes a u64 of two unsigned 32-bit halves; an order of magnitude faster than `BigInt('0x…')`. */
export class U64Joiner {
  readonly #whole = new BigUint64Array(1);
  readonly #halves = new Uint32Array(this.#whole.buffer);

  of(high: number, low: number): bigint {
    this.#halves[LOW] = low;
    this.#halves[1 - LOW] = high;
    return this.#whole[0] ?? 0n;
  }
}

/** The ASCII bytes of a word. */
export function ascii(word: string): Uint8Array {
  return Uint8Array.from(word, c => c.charCodeAt(0));
}

/** A position in bytes that moves over what it reads and stays where it is when it does not find it. */
export class Cursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  readonly #u64 = new U64Joiner();

  set(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** What is left, up to so many characters; more than that is left when it is longer. */
  rest(length: number): string {
    return String.fromCharCode(...this.bytes.subarray(this.at, Math.min(this.end, this.at + length + 1)));
  }

  /** Takes `word`; false when it does not stand here. */
  word(word: Uint8Array): boolean {
    const { bytes, at } = this;
    const n = word.length;
    if (at + n > this.end) return false;
    for (let i = 0; i < n; i++) if (bytes[at + i] !== word[i]) return false;
    this.at = at + n;
    return true;
  }

  /** Takes one byte. */
  byte(value: number): boolean {
    if (this.at >= this.end || this.bytes[this.at] !== value) return false;
    this.at++;
    return true;
  }

  /** Takes a decimal number of at most `digits` digits (15 keep it exact); -1 when there is none or it goes on. */
  decimal(digits: number): number {
    const { bytes, end } = this;
    let at = this.at;
    let value = 0;
    const stop = Math.min(end, at + digits);
    while (at < stop) {
      const d = (bytes[at] ?? 0) - 0x30;
      if (d < 0 || d > 9) break;
      value = value * 10 + d;
      at++;
    }
    if (at === this.at) return -1;
    if (at < end) {
      const next = (bytes[at] ?? 0) - 0x30;
      if (next >= 0 && next <= 9) return -1;
    }
    this.at = at;
    return value;
  }

  /** Takes a hex number of at most `digits` (up to 16) digits without prefix; undefined when there is none or it goes on. */
  hex(digits = 16): bigint | undefined {
    const { bytes, end } = this;
    let at = this.at;
    const first = at;
    let high = 0;
    let low = 0;
    const stop = Math.min(end, at + digits);
    while (at < stop) {
      const d = HEX[bytes[at] ?? 0] ?? -1;
      if (d < 0) break;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | d;
      at++;
    }
    if (at === first) return undefined;
    if (at < end && (HEX[bytes[at] ?? 0] ?? -1) >= 0) return undefined;
    this.at = at;
    return this.#u64.of(high, low);
  }
}
