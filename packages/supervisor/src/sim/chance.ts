/** @module Chance with a seed: the same draws on every machine. */

/** mulberry32: numbers from 0 up to, and without, 1. */
export function chance(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Draws of the kinds that a simulation needs. */
export class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = chance(seed);
  }

  /** Whether something of that probability is the case. */
  happens(probability: number): boolean {
    return this.#next() < probability;
  }

  /** A whole number from 0 up to, and without, n. */
  below(n: number): number {
    return Math.floor(this.#next() * n);
  }

  /** Anything from one number up to another one. */
  between(from: number, to: number): number {
    return from + this.#next() * (to - from);
  }

  /** @throws RangeError for an empty list */
  pick<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new RangeError('nothing to pick from');
    return one;
  }

  /** A key, as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const all = Object.entries<number>(weights) as [K, number][];
    let left = this.#next() * all.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of all) if ((left -= weight) < 0) return key;
    return this.pick(all)[0];
  }

  /** How long until the next of events that come at random, in the unit of the mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.#next()) * mean;
  }
}
