/** @module How many different values were met, in bounded memory. */

/** So that each bit depends on all: values that count up must not look alike in their low bits (the finalizer of MurmurHash3). */
function mixed(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Many numbers as one, whatever is in the others: hashes of two different lists are almost never the same. */
export function hashOf(values: readonly number[]): number {
  let h = 0x811c9dc5;
  for (const value of values) {
    h = mixed(Math.imul(h, 0x01000193) ^ (value | 0));
    if (value > 0xffff_ffff) h = mixed(h ^ Math.floor(value / 0x1_0000_0000));
  }
  return h;
}

/** A text as one number: of two different ones almost never the same. */
export function hashOfText(text: string): number {
  let [a, b] = [0xdead_beef, 0x41c6_ce57];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x9e37_79b1);
    b = Math.imul(b ^ code, 0x5f35_6495);
  }
  return hashOf([a, b]);
}

/**
 * Counts different values: exactly up to a bound, then by a sample (adaptive sampling, Wegman): of the hashes only those whose
 * low bits are 0 are kept, one bit more each time that they are too many. What it gives does not depend on the order.
 */
export class DistinctCounter {
  readonly #limit: number;
  #bits = 0;
  #mask = 0;
  #hashes = new Set<number>();

  /** @param limit hashes kept; beyond it the count is off by some 1.2 / √limit */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param hash of the value, by {@link hashOf} */
  add(hash: number): void {
    if ((hash & this.#mask) === 0) this.#take(hash);
  }

  /** As if all that the other met had been met here. */
  merge(other: DistinctCounter): void {
    while (this.#bits < other.#bits) this.#halve();
    for (const hash of other.#hashes) this.#take(hash);
  }

  get count(): number {
    return this.#hashes.size * 2 ** this.#bits;
  }

  get approximate(): boolean {
    return this.#bits > 0;
  }

  #take(hash: number): void {
    if ((hash & this.#mask) !== 0) return;
    this.#hashes.add(hash);
    while (this.#hashes.size > this.#limit) this.#halve();
  }

  #halve(): void {
    this.#bits++;
    this.#mask = 2 ** this.#bits - 1;
    for (const hash of this.#hashes) if ((hash & this.#mask) !== 0) this.#hashes.delete(hash);
  }
}
