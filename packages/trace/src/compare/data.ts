/** @module A comparison of two runs as JSON. */
import type { TraceEvent } from '../event.ts';
import { summarize } from '../summary.ts';
import type { ComparedRun, Comparison } from './compare.ts';

interface EventData {
  seq: number;
  /** Nanoseconds from the run's zero. */
  t: number;
}

/** One run, without what stands in its trace. */
function runData({ trace, judgement, zero, zeroName }: ComparedRun, name: string): object {
  const { header, diagnostics } = trace;
  const { verdict, outcome, seconds, causes, problem } = judgement;
  return {
    trace: name,
    scenario: header.scenario,
    ...(header.identity === undefined ? {} : { identity: header.identity.run }),
    verdict,
    outcome,
    seconds,
    causes: causes.map(({ id }) => id),
    ...(problem === undefined ? {} : { problem }),
    damagedLines: diagnostics.length,
    zero,
    zeroName,
  };
}

/**
 * What `syndrome compare --json` prints: the two runs, the parts that differ, the rows, and the index of the first that differs.
 * Times are ns from the zero of their run.
 */
export function compareData(comparison: Comparison, names: readonly [a: string, b: string]): object {
  const { a, b, parts, rows, first, expectations, differ } = comparison;
  const at = (event: TraceEvent, { zero }: ComparedRun): EventData => ({ seq: event.seq, t: event.t - zero });
  return {
    schemaVersion: 1,
    differ,
    a: runData(a, names[0]),
    b: runData(b, names[1]),
    parts,
    first: first ?? null,
    rows: rows.map(({ kind, a: left, b: right, differences }) => {
      const event = left ?? right;
      return {
        kind,
        name: event?.name,
        layer: event?.layer,
        text: event && summarize(event),
        ...(left === undefined ? {} : { a: at(left, a) }),
        ...(right === undefined ? {} : { b: at(right, b) }),
        ...(differences.length === 0 ? {} : { differences }),
      };
    }),
    expectations: expectations.map(({ expectation, a: left, b: right }) => ({
      expectation,
      a: left === undefined ? null : { status: left.status, reason: left.reason, evidence: left.evidence },
      b: right === undefined ? null : { status: right.status, reason: right.reason, evidence: right.evidence },
    })),
  };
}
