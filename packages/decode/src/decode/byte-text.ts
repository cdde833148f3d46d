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
const RETURN = 0x0d;
const HASH = 0x23;
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

/** Columns of a line at most that may end within a byte because the text was wrapped there. */
const MAX_WRAP = 4096;

/** A line behind a first one that ended within a byte: how long it is tells whether that one was wrapped or cut. */
interface Held {
  /** Where the first line ends. */
  cut: { offset: number; line: number };
  bytes: number[];
  /** The line ended, and is the shorter one. */
  ended: boolean;
}

/**
 * What both have in common: lines, comments behind `#`, and going on behind what is neither. A line that ends within a
 * byte goes on in the next one only where the text is wrapped there: where its lines are equally long.
 */
abstract class CharacterReader implements ByteText {
  readonly #sink: ByteSink;
  readonly #what: string;
  #offset = 0;
  #line = 1;
  #skip = false;
  #out = new Uint8Array(0);
  #length = 0;
  #columns = 0;
  /** Columns of the first line; 0 before there was one. */
  #width = 0;
  /** Lines go on within a byte. */
  #wrapped = false;
  #held: Held | undefined;

  constructor(sink: ByteSink, what: string) {
    this.#sink = sink;
    this.#what = what;
  }

  push(text: Uint8Array): void {
    this.#room(text.length);
    for (const byte of text) this.#character(byte);
    this.#flush();
  }

  end(): void {
    this.#room(0);
    // What is shorter than the line before it is the last of a wrapped text.
    if (this.#held !== undefined) this.#release(this.#held, true);
    const rest = this.rest();
    this.#flush();
    if (rest !== undefined) this.#break(rest);
  }

  protected put(byte: number): void {
    this.#out[this.#length++] = byte;
  }

  /** What came does not go on here, and lost something; what follows is read as a new beginning. */
  protected cut(message: string): void {
    this.#break(message);
  }

  /** Takes a character of a line; false when it is none of this text. */
  protected abstract take(byte: number): boolean;
  /** Whether there is something that is no whole byte yet. */
  protected abstract within(): boolean;
  /** Gives up what is no whole byte yet. */
  protected abstract forget(): void;
  /** Puts out the last bytes; says what was cut off. */
  protected abstract rest(): string | undefined;

  #character(byte: number): void {
    const held = this.#held;
    if (held !== undefined) this.#hold(held, byte);
    else if (byte === NEWLINE) {
      this.#endLine();
      this.#offset++;
    } else {
      // A comment, or the rest of a line that holds something else.
      if (!this.#skip && byte === HASH) this.#skip = true;
      else if (!this.#skip) this.#plain(byte);
      this.#offset++;
    }
  }

  #plain(byte: number): void {
    if (byte !== RETURN) this.#columns++;
    if (this.take(byte)) return;
    this.#break(`what begins here is no ${this.#what}; the rest of the line was not read`);
    this.#skip = true;
    this.#columns = 0;
  }

  #endLine(): void {
    if (this.#columns > 0) {
      const within = this.within();
      const first = this.#width === 0;
      if (first) this.#width = this.#columns;
      if (within && first && this.#columns <= MAX_WRAP) {
        this.#held = { cut: { offset: this.#offset, line: this.#line }, bytes: [], ended: false };
      } else if (within && (!this.#wrapped || this.#columns !== this.#width)) this.#cutLine(this.#offset, this.#line);
      // A wrapped text ends with a shorter line.
      else if (this.#wrapped && this.#columns !== this.#width) this.#break(undefined);
    }
    this.#columns = 0;
    this.#skip = false;
    this.#line++;
  }

  #hold(held: Held, byte: number): void {
    if (held.ended && byte !== NEWLINE && byte !== RETURN) {
      this.#release(held, false);
      this.#character(byte);
      return;
    }
    held.bytes.push(byte);
    if (byte === NEWLINE) {
      if (this.#columns === this.#width) this.#release(held, true);
      else if (this.#columns > 0) held.ended = true;
    } else if (byte !== RETURN) this.#columns++;
    if (this.#held === held && (this.#columns > this.#width || held.bytes.length > 2 * MAX_WRAP)) {
      this.#release(held, false);
    }
  }

  /** Reads what was held, behind the line before it or as a new beginning. */
  #release({ cut, bytes }: Held, joined: boolean): void {
    this.#held = undefined;
    this.#columns = 0;
    if (joined) this.#wrapped = true;
    else this.#cutLine(cut.offset, cut.line);
    this.#offset = cut.offset + 1;
    this.#line = cut.line + 1;
    for (const byte of bytes) this.#character(byte);
  }

  #cutLine(offset: number, line: number): void {
    this.rest();
    this.#break(
      'the line ends within a byte, of which nothing was taken; the next line is a new beginning',
      offset,
      line,
    );
  }

  #break(message: string | undefined, offset = this.#offset, line = this.#line): void {
    this.#flush();
    this.forget();
    this.#width = 0;
    this.#wrapped = false;
    this.#sink.broken(message, offset, line);
  }

  #room(more: number): void {
    const size = more + (this.#held?.bytes.length ?? 0) + 3;
    if (this.#out.length < size) this.#out = new Uint8Array(size);
  }

  #flush(): void {
    const length = this.#length;
    this.#length = 0;
    if (length > 0) this.#sink.bytes(this.#out.subarray(0, length));
  }
}

/** Hex digits, with blanks, commas, colons and `0x` between them or without. A `0x` group of one digit is a byte. */
export class HexText extends CharacterReader {
  #high = OTHER;
  /** A zero was read, which an `x` may follow. */
  #zero = false;
  /** Digits of a group behind `0x`; -1 where there is none. */
  #digits = -1;
  /** How such a list is written: with zeros before small numbers, or without. */
  #list: 'unknown' | 'filled' | 'short' = 'unknown';

  constructor(sink: ByteSink) {
    super(sink, 'hex digit');
  }

  protected take(byte: number): boolean {
    if (this.#zero) {
      this.#zero = false;
      if (byte === 0x78 || byte === 0x58) {
        this.#endGroup();
        this.#digits = 0;
        return true;
      }
      this.#digit(0);
    }
    if (byte === ZERO) this.#zero = true;
    else {
      const digit = HEX[byte] as number;
      if (digit === OTHER) return false;
      if (digit !== SKIP) this.#digit(digit);
      else if (byte !== RETURN) this.#endGroup();
    }
    return true;
  }

  protected within(): boolean {
    if (this.#list === 'short') this.#endByte();
    return (this.#high !== OTHER) !== this.#zero;
  }

  protected forget(): void {
    this.#high = OTHER;
    this.#zero = false;
    this.#digits = -1;
  }

  protected rest(): string | undefined {
    if (this.#zero) this.#digit(0);
    this.#zero = false;
    if (this.#list === 'short') this.#endByte();
    return this.#high === OTHER ? undefined : 'the hex digits end within a byte; the last digit was left out';
  }

  #digit(digit: number): void {
    if (this.#digits >= 0) this.#digits++;
    if (this.#high === OTHER) this.#high = digit;
    else {
      if (this.#digits === 2 && this.#high === 0) this.#list = 'filled';
      this.put((this.#high << 4) | digit);
      this.#high = OTHER;
    }
  }

  /** The one digit of a group that is a byte of a list. */
  #endByte(): void {
    if (this.#digits === 0 && this.#zero) {
      this.#zero = false;
      this.#digit(0);
    }
    if (this.#digits !== 1 || this.#high === OTHER || this.#zero) return;
    this.put(this.#high);
    this.#high = OTHER;
    this.#digits = -1;
  }

  #endGroup(): void {
    if (this.#digits === 1 && this.#list !== 'filled') {
      this.#list = 'short';
      this.#endByte();
    }
    if (this.#high !== OTHER) this.cut('a group of hex digits ends within a byte here; its last digit was left out');
    this.#digits = -1;
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

  protected within(): boolean {
    return this.#count > 0;
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
    // With zeros for the characters that are not there.
    const whole = this.#bits * 64 ** (4 - this.#count);
    if (this.#count >= 2) this.put((whole >> 16) & 0xff);
    if (this.#count === 3) this.put((whole >> 8) & 0xff);
    this.forget();
  }
}
