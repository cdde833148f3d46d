/** A lock between threads in one word of shared memory: 0 free, 1 held, 2 held and waited for. */
export class SharedMutex {
  readonly #word: Int32Array;

  /** @param word a one-element view of a SharedArrayBuffer, zero at first. */
  constructor(word: Int32Array) {
    this.#word = word;
  }

  /** Runs a short synchronous piece of work under the lock. Not reentrant. */
  run<T>(work: () => T): T {
    let seen = Atomics.compareExchange(this.#word, 0, 0, 1);
    while (seen !== 0) {
      if (seen === 2 || Atomics.compareExchange(this.#word, 0, 1, 2) !== 0) Atomics.wait(this.#word, 0, 2);
      seen = Atomics.compareExchange(this.#word, 0, 0, 2);
    }
    try {
      return work();
    } finally {
      if (Atomics.exchange(this.#word, 0, 0) === 2) Atomics.notify(this.#word, 0, 1);
    }
  }
}
