/**
 * @module Writes a script shorter: letters for its commonest phrases. Deflate in base64 would be smaller as a file (half, not
 * three quarters), and a fifth larger where the page is compressed on its way.
 */

/** Letters that may stand for a phrase: of two bytes, and rare in programs. */
export const LETTERS: readonly string[] = Array.from({ length: 0x150 }, (_, i) => String.fromCharCode(0x100 + i));

/** Phrases that are taken before all are counted anew: more of them are chosen worse, fewer take longer. */
const AT_ONCE = 32;
/** Bytes of a letter. */
const LETTER = 2;
/** Words and phrases are numbers below; a pair of them is one number. */
const PAIR = 1 << 20;

/** One word, or two that follow each other. */
interface Phrase {
  first: number;
  second: number | undefined;
  saves: number;
}

/** What would be saved, best first. */
function phrasesOf(words: Int32Array, bytes: readonly number[]): Phrase[] {
  const [ones, pairs] = [new Map<number, number>(), new Map<number, number>()];
  words.forEach((word, i) => {
    ones.set(word, (ones.get(word) ?? 0) + 1);
    if (i === 0) return;
    const pair = (words[i - 1] ?? 0) * PAIR + word;
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  });
  const found: Phrase[] = [];
  const note = (count: number, length: number, first: number, second?: number): void => {
    const saves = count * (length - LETTER) - length - 2 * LETTER;
    if (saves > 0) found.push({ first, second, saves });
  };
  const lengthOf = (word: number): number => bytes[word] ?? 0;
  for (const [word, count] of ones) note(count, lengthOf(word), word);
  for (const [pair, count] of pairs) {
    const [first, second] = [Math.floor(pair / PAIR), pair % PAIR];
    note(count, lengthOf(first) + lengthOf(second), first, second);
  }
  return found.toSorted((a, b) => b.saves - a.saves || a.first - b.first || (a.second ?? -1) - (b.second ?? -1));
}

/** Replaces phrases, none of which begins or ends with a word of another. */
function replaced(
  words: Int32Array,
  taken: ReadonlyMap<number, { second: number | undefined; by: number }>,
): Int32Array {
  const out = new Int32Array(words.length);
  let length = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    const phrase = taken.get(word);
    const fits = phrase && (phrase.second === undefined || phrase.second === words[i + 1]);
    out[length++] = fits ? phrase.by : word;
    if (fits && phrase.second !== undefined) i++;
  }
  return out.subarray(0, length);
}

/**
 * Replaces the phrases of a text by letters, those first that save most (the pairs of Larsson and Moffat's Re-Pair, of words).
 * The same text is always packed in the same way.
 * @param most phrases
 * @returns what `unpacked` of `view/phrases.ts` reads
 */
export function packed(text: string, most = 256): string {
  const [parts, ...letters] = LETTERS.filter(letter => !text.includes(letter));
  if (parts === undefined) throw new Error('all letters stand in the text already');
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const bytes: number[] = [];
  const numberOf = (name: string): number => {
    const known = numbers.get(name) ?? names.length;
    if (known === names.length) {
      numbers.set(name, known);
      names.push(name);
      bytes.push(Buffer.byteLength(name));
    }
    return known;
  };
  let words: Int32Array = Int32Array.from(text.match(/[\w$]+|\s+|[^]/g) ?? [], numberOf);
  const pieces: string[] = [];
  for (;;) {
    const taken = new Map<number, { second: number | undefined; by: number }>();
    const touched = new Set<number>();
    const found = phrasesOf(words, bytes);
    for (const { first, second, saves } of found) {
      const letter = letters[pieces.length];
      if (
        letter === undefined ||
        pieces.length === most ||
        taken.size === AT_ONCE ||
        saves < (found[0]?.saves ?? 0) / 2
      )
        break;
      if (touched.has(first) || (second !== undefined && touched.has(second))) continue;
      for (const word of [first, second ?? first]) touched.add(word);
      pieces.push(`${letter}${names[first] ?? ''}${second === undefined ? '' : (names[second] ?? '')}`);
      taken.set(first, { second, by: numberOf(letter) });
    }
    if (taken.size === 0) break;
    words = replaced(words, taken);
  }
  const rest = Array.from(words, word => names[word] ?? '').join('');
  return [...pieces, rest].map(piece => parts + piece).join('');
}
