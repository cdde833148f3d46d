import { describe, expect, test } from 'vitest';
import { plain } from '@syndrome/trace/style.ts';
import { reportOf } from './report.ts';
import { reportLines, reportMarkdown } from './report-text.ts';
import { pairReport, reportedRun } from './testing/reports.ts';
import { NASTY } from './testing/runs.ts';

const LOOK = { style: plain, width: 100 };

describe('a report as text', () => {
  test('for a terminal: what did not pass, then the sums', () => {
    const lines = reportLines(pairReport(), LOOK);
    expect(lines[0]).toBe('FAIL     amd-deferred');
    expect(lines[1]).toMatch(
      /^ {9}kernel 6\.19\.6\+deb13-cloud-amd64 amd64 · outcome panicked · 7\.3 s · bad\.ndjson$/,
    );
    expect(lines.join('\n')).toMatch(/beside good\.ndjson: first difference WRMSR of MSR\s+0xc0002098 faults/);
    expect(lines.at(-1)).toBe('Nightly: 1 fail · 1 pass');
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(100);
  });
  test('as Markdown', () => {
    const lines = reportMarkdown(pairReport());
    expect(lines[0]).toBe('## Nightly: 1 fail · 1 pass');
    expect(lines[2]).toMatch(
      /^- \*\*fail\*\* amd-deferred \(kernel 6\.19\.6\\\+deb13-cloud-amd64 amd64, outcome panicked, 7\.3 s, bad\.ndjson\)$/,
    );
    expect(lines).toContain('### Known causes');
  });
  test('of many that did not pass lists so many and counts the others', () => {
    const runs = Array.from({ length: 250 }, (_, i) => reportedRun(`${i}`, { verdict: 'fail' }));
    const report = reportOf({ title: 't', runs, unread: [], tests: [], matrices: [] });
    expect(reportLines(report, LOOK)).toContain('and 150 more that did not pass');
    expect(reportMarkdown(report)).toContain('- and 150 more that did not pass');
  });
  test('of nothing', () => {
    const report = reportOf({ title: 't', runs: [], unread: [], tests: [], matrices: [] });
    expect(reportLines(report, LOOK)).toEqual(['t: nothing was found']);
    expect(reportMarkdown(report)).toEqual(['## t: nothing was found', '']);
  });
});

test.each(NASTY.map((text, i) => [i, text] as const))('nothing in it is markup, whoever wrote it: %i', (_, text) => {
  const nasty = `${text}\n# x\n- [a](javascript:1) @team ![](http://x)`;
  const event = { seq: 1, t: 0, layer: 'guest' as const, line: nasty };
  const run = reportedRun(nasty, {
    scenario: nasty,
    verdict: 'fail',
    parts: { kernel: nasty },
    causes: [{ id: nasty, text: nasty, history: nasty }],
    failure: { expectation: nasty, reason: nasty, event },
    beside: { name: nasty, parts: [], first: nasty },
  });
  const unread = [{ name: nasty, code: 'E', message: nasty }];
  const report = reportOf({ title: nasty, runs: [run], unread, tests: [], matrices: [] });
  const markdown = reportMarkdown(report);
  for (const line of markdown) {
    expect(line).not.toContain('\n');
    // All that CommonMark and GitHub would obey has a backslash before it, but for what this program has written.
    const own = line
      .replace(/^(?:#{2,3} |(?: {2})?- (?:\*\*(?:fail|not read)\*\* |\*\*)?)/, '')
      .replace(/\*\*: /, ': ');
    expect(own.replace(/\\[\\`*_{}[\]()#+!|<>~@&]/g, '')).not.toMatch(/[`*_[\]<>@]|!\(/);
  }
  // oxlint-disable-next-line no-control-regex
  for (const line of [...markdown, ...reportLines(report, LOOK)])
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/);
});
