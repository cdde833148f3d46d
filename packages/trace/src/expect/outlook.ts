import { seconds } from '../duration.ts';
import type { TraceIndex } from '../trace-index.ts';
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
  const result = (status: ExpectationResult['status'], reason: string): ExpectationResult[] => [
    {
      expectation: `outlook: ${outcome}`,
      kind: 'outlook',
      status,
      evidence: status === 'pass' ? [event.seq] : [],
      nearest: status === 'pass' ? [] : [event.seq],
      reason,
    },
  ];
  const by = rule === undefined ? 'by the outlook' : `by the rule ${String(rule)}`;
  const on = certain || dependsOn === undefined ? '' : `; it depends on: ${String(dependsOn)}`;
  if (observed === outcome) return result('pass', `the outcome is ${observed}, ${by}${on}`);
  if (named === undefined) {
    return result('not-judged', `not judged: the outcome is ${observed}; ${by} it would be ${outcome}${on}`);
  }
  if (named.includes(observed)) {
    return result('not-judged', `not judged: the outcome is ${observed}, which the rules leave open${on}`);
  }
  const lasted = now - index.zero;
  // What shows late may still have been to come.
  const open = (observed === 'none' || observed === 'logged') && typeof within === 'number' && lasted < within * 1e9;
  if (open) {
    const end = `the run ended ${seconds(lasted)} s after the injection`;
    return result('not-judged', `not judged: ${outcome} may show until ${within} s after the injection, and ${end}`);
  }
  const room = certain ? outcome : `one of ${named.join(', ')}`;
  return result('fail', `the outcome is ${observed}; ${by} it had to be ${room}`);
}
