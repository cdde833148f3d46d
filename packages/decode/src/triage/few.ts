/** @module A map of few entries that come and go all the time. */

/**
 * As `Map`, for so few entries that looking at each is fast. A `Map` of entries that come and go leaves tables behind that
 * point to the next one: once one of them counts as old, all that later ones held lives until old memory is swept.
 */
export class Few<K, V> {
  readonly #keys: K[] = [];
  readonly #values: V[] = [];

  has(key: K): boolean {
    return this.#keys.includes(key);
  }

  get(key: K): V | undefined {
    const at = this.#keys.indexOf(key);
    return at < 0 ? undefined : this.#values[at];
  }

  set(key: K, value: V): void {
    const at = this.#keys.indexOf(key);
    if (at >= 0) this.#values[at] = value;
    else {
      this.#keys.push(key);
      this.#values.push(value);
    }
  }

  /** Forgets every key of a value. */
  drop(value: V): void {
    for (let at = this.#values.indexOf(value); at >= 0; at = this.#values.indexOf(value, at)) {
      removeAt(this.#keys, at);
      removeAt(this.#values, at);
    }
  }
}

/** Takes the element at a place out of a list, and makes no list of what was taken as `splice` does. */
export function removeAt(list: unknown[], at: number): void {
  if (at < 0) return;
  if (at === 0) {
    list.shift();
    return;
  }
  for (let i = at + 1; i < list.length; i++) list[i - 1] = list[i];
  list.pop();
}
