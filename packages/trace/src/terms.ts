import type { Departure } from './departures.ts';
import type { Verdict } from './expect/verdict.ts';

/** What a run's verdict says, for `--explain`. */
export const VERDICT_TERMS: Readonly<Record<Verdict, string>> = {
  pass: 'The system did what the scenario expects: every expectation held, and the outcome is the stated one.',
  fail: 'The system did something else than the scenario expects; the expectations that did not hold are listed with their evidence.',
  error: 'The lab could not do its work, so nothing is known about the system under test. The code beside it says why.',
  skip: 'The scenario cannot run here: something that it needs is missing. The code beside it says what.',
};

/** What is said of one expectation, where it is no verdict's word. */
export const EXPECTATION_TERMS: Readonly<Record<'not-judged', string>> = {
  'not-judged':
    'The run says neither that the expectation holds nor that it does not: it broke off before, or the outlook leaves room for what was seen. Its mark is ?, in KTAP it is skipped.',
};

/** What is said of the events of a trace that was read. */
export const TRACE_NOTES: Readonly<Record<Departure['code'], string>> = {
  W_TRACE_EVENT:
    'The trace has an event of a name that the catalogue of this program does not have: a newer Syndrome wrote it, or somebody else. It is kept and shown with its fields, and a condition may name it.',
  W_TRACE_FIELD:
    'An event of the trace has a field more or less than the catalogue of this program has for its name, or one of another type. The event is kept as it is; a condition on that field may not hold.',
};
