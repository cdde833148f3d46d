/**
 * The trace: what a run saw, one JSON object a line, on one monotonic clock. Everything else (verdict, report,
 * replay, difference) is a function of it. The first line is the header.
 */

import type { EventName, SaidFields } from '@syndrome/decode/events/catalog.ts';

/**
 * Raised when a reader of an older version would misunderstand. A reader refuses newer versions, and knows the older ones by
 * the steps of `modernize.ts`: a new version needs one there.
 */
export const TRACE_VERSION = 2;

/**
 * `lab` is what the lab itself did, `machine` the outer QEMU of a nested machine; the others are the layers of the system
 * under test, outermost first.
 */
export const LAYERS = ['lab', 'machine', 'host', 'vmm', 'xen', 'guest', 'domu', 'process'] as const;
export type Layer = (typeof LAYERS)[number];

/** Where a line came from. */
export const SOURCES = ['lab', 'console', 'qmp', 'hmp', 'agent', 'stderr', 'events', 'control', 'gdb'] as const;
export type Source = (typeof SOURCES)[number];

export interface TraceHeader {
  type: 'trace';
  version: number;
  tool: string;
  scenario: string;
  /** Wall clock at t = 0, ISO 8601; the only wall-clock value in a trace. */
  startedAt: string;
  /** The layers of the machine, outermost first; the time line has a lane for each. */
  layers: Layer[];
  /** The expectations, in the scenario's own words, so that the verdict can be recomputed from the trace alone. */
  expect: string[];
  /** The outcome the scenario states, if it states one. */
  outcome?: string;
  /** How long after the last decided expectation the run kept watching, in ns. */
  settle: number;
  /** What the run was made of: versions, files, machine. */
  parts: Record<string, string>;
  /**
   * What the run is known by, 32 hex digits each: hashes of all that it is made of, with the content of its files. Absent in
   * older traces, and where no machine came together.
   */
  identity?: {
    run: string;
    /** Of the machine before its first step (its kept state has it for a name), then of that after each step. */
    states: string[];
  };
}

/** What every line of a trace says. */
interface Line {
  /** Position in the trace, from 1; evidence refers to it. */
  seq: number;
  /** Nanoseconds since the start of the run, monotonic. */
  t: number;
  layer: Layer;
  source: Source;
  /** The line as it was received, bounded; absent for what the lab itself says. */
  raw?: string;
  /** Direction of a QMP or agent exchange. */
  dir?: 'send' | 'receive';
  /** The raw registers or bytes of an error record, when the line completed one. */
  record?: unknown;
}

/** A line that means an event of the catalogue. A trace may come from anybody: a field may be missing, or of another type. */
export type NamedEvent<N extends EventName = EventName> = {
  [K in N]: Line & { name: K; fields?: SaidFields<K> };
}[N];

/** A line that means nothing to us. */
interface PlainLine extends Line {
  name?: undefined;
  fields?: undefined;
}

/** One event: one line of a trace, told apart by its name. A bigint is written as `0x` and 16 hex digits. */
export type TraceEvent = NamedEvent | PlainLine;
