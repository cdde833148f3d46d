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
  status: 'pass' | 'fail' | 'pending';
  /** The events that decided it. */
  evidence: number[];
  /** When it failed: the events that came nearest to what was expected. */
  nearest: number[];
  /** Why, in one sentence. */
  reason: string;
}

export function showValue(value: FieldValue): string {
  return typeof value === 'bigint' ? hex64(value) : String(value);
}

const MAX_EVIDENCE = 5;

/**
 * Judges one expectation on what the trace holds so far.
 * @param now nanoseconds of the trace clock up to which everything has been seen
 * @param ended the run is over: what is undecided is decided now
 */
export function judge(expectation: Expectation, index: TraceIndex, now: number, ended: boolean): ExpectationResult {
  const { zero, values } = index;
  const { condition, kind, text } = expectation;
  const matches: TraceEvent[] = [];
  const near: { event: TraceEvent; differences: string[] }[] = [];
  for (const event of index.named(condition.name)) {
    const { ok, differences } = matchEvent(condition, event, values, showValue);
    const late = kind !== 'never' && event.t > zero + expectation.limit;
    if (event.t < zero) near.push({ event, differences: [...differences, 'it came before the injection'] });
    else if (ok && !late) matches.push(event);
    else if (ok) near.push({ event, differences: [`it came after ${seconds(event.t - zero)} s`] });
    else near.push({ event, differences });
  }
  const result = (status: ExpectationResult['status'], reason: string): ExpectationResult => ({
    expectation: text,
    kind,
    status,
    evidence: matches.slice(0, MAX_EVIDENCE).map(e => e.seq),
    nearest: status === 'fail' && kind !== 'never' ? near.slice(-MAX_EVIDENCE).map(n => n.event.seq) : [],
    reason,
  });
  const after = (event: TraceEvent): string => `${seconds(event.t - zero)} s after the injection`;
  const nearestWords = (): string => {
    const last = near.toSorted((a, b) => b.differences.length - a.differences.length).at(-1);
    if (last) return `the nearest ${condition.name} (event ${last.event.seq}) differs: ${last.differences.join('; ')}`;
    return `no ${condition.name} was seen at all`;
  };
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
    return over ? result('fail', nearestWords()) : result('pending', 'not seen so far');
  }
  const n = matches.length;
  const seen = n === 0 ? `no ${condition.name} was seen` : `seen ${n === 1 ? 'once' : `${n} times`}`;
  const wanted = `${expectation.operator === '=' ? '' : expectation.operator}${expectation.count}`;
  const enough = n >= expectation.count;
  if (expectation.operator === '>=' && enough) return result('pass', seen);
  if (expectation.operator !== '>=' && n > expectation.count) return result('fail', `${seen}, wanted ${wanted}`);
  if (!over) return result('pending', `${seen} so far`);
  if (expectation.operator === '<=' || n === expectation.count) return result('pass', seen);
  return result('fail', `${seen}, wanted ${wanted}${near.length === 0 ? '' : `; ${nearestWords()}`}`);
}
