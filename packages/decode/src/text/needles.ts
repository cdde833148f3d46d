/**
 * @module Many words searched in bytes at once. Only every few bytes four of them are looked up in one table: each word has
 * places at which it cannot be stepped over. The lookups do not wait for each other, so that most of a log costs little.
 * The four are read together, as one number out of a DataView: reading them one by one takes three times as long. What costs
 * most is a group that a word has and a log too, since no processor foresees it: each word is known by its rarest.
 */

/** A word, and which of its bytes the first of the four is. */
interface Candidate {
  readonly word: Uint8Array;
  readonly at: number;
  /** A byte that a log has seldom: where it stands from there, and which. Most of what begins like a word has another. */
  readonly apart: number;
  readonly byte: number;
}

/** Bytes that are looked up together. */
const TOGETHER = 4;
/** Shorter words are none; of one of just this length the byte behind it is looked up too, whichever it is. */
const SHORTEST = 5;
const SLOT_BITS = 16;

export class NeedleSet {
  /** Bytes from one lookup to the next: wherever a word stands, one of so many groups of it is looked up. */
  readonly #step: number;
  /** By the hash of a group: 0 where no word has it at such a place, else that of its candidates. */
  readonly #slots = new Uint16Array(1 << SLOT_BITS);
  readonly #candidates: Candidate[][] = [[]];
  /** The bytes that were searched last, and the view of them: lines of one chunk come one behind another. */
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Length of the longest word. */
  readonly longest: number;

  /**
   * @param words of ASCII, each of at least five characters: one for each byte from one lookup to the next, and three behind
   * @throws {RangeError} for a shorter one
   */
  constructor(words: readonly string[]) {
    const shortest = Math.min(...words.map(w => w.length));
    if (shortest < SHORTEST) throw new RangeError(`a word of ${shortest} characters would not be found`);
    this.#step = Math.max(SHORTEST + 1, shortest) - TOGETHER + 1;
    this.longest = Math.max(...words.map(w => w.length));
    for (const text of new Set(words)) {
      const word = Uint8Array.from(text, c => c.charCodeAt(0));
      for (let at = 0; at < this.#step; at++) this.#add(word, rarest(word, at, this.#step));
    }
  }

  #add(word: Uint8Array, at: number): void {
    const other = apartFrom(word, at);
    const candidate = { word, at, apart: other - at, byte: word[other] as number };
    if (at + TOGETHER <= word.length) this.#slot(hash(fourOf(word, at))).push(candidate);
    else for (let any = 0; any < 256; any++) this.#slot(hash(fourOf(word, at, any))).push(candidate);
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
    for (const stop = end - TOGETHER; at <= stop; at += step) {
      const slot = slots[hash(view.getUint32(at, true))] as number;
      if (slot === 0) continue;
      const start = this.#wordAt(slot, bytes, at, from, end);
      if (start >= 0) return start;
    }
    // The last byte of a short word may be that of the log: none is behind it.
    return at + TOGETHER - 1 > end
      ? -1
      : this.#wordAt(slots[hash(fourOf(bytes, at, 0))] as number, bytes, at, from, end);
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

/** The four bytes from `at`, the first the lowest; `last` is the fourth where there are three. */
function fourOf(bytes: Uint8Array, at: number, last = bytes[at + 3] as number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | (last << 24);
}

/** The slot of four bytes (multiplicative hashing: D. E. Knuth, TAOCP vol. 3, 6.4). */
function hash(four: number): number {
  return Math.imul(four, 0x9e37_79b1) >>> (32 - SLOT_BITS);
}

/** The bytes of which a log has most: each about 1.8 % of that of a boot, or more. */
const FREQUENT = new Set(Array.from(' 0eritason:1dfc', c => c.charCodeAt(0)));

/** How often a log has a byte, in times of how often it has a seldom one, about. */
const FREQUENCIES = Uint8Array.from({ length: 256 }, (_, byte) =>
  FREQUENT.has(byte) ? 12 : byte >= 0x61 && byte <= 0x7a ? 4 : 1,
);
const frequency = (byte: number): number => FREQUENCIES[byte] as number;

/** Where in a word the group stands that a log has least often, of `first` and every `step` bytes behind it. */
function rarest(word: Uint8Array, first: number, step: number): number {
  let best = first;
  let least = Number.POSITIVE_INFINITY;
  for (let at = first; at + TOGETHER <= word.length; at += step) {
    let often = 1;
    for (let i = at; i < at + TOGETHER; i++) often *= frequency(word[i] as number);
    if (often < least) [best, least] = [at, often];
  }
  return best;
}

/** The byte of a word that is not among the four from `at` and that a log has least often. */
function apartFrom(word: Uint8Array, at: number): number {
  let best = at;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < word.length; i++) {
    const often = i < at || i >= at + TOGETHER ? frequency(word[i] as number) : least;
    if (often < least) [best, least] = [i, often];
  }
  return best;
}

function stands(word: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < word.length; i++) if (word[i] !== bytes[at + i]) return false;
  return true;
}
