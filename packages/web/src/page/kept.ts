/** @module What was open lately, so that one can go back to it. */
import { signal } from '@preact/signals';

/** More are not kept: of files the browser holds no more than where they are, but what was pasted is in memory. */
const MOST = 20;

export class Kept<T> {
  /** Number of what is open; 0 for nothing, and for what cannot be opened again. */
  readonly opened = signal(0);
  readonly #kept = new Map<number, T>();
  #last = 0;

  /** Something is open now. */
  open(value: T): void {
    this.opened.value = ++this.#last;
    this.#kept.set(this.#last, value);
    this.#kept.delete(this.#last - MOST);
  }

  /** It is still the same that is open, in another form. */
  change(value: T): void {
    if (this.opened.value === 0) this.open(value);
    else this.#kept.set(this.opened.value, value);
  }

  close(): void {
    this.opened.value = 0;
  }

  /** What was open under a number, which is open again now; undefined where it is not kept any more. */
  again(number: number): T | undefined {
    const value = this.#kept.get(number);
    if (value !== undefined) this.opened.value = number;
    return value;
  }
}
