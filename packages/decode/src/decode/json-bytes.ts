/** @module JSON as bytes in one buffer, as stringify() of `common` writes it, with all escaped that a terminal would obey. */
import { escapeJson } from '../common/screen.ts';

/** Something that JSON.stringify has to write: values that are no plain data. */
export class NotPlain extends Error {}

const [QUOTE, BACKSLASH, COMMA, COLON, ZERO] = [0x22, 0x5c, 0x2c, 0x3a, 0x30];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
/** The two hexadecimal digits of each byte. */
const digitsAt = (place: number): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0').charCodeAt(place));
const [FIRST, SECOND] = [digitsAt(0), digitsAt(1)];
const utf8 = new TextEncoder();
/** Longest decimal number that is written digit by digit. */
const MAX_DIGITS = 10;
const LIMIT = 10 ** MAX_DIGITS;

/** Bytes that grow as they are written, and are kept for what is written next. */
export class JsonBytes {
  #bytes = new Uint8Array(4096);
  #length = 0;
  /** A u64, and its bytes in the order of the machine. */
  readonly #u64 = new BigUint64Array(1);
  readonly #u8 = new Uint8Array(this.#u64.buffer);
  readonly #from: number;
  readonly #step: number;

  constructor() {
    this.#u64[0] = 1n;
    const isLittle = this.#u8[0] === 1;
    this.#from = isLittle ? 7 : 0;
    this.#step = isLittle ? -1 : 1;
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written from `length` on. */
  cut(length = 0): void {
    this.#length = length;
  }

  /** What was written, lent until something else is. */
  view(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.#length);
  }

  /** Makes room for so many bytes more. */
  #room(more: number): Uint8Array {
    if (this.#length + more > this.#bytes.length) {
      const bigger = new Uint8Array(2 * (this.#length + more));
      bigger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bigger;
    }
    return this.#bytes;
  }

  #byte(byte: number): void {
    this.#room(1)[this.#length++] = byte;
  }

  /** Bytes of JSON that were written before. */
  part(bytes: Uint8Array): void {
    this.#room(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** JSON itself, in ASCII: brackets, names of members. */
  raw(json: string): void {
    const bytes = this.#room(json.length);
    let at = this.#length;
    for (let i = 0; i < json.length; i++) bytes[at++] = json.charCodeAt(i);
    this.#length = at;
  }

  /** @throws {NotPlain} for what is no plain data. */
  value(value: unknown): void {
    switch (typeof value) {
      case 'bigint':
        this.#hex64(value);
        break;
      case 'string':
        this.#string(value);
        break;
      case 'number':
        this.#number(value);
        break;
      case 'boolean':
        this.raw(value ? 'true' : 'false');
        break;
      case 'object':
        if (Array.isArray(value)) this.#list(value);
        else if (value === null || Object.getPrototypeOf(value) !== Object.prototype) throw new NotPlain();
        else {
          this.#byte(OPEN);
          this.members(value as Record<string, unknown>);
          this.#byte(CLOSE);
        }
        break;
      default:
        throw new NotPlain();
    }
  }

  /** `"a":1,"b":2`: the members that are there, without braces; whether there was one. */
  members(of: Readonly<Record<string, unknown>>): boolean {
    let some = false;
    for (const name in of) {
      const value = of[name];
      if (value === undefined) continue;
      if (some) this.#byte(COMMA);
      some = true;
      this.#name(name);
      this.value(value);
    }
    return some;
  }

  /** `,"name":value`, where there is a value. */
  member(name: string, value: unknown): void {
    if (value === undefined) return;
    this.#byte(COMMA);
    this.#name(name);
    this.value(value);
  }

  #name(name: string): void {
    this.#string(name);
    this.#byte(COLON);
  }

  #list(values: readonly unknown[]): void {
    this.#byte(OPEN_LIST);
    for (let i = 0; i < values.length; i++) {
      if (i > 0) this.#byte(COMMA);
      this.value(values[i]);
    }
    this.#byte(CLOSE_LIST);
  }

  #string(text: string): void {
    const bytes = this.#room(text.length + 2);
    let at = this.#length;
    bytes[at++] = QUOTE;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
        this.part(utf8.encode(escapeJson(JSON.stringify(text))));
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#length = at;
  }

  #hex64(value: bigint): void {
    this.#u64[0] = value;
    const u8 = this.#u8;
    const bytes = this.#room(20);
    let at = this.#length;
    bytes[at++] = QUOTE;
    bytes[at++] = ZERO;
    bytes[at++] = 0x78;
    for (let i = 0, from = this.#from; i < 8; i++, from += this.#step) {
      const byte = u8[from] as number;
      bytes[at++] = FIRST[byte] as number;
      bytes[at++] = SECOND[byte] as number;
    }
    bytes[at++] = QUOTE;
    this.#length = at;
  }

  #number(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= LIMIT) {
      if (!Number.isFinite(value)) throw new NotPlain();
      this.raw(String(value));
      return;
    }
    const bytes = this.#room(MAX_DIGITS);
    let digits = 1;
    for (let n = value; n >= 10; n = Math.floor(n / 10)) digits++;
    let at = this.#length + digits;
    this.#length = at;
    for (let n = value, i = 0; i < digits; i++) {
      const tens = Math.floor(n / 10);
      bytes[--at] = ZERO + n - tens * 10;
      n = tens;
    }
  }
}
