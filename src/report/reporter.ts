import type { TraceEvent, TraceHeader } from '../lab/trace/event.ts';
import type { RunResult } from '../lab/run.ts';
import type { Scenario } from '../lab/scenario/load.ts';

/** What a run tells whoever shows it. Every kind of report is one of these; several may listen at once. */
export interface Reporter {
  start?(scenario: Scenario): void;
  header?(header: TraceHeader, trace: string): void;
  event?(event: TraceEvent): void;
  result?(result: RunResult): void;
  /** All runs are over. */
  finish?(results: readonly RunResult[]): void;
}

/** Hands everything on to several reporters, in order. */
export function all(reporters: readonly Reporter[]): Required<Reporter> {
  return {
    start: s => reporters.forEach(r => r.start?.(s)),
    header: (h, t) => reporters.forEach(r => r.header?.(h, t)),
    event: e => reporters.forEach(r => r.event?.(e)),
    result: x => reporters.forEach(r => r.result?.(x)),
    finish: x => reporters.forEach(r => r.finish?.(x)),
  };
}
