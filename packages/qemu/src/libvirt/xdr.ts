/** @module XDR, both ways, with bounds. Source: RFC 4506. */
import { LibvirtProtocolError } from './errors.ts';

const UTF8 = new TextEncoder();
/** Names and texts are for people; what is not UTF-8 in them must not end a connection. */
const TEXT = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes of filling up to the next multiple of four (RFC 4506, 3). */
const filling = (length: number): number => (4 - (length % 4)) % 4;

/** Writes values one after the other; each method returns the writer. Numbers that do not fit their type throw RangeError. */
export class XdrWriter {
  readonly #parts: Uint8Array[] = [];

  int(value: number): this {
    if (!Number.isInteger(value) || value !== (value | 0)) throw new RangeError(`${value} is no 32-bit integer`);
    return this.#word(value >>> 0);
  }

  uint(value: number): this {
    if (!Number.isInteger(value) || value !== value >>> 0)
      throw new RangeError(`${value} is no 32-bit unsigned integer`);
    return this.#word(value);
  }

  /** Unsigned hyper: 64 bits. */
  uhyper(value: bigint): this {
    if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${value} is no 64-bit unsigned integer`);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value);
    return this.opaque(bytes);
  }

  bool(value: boolean): this {
    return this.#word(value ? 1 : 0);
  }

  /** Opaque data of a length that both sides know. */
  opaque(bytes: Uint8Array): this {
    this.#parts.push(bytes, new Uint8Array(filling(bytes.length)));
    return this;
  }

  string(text: string): this {
    const bytes = UTF8.encode(text);
    return this.uint(bytes.length).opaque(bytes);
  }

  /** A value that may be missing ("optional-data"). */
  optional<T>(value: T | undefined, write: (value: T) => void): this {
    this.bool(value !== undefined);
    if (value !== undefined) write(value);
    return this;
  }

  array<T>(values: readonly T[], write: (value: T) => void): this {
    this.uint(values.length);
    for (const value of values) write(value);
    return this;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  #word(value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value);
    this.#parts.push(bytes);
    return this;
  }
}

/**
 * Reads values one after the other. Every method throws LibvirtProtocolError where the bytes end too early, a length is above
 * its bound, or filling is not zero; no length makes it allocate before the bytes are there.
 */
export class XdrReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  int(): number {
    return this.#view.getInt32(this.#take(4));
  }

  uint(): number {
    return this.#view.getUint32(this.#take(4));
  }

  uhyper(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  bool(): boolean {
    const value = this.uint();
    if (value > 1) throw new LibvirtProtocolError(`a truth value of ${value}`);
    return value === 1;
  }

  /** Opaque data of a length that both sides know; a view of the message, not a copy. */
  opaque(length: number): Uint8Array {
    const from = this.#take(length);
    const to = this.#take(filling(length));
    for (let i = to; i < this.#at; i++)
      if (this.#bytes[i] !== 0) throw new LibvirtProtocolError('filling that is not zero');
    return this.#bytes.subarray(from, from + length);
  }

  /** @param maxBytes its bound in the protocol */
  string(maxBytes: number): string {
    const length = this.uint();
    if (length > maxBytes)
      throw new LibvirtProtocolError(`a string of ${length} bytes, where ${maxBytes} are the most`);
    return TEXT.decode(this.opaque(length));
  }

  optional<T>(read: () => T): T | undefined {
    return this.bool() ? read() : undefined;
  }

  array<T>(maxItems: number, read: () => T): T[] {
    const length = this.uint();
    if (length > maxItems) throw new LibvirtProtocolError(`a list of ${length}, where ${maxItems} are the most`);
    const items: T[] = [];
    for (let i = 0; i < length; i++) items.push(read());
    return items;
  }

  /** Nothing may follow. */
  end(): void {
    const rest = this.#bytes.length - this.#at;
    if (rest > 0) throw new LibvirtProtocolError(`${rest} bytes more than the message has`);
  }

  /** Moves on by `length` and gives where it was. */
  #take(length: number): number {
    const from = this.#at;
    if (from + length > this.#bytes.length)
      throw new LibvirtProtocolError(`a message that ends ${from + length - this.#bytes.length} bytes too early`);
    this.#at += length;
    return from;
  }
}
