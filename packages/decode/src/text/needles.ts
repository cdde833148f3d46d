/**
 * @module Many words searched in bytes at once. Only every few bytes three of them are looked up in one table: each word has
 * a place at which it cannot be stepped over. The lookups do not wait for each other, so that most of a log costs little.
 * The three are read together, as one number out of a DataView: reading them one by one takes three times as long.
 */

/** A word, and which of its bytes the first of the three is. */
interface Candidate {
  readonly word: Uint8Array;
  readonly at: number;
  /** A byte that a log has seldom: where it stands from there, and which. Most of what begins like a word has another. */
  readonly apart: number;
  readonly byte: number;
}

/** Bytes that are looked up together. */
const TOGETHER = 3;
/** Bytes of the number that they are read with. */
const READ = 4;
const SLOT_BITS = 16;

export class NeedleSet {
  /** Bytes from one lookup to the next: in the shortest word so many begin a group. */
  readonly #step: number;
  /** By the hash of a group: 0 where no word has it at such a place, else that of its candidates. */
  readonly #slots = new Uint16Array(1 << SLOT_BITS);
  readonly #candidates: Candidate[][] = [[]];
  /** The bytes that were searched last, and the view of them: lines of one chunk come one behind another. */
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Length of the longest word. */
  readonly longest: number;

  /** Words are ASCII, at least three characters long. */
  constructor(words: readonly string[]) {
    this.#step = Math.min(...words.map(w => w.length)) - TOGETHER + 1;
    this.longest = Math.max(...words.map(w => w.length));
    for (const text of new Set(words)) {
      const word = Uint8Array.from(text, c => c.charCodeAt(0));
      const from = rarest(word, this.#step);
      for (let at = from; at < from + this.#step; at++) {
        const other = apartFrom(word, at);
        const candidate = { word, at, apart: other - at, byte: word[other] as number };
        this.#slot(hash(threeOf(word, at))).push(candidate);
      }
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
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#view;
    let at = from + step - 1;
    for (const stop = end - READ; at <= stop; at += step) {
      const slot = slots[hash(view.getUint32(at, true))] as number;
      if (slot === 0) continue;
      const start = this.#wordAt(slot, bytes, at, from, end);
      if (start >= 0) return start;
    }
    // Behind the last three there may be no fourth.
    return at + TOGETHER > end ? -1 : this.#wordAt(slots[hash(threeOf(bytes, at))] as number, bytes, at, from, end);
  }

  /** Where the word of a slot begins that stands around `at`, or -1. */
  #wordAt(slot: number, bytes: Uint8Array, at: number, from: number, end: number): number {
    const candidates = this.#candidates[slot] as Candidate[];
    for (let i = 0; i < candidates.length; i++) {
      const { word, at: before, apart, byte } = candidates[i] as Candidate;
      if (bytes[at + apart] !== byte) continue;
      const start = at - before;
      if (start >= from && start + word.length <= end && stands(word, bytes, start)) return start;
    }
    return -1;
  }
}

/** The three bytes from `at`, the first the lowest. */
function threeOf(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
}

/** The slot of the lowest three bytes of a number (multiplicative hashing: D. E. Knuth, TAOCP vol. 3, 6.4). */
function hash(four: number): number {
  return Math.imul(four << 8, 0x9e37_79b1) >>> (32 - SLOT_BITS);
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

/** The byte of a word that is not among the three from `at` and that a log has seldom, where there is one. */
function apartFrom(word: Uint8Array, at: number): number {
  const others = [...word.keys()].filter(i => i < at || i >= at + TOGETHER);
  return others.find(i => !isCommon(word[i])) ?? others[0] ?? at;
}

function stands(word: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < word.length; i++) if (word[i] !== bytes[at + i]) return false;
  return true;
}
