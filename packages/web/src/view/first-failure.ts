/** @module What failed first in a run, and the line that shows it. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { catalogEvent } from '@syndrome/decode/events/catalog.ts';
import type { ComparedRun } from '@syndrome/trace/compare/compare.ts';
import type { Layer, TraceEvent } from '@syndrome/trace/event.ts';
import type { ExpectationResult } from '@syndrome/trace/expect/judge.ts';
import { summarize } from '@syndrome/trace/summary.ts';

/** An event that shows what failed. Its text is safe. */
interface ShownEvent {
  seq: number;
  /** Nanoseconds from the run's zero. */
  t: number;
  layer: Layer;
  /** What it says; absent for what only machinery needs. */
  said?: string;
  /** As it was received. */
  line?: string;
}

/** What failed first in a run. */
export interface FirstFailure {
  expectation?: string;
  reason?: string;
  event?: ShownEvent;
}

const isFatal = ({ name }: TraceEvent): boolean => name !== undefined && catalogEvent(name)?.severity === 'fatal';

/** What an expectation was decided by, or came nearest to. */
const decidedBy = ({ evidence, nearest }: ExpectationResult): number[] => [...evidence, ...nearest].slice(0, 1);

function shown(event: TraceEvent, zero: number): ShownEvent {
  const said = summarize(event);
  return {
    seq: event.seq,
    t: event.t - zero,
    layer: event.layer,
    ...(said === undefined ? {} : { said: safeText(said, 400) }),
    ...(event.raw === undefined ? {} : { line: safeText(event.raw, 1000) }),
  };
}

/**
 * What failed first in a run that failed, or broke off; undefined where nothing did. Of the event that decided an expectation
 * and of what is fatal the earlier one shows it: a panic explains all that did not come after it.
 * @example firstFailure(comparedRun(trace))?.event?.line // 'Kernel panic - not syncing: …'
 */
export function firstFailure({ trace, judgement, zero }: ComparedRun): FirstFailure | undefined {
  const { events } = trace;
  const failed = judgement.expectations.filter(({ status }) => status === 'fail');
  if (failed.length === 0) {
    const broke = judgement.problem && events.find(({ name }) => name === 'lab.error' || name === 'lab.skip');
    return broke && { event: shown(broke, zero) };
  }
  const deciders = new Set(failed.flatMap(decidedBy));
  const event = events.find(one => one.t >= zero && (deciders.has(one.seq) || isFatal(one)));
  // An outcome sums up what the others say each.
  const own = failed.filter(({ kind }) => kind !== 'outcome' && kind !== 'outlook');
  const [first] = own.length > 0 ? own : failed;
  const decided = event && failed.find(one => decidedBy(one).includes(event.seq));
  const told = decided ?? first;
  return {
    ...(told === undefined ? {} : { expectation: safeText(told.expectation, 400), reason: safeText(told.reason, 400) }),
    ...(event === undefined ? {} : { event: shown(event, zero) }),
  };
}
