/**
 * @module UTF-16 becomes UTF-8, with a byte order mark or without one, and the mark of UTF-8 is taken away. Anything else
 * passes.
 */

const encoder = new TextEncoder();
const LITTLE = [0xff, 0xfe] as const;
const BIG = [0xfe, 0xff] as const;
const UTF8 = [0xef, 0xbb, 0xbf] as const;
const NOTHING = new Uint8Array(0);

/** Characters that settle it where there is no mark: each ASCII that prints or ends a line, with a zero beside it. */
const ENOUGH = 8;
const isText = (byte: number): boolean => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);

/** The byte order of UTF-16 without a mark; undefined where the beginning is anything else. */
function unmarked(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const length = Math.min(bytes.length, 2 * ENOUGH) & ~1;
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
  /** Places in what it gives are not those of the input. */
  readonly recoded: boolean;
  /** The bytes to go on with; they may be those given. */
  take(bytes: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

/** Makes a recoder of one input. */
export function recoder(): Recoder {
  let head: Uint8Array | undefined = NOTHING;
  let text: InstanceType<typeof TextDecoder> | undefined;
  let mark = 0;

  const starts = (bytes: Uint8Array, mark: readonly number[]): boolean => mark.every((b, i) => bytes[i] === b);
  function decide(bytes: Uint8Array): Uint8Array {
    head = undefined;
    if (starts(bytes, UTF8)) {
      mark = UTF8.length;
      return bytes.subarray(mark);
    }
    if (starts(bytes, LITTLE)) text = new TextDecoder('utf-16le');
    else if (starts(bytes, BIG)) text = new TextDecoder('utf-16be');
    else {
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
    take(bytes) {
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
      if (head !== undefined) return decide(head);
      return text === undefined ? NOTHING : encoder.encode(text.decode());
    },
  };
}
