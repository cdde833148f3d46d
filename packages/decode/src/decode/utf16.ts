/** @module Text with a byte order mark: UTF-16 becomes UTF-8, the mark of UTF-8 is taken away. Anything else passes. */

const encoder = new TextEncoder();
const LITTLE = [0xff, 0xfe] as const;
const BIG = [0xfe, 0xff] as const;
const UTF8 = [0xef, 0xbb, 0xbf] as const;
const NOTHING = new Uint8Array(0);

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
      if (joined.length >= UTF8.length) return decide(joined);
      head = joined;
      return NOTHING;
    },
    end() {
      if (head !== undefined) return decide(head);
      return text === undefined ? NOTHING : encoder.encode(text.decode());
    },
  };
}
