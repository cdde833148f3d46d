/** @module A run as the page looks at it: its trace, judged, with what is asked of it again and again. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { catalogEvent } from '@syndrome/decode/events/catalog.ts';
import { type ComparedRun, comparedRun } from '@syndrome/trace/compare/compare.ts';
import { type Layer, LAYERS, type TraceEvent } from '@syndrome/trace/event.ts';
import { judgeSoFar, type Verdict } from '@syndrome/trace/expect/verdict.ts';
import type { Trace } from '@syndrome/trace/reader.ts';
import { summarize } from '@syndrome/trace/summary.ts';
import { lanesOf } from '@syndrome/trace/timeline.ts';

/** How much an event is worth a look, the best first. */
export const WEIGHT = { injection: 0, fatal: 1, evidence: 2, error: 3, plain: 4, step: 5 } as const;
export type Weight = keyof typeof WEIGHT;

/** A run and what the page has found out about it once. */
export interface Run extends ComparedRun {
  /** What the file is called. */
  name: string;
  /** Its trace has no end yet: nothing is judged for good. */
  running: boolean;
  /** ns from the start, by index of the event. */
  times: Float64Array;
  /** Index of each event's layer in `LAYERS`. */
  layers: Uint8Array;
  /** Indices of the events that have words; of the outer machine none. */
  told: Int32Array;
  /** Lanes, outermost first. */
  lanes: Layer[];
  /** Expectations (indices) that an event decided, by its `seq`. */
  decides: ReadonlyMap<number, readonly number[]>;
  /** Those that failed and to which it came nearest. */
  nearTo: ReadonlyMap<number, readonly number[]>;
  /** The way of the error over the layers: indices of events, in time. */
  way: readonly number[];
  /** Index of the event that is zero; -1 where none is. */
  injection: number;
  indexOf: (seq: number) => number;
  /** Words by index, where those are not the events' own. */
  words?: readonly string[];
  /** What lanes are called, where that is not their layer. */
  laneNames?: Readonly<Partial<Record<Layer, string>>>;
}

/** What an event says, safe to show; undefined for what only machinery needs. */
export function wordsOf(event: TraceEvent): string | undefined {
  const said = summarize(event);
  return said === undefined ? undefined : safeText(said, 1000);
}

/** Every expectation by the events that it names. */
function byEvent(lists: readonly (readonly number[])[]): Map<number, number[]> {
  const out = new Map<number, number[]>();
  for (const [index, seqs] of lists.entries()) {
    for (const seq of seqs) out.set(seq, [...(out.get(seq) ?? []), index]);
  }
  return out;
}

const isFatal = (event: TraceEvent): boolean =>
  event.name !== undefined && catalogEvent(event.name)?.severity === 'fatal';
const isError = (event: TraceEvent): boolean =>
  event.name !== undefined && (catalogEvent(event.name)?.severity ?? 'info') !== 'info';

/** How an event weighs in a run. */
export function weightOf(run: Pick<Run, 'decides' | 'trace' | 'injection'>, index: number): Weight {
  const event = run.trace.events[index];
  if (event === undefined) return 'plain';
  if (index === run.injection) return 'injection';
  if (isFatal(event)) return 'fatal';
  if (run.decides.has(event.seq)) return 'evidence';
  if (event.name === 'lab.step') return 'step';
  return isError(event) ? 'error' : 'plain';
}

/** More stations than a picture has room for. */
const MAX_WAY = 40;

/**
 * The way of the error: the injection, then in time each first event of a name that tells of an error and decided an
 * expectation, and whatever is fatal.
 */
function wayOf({ trace, zero }: ComparedRun, injection: number, decides: Run['decides'], told: Int32Array): number[] {
  const { events } = trace;
  const way: number[] = injection < 0 ? [] : [injection];
  const seen = new Set<string>();
  for (const index of told) {
    const event = events[index];
    if (event === undefined || index === injection || event.t < zero || way.length >= MAX_WAY) continue;
    if (!(isFatal(event) || (isError(event) && decides.has(event.seq))) || seen.has(event.name ?? '')) continue;
    seen.add(event.name ?? '');
    way.push(index);
  }
  return way;
}

/** What stands where the verdict of a run stands. */
export type RunState = Verdict | 'running';

export const stateOf = ({ running, judgement }: Run): RunState => (running ? 'running' : judgement.verdict);

/**
 * Judges a trace and looks at each of its events once.
 * @param running the run goes on: nothing is missing because it has not come yet
 */
export function openRun(trace: Trace, name: string, running = false): Run {
  const compared = { ...comparedRun(trace), ...(running ? { judgement: judgeSoFar(trace) } : {}) };
  const { events, header } = trace;
  const times = new Float64Array(events.length);
  const layers = new Uint8Array(events.length);
  const told: number[] = [];
  const outside = new Set<Layer>();
  const seqs = new Map<number, number>();
  const usual = lanesOf(header);
  for (const [index, event] of events.entries()) {
    times[index] = event.t;
    layers[index] = LAYERS.indexOf(event.layer);
    seqs.set(event.seq, index);
    if (event.name === undefined || event.layer === 'machine' || summarize(event) === undefined) continue;
    told.push(index);
    if (!usual.includes(event.layer)) outside.add(event.layer);
  }
  const { expectations } = compared.judgement;
  const decides = byEvent(expectations.map(e => e.evidence));
  const shown = Int32Array.from(told);
  const injection = events.findIndex(event => event.name === 'lab.injected');
  return {
    ...compared,
    name,
    running,
    times,
    layers,
    told: shown,
    lanes: [...usual, ...LAYERS.filter(layer => outside.has(layer))],
    decides,
    nearTo: byEvent(expectations.map(e => (e.status === 'fail' ? e.nearest : []))),
    way: wayOf(compared, injection, decides, shown),
    injection,
    indexOf: seq => seqs.get(seq) ?? -1,
  };
}

/** When an event was, ns from zero. The injection is zero, also where it was noted only when it was accepted. */
export const timeOf = (run: Run, event: TraceEvent): number =>
  event === run.trace.events[run.injection] ? 0 : event.t - run.zero;

/** The end of a run, ns from its zero. */
const endOf = (run: Run): number => (run.times.at(-1) ?? 0) - run.zero;

/**
 * The window that a run opens with, ns from zero: from shortly before the injection to the last thing that matters behind it.
 * The boot before it is most of the time, and noise.
 */
export function fittedWindow(runs: readonly Run[]): [from: number, to: number] {
  let [first, last] = [0, 0];
  for (const run of runs) {
    for (const index of run.told) {
      const at = (run.times[index] ?? 0) - run.zero;
      if (at < 0 && run.injection >= 0) continue;
      first = Math.min(first, at);
      last = Math.max(last, at);
    }
  }
  const span = Math.max(last - first, 1e6);
  return [first - span * 0.06, first + span * 1.04];
}

/** All of the runs, ns from zero. */
export function wholeWindow(runs: readonly Run[]): [from: number, to: number] {
  const from = Math.min(...runs.map(run => (run.times[0] ?? 0) - run.zero), 0);
  const to = Math.max(...runs.map(endOf), from + 1e6);
  const margin = (to - from) * 0.01;
  return [from - margin, to + margin];
}
