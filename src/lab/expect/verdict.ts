import type { Trace } from '../trace/reader.ts';
import type { TraceEvent, TraceHeader } from '../trace/event.ts';
import { type Cause, causesOf } from './causes.ts';
import { parseExpectation } from './expectation.ts';
import { TraceIndex } from '../trace/index.ts';
import { type ExpectationResult, judge } from './judge.ts';
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

function problemOf(event: TraceEvent): Problem {
  const { code, message, hint } = event.fields ?? {};
  return { code: String(code), message: String(message), ...(hint === undefined ? {} : { hint: String(hint) }) };
}

/**
 * Whether these events, all before the lab failed, show that the system did wrong: what must never be was seen, or something
 * was seen too often. What was missing might still have come.
 */
function provenWrong(header: TraceHeader, events: readonly TraceEvent[]): boolean {
  const index = new TraceIndex(events);
  if (!index.has('lab.injected')) return false;
  // At the moment of the injection no time has passed, so nothing fails because it is missing.
  return header.expect.some(text => judge(parseExpectation(text), index, index.zero, false).status === 'fail');
}

/** Judges a whole trace: the same answer when it is read again from a file. */
export function judgeTrace(header: TraceHeader, events: readonly TraceEvent[]): Judgement {
  const last = events.at(-1);
  const now = last?.t ?? 0;
  const ended = events.some(e => e.name === 'lab.end');
  const index = new TraceIndex(events);
  const outcome = outcomeOf(events, index);
  const expectations = header.expect.map(text => judge(parseExpectation(text), index, now, true));
  if (header.outcome !== undefined) {
    const ok = outcome === header.outcome;
    expectations.push({
      expectation: `outcome: ${header.outcome}`,
      kind: 'outcome',
      status: ok ? 'pass' : 'fail',
      evidence: [],
      nearest: [],
      reason: ok ? `the outcome is ${outcome}` : `the outcome is ${outcome}, not ${header.outcome}`,
    });
  }
  if (ended) expectations.push(...judgeOutlook(index, outcome, now));
  const base = { outcome, seconds: now / 1e9, expectations, causes: causesOf(events) };
  const skip = events.find(e => e.name === 'lab.skip');
  if (skip) return { verdict: 'skip', ...base, problem: problemOf(skip) };
  const error = index.named('lab.error')[0];
  if (error) {
    const verdict = provenWrong(header, events.slice(0, events.indexOf(error))) ? 'fail' : 'error';
    return { verdict, ...base, problem: problemOf(error) };
  }
  if (!ended) {
    const problem = { code: 'E_LAB_TRACE_CUT', message: 'the trace ends before the run did: the run was killed' };
    return { verdict: 'error', ...base, problem };
  }
  return { verdict: expectations.every(e => e.status === 'pass') ? 'pass' : 'fail', ...base };
}

/** {@link judgeTrace} of a trace that was read from a file. What a damaged line said might have decided otherwise. */
export function judgeFile({ header, events, diagnostics }: Trace): Judgement {
  const judgement = judgeTrace(header, events);
  const [first] = diagnostics;
  if (first === undefined || judgement.verdict === 'error' || judgement.verdict === 'skip') return judgement;
  const lines = diagnostics.length === 1 ? 'a line' : `${diagnostics.length} lines`;
  const message = `${lines} of the trace cannot be read, the first is line ${first.line}: ${first.problem}`;
  const hint = `Without them the verdict would be ${judgement.verdict}.`;
  return { ...judgement, verdict: 'error', problem: { code: 'E_LAB_TRACE_DAMAGED', message, hint } };
}
