import type { Verdict } from '@syndrome/trace/expect/verdict.ts';

/** What a bisection found: the neighbouring pair between which the verdict changes. */
export interface BisectResult {
  /** The last version that is still like the first one. */
  last: string;
  /** The first version that is different. */
  first: string;
  /** Versions between the two that could not be tested. */
  untested: string[];
  /** Every version that was tried, in order, with its verdict. */
  tried: { version: string; verdict: Verdict }[];
  /** Of the pair, what had another verdict when it was tried once more: the change may lie elsewhere. */
  unsteady: { version: string; verdicts: [Verdict, Verdict] }[];
}

/**
 * Finds where the verdict of a scenario changes between two versions, and tries the pair that it found once more: one
 * chance verdict would have led anywhere.
 * @param versions all versions on offer from one end to the other, in order
 * @param start the verdict of the first of them; the last has the other one
 * @param test the verdict of a version; `error` and `skip` mean that it cannot be tested
 */
export async function bisect(
  versions: readonly string[],
  start: 'pass' | 'fail',
  test: (version: string) => Promise<Verdict>,
): Promise<BisectResult> {
  let low = 0;
  let high = versions.length - 1;
  const tried: BisectResult['tried'] = [];
  const untested = new Set<number>();
  while (high - low > 1) {
    // The middle, or the untried version nearest to it.
    const middle = (low + high) / 2;
    const candidates = Array.from({ length: high - low - 1 }, (_, i) => low + 1 + i).filter(i => !untested.has(i));
    const next = candidates.toSorted((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0];
    if (next === undefined) break;
    const version = versions[next] ?? '';
    const verdict = await test(version);
    tried.push({ version, verdict });
    if (verdict === 'error' || verdict === 'skip') untested.add(next);
    else if (verdict === start) low = next;
    else high = next;
  }
  const pair = [
    [versions[low] ?? '', start],
    [versions[high] ?? '', start === 'pass' ? 'fail' : 'pass'],
  ] as const;
  const unsteady: BisectResult['unsteady'] = [];
  for (const [version, before] of pair) {
    const verdict = await test(version);
    tried.push({ version, verdict });
    if (verdict !== before) unsteady.push({ version, verdicts: [before, verdict] });
  }
  return {
    last: pair[0][0],
    first: pair[1][0],
    untested: versions.slice(low + 1, high),
    tried,
    unsteady,
  };
}
