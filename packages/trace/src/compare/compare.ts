/**
 * @module Two runs beside each other. They are aligned at the injection and by order: the k-th event of a name with the k-th of
 * the same name, whatever their times, for a restored machine and a booted one differ tenfold in time and not in what they do.
 * What only one of them has stands between the common events of its channel; where in that gap, time tells if neither run leads.
 */
import type { Trace } from '../reader.ts';
import type { TraceEvent } from '../event.ts';
import { judgeFile, type Judgement } from '../expect/verdict.ts';
import type { ExpectationResult } from '../expect/judge.ts';
import { isPlace } from '../parts-line.ts';
import { summarize } from '../summary.ts';
import { TraceIndex } from '../trace-index.ts';
import { type FieldDifference, FieldComparer } from './fields.ts';

/** One of the two runs, judged. */
export interface ComparedRun {
  trace: Trace;
  judgement: Judgement;
  /** Where its time is 0, ns: the injection, else the first step, else the start; and that in words. */
  zero: number;
  zeroName: TraceIndex['zeroName'];
}

/** A row of the comparison: what both runs tell, or only one of them. */
export interface ComparedRow {
  kind: 'same' | 'changed' | 'only-a' | 'only-b';
  a?: TraceEvent;
  b?: TraceEvent;
  /** Of `changed`: the fields that say something else. */
  differences: FieldDifference[];
}

/** One expectation in both runs; absent where a run's scenario does not have it. */
interface ComparedExpectation {
  expectation: string;
  a?: ExpectationResult;
  b?: ExpectationResult;
}

/** What the machines were made of where they differ; a place in a file system is no part. */
interface PartDifference {
  part: string;
  a?: string;
  b?: string;
}

/** Everything that two traces have and have not in common; a function of them. */
export interface Comparison {
  a: ComparedRun;
  b: ComparedRun;
  parts: PartDifference[];
  /** Events from the injection on: in the order of the run that failed beside one that passed, else of A; of the other by channel. */
  rows: ComparedRow[];
  /** Index in `rows` of the first that is not `same`. */
  first?: number;
  expectations: ComparedExpectation[];
  /** Whether verdict, outcome, expectations or events differ. Parts alone are no difference: they are what is tried. */
  differ: boolean;
}

/** A trace with its verdict and the moment from which it is compared. */
export function comparedRun(trace: Trace): ComparedRun {
  const { zero, zeroName } = new TraceIndex(trace.events);
  return { trace, judgement: judgeFile(trace), zero, zeroName };
}

/** The events of a run that count: from zero on, those that a time line shows, and not of the outer machine. */
function eventsOf({ trace, zero }: ComparedRun): TraceEvent[] {
  return trace.events.filter(
    event => event.t >= zero && event.name !== undefined && event.layer !== 'machine' && summarize(event) !== undefined,
  );
}

function partsThatDiffer(a: ComparedRun, b: ComparedRun): PartDifference[] {
  const [left, right] = [a.trace.header.parts, b.trace.header.parts];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])]
    .filter(part => !isPlace(part) && left[part] !== right[part])
    .map(part => ({
      part,
      ...(left[part] === undefined ? {} : { a: left[part] }),
      ...(right[part] === undefined ? {} : { b: right[part] }),
    }));
}

/** The index of the partner of each event, k-th of a name with k-th of the name; -1 where there is none. */
function partners(a: readonly TraceEvent[], b: readonly TraceEvent[]): number[] {
  const open = new Map<string, number[]>();
  for (const [index, { name = '' }] of b.entries()) {
    const same = open.get(name);
    if (same) same.push(index);
    else open.set(name, [index]);
  }
  const next = new Map<string, number>();
  return a.map(({ name = '' }) => {
    const k = next.get(name) ?? 0;
    next.set(name, k + 1);
    return open.get(name)?.[k] ?? -1;
  });
}

/** The run of which the other's events are told apart: the one that failed beside one that passed, for it is what is looked into. */
function leader(a: ComparedRun, b: ComparedRun): 'a' | 'b' | undefined {
  const [left, right] = [a.judgement.verdict, b.judgement.verdict];
  if (left === right) return undefined;
  if (right === 'pass') return 'a';
  return left === 'pass' ? 'b' : undefined;
}

/** What is in one order for certain: what came over one channel. Of two channels one may be late, on a busy machine by seconds. */
const channelOf = ({ layer, source }: TraceEvent): string => `${layer} ${source}`;

/**
 * Where the events that only the other run has stand among those of the leading one: by the index of the event they stand
 * before. Each stands between the common events of its channel that it is between in its own run: behind what the leading run
 * did instead there, or by time where none leads.
 */
function placesOfOwn(
  base: { run: ComparedRun; events: readonly TraceEvent[]; partner: readonly number[] },
  other: { run: ComparedRun; events: readonly TraceEvent[] },
  byTime: boolean,
): Map<number, TraceEvent[]> {
  const common = new Map<number, number>();
  for (const [index, partner] of base.partner.entries()) if (partner >= 0) common.set(partner, index);
  /** By channel: the first place that is still possible, and the next common event from there on. They only go forwards. */
  const channels = new Map<string, { from: number; end: number }>();
  const places = new Map<number, TraceEvent[]>();
  for (const [index, event] of other.events.entries()) {
    const name = channelOf(event);
    const channel = channels.get(name) ?? { from: 0, end: 0 };
    channels.set(name, channel);
    const met = common.get(index);
    if (met !== undefined) {
      channel.from = Math.max(channel.from, met + 1);
      continue;
    }
    const isEnd = (at: number): boolean => {
      const one = base.events[at];
      return one === undefined || ((base.partner[at] ?? -1) >= 0 && channelOf(one) === name);
    };
    channel.end = Math.max(channel.end, channel.from);
    while (!isEnd(channel.end)) channel.end++;
    const isLater = (at: number): boolean => (base.events[at]?.t ?? 0) - base.run.zero > event.t - other.run.zero;
    if (byTime) while (channel.from < channel.end && !isLater(channel.from)) channel.from++;
    else channel.from = channel.end;
    const there = places.get(channel.from);
    if (there) there.push(event);
    else places.set(channel.from, [event]);
  }
  return places;
}

function alignedRows(a: ComparedRun, b: ComparedRun): ComparedRow[] {
  const lead = leader(a, b);
  const [base, other] = lead === 'b' ? [b, a] : [a, b];
  const [events, others] = [eventsOf(base), eventsOf(other)];
  const partner = partners(events, others);
  const places = placesOfOwn({ run: base, events, partner }, { run: other, events: others }, lead === undefined);
  const fields = new FieldComparer(a.trace, b.trace);
  const only = (side: 'a' | 'b', event: TraceEvent): ComparedRow =>
    side === 'a' ? { kind: 'only-a', a: event, differences: [] } : { kind: 'only-b', b: event, differences: [] };
  const rows: ComparedRow[] = [];
  const [own, foreign] = base === a ? (['a', 'b'] as const) : (['b', 'a'] as const);
  for (let index = 0; index <= events.length; index++) {
    for (const event of places.get(index) ?? []) rows.push(only(foreign, event));
    const event = events[index];
    if (event === undefined) break;
    const met = others[partner[index] ?? -1];
    if (met === undefined) {
      rows.push(only(own, event));
      continue;
    }
    const [left, right] = own === 'a' ? [event, met] : [met, event];
    const differences = fields.differences(left, right);
    rows.push({ kind: differences.length === 0 ? 'same' : 'changed', a: left, b: right, differences });
  }
  return rows;
}

function comparedExpectations(a: Judgement, b: Judgement): ComparedExpectation[] {
  const [left, right] = [a, b].map(({ expectations }) => new Map(expectations.map(e => [e.expectation, e])));
  return [...new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])].map(expectation => {
    const [x, y] = [left?.get(expectation), right?.get(expectation)];
    return { expectation, ...(x === undefined ? {} : { a: x }), ...(y === undefined ? {} : { b: y }) };
  });
}

/**
 * Compares two runs.
 * @param a, b runs of {@link comparedRun}; of one scenario, or what is told is that they are not
 * @returns rows in order, the first that differs, expectations side by side
 * @example
 * const { rows, first } = compareRuns(comparedRun(bad), comparedRun(good));
 * rows[first ?? 0]?.a?.name // 'guest.msr-error'
 */
export function compareRuns(a: ComparedRun, b: ComparedRun): Comparison {
  const rows = alignedRows(a, b);
  const first = rows.findIndex(row => row.kind !== 'same');
  const expectations = comparedExpectations(a.judgement, b.judgement);
  const differ =
    first >= 0 ||
    a.judgement.verdict !== b.judgement.verdict ||
    a.judgement.outcome !== b.judgement.outcome ||
    expectations.some(({ a: x, b: y }) => x?.status !== y?.status);
  return { a, b, parts: partsThatDiffer(a, b), rows, ...(first < 0 ? {} : { first }), expectations, differ };
}
