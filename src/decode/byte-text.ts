/** @module Bytes written as text: hex digits and base64, in pieces of any size. */

/** Takes what a text stands for. Bytes are lent for the time of the call. */
export interface ByteSink {
  bytes(bytes: Uint8Array): void;
  /** What follows does not continue what came before. Without a message nothing was lost; `offset` counts bytes of the text. */
  broken(message: string | undefined, offset: number, lineNumber: number): void;
}

/** Reads a text that stands for bytes. */
export interface ByteText {
  push(text: Uint8Array): void;
  end(): void;
}

const NEWLINE = 0x0a;
const ZERO = 0x30;
const EQUALS = 0x3d;
const OTHER = -1;
const SKIP = -2;

function table(alphabet: string, skipped: string): Int8Array {
  const out = new Int8Array(256).fill(OTHER);
  for (const c of skipped) out[c.charCodeAt(0)] = SKIP;
  for (let i = 0; i < alphabet.length; i++) out[alphabet.charCodeAt(i)] = i;
  return out;
}

const HEX = table('0123456789abcdef', ' \t\r\n\v\f,:');
for (let i = 10; i < 16; i++) HEX[0x41 + i - 10] = i;
const BASE64 = table('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', ' \t\r\n\v\f');

/** What both have in common: lines, and going on behind what is neither. */
abstract class CharacterReader implements ByteText {
  readonly #sink: ByteSink;
  readonly #what: string;
  #offset = 0;
  #line = 1;
  #lost = false;
  #out = new Uint8Array(0);
  #length = 0;

  constructor(sink: ByteSink, what: string) {
    this.#sink = sink;
    this.#what = what;
  }

  push(text: Uint8Array): void {
    if (this.#out.length < text.length + 3) this.#out = new Uint8Array(text.length + 3);
    for (const byte of text) {
      // The rest of a line that holds something else.
      if (!this.#lost && !this.take(byte)) {
        this.#break(`what begins here is no ${this.#what}; the rest of the line was not read`);
        this.#lost = true;
      }
      if (byte === NEWLINE) {
        this.#line++;
        this.#lost = false;
      }
      this.#offset++;
    }
    this.#flush();
  }

  end(): void {
    if (this.#out.length < 3) this.#out = new Uint8Array(3);
    const rest = this.rest();
    this.#flush();
    if (rest !== undefined) this.#break(rest);
  }

  protected put(byte: number): void {
    this.#out[this.#length++] = byte;
  }

  /** Takes a character; false when it is none of this text. */
  protected abstract take(byte: number): boolean;
  /** Gives up what is no whole byte yet. */
  protected abstract forget(): void;
  /** Puts out the last bytes; says what was cut off. */
  protected abstract rest(): string | undefined;

  #break(message: string): void {
    this.#flush();
    this.forget();
    this.#sink.broken(message, this.#offset, this.#line);
  }

  #flush(): void {
    const length = this.#length;
    this.#length = 0;
    if (length > 0) this.#sink.bytes(this.#out.subarray(0, length));
  }
}

/** Hex digits, with blanks, commas, colons and `0x` between them or without. */
export class HexText extends CharacterReader {
  #high = OTHER;
  /** A zero was read, which an `x` may follow. */
  #zero = false;

  constructor(sink: ByteSink) {
    super(sink, 'hex digit');
  }

  protected take(byte: number): boolean {
    if (this.#zero) {
      this.#zero = false;
      if (byte === 0x78 || byte === 0x58) return true;
      this.#digit(0);
    }
    if (byte === ZERO) this.#zero = true;
    else {
      const digit = HEX[byte] as number;
      if (digit === OTHER) return false;
      if (digit !== SKIP) this.#digit(digit);
    }
    return true;
  }

  protected forget(): void {
    this.#high = OTHER;
    this.#zero = false;
  }

  protected rest(): string | undefined {
    if (this.#zero) this.#digit(0);
    return this.#high === OTHER ? undefined : 'the hex digits end within a byte; the last digit was left out';
  }

  #digit(digit: number): void {
    if (this.#high === OTHER) this.#high = digit;
    else {
      this.put((this.#high << 4) | digit);
      this.#high = OTHER;
    }
  }
}

/** Base64, padded or not; several texts may stand behind each other. */
export class Base64Text extends CharacterReader {
  #bits = 0;
  #count = 0;
  /** Padding that may still come. */
  #padding = 0;

  constructor(sink: ByteSink) {
    super(sink, 'base64');
  }

  protected take(byte: number): boolean {
    if (byte === EQUALS) {
      if (this.#padding > 0) this.#padding--;
      else if (this.#count < 2) return false;
      else {
        this.#padding = 3 - this.#count;
        this.#last();
      }
      return true;
    }
    const digit = BASE64[byte] as number;
    if (digit === SKIP) return true;
    if (digit === OTHER) return false;
    this.#padding = 0;
    this.#bits = (this.#bits << 6) | digit;
    if (++this.#count < 4) return true;
    this.put((this.#bits >> 16) & 0xff);
    this.put((this.#bits >> 8) & 0xff);
    this.put(this.#bits & 0xff);
    this.forget();
    return true;
  }

  protected forget(): void {
    this.#bits = 0;
    this.#count = 0;
  }

  protected rest(): string | undefined {
    if (this.#count === 1) return 'the base64 ends within a byte; the last character was left out';
    this.#last();
    return undefined;
  }

  /** What two or three characters stand for. */
  #last(): void {
    if (this.#count === 2) this.put((this.#bits >> 4) & 0xff);
    if (this.#count === 3) {
      this.put((this.#bits >> 10) & 0xff);
      this.put((this.#bits >> 2) & 0xff);
    }
    this.forget();
  }
}
