import type { TraceEvent, TraceHeader } from '@syndrome/trace/event.ts';
import type { RunResult } from '../run.ts';
import type { Scenario } from '../scenario/load.ts';

/** What a run tells whoever shows it. Every kind of report is one of these; several may listen at once. */
export interface Reporter {
  start?(scenario: Scenario): void;
  header?(header: TraceHeader, trace: string): void;
  event?(event: TraceEvent): void;
  result?(result: RunResult): void;
  /** All runs are over. */
  finish?(results: readonly RunResult[]): void | Promise<void>;
}

/** What a run is called among tests: each has a name of its own. @example 'xen-ce (run 2 of 5)' */
export const testName = ({ scenario, repetition }: RunResult): string =>
  repetition === undefined ? scenario : `${scenario} (run ${repetition.number} of ${repetition.of})`;

/** Hands everything on to several reporters, in order. One whose report is lost takes none from the others: they finish all. */
export function all(reporters: readonly Reporter[]): Required<Reporter> {
  return {
    start: s => reporters.forEach(r => r.start?.(s)),
    header: (h, t) => reporters.forEach(r => r.header?.(h, t)),
    event: e => reporters.forEach(r => r.event?.(e)),
    result: x => reporters.forEach(r => r.result?.(x)),
    finish: async x => {
      const lost: unknown[] = [];
      for (const r of reporters) {
        try {
          await r.finish?.(x);
        } catch (error) {
          lost.push(error);
        }
      }
      if (lost.length > 0) throw lost[0];
    },
  };
}
