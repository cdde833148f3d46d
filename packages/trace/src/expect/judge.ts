import { hex64 } from '@syndrome/decode/common/hex.ts';
import { seconds } from '../duration.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import type { TraceEvent } from '../event.ts';
import type { TraceIndex } from '../trace-index.ts';
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

/** An event that did not match, and what differs. */
interface Near {
  event: TraceEvent;
  differences: string[];
}

/**
 * What the events of a growing trace mean for one expectation; each is looked at once, however often it is judged. The
 * injection and the saved values must be in the index before the first time.
 */
export class Tally {
  readonly #expectation: Expectation;
  readonly #index: TraceIndex;
  #looked = 0;
  /** How many matched, and the first of them. */
  count = 0;
  readonly matches: TraceEvent[] = [];
  /** The last of those that came near, and the one of them all that differs least (of equals the last). */
  readonly near: Near[] = [];
  nearest: Near | undefined;

  constructor(expectation: Expectation, index: TraceIndex) {
    this.#expectation = expectation;
    this.#index = index;
  }

  /** Looks at what is new. */
  look(): void {
    const { zero, zeroName, values } = this.#index;
    const { condition, kind } = this.#expectation;
    for (const event of this.#index.named(condition.name).slice(this.#looked)) {
      this.#looked++;
      const { ok, differences } = matchEvent(condition, event, values, showValue);
      const late = kind !== 'never' && event.t > zero + this.#expectation.limit;
      if (event.t < zero) this.#miss({ event, differences: [...differences, `it came before ${zeroName}`] });
      else if (!ok) this.#miss({ event, differences });
      else if (late) this.#miss({ event, differences: [`it came after ${seconds(event.t - zero)} s`] });
      else {
        this.count++;
        if (this.matches.length < MAX_EVIDENCE) this.matches.push(event);
      }
    }
  }

  #miss(near: Near): void {
    if (this.near.push(near) > MAX_EVIDENCE) this.near.shift();
    if (near.differences.length <= (this.nearest?.differences.length ?? Infinity)) this.nearest = near;
  }
}

/**
 * Judges one expectation on what the trace holds so far.
 * @param now nanoseconds of the trace clock up to which everything has been seen
 * @param ended the run is over: what is undecided is decided now
 * @param tally of the same expectation and trace, where it is judged again and again
 */
export function judge(expectation: Expectation, index: TraceIndex, now: number, ended: true): Decided;
export function judge(
  expectation: Expectation,
  index: TraceIndex,
  now: number,
  ended: boolean,
  tally?: Tally,
): ResultSoFar;
export function judge(
  expectation: Expectation,
  index: TraceIndex,
  now: number,
  ended: boolean,
  tally: Tally = new Tally(expectation, index),
): ResultSoFar {
  tally.look();
  const { zero, zeroName } = index;
  const { condition, kind, text } = expectation;
  const { matches, count: n, near, nearest: last } = tally;
  const result = (status: ResultSoFar['status'], reason: string): ResultSoFar => ({
    expectation: text,
    kind,
    status,
    evidence: matches.map(e => e.seq),
    nearest: status === 'fail' && kind !== 'never' ? near.map(n => n.event.seq) : [],
    reason,
  });
  const after = (event: TraceEvent): string => `${seconds(event.t - zero)} s after ${zeroName}`;
  const nearestWords = (): string => {
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
