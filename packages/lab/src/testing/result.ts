import type { RunResult } from '../run.ts';

/** A result of a run; what matters to a test is given, the rest is plain. */
export const runResult = (own: Partial<RunResult> = {}): RunResult => ({
  schemaVersion: 1,
  scenario: 's',
  title: 'S',
  verdict: 'pass',
  outcome: 'logged',
  seconds: 1,
  expectations: [],
  causes: [],
  trace: 't.ndjson',
  parts: {},
  phases: {},
  restored: false,
  restarts: 0,
  ...own,
});
