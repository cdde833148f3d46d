/** Reports that the tests of pages look at. */
import { readFileSync } from 'node:fs';
import { comparedRun } from '@syndrome/trace/compare/compare.ts';
import { parseTrace } from '@syndrome/trace/testing/parse.ts';
import { besides, type Report, reportOf, type ReportRun, reportRun } from '../report.ts';
import { BAD, GOOD } from './runs.ts';

/** A run of a report; what matters to a test is given. */
export const reportedRun = (name: string, more: Partial<ReportRun> = {}): ReportRun => ({
  name,
  size: 1000,
  scenario: 's',
  startedAt: '2026-11-30T09:46:38.273Z',
  verdict: 'pass',
  outcome: 'logged',
  seconds: 1.5,
  parts: {},
  causes: [],
  damagedLines: 0,
  ...more,
});

/** The runs of traces by their names, failed ones beside the first that passed. */
export function reportedTraces(traces: Readonly<Record<string, string>>): ReportRun[] {
  const read = Object.entries(traces).map(([name, text]) => {
    const trace = parseTrace(text, name);
    return { trace, run: reportRun(trace, name, text.length) };
  });
  const good = read.find(({ run }) => run.verdict === 'pass');
  return read.map(({ trace, run }) =>
    run.verdict === 'fail' && good
      ? { ...run, beside: besides(run, good.run, comparedRun(trace), comparedRun(good.trace)) }
      : run,
  );
}

/** Linux 6.19.6, which panics, beside 7.3.4. */
export function pairReport(): Report {
  const runs = reportedTraces({ 'bad.ndjson': readFileSync(BAD, 'utf8'), 'good.ndjson': readFileSync(GOOD, 'utf8') });
  return reportOf({ title: 'Nightly', runs, unread: [], tests: [], matrices: [] });
}
