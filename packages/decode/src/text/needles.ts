/**
 * @module Many words searched in bytes at once. Only every few bytes three of them are looked up in one table: each word has
 * a place at which it cannot be stepped over. The lookups do not wait for each other, so that most of a log costs little.
 */

/** A word, and which of its bytes the first of the three is. */
interface Candidate {
  readonly word: Uint8Array;
  readonly at: number;
}

/** Bytes that are looked up together. */
const TOGETHER = 3;
const SLOTS = 1 << 16;

export class NeedleSet {
  /** Bytes from one lookup to the next: in the shortest word so many begin a group. */
  readonly #step: number;
  /** By the hash of a group: 0 where no word has it at such a place, else that of its candidates. */
  readonly #slots = new Uint16Array(SLOTS);
  readonly #candidates: Candidate[][] = [[]];
  /** Length of the longest word. */
  readonly longest: number;

  /** Words are ASCII, at least three characters long. */
  constructor(words: readonly string[]) {
    this.#step = Math.min(...words.map(w => w.length)) - TOGETHER + 1;
    this.longest = Math.max(...words.map(w => w.length));
    for (const text of new Set(words)) {
      const word = Uint8Array.from(text, c => c.charCodeAt(0));
      const from = rarest(word, this.#step);
      for (let at = from; at < from + this.#step; at++) this.#slot(hash(word, at)).push({ word, at });
    }
  }

  #slot(hash: number): Candidate[] {
    this.#slots[hash] ||= this.#candidates.push([]) - 1;
    return this.#candidates[this.#slots[hash] ?? 0] ?? [];
  }

  /** Where a word that lies wholly in `bytes[from, end)` begins, or -1; none lies in a line before that one's. */
  find(bytes: Uint8Array, from: number, end: number): number {
    const slots = this.#slots;
    const step = this.#step;
    const stop = end - TOGETHER + 1;
    for (let at = from + step - 1; at < stop; at += step) {
      const slot = slots[hash(bytes, at)] as number;
      if (slot === 0) continue;
      for (const { word, at: before } of this.#candidates[slot] as Candidate[]) {
        const start = at - before;
        if (start >= from && start + word.length <= end && stands(word, bytes, start)) return start;
      }
    }
    return -1;
  }
}

/** Below `SLOTS` for any three bytes. */
function hash(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) ^ ((bytes[at + 1] as number) << 4) ^ (bytes[at + 2] as number);
}

/** What most bytes of a log are. */
const isCommon = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 0x61 && byte <= 0x7a) || byte === 0x20 || byte === 0x30);

/** Where in a word so many neighbouring groups begin that a log has seldom. */
function rarest(word: Uint8Array, groups: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let from = 0; from + groups + TOGETHER - 1 <= word.length; from++) {
    let common = 0;
    for (let at = from; at < from + groups; at++) {
      const bytes = [word[at], word[at + 1], word[at + 2]].filter(isCommon).length;
      common += [0, 1, 3, 9][bytes] ?? 0;
    }
    if (common < least) [best, least] = [from, common];
  }
  return best;
}

function stands(word: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < word.length; i++) if (word[i] !== bytes[at + i]) return false;
  return true;
}
