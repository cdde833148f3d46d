import { UsageError } from '@syndrome/decode/common/errors.ts';
import { parseDuration } from '../duration.ts';
import { type Condition, parseCondition } from './condition.ts';

/**
 * What a scenario expects of the trace, from the first injection on:
 *
 *     within 10s: CONDITION            an event matches, at most that long after the injection
 *     never: CONDITION                 no event matches until the run ends
 *     count 1 within 20s: CONDITION    exactly so many match in that time (also >=N, <=N)
 *     count 1: CONDITION               the same until the run ends: nothing waits for them
 */
export type Expectation =
  | { kind: 'within'; text: string; limit: number; condition: Condition }
  | { kind: 'never'; text: string; condition: Condition }
  /** `limit` is infinite when the run's end is what ends the counting. */
  | { kind: 'count'; text: string; operator: '=' | '>=' | '<='; count: number; limit: number; condition: Condition };

/** Each is judged on every event of its name: more of them would make a long trace a very long wait. */
export const MAX_EXPECTATIONS = 100;

/** Parses `WHEN: CONDITION`. @throws UsageError E_EXPECT_SYNTAX. */
export function parseExpectation(text: string): Expectation {
  const colon = text.indexOf(':');
  const when = colon < 0 ? '' : text.slice(0, colon).trim();
  const condition = parseCondition(text.slice(colon + 1).trim());
  if (when === 'never') return { kind: 'never', text, condition };
  const within = /^within (\S+)$/.exec(when);
  if (within) {
    const limit = parseDuration(within[1] ?? '');
    if (limit !== undefined) return { kind: 'within', text, limit, condition };
  }
  const count = /^count (>=|<=|=)?\s*(\d{1,9})(?: within (\S+))?$/.exec(when);
  if (count) {
    const limit = count[3] === undefined ? Infinity : parseDuration(count[3]);
    const operator = (count[1] ?? '=') as '=' | '>=' | '<=';
    if (limit !== undefined) return { kind: 'count', text, operator, count: Number(count[2]), limit, condition };
  }
  throw new UsageError('E_EXPECT_SYNTAX', `"${when}" is not a kind of expectation`, {
    hint: 'Use "within 10s", "never", or "count 2 within 10s" (count >=2, count <=2; without "within" until the run ends); units are ms, s and m.',
  });
}

/** Most states of all patterns of a run together: each may cost a step for each character of each event. */
const MAX_STATES = 1000;

/**
 * Holds what all expectations of a run cost together to a bound, however many events there will be.
 * @throws UsageError E_EXPECT_SYNTAX
 */
export function checkPatterns(expectations: readonly Expectation[]): void {
  const terms = expectations.flatMap(({ condition }) => condition.terms);
  const states = terms.reduce((sum, { pattern }) => sum + (pattern?.size ?? 0), 0);
  if (states <= MAX_STATES) return;
  throw new UsageError(
    'E_EXPECT_SYNTAX',
    `the patterns of all expectations together have ${states} states; at most ${MAX_STATES} are taken`,
    { hint: 'Each character of a pattern is about one state, as often as its {n} repeats it. Use shorter patterns.' },
  );
}
