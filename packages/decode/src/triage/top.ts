/** @module What was met most often, in bounded memory. */

/**
 * The most frequent of many values (Misra and Gries): exact while no more than `limit` were met; then each count may be too low by
 * as much as {@link TopCounter.missing}, and what was met more often than that is there.
 */
export class TopCounter<K> {
  readonly #limit: number;
  readonly #counts = new Map<K, number>();
  #missing = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(key: K, times = 1): void {
    const before = this.#counts.get(key);
    if (before !== undefined) {
      this.#counts.set(key, before + times);
      return;
    }
    this.#counts.set(key, times);
    if (this.#counts.size > this.#limit) this.#shrink();
  }

  /** By how much a count may be too low; 0 where all are exact. */
  get missing(): number {
    return this.#missing;
  }

  /** Those met at least `least` times, the most frequent first; equal ones by what they are. */
  top(most: number, least: number): { key: K; times: number }[] {
    return [...this.#counts]
      .filter(([, times]) => times >= least)
      .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .slice(0, most)
      .map(([key, times]) => ({ key, times }));
  }

  /** Takes the same off every count, so that half of them go: what it costs is shared by all that came in since. */
  #shrink(): void {
    const counts = [...this.#counts.values()].toSorted((a, b) => a - b);
    const off = counts[Math.floor(counts.length / 2)] ?? 1;
    this.#missing += off;
    for (const [key, times] of this.#counts) {
      if (times <= off) this.#counts.delete(key);
      else this.#counts.set(key, times - off);
    }
  }
}
