import { describe, expect, test } from 'vitest';
import { besidesIn, causesOfRuns, countWords, partWords, reportOf, type ReportRun, varyingParts } from './report.ts';
import { pairReport, reportedRun } from './testing/reports.ts';

const run = (name: string, kernel: string, more: Partial<ReportRun> = {}): ReportRun =>
  reportedRun(name, { parts: { kernel, qemu: '11.1.3 tcg' }, ...more });

describe('of two real runs', () => {
  const { runs, counts, ...rest } = pairReport();
  test('the failed one comes first, with what failed first and the line that shows it', () => {
    expect(counts).toEqual({ fail: 1, error: 0, skip: 0, pass: 1, unread: 0 });
    const [bad, good] = runs;
    expect(bad).toMatchObject({
      name: 'bad.ndjson',
      verdict: 'fail',
      outcome: 'panicked',
      failure: {
        expectation: 'within 40s: guest.mce-record bank=9 status=0x9c00180000000000 addr=$page',
        reason: 'no guest.mce-record was seen at all; the run ended 4.979 s after the injection',
        event: { seq: 76, layer: 'guest', said: expect.stringContaining('WRMSR of MSR 0xc0002098 faults') },
      },
    });
    expect(bad?.failure?.event?.line).toContain('mce: MSR access error: WRMSR to 0xc0002098');
    expect(good?.failure).toBeUndefined();
    expect(Object.keys(bad?.parts ?? {})).not.toContain('kernelPath');
  });
  test('and stands beside the other, with the first difference', () => {
    expect(runs[0]?.beside).toEqual({
      name: 'good.ndjson',
      parts: ['kernel 6.19.6+deb13-cloud-amd64 amd64 → 7.3.4+deb13-cloud-amd64 amd64'],
      first: expect.stringContaining('WRMSR of MSR 0xc0002098 faults'),
    });
  });
  test('what tells them apart is their kernel, and the cause is known', () => {
    expect(varyingParts({ runs })).toEqual(['kernel']);
    expect(partWords(runs[0] as ReportRun, ['kernel'])).toEqual(['kernel 6.19.6+deb13-cloud-amd64 amd64']);
    expect(causesOfRuns({ runs, counts, ...rest })).toMatchObject([{ id: 'linux-amd-destat-without-smca', runs: 1 }]);
    expect(countWords({ runs, counts, ...rest })).toBe('1 fail · 1 pass');
  });
});

describe('the run to hold a failed one against', () => {
  const bad = run('bad', '6.19.6', { verdict: 'fail', identity: 'a' });
  const nameOf = (...runs: ReportRun[]): string | undefined => besidesIn([bad, ...runs]).get('bad')?.name;
  test('is the nearest in versions, and the older one of two', () => {
    expect(nameOf(run('far', '6.1'), run('new', '6.19.10'), run('old', '6.18.15'), run('newest', '7.3'))).toBe('old');
    expect(nameOf(run('far', '6.1'), run('new', '6.19.10'), run('newest', '7.3'))).toBe('far');
    expect(nameOf(run('newest', '7.3'), run('new', '6.19.10'))).toBe('new');
  });
  test('counts the versions that failed between, as a matrix does', () => {
    const last = run('last', '6.19.8', { verdict: 'fail' });
    const runs = [bad, last, run('old', '6.18.15'), run('new', '6.19.10')];
    expect(besidesIn(runs).get('bad')?.name).toBe('old');
    expect(besidesIn(runs).get('last')?.name).toBe('new');
  });
  test('is the same machine, where that passed once', () => {
    expect(nameOf(run('near', '6.19.5'), run('same', '6.19.6', { identity: 'a' }))).toBe('same');
  });
  test('is one of which fewer parts differ, before one of a nearer version', () => {
    const other = run('other', '6.19.8', { parts: { kernel: '6.19.8', qemu: '10.0 tcg' } });
    expect(nameOf(other, run('alike', '7.3'), run('between', '7.0', { verdict: 'fail' }))).toBe('alike');
  });
  test('is none of another scenario, and none that did not pass', () => {
    expect(nameOf(run('x', '6.19.6', { scenario: 't' }), run('y', '6.19.5', { verdict: 'error' }))).toBeUndefined();
  });
  test('of a thousand runs is found without holding each against each', () => {
    let looked = 0;
    const counted = (i: number, verdict: 'pass' | 'fail'): ReportRun => {
      const one = run(`${verdict}-${i}`, `6.${i % 10}`, { verdict });
      const { parts } = one;
      return Object.defineProperty(one, 'parts', { get: () => (looked++, parts), enumerable: true });
    };
    const runs = Array.from({ length: 500 }, (_, i) => [counted(i, 'fail'), counted(i, 'pass')]).flat();
    expect(besidesIn(runs).size).toBe(500);
    expect(looked / runs.length).toBeLessThan(10);
  });
  test('is a release before its candidates are further away', () => {
    expect(nameOf(run('rc', '6.19-rc1'), run('release', '6.19'))).toBe('release');
  });
});

test('parts are called as the other reports call them', () => {
  const one = run('a', '7.0', { parts: { kernel: '7.0', hostKernel: '6.12', host: 'EPYC × 2', newPart: 'x' } });
  expect(partWords(one, ['hostKernel', 'host', 'newPart'])).toEqual([
    'kernel 7.0',
    'host kernel 6.12',
    'host cpu EPYC × 2',
    'new part x',
  ]);
});

test('the worst comes first, and alike by scenario and version', () => {
  const runs = [
    run('p', '7.0'),
    run('s', '7.0', { verdict: 'skip' }),
    run('f10', '6.19.10', { verdict: 'fail' }),
    run('e', '7.0', { verdict: 'error' }),
    run('f6', '6.19.6', { verdict: 'fail' }),
  ];
  const report = reportOf({
    title: '',
    runs,
    unread: [{ name: 'x', code: 'E', message: 'm' }],
    tests: [],
    matrices: [],
  });
  expect(report.runs.map(({ name }) => name)).toEqual(['f6', 'f10', 'e', 's', 'p']);
  expect(countWords(report)).toBe('2 fail · 1 error · 1 not read · 1 skip · 1 pass');
});

test('tests of a JUnit file name runs; those without a trace are told', () => {
  const tests = [
    { test: 'boots deferred', file: 'r.xml', verdict: 'fail' as const, trace: '/home/ci/traces/t.ndjson' },
    { test: 's', file: 'r.xml', verdict: 'pass' as const, trace: '/x/u.ndjson' },
    { test: 'lost', file: 'r.xml', verdict: 'pass' as const, trace: '/x/gone.ndjson' },
    { test: 'bad', file: 'r.xml', verdict: 'error' as const },
  ];
  const report = reportOf({
    title: '',
    runs: [run('a/t.ndjson', '1'), run('u.ndjson', '2')],
    unread: [],
    tests,
    matrices: [],
  });
  expect(report.runs.map(({ test }) => test)).toEqual(['boots deferred', undefined]);
  expect(report.tests.map(({ test }) => test)).toEqual(['bad', 'lost']);
  expect(report.counts).toMatchObject({ pass: 3, error: 1 });
});
