import { seconds } from '../duration.ts';
import type { TraceIndex } from '../trace/index.ts';
import type { ExpectationResult } from './judge.ts';
import { OUTCOMES, type Outcome } from './outcome.ts';

const isOutcome = (text: string): text is Outcome => (OUTCOMES as readonly string[]).includes(text);

/**
 * Compares what was observed with the outlook that was stated before the injection. Nothing where none was stated. A
 * disagreement counts only when the rules leave no room for what was observed, and the run was long enough to see it.
 * @param now end of the run, ns
 */
export function judgeOutlook(index: TraceIndex, observed: Outcome, now: number): ExpectationResult[] {
  const event = index.named('lab.outlook')[0];
  const { outcome, rule, possible, dependsOn, within } = event?.fields ?? {};
  if (event === undefined || typeof outcome !== 'string' || !isOutcome(outcome)) return [];
  if (!index.has('lab.injected')) return [];
  const certain = event.fields?.certainty === 'certain';
  const named = certain ? [outcome] : typeof possible === 'string' ? possible.split(' ').filter(isOutcome) : undefined;
  const result = (status: 'pass' | 'fail', reason: string): ExpectationResult[] => [
    {
      expectation: `outlook: ${outcome}`,
      kind: 'outlook',
      status,
      evidence: status === 'pass' ? [event.seq] : [],
      nearest: status === 'pass' ? [] : [event.seq],
      reason,
    },
  ];
  const by = `by the rule ${String(rule)}`;
  const on = `it depends on: ${String(dependsOn)}`;
  if (named === undefined) {
    return result('pass', `${by} it would be ${outcome}, but ${on}; the outcome is ${observed}`);
  }
  if (named.includes(observed)) {
    return result('pass', certain ? `the outcome is ${observed}, ${by}` : `the outcome is ${observed}; ${on}`);
  }
  const lasted = now - index.zero;
  // What shows late may still have been to come.
  const early = (observed === 'none' || observed === 'logged') && typeof within === 'number' && lasted < within * 1e9;
  if (early) {
    return result('pass', `the run ended ${seconds(lasted)} s after the injection, too early to see ${outcome}`);
  }
  const room = certain ? outcome : `one of ${named.join(', ')}`;
  return result('fail', `the outcome is ${observed}; ${by} it had to be ${room}`);
}
