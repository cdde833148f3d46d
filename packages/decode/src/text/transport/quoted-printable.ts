/**
 * @module Lines of a mail as it is sent (RFC 2045, 6.7): one that ends in `=` goes on in the next, and `=3D` is a character. Read
 * as they stand, a value that is broken so loses its last digits without a sign.
 */
import { beginsLine } from './begins.ts';

const EQUALS = 0x3d;
const RETURN = 0x0d;
const SPACE = 0x20;
const C = 0x63;
/** What a small letter has and a capital has not. */
const CASE = 0x20;
/** A line of a mail has at most 76 characters, and is broken behind no fewer than this. */
const SHORTEST = 48;
const LONGEST = 78;
const MAX_PIECES = 16;

const decoder = new TextDecoder('latin1');
/** What says so in the head of a mail, or of a part of it. */
const HEADER = /^Content-Transfer-Encoding:\s{0,4}quoted-printable\s{0,4}$/i;
/** Any field of a head, and what goes on with one (RFC 5322, 2.2). */
const FIELD = /^[!-9;-~]{1,64}:|^[ \t]\S/;
/** What ends a part (RFC 2046, 5.1.1), and what begins another mail in a box of them. */
const BOUNDARY = /^--[\w'()+,./:=?-]{4,72}\s{0,4}$|^From \S/;
/** It may stand far down. */
export const MAIL_NEEDLES: readonly string[] = ['quoted-printable'];

/** What became of a line. */
interface Unbroken {
  /** The line before was whole after all, and stands here as it was. */
  before?: Uint8Array;
  /** The line itself, put together or without its escapes; where it is missing it is what it was. */
  line?: Uint8Array;
  /** It goes on in the next: nothing of it is to be read yet. */
  goesOn: boolean;
}

/** One mail after the other; constant memory. */
export class QuotedPrintable {
  #held: Uint8Array | undefined;
  #pieces = 0;
  /**
   * Within the head of a part that says so, or in its text: there what such a mail escapes is undone. `guessed` is a part of which the head
   * is not there, but of which a line was put together.
   */
  #within: 'head' | 'text' | 'guessed' | undefined;

  /** Within a mail every line is one, whatever it holds. */
  get wanted(): boolean {
    return this.#within === 'head' || this.#within === 'text';
  }

  /** Undefined for a line that is what it is. */
  take(bytes: Uint8Array, start: number, end: number): Unbroken | undefined {
    let stop = end;
    if (stop > start && bytes[stop - 1] === RETURN) stop--;
    const ends = stop > start && bytes[stop - 1] === EQUALS;
    const text = bytes.subarray(start, stop);
    if (this.#within !== undefined || (stop - start < LONGEST && ((text[0] ?? 0) | CASE) === C)) this.#look(text);
    if (!ends && this.#held === undefined && !this.#isText) return undefined;
    const held = this.#held;
    this.#held = undefined;
    // Where the head says how the text is written, a line that is to go on goes on.
    const begins = held !== undefined && this.#within !== 'text' && beginsLine(decoder.decode(text.subarray(0, 64)));
    const before = held !== undefined && begins ? { before: held } : {};
    const joined = held === undefined || begins ? text : concat(held.subarray(0, held.length - 1), text);
    if (ends && this.#isBroken(text) && (begins || this.#pieces < MAX_PIECES)) {
      this.#pieces = held === undefined || begins ? 1 : this.#pieces + 1;
      this.#held = joined.slice();
      return { ...before, goesOn: true };
    }
    if (held !== undefined && !begins) this.#within ??= 'guessed';
    const line = this.#isText ? (unescaped(joined) ?? (joined === text ? undefined : joined)) : undefined;
    if (line === undefined && held === undefined) return undefined;
    return { ...before, ...(line === undefined ? {} : { line }), goesOn: false };
  }

  get #isText(): boolean {
    return this.#within === 'text' || this.#within === 'guessed';
  }

  #isBroken(text: Uint8Array): boolean {
    return this.#within === 'text' || (this.#within !== 'head' && isBroken(text));
  }

  /** Where a part begins and ends. */
  #look(text: Uint8Array): void {
    // No line of such a text is longer: it is none.
    if (text.length > LONGEST) {
      this.#within = undefined;
      return;
    }
    const line = decoder.decode(text);
    if (HEADER.test(line)) this.#within = 'head';
    else if (this.#within === 'head') {
      if (line === '') this.#within = 'text';
      else if (!FIELD.test(line)) this.#within = undefined;
    } else if (BOUNDARY.test(line)) this.#within = undefined;
  }

  /** The input ended: the line that was to go on. */
  end(): Uint8Array | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }
}

/** Text, and no base64 that is filled up at its end. */
function isBroken(text: Uint8Array): boolean {
  const { length } = text;
  return length >= SHORTEST && length <= LONGEST && text[length - 2] !== EQUALS && text.includes(SPACE);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** Without its escapes; undefined where there are none. */
function unescaped(bytes: Uint8Array): Uint8Array | undefined {
  const out: number[] = [];
  let any = false;
  for (let at = 0; at < bytes.length; at++) {
    const [high, low] = [digit(bytes[at + 1]), digit(bytes[at + 2])];
    // What controls is no character of a line.
    if (bytes[at] === EQUALS && high >= 0 && low >= 0 && (high > 1 || (high === 0 && low === 9))) {
      out.push(16 * high + low);
      any = true;
      at += 2;
    } else out.push(bytes[at] as number);
  }
  return any ? Uint8Array.from(out) : undefined;
}

/** Of an upper-case hexadecimal digit, which the encoding prescribes; -1 for any other. */
function digit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x41 && byte <= 0x46 ? byte - 0x37 : -1;
}
