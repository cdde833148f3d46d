/** Longer words are no slip of a hand; to compare them costs the product of their lengths. */
const MAX_WORD = 64;

/**
 * The word in `known` that was most likely meant: the only one that goes on behind it with a part of its own, else the one that
 * differs least, if it is near enough, else the only one that begins like it.
 * @example nearest('intel-ce', ['intel-ce-logged', 'intel-lmce']) // 'intel-ce-logged'
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  const begun = known.filter(candidate => word !== '' && candidate.startsWith(`${word}-`));
  if (begun.length === 1) return begun[0];
  let best: string | undefined;
  let distance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= distance) continue;
    const d = editDistance(word, candidate);
    if (d < distance) [best, distance] = [candidate, d];
  }
  if (best !== undefined || word === '') return best;
  const longer = known.filter(candidate => candidate.startsWith(word));
  return longer.length === 1 ? longer[0] : undefined;
}

/** {@link nearest} as a hint: the word, else all that begin like it, else all that are known. */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = nearest(word, known);
  if (best !== undefined) return `Did you mean "${best}"?`;
  const longer = known.filter(candidate => word !== '' && candidate.startsWith(word));
  return longer.length > 0 ? `Did you mean one of ${longer.join(', ')}?` : `Known: ${known.join(', ')}.`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
