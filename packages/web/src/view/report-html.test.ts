import { describe, expect, test } from 'vitest';
import { readMatrix } from './matrix-file.ts';
import { reportHtml } from './report-html.ts';
import { reportPages } from './report-pages.ts';
import { reportOf } from './report.ts';
import { DEFERRED } from './testing/matrices.ts';
import { pairReport, reportedRun } from './testing/reports.ts';
import { NASTY } from './testing/runs.ts';

const matrixOf = (text: string) => {
  const read = readMatrix(text, 'm.json');
  if (!('cells' in read)) throw new Error(read.message);
  return read;
};

describe('the index of a report', () => {
  const report = pairReport();
  const html = reportHtml(report, reportPages(report));
  test('says what failed first, shows the line, and leads there', () => {
    expect(html).toContain('1 fail · 1 pass');
    expect(html).toContain('no guest.mce-record was seen at all');
    expect(html).toMatch(/<pre><span class="muted">\+1\.541 s guest <\/span> \[ {3}12\.215083\] mce: MSR access error/);
    expect(html).toContain('href="runs.html#trace?event=a76&#38;run=bad.ndjson"');
    expect(html).toContain('all of them: qemu 11.1.3 tcg');
  });
  test('puts the failed run beside the one that passed', () => {
    expect(html).toContain('href="runs.html#trace?run=bad.ndjson&#38;with=good.ndjson"');
    expect(html).toMatch(/<b>first difference<\/b> WRMSR of MSR 0xc0002098 faults/);
    expect(html.indexOf('✗ FAIL')).toBeLessThan(html.indexOf('✓ PASS'));
  });
  test('says each known cause once', () => {
    expect(html.match(/<b>Known cause<\/b> <code>linux-amd-destat-without-smca<\/code>, 1 run\./g)).toHaveLength(1);
  });
});

test('cells of a matrix lead to the traces that are there', () => {
  const report = reportOf({
    title: 't',
    runs: [reportedRun('x/pair-amd-deferred-6.19.6.ndjson', { verdict: 'fail' })],
    unread: [],
    tests: [],
    matrices: [matrixOf(DEFERRED)],
  });
  const html = reportHtml(report, reportPages(report));
  expect(html).toContain('<a href="runs.html#matrix">');
  expect(html).toContain('open the trace of 6.19.6</a>');
  expect(html).not.toContain('open the trace of 7.3.4</a>');
  expect(html).toContain('first bad 6.19.6 · last bad 6.19.8');
  expect(html).toContain('<a href="#matrix">2 bad cells over kernels</a>');
  // Known causes stand on top, and in the details of cells.
  expect(html.match(/<p[^\n]*Mended in 6\.19\.10/g)).toHaveLength(1);
});

test('what has no trace is told, and what is too large or damaged', () => {
  const report = reportOf({
    title: '',
    runs: [reportedRun('large', { size: 1e12 }), reportedRun('damaged', { damagedLines: 1, verdict: 'error' })],
    unread: [{ name: 'newer.ndjson', code: 'E_LAB_TRACE_VERSION', message: 'of version 99', hint: 'Use a newer one.' }],
    tests: [{ test: 'lost', file: 'r.xml', verdict: 'fail', message: 'it panicked' }],
    matrices: [],
  });
  const html = reportHtml(report, reportPages(report));
  expect(html).toContain('of r.xml; its trace is not in the folder');
  expect(html).toContain('of version 99. Use a newer one.');
  expect(html).toContain('too large for a page');
  expect(html).toContain('1 line cannot be read');
  expect(html).toContain('1 fail · 1 error · 1 not read · 1 pass');
  expect(html.match(/<a /g)).toHaveLength(1);
});

test('an empty folder says so', () => {
  const report = reportOf({ title: 'e', runs: [], unread: [], tests: [], matrices: [] });
  expect(reportHtml(report, [])).toContain('nothing was found');
});

test.each(NASTY.map((text, i) => [i, text] as const))('whoever wrote the traces, it stays text: %i', (_, text) => {
  const event = { seq: 1, t: 0, layer: 'guest' as const, said: text, line: text };
  const run = reportedRun(text, {
    scenario: text,
    test: text,
    verdict: 'fail',
    parts: { kernel: text },
    causes: [{ id: text, text, history: text }],
    problem: { code: text, message: text, hint: text },
    failure: { expectation: text, reason: text, event },
    beside: { name: text, parts: [text], first: text },
  });
  const report = reportOf({
    title: text,
    runs: [run, reportedRun('b', { parts: { kernel: '1' } })],
    unread: [{ name: text, code: text, message: text, hint: text }],
    tests: [{ test: text, file: text, verdict: 'error', message: text }],
    matrices: [],
  });
  const html = reportHtml(report, reportPages(report));
  const tags = new Set(Array.from(html.matchAll(/<(\/?[a-z0-9!]+)/gi), m => (m[1] ?? '').replace('/', '')));
  expect([...tags].toSorted()).toEqual(
    'a b br caption code h1 header main p path pre rect span svg table tbody td th thead tr'.split(' '),
  );
  expect(html).not.toMatch(/<[^>]*\son\w+=/i);
  expect(html).not.toMatch(/\b(?:src|href|action)=["'](?!runs\.html#)/);
  // oxlint-disable-next-line no-control-regex
  expect(html).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/);
});
