import { hex64 } from '../../common/hex.ts';
import { seconds } from '../duration.ts';
import type { FieldValue, TraceEvent } from '../trace/event.ts';
import type { TraceIndex } from '../trace/index.ts';
import { matchEvent } from './condition.ts';
import type { Expectation } from './expectation.ts';

/** What became of one expectation. `seq` numbers refer to the trace. */
export interface ExpectationResult {
  expectation: string;
  kind: Expectation['kind'] | 'outcome' | 'outlook';
  /** `not-judged`: the run says neither that it holds nor that it does not. */
  status: 'pass' | 'fail' | 'not-judged';
  /** The events that decided it. */
  evidence: number[];
  /** When it did not pass: the events that came nearest to what was expected. */
  nearest: number[];
  /** Why, in one sentence. */
  reason: string;
}

/** What has become of an expectation so far; `pending` while the run goes on. */
export interface ResultSoFar extends Omit<ExpectationResult, 'status'> {
  status: 'pass' | 'fail' | 'pending';
}

type Decided = ResultSoFar & { status: 'pass' | 'fail' };

export function showValue(value: FieldValue): string {
  return typeof value === 'bigint' ? hex64(value) : String(value);
}

const MAX_EVIDENCE = 5;

/**
 * Judges one expectation on what the trace holds so far.
 * @param now nanoseconds of the trace clock up to which everything has been seen
 * @param ended the run is over: what is undecided is decided now
 */
export function judge(expectation: Expectation, index: TraceIndex, now: number, ended: true): Decided;
export function judge(expectation: Expectation, index: TraceIndex, now: number, ended: boolean): ResultSoFar;
export function judge(expectation: Expectation, index: TraceIndex, now: number, ended: boolean): ResultSoFar {
  const { zero, zeroName, values } = index;
  const { condition, kind, text } = expectation;
  const matches: TraceEvent[] = [];
  const near: { event: TraceEvent; differences: string[] }[] = [];
  for (const event of index.named(condition.name)) {
    const { ok, differences } = matchEvent(condition, event, values, showValue);
    const late = kind !== 'never' && event.t > zero + expectation.limit;
    if (event.t < zero) near.push({ event, differences: [...differences, `it came before ${zeroName}`] });
    else if (ok && !late) matches.push(event);
    else if (ok) near.push({ event, differences: [`it came after ${seconds(event.t - zero)} s`] });
    else near.push({ event, differences });
  }
  const result = (status: ResultSoFar['status'], reason: string): ResultSoFar => ({
    expectation: text,
    kind,
    status,
    evidence: matches.slice(0, MAX_EVIDENCE).map(e => e.seq),
    nearest: status === 'fail' && kind !== 'never' ? near.slice(-MAX_EVIDENCE).map(n => n.event.seq) : [],
    reason,
  });
  const after = (event: TraceEvent): string => `${seconds(event.t - zero)} s after ${zeroName}`;
  const nearestWords = (): string => {
    const last = near.toSorted((a, b) => b.differences.length - a.differences.length).at(-1);
    if (last) return `the nearest ${condition.name} (event ${last.event.seq}) differs: ${last.differences.join('; ')}`;
    return `no ${condition.name} was seen at all`;
  };
  /** Nothing comes any more, though there would have been time for it. */
  const endedEarly = (): string =>
    kind !== 'never' && expectation.limit !== Infinity && now < zero + expectation.limit
      ? `; the run ended ${seconds(now - zero)} s after ${zeroName}`
      : '';
  const first = matches[0];
  if (kind === 'never') {
    if (first) return result('fail', `${condition.name} was seen ${after(first)} (event ${first.seq})`);
    return ended
      ? result('pass', `no such ${condition.name} until the run ended`)
      : result('pending', 'not seen so far');
  }
  const over = ended || now > zero + expectation.limit;
  if (kind === 'within') {
    if (first) return result('pass', `seen ${after(first)} (event ${first.seq})`);
    return over ? result('fail', `${nearestWords()}${endedEarly()}`) : result('pending', 'not seen so far');
  }
  const n = matches.length;
  const seen = n === 0 ? `no ${condition.name} was seen` : `seen ${n === 1 ? 'once' : `${n} times`}`;
  const wanted = `${expectation.operator === '=' ? '' : expectation.operator}${expectation.count}`;
  const enough = n >= expectation.count;
  if (expectation.operator === '>=' && enough) return result('pass', seen);
  if (expectation.operator !== '>=' && n > expectation.count) return result('fail', `${seen}, wanted ${wanted}`);
  if (!over) return result('pending', `${seen} so far`);
  if (expectation.operator === '<=' || n === expectation.count) return result('pass', seen);
  const nearest = near.length === 0 ? '' : `; ${nearestWords()}`;
  return result('fail', `${seen}, wanted ${wanted}${nearest}${endedEarly()}`);
}

/**
 * {@link judge} on a part of a run. What was missing might have come in the rest; only what was seen counts, and that only
 * once something was injected.
 * @param why the rest is missing: `the run broke off`
 */
export function judgePart(expectation: Expectation, index: TraceIndex, why: string): ExpectationResult {
  // At the moment of the injection no time has passed, so nothing fails because it is missing.
  const { status, reason, ...rest } = judge(expectation, index, index.zero, false);
  if (status !== 'pending' && index.has('lab.injected')) return { ...rest, status, reason };
  return { ...rest, status: 'not-judged', reason: `not judged: ${why}; ${reason}` };
}
