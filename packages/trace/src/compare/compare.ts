/**
 * @module Two runs beside each other. They are aligned at the injection and by order, never by time: the k-th event of a name
 * with the k-th of the same name. A restored machine and a booted one differ tenfold in time, and not in what they do.
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
  /** Events from the injection on, in the order of both runs. */
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

/**
 * Which run's own events stand first where both have some between two common ones: those of the run that failed beside one
 * that passed, for they are what is looked for; else neither's, and time decides.
 */
function leader(a: ComparedRun, b: ComparedRun): 'a' | 'b' | undefined {
  const [left, right] = [a.judgement.verdict, b.judgement.verdict];
  if (left === right) return undefined;
  if (right === 'pass') return 'a';
  return left === 'pass' ? 'b' : undefined;
}

function alignedRows(a: ComparedRun, b: ComparedRun): ComparedRow[] {
  const [left, right] = [eventsOf(a), eventsOf(b)];
  const partner = partners(left, right);
  const partnerOfRight = new Map<number, number>();
  for (const [index, other] of partner.entries()) if (other >= 0) partnerOfRight.set(other, index);
  // What only B has follows the common event that it follows in B; -1: it comes before all of them.
  const behind = new Map<number, TraceEvent[]>();
  let common = -1;
  for (const [index, event] of right.entries()) {
    const other = partnerOfRight.get(index);
    if (other !== undefined) common = other;
    else if (behind.has(common)) behind.get(common)?.push(event);
    else behind.set(common, [event]);
  }
  const fields = new FieldComparer(a.trace, b.trace);
  const lead = leader(a, b);
  const rows: ComparedRow[] = [];
  let onlyA: TraceEvent[] = [];
  let from = -1;
  const closeGap = (): void => {
    const onlyB = behind.get(from) ?? [];
    const ownA = onlyA.map((event): ComparedRow => ({ kind: 'only-a', a: event, differences: [] }));
    const ownB = onlyB.map((event): ComparedRow => ({ kind: 'only-b', b: event, differences: [] }));
    const at = (row: ComparedRow): number => (row.a === undefined ? (row.b?.t ?? 0) - b.zero : row.a.t - a.zero);
    if (lead === 'a') rows.push(...ownA, ...ownB);
    else if (lead === 'b') rows.push(...ownB, ...ownA);
    // Each run's own order stays: the sort is stable, and the times of a trace do not go back.
    else rows.push(...[...ownA, ...ownB].toSorted((x, y) => at(x) - at(y)));
    onlyA = [];
  };
  for (const [index, event] of left.entries()) {
    const other = right[partner[index] ?? -1];
    if (other === undefined) {
      onlyA.push(event);
      continue;
    }
    closeGap();
    from = index;
    const differences = fields.differences(event, other);
    rows.push({ kind: differences.length === 0 ? 'same' : 'changed', a: event, b: other, differences });
  }
  closeGap();
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
 * @returns rows in the order of both runs, the first that differs, expectations side by side
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
