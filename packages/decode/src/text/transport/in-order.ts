/** @module Items in the order of their first lines, although a record ends later than what stands between its lines. */
import type { ItemSink, TextItem } from '../item.ts';

/** Items that wait at most: a record that never ends must not hold the others for ever. */
const MAX_HELD = 64;

export class InOrder {
  readonly #sink: ItemSink;
  /** By first line; those of one line as they came. */
  readonly #held: TextItem[] = [];

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  /** True while {@link release} has something to do. */
  get waiting(): boolean {
    return this.#held.length > 0;
  }

  take(item: TextItem): void {
    const held = this.#held;
    let at = held.length;
    while (at > 0 && (held[at - 1]?.firstLine ?? 0) > item.firstLine) at--;
    held.splice(at, 0, item);
  }

  /** Hands on what nothing can come before any more: `since` is the first line of the oldest record that is open. */
  release(since: number): void {
    const held = this.#held;
    const [only] = held;
    if (held.length === 1 && only !== undefined) {
      if (only.firstLine > since) return;
      held.length = 0;
      this.#sink(only);
      return;
    }
    let count = 0;
    while (count < held.length && ((held[count]?.firstLine ?? 0) <= since || held.length - count > MAX_HELD)) count++;
    for (const item of held.splice(0, count)) this.#sink(item);
  }
}
