/**
 * @module A u64 that notes which of its bits decided something. An answer that was found with it holds for every value with
 * the same bits there: so answers can be kept without a second list of what rules look at.
 */
import { maskOf } from './field.ts';

/** Words of 16 bits, the lowest first. */
const WORDS = [maskOf(15, 0), maskOf(31, 16), maskOf(47, 32), maskOf(63, 48)];

/** A value whose bits are taken by {@link AskedBits.and} and {@link AskedBits.is} alone. */
export class AskedBits {
  readonly #value: bigint;
  #asked: bigint;

  /** @param asked bits that count whether anybody takes them or not */
  constructor(value: bigint, asked = 0n) {
    this.#value = value;
    this.#asked = asked;
  }

  /** The bits of a mask; from then on they count. */
  and(mask: bigint): bigint {
    this.#asked |= mask;
    return this.#value & mask;
  }

  /** Whether the bits of a mask are these. Where they are not, only the word in which they differ counts. */
  is(mask: bigint, wanted: bigint): boolean {
    const differs = (this.#value & mask) ^ wanted;
    const word = differs === 0n ? undefined : WORDS.find(bits => (differs & bits) !== 0n);
    this.#asked |= word === undefined ? mask : mask & word;
    return differs === 0n;
  }

  /** The bits that were taken so far. */
  get asked(): bigint {
    return this.#asked;
  }
}

/** What rules take that are asked with either. */
export type Bits = bigint | AskedBits;

/** `(value & mask) === wanted`. */
export function hasBits(value: Bits, mask: bigint, wanted: bigint): boolean {
  return typeof value === 'bigint' ? (value & mask) === wanted : value.is(mask, wanted);
}

/** `value & mask`. */
export function bitsOf(value: Bits, mask: bigint): bigint {
  return typeof value === 'bigint' ? value & mask : value.and(mask);
}
