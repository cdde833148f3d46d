/** @module What is to happen when: a clock that goes from one thing to the next, in an order that the seed alone decides. */
import type { Time } from '../core/ids.ts';

interface Entry {
  at: Time;
  /** Of what is due at the same time, what was asked for first comes first. */
  nth: number;
  run: () => void;
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.nth < b.nth);

export class Agenda {
  now: Time;
  readonly #heap: Entry[] = [];
  #nth = 0;

  constructor(now: Time) {
    this.now = now;
  }

  /** How much is to happen. */
  get length(): number {
    return this.#heap.length;
  }

  /** Something happens so many ms from now. */
  after(ms: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { at: this.now + ms, nth: this.#nth++, run };
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = Math.floor((i - 1) / 2);
      const other = heap[parent];
      if (other === undefined || isBefore(other, entry)) break;
      heap[i] = other;
      i = parent;
    }
    heap[i] = entry;
  }

  /** Lets time pass up to a moment, and all happen that is due until then. */
  until(end: Time): void {
    while (this.next(end));
  }

  /** Lets the one thing happen that is due next. @returns false where nothing is due up to that moment, which it is then */
  next(end: Time): boolean {
    const [first] = this.#heap;
    if (first === undefined || first.at > end) {
      this.now = Math.max(this.now, end);
      return false;
    }
    this.#pop();
    this.now = Math.max(this.now, first.at);
    first.run();
    return true;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child++;
      const least = heap[child] ?? left;
      if (isBefore(last, least)) break;
      heap[i] = least;
      i = child;
    }
    heap[i] = last;
  }
}
