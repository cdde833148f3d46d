/** @module Values that were made once and may be asked for again: bounded, and never more than a saving of time. */

/** What a pure function gave, by its argument. When it is full everything is forgotten: what is common comes back at once. */
export class Memo<K, V> {
  readonly #make: (key: K) => V;
  readonly #limit: number;
  readonly #known = new Map<K, V>();

  constructor(limit: number, make: (key: K) => V) {
    this.#limit = limit;
    this.#make = make;
  }

  get(key: K): V {
    let value = this.#known.get(key);
    if (value === undefined) {
      value = this.#make(key);
      if (this.#known.size >= this.#limit) this.#known.clear();
      this.#known.set(key, value);
    }
    return value;
  }
}
