/**
 * @module Many words searched in bytes at once: Wu and Manber, "A fast algorithm for multi-pattern searching"
 * (University of Arizona TR-94-17), with blocks of two bytes. Most of a log is skipped without being looked at.
 */

export class NeedleSet {
  /** Length of the shortest word: the window that slides over the bytes. */
  readonly #window: number;
  /** By the last two bytes of the window: how far it may move; 0 where a word may stand. */
  readonly #shift = new Uint8Array(65_536);
  readonly #words = new Map<number, Uint8Array[]>();
  /** Length of the longest word. */
  readonly longest: number;

  /** Words are ASCII, at least two characters long. */
  constructor(words: readonly string[]) {
    const window = Math.min(...words.map(w => w.length));
    this.#window = window;
    this.longest = Math.max(...words.map(w => w.length));
    this.#shift.fill(window - 1);
    for (const word of words) {
      for (let i = 1; i < window; i++) {
        const block = (word.charCodeAt(i - 1) << 8) | word.charCodeAt(i);
        this.#shift[block] = Math.min(this.#shift[block] ?? 0, window - 1 - i);
      }
      const last = (word.charCodeAt(window - 2) << 8) | word.charCodeAt(window - 1);
      const bytes = Uint8Array.from(word, c => c.charCodeAt(0));
      this.#words.set(last, [...(this.#words.get(last) ?? []), bytes]);
    }
  }

  /** Where the first word that lies wholly in `bytes[from, end)` begins, or -1. */
  find(bytes: Uint8Array, from: number, end: number): number {
    const shift = this.#shift;
    const back = this.#window - 1;
    let at = from + back;
    while (at < end) {
      const block = ((bytes[at - 1] as number) << 8) | (bytes[at] as number);
      const move = shift[block] as number;
      if (move > 0) {
        at += move;
        continue;
      }
      for (const word of this.#words.get(block) ?? []) {
        const start = at - back;
        if (start + word.length <= end && stands(word, bytes, start)) return start;
      }
      at++;
    }
    return -1;
  }
}

function stands(word: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < word.length; i++) if (word[i] !== bytes[at + i]) return false;
  return true;
}
