import { describe, expect, test } from 'vitest';
import type { ReportRun } from './report.ts';
import { linkOfPair, linkOfRun, reportPages } from './report-pages.ts';
import { reportedRun } from './testing/reports.ts';

const MIB = 2 ** 20;
const run = (name: string, size: number, more: Partial<ReportRun> = {}): ReportRun =>
  reportedRun(name, { size, ...more });
const beside = (name: string): Partial<ReportRun> => ({ verdict: 'fail', beside: { name, parts: [] } });

describe('traces of a report', () => {
  test('stand in one page, where they are small, with the matrices', () => {
    const runs = Array.from({ length: 100 }, (_, i) => run(`${i}.ndjson`, 100_000));
    const [page, ...more] = reportPages({
      runs,
      matrices: [{ name: 'm', scenario: 's', cells: [], axis: 'kernel' as const, versions: [], damaged: 0 }],
    });
    expect(more).toEqual([]);
    expect(page).toMatchObject({ file: 'runs.html', matrices: true });
    expect(page?.traces).toHaveLength(100);
  });
  test('are shared out where they are large; a failed one and the one beside it stay together', () => {
    const runs = [
      run('a', 40 * MIB, beside('good')),
      run('b', 40 * MIB, beside('good')),
      run('c', 10 * MIB),
      run('good', 20 * MIB),
    ];
    const pages = reportPages({ runs, matrices: [] });
    expect(pages.map(({ file, traces }) => [file, traces])).toEqual([
      ['runs.html', ['a', 'good']],
      ['runs-2.html', ['b', 'good']],
      ['runs-3.html', ['c']],
    ]);
    for (const name of ['a', 'b']) {
      const one = runs.find(({ name: own }) => own === name) as ReportRun;
      expect(linkOfPair(pages, one)).toMatch(new RegExp(`^runs(-2)?\\.html#trace\\?run=${name}&with=good$`));
    }
  });
  test('of which no page could open are in none', () => {
    const large = run('large', 300 * MIB);
    const pages = reportPages({ runs: [large, run('a', 300 * MIB, beside('b')), run('b', 1)], matrices: [] });
    expect(pages.map(({ traces }) => traces)).toEqual([['b']]);
    expect(linkOfRun(pages, large)).toBeUndefined();
  });
  test('are none: no page; a matrix alone has one', () => {
    expect(reportPages({ runs: [], matrices: [] })).toEqual([]);
    const matrices = [{ name: 'm', scenario: 's', cells: [], axis: 'kernel' as const, versions: [], damaged: 0 }];
    expect(reportPages({ runs: [], matrices })).toEqual([{ file: 'runs.html', traces: [], matrices: true }]);
  });
});

test('a link leads to the event that shows the failure, whatever the file is called', () => {
  const failure = { event: { seq: 112, t: 1, layer: 'guest' as const } };
  const nasty = run('a b/&run=x#"<.ndjson', 1, { verdict: 'fail', failure });
  const pages = reportPages({ runs: [nasty], matrices: [] });
  expect(linkOfRun(pages, nasty)).toBe('runs.html#trace?event=a112&run=a+b%2F%26run%3Dx%23%22%3C.ndjson');
  expect(linkOfRun(pages, run('elsewhere', 1))).toBeUndefined();
});
