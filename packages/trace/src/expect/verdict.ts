import type { Trace } from '../reader.ts';
import type { NamedEvent, TraceEvent, TraceHeader } from '../event.ts';
import { type Cause, causesOf } from './causes.ts';
import { parseExpectation } from './expectation.ts';
import { TraceIndex } from '../trace-index.ts';
import { type ExpectationResult, judge, judgePart } from './judge.ts';
import { judgeOutlook } from './outlook.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

/**
 * `pass`: the system did what the scenario expects. `fail`: it did something else. `error`: the lab could not tell.
 * `skip`: the scenario cannot run here.
 */
export type Verdict = 'pass' | 'fail' | 'error' | 'skip';

export interface Problem {
  code: string;
  message: string;
  hint?: string;
}

/** Everything that is known of a run; a function of its trace. */
export interface Judgement {
  verdict: Verdict;
  outcome: Outcome;
  /** Seconds from the start of the run to its end. */
  seconds: number;
  expectations: ExpectationResult[];
  /** Known defects that the trace shows. */
  causes: Cause[];
  /** Why the verdict is `error` or `skip`. */
  problem?: Problem;
}

function problemOf(event: NamedEvent<'lab.skip' | 'lab.error'>): Problem {
  // A trace may come from anybody.
  const { code = 'E_LAB_TRACE_FORMAT', message = 'the trace does not say why', hint } = event.fields ?? {};
  return { code: String(code), message: String(message), ...(hint === undefined ? {} : { hint: String(hint) }) };
}

/** The expectations of a run of which only `events` are known, and the outcome until then. */
function judgeRest(header: TraceHeader, events: readonly TraceEvent[], why: string): ExpectationResult[] {
  const index = new TraceIndex(events);
  const results = header.expect.map(text => judgePart(parseExpectation(text), index, why));
  if (header.outcome === undefined) return results;
  const reason = `not judged: ${why}; the outcome until then is ${outcomeOf(events, index)}`;
  return [...results, outcomeResult(header.outcome, 'not-judged', reason)];
}

/** Between the outcomes that a scenario leaves open: which of them it is varies from run to run. */
export const OR = ' or ';

function outcomeResult(wanted: string, status: ExpectationResult['status'], reason: string): ExpectationResult {
  return { expectation: `outcome: ${wanted}`, kind: 'outcome', status, evidence: [], nearest: [], reason };
}

/** The expectations of a run that came to its end. */
function judgeWhole(header: TraceHeader, index: TraceIndex, outcome: Outcome, now: number): ExpectationResult[] {
  const results: ExpectationResult[] = header.expect.map(text => judge(parseExpectation(text), index, now, true));
  if (header.outcome !== undefined) {
    const ok = header.outcome.split(OR).includes(outcome);
    const reason = ok ? `the outcome is ${outcome}` : `the outcome is ${outcome}, not ${header.outcome}`;
    results.push(outcomeResult(header.outcome, ok ? 'pass' : 'fail', reason));
  }
  return [...results, ...judgeOutlook(index, outcome, now)];
}

/** Judges a whole trace: the same answer when it is read again from a file. */
export function judgeTrace(header: TraceHeader, events: readonly TraceEvent[]): Judgement {
  const now = events.at(-1)?.t ?? 0;
  const index = new TraceIndex(events);
  const outcome = outcomeOf(events, index);
  const base = { outcome, seconds: now / 1e9, causes: causesOf(events) };
  const skip = index.named('lab.skip')[0];
  const error = index.named('lab.error')[0];
  const stop = skip ?? error;
  if (stop) {
    // What happens once the lab has failed may be of its own making.
    const expectations = judgeRest(header, events.slice(0, events.indexOf(stop)), 'the run broke off');
    // What must never be was seen, or something was seen too often: no rest of the run makes that right.
    const wrong = expectations.some(e => e.status === 'fail');
    const verdict = skip ? 'skip' : wrong ? 'fail' : 'error';
    return { verdict, ...base, expectations, problem: problemOf(stop) };
  }
  if (!index.has('lab.end')) {
    const problem = { code: 'E_LAB_TRACE_CUT', message: 'the trace ends before the run did: the run was killed' };
    return { verdict: 'error', ...base, expectations: judgeRest(header, events, 'the run was killed'), problem };
  }
  const expectations = judgeWhole(header, index, outcome, now);
  // An outlook that leaves room says nothing against the system.
  const ok = expectations.every(e => e.status === 'pass' || (e.kind === 'outlook' && e.status === 'not-judged'));
  return { verdict: ok ? 'pass' : 'fail', ...base, expectations };
}

/**
 * Judges a run that goes on, on what there is of its trace. What is decided stays so, and what is open is `not-judged`. There
 * is no verdict yet: it is `error`, as that of any trace without an end.
 */
export function judgeSoFar({ header, events }: Pick<Trace, 'header' | 'events'>): Judgement {
  const now = events.at(-1)?.t ?? 0;
  const index = new TraceIndex(events);
  const outcome = outcomeOf(events, index);
  const expectations = header.expect.map((text): ExpectationResult => {
    const { status, ...rest } = judge(parseExpectation(text), index, now, false);
    return { ...rest, status: status === 'pending' ? 'not-judged' : status };
  });
  if (header.outcome !== undefined)
    expectations.push(outcomeResult(header.outcome, 'not-judged', `the outcome until now is ${outcome}`));
  const problem = { code: 'E_LAB_TRACE_CUT', message: 'the trace has no end yet: the run goes on' };
  return { verdict: 'error', outcome, seconds: now / 1e9, expectations, causes: causesOf(events), problem };
}

/** {@link judgeTrace} of a trace that was read from a file. What a damaged line said might have decided otherwise. */
export function judgeFile({
  header,
  events,
  diagnostics,
}: Pick<Trace, 'header' | 'events' | 'diagnostics'>): Judgement {
  const judgement = judgeTrace(header, events);
  const [first] = diagnostics;
  if (first === undefined || judgement.verdict === 'error' || judgement.verdict === 'skip') return judgement;
  const lines = diagnostics.length === 1 ? 'a line' : `${diagnostics.length} lines`;
  const message = `${lines} of the trace cannot be read, the first is line ${first.line}: ${first.problem}`;
  const hint = `Without them the verdict would be ${judgement.verdict}.`;
  const expectations = judgeRest(header, events, 'a part of the trace cannot be read');
  return { ...judgement, verdict: 'error', expectations, problem: { code: 'E_LAB_TRACE_DAMAGED', message, hint } };
}
