/** Milliseconds of a monotonic clock. */
export type Clock = () => number;

export const monotonicMs: Clock = () => performance.now();

/** A token bucket: `perSecond` units flow in, at most `burst` are kept. */
export class Budget {
  #level: number;
  #at: number;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clock: Clock;

  constructor(perSecond: number, burst: number, clock: Clock = monotonicMs) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#level = burst;
    this.#clock = clock;
    this.#at = clock();
  }

  /** Takes `amount` when it is there; false, and nothing taken, when it is not. */
  take(amount = 1): boolean {
    const now = this.#clock();
    this.#level = Math.min(this.#burst, this.#level + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#level < amount) return false;
    this.#level -= amount;
    return true;
  }
}
