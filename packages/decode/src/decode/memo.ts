/** @module Values that were made once and may be asked for again: bounded, and never more than a saving of time. */

/**
 * What a pure function gave, by its argument: kept when it is asked for the second time, so that what never comes back
 * costs no memory. When it is full everything is forgotten; what is common returns at once.
 */
export class Memo<K, V> {
  readonly #make: (key: K) => V;
  readonly #keep: (value: V) => void;
  readonly #limit: number;
  /** Undefined for an argument seen once. */
  readonly #known = new Map<K, V | undefined>();

  constructor(limit: number, make: (key: K) => V, keep: (value: V) => void = () => {}) {
    this.#make = make;
    this.#keep = keep;
    this.#limit = limit;
  }

  /** The value; `keep` was called on it when it is the one that later calls give too. */
  get(key: K): V {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = this.#make(key);
    if (this.#known.has(key)) {
      this.#keep(value);
      this.#known.set(key, value);
      return value;
    }
    if (this.#known.size >= this.#limit) this.#known.clear();
    this.#known.set(key, undefined);
    return value;
  }
}
