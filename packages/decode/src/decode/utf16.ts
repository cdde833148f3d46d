/**
 * @module UTF-16 becomes UTF-8, with a byte order mark or without one, and the mark of UTF-8 is taken away. Anything else
 * passes.
 */

const encoder = new TextEncoder();
const LITTLE = [0xff, 0xfe] as const;
const BIG = [0xfe, 0xff] as const;
const UTF8 = [0xef, 0xbb, 0xbf] as const;
const NOTHING = new Uint8Array(0);
const NEWLINE = 0x0a;

/** Characters that settle it where there is no mark: each ASCII that prints or ends a line, with a zero beside it. */
const ENOUGH = 8;
const isText = (byte: number): boolean => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);

/** The byte order of UTF-16 without a mark; undefined where the beginning is anything else. */
function unmarked(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const length = 2 * Math.min(Math.floor(bytes.length / 2), ENOUGH);
  if (length < 4) return undefined;
  const all = (first: number): boolean => {
    for (let i = 0; i < length; i += 2) {
      if (!isText(bytes[i + first] ?? 0) || bytes[i + 1 - first] !== 0) return false;
    }
    return true;
  };
  return all(0) ? 'utf-16le' : all(1) ? 'utf-16be' : undefined;
}

interface Recoder {
  /** Bytes that were taken away at the beginning. */
  readonly mark: number;
  /** Places in what it gives are not those of the input: {@link Utf16Places} finds them. */
  readonly recoded: boolean;
  /** Bytes of the input so far, and whether it ended with them. */
  readonly taken: number;
  readonly ended: boolean;
  /** The bytes to go on with; they may be those given. */
  take(bytes: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

/** Makes a recoder of one input. */
export function recoder(): Recoder {
  let head: Uint8Array | undefined = NOTHING;
  let text: InstanceType<typeof TextDecoder> | undefined;
  let mark = 0;
  let taken = 0;
  let ended = false;

  const starts = (bytes: Uint8Array, mark: readonly number[]): boolean => mark.every((b, i) => bytes[i] === b);
  function decide(bytes: Uint8Array): Uint8Array {
    head = undefined;
    if (starts(bytes, UTF8)) {
      mark = UTF8.length;
      return bytes.subarray(mark);
    }
    const marked = starts(bytes, LITTLE) ? 'utf-16le' : starts(bytes, BIG) ? 'utf-16be' : undefined;
    if (marked !== undefined) {
      mark = LITTLE.length;
      text = new TextDecoder(marked);
    } else {
      const order = unmarked(bytes);
      if (order !== undefined) text = new TextDecoder(order);
    }
    return text === undefined ? bytes : encoder.encode(text.decode(bytes, { stream: true }));
  }

  return {
    get mark() {
      return mark;
    },
    get recoded() {
      return text !== undefined;
    },
    get taken() {
      return taken;
    },
    get ended() {
      return ended;
    },
    take(bytes) {
      taken += bytes.length;
      if (text !== undefined) return encoder.encode(text.decode(bytes, { stream: true }));
      if (head === undefined) return bytes;
      const joined = new Uint8Array(head.length + bytes.length);
      joined.set(head);
      joined.set(bytes, head.length);
      // Two bytes of which none is zero are no UTF-16 without a mark: nothing more is waited for.
      const least = joined[0] === 0 || joined[1] === 0 ? 2 * ENOUGH : UTF8.length;
      if (joined.length >= least) return decide(joined);
      head = joined;
      return NOTHING;
    },
    end() {
      ended = true;
      if (head !== undefined) return decide(head);
      return text === undefined ? NOTHING : encoder.encode(text.decode());
    },
  };
}

/** The first byte of a character that UTF-16 writes as two units, and the bytes that stand behind a first byte. */
const FOUR_BYTES = 0xf0;
const isFirst = (byte: number): boolean => byte < 0x80 || byte >= 0xc0;

/**
 * Where in UTF-16 the bytes stand that were made of it. It is told each piece before that is read; known are the places
 * in the last piece, and where its first line began. A unit that is half a character becomes U+FFFD, one for one.
 */
export class Utf16Places {
  readonly #input: Recoder;
  #piece: Uint8Array = NOTHING;
  /** The first byte of the piece, and its place. */
  #first = 0;
  #place: number;
  /** A byte of the piece, counted from its first, and its place. */
  #at = 0;
  #atPlace: number;
  /** The first byte behind the last line feed before the piece, and its place. */
  #line = 0;
  #linePlace: number;

  constructor(input: Recoder) {
    this.#input = input;
    this.#place = input.mark;
    this.#atPlace = input.mark;
    this.#linePlace = input.mark;
  }

  /** The bytes that are read next. */
  piece(bytes: Uint8Array): void {
    const feed = this.#piece.lastIndexOf(NEWLINE);
    if (feed >= 0) {
      this.#linePlace = this.#count(feed + 1);
      this.#line = this.#first + feed + 1;
    }
    this.#place = this.#count(this.#piece.length);
    this.#first += this.#piece.length;
    this.#piece = bytes;
    this.#at = 0;
    this.#atPlace = this.#place;
  }

  /** The place of a byte that was read, or of the one that comes next; undefined where it is no longer known. */
  of(offset: number): number | undefined {
    const within = offset - this.#first;
    if (within < 0) return offset === this.#line ? this.#linePlace : undefined;
    // What is left of a character at the end of the input has fewer bytes than one.
    if (this.#input.ended && within === this.#piece.length) return this.#input.taken;
    return this.#count(within);
  }

  #count(to: number): number {
    if (to < this.#at) {
      this.#at = 0;
      this.#atPlace = this.#place;
    }
    for (; this.#at < to; this.#at++) {
      const byte = this.#piece[this.#at] as number;
      if (isFirst(byte)) this.#atPlace += byte >= FOUR_BYTES ? 4 : 2;
    }
    return this.#atPlace;
  }
}
