import { describe, expect, test } from 'vitest';
import type { RunResult } from '../run.ts';
import { runResult } from '../testing/result.ts';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { jsonReporter, screenJson } from './json.ts';
import { junitReporter, junitXml, xmlText } from './junit.ts';
import { ktap } from './ktap.ts';
import { partsLine } from '@syndrome/trace/parts-line.ts';
import { widthOf } from './style.ts';
import { plain, type Style } from '@syndrome/trace/style.ts';
import { distribution, distributionLines } from './repeat.ts';
import { all } from './reporter.ts';
import { textReporter } from './text.ts';
import { verdictLines } from '@syndrome/trace/verdict-lines.ts';
import { Timeline } from '@syndrome/trace/timeline.ts';

const base = runResult({
  scenario: 'a',
  title: 'A',
  seconds: 1.5,
  expectations: [
    { expectation: 'never: guest.panic', kind: 'never', status: 'pass', evidence: [], nearest: [], reason: 'ok' },
  ],
});
const failed: RunResult = {
  ...base,
  scenario: 'b',
  verdict: 'fail',
  expectations: [
    {
      expectation: 'within 1s: guest.mce # x',
      kind: 'within',
      status: 'fail',
      evidence: [],
      nearest: [],
      reason: 'not <seen> & "gone"',
    },
  ],
};
const errored: RunResult = {
  ...base,
  scenario: 'c',
  verdict: 'error',
  problem: { code: 'E_LAB_BOOT', message: 'dead\nline' },
};
const skipped: RunResult = {
  ...base,
  scenario: 'd',
  verdict: 'skip',
  problem: { code: 'E_LAB_KVM', message: 'no kvm' },
};

test('KTAP', () => {
  expect(ktap([base, failed, errored, skipped])).toMatchInlineSnapshot(`
    "KTAP version 1
    1..4
      KTAP version 1
      # Subtest: a
      1..1
      ok 1 never: guest.panic
    ok 1 a
      KTAP version 1
      # Subtest: b
      1..1
      # not <seen> & "gone"
      not ok 1 within 1s: guest.mce %23 x
    not ok 2 b
    # c: E_LAB_BOOT: dead line
    not ok 3 c
    # d: E_LAB_KVM: no kvm
    ok 4 d # SKIP E_LAB_KVM: no kvm
    "
  `);
});

test('repeated runs have names of their own', () => {
  const runs = [1, 2].map(number => ({ ...base, repetition: { number, of: 2 } }));
  expect(junitXml(runs).match(/name="a[^"]*"/g)).toEqual(['name="a (run 1 of 2)"', 'name="a (run 2 of 2)"']);
  expect(ktap(runs)).toContain('\nok 2 a (run 2 of 2)\n');
});

test('JUnit', () => {
  expect(junitXml([base, failed, errored, skipped])).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuite name="syndrome" tests="4" failures="1" errors="1" skipped="1" time="6.000">
      <testcase name="a" classname="syndrome" time="1.500">
        <system-out>outcome logged
    [[ATTACHMENT|t.ndjson]]</system-out>
      </testcase>
      <testcase name="b" classname="syndrome" time="1.500">
        <failure message="within 1s: guest.mce # x: not &#60;seen&#62; &#38; &#34;gone&#34;">within 1s: guest.mce # x: not &#60;seen&#62; &#38; &#34;gone&#34;</failure>
        <system-out>outcome logged
    [[ATTACHMENT|t.ndjson]]</system-out>
      </testcase>
      <testcase name="c" classname="syndrome" time="1.500">
        <error message="E_LAB_BOOT: dead&#10;line"/>
        <system-out>outcome logged
    [[ATTACHMENT|t.ndjson]]</system-out>
      </testcase>
      <testcase name="d" classname="syndrome" time="1.500">
        <skipped message="E_LAB_KVM: no kvm"/>
        <system-out>outcome logged
    [[ATTACHMENT|t.ndjson]]</system-out>
      </testcase>
    </testsuite>
    "
  `);
});

describe('what could not be judged', () => {
  const reason = 'not judged: the outcome is panicked, which the rules leave open; it depends on: running # 1';
  const open: RunResult = {
    ...base,
    scenario: 'e',
    expectations: [
      ...base.expectations,
      { expectation: 'outlook: signalled', kind: 'outlook', status: 'not-judged', evidence: [], nearest: [4], reason },
    ],
  };
  const marking: Style = (format, text) => (format === 'reset' ? text : `<${String(format)}>${text}</>`);

  test('has a mark and a colour of its own on a screen', () => {
    const lines = verdictLines('e', open, undefined, { style: marking, width: 140 });
    expect(lines).toContain('  <green>✓</> never: guest.panic');
    expect(lines).toContain('  <yellow>?</> outlook: signalled');
    expect(lines).toContain(`      <yellow>${reason}</>`);
    expect(lines.join('\n').match(/✓/g)).toHaveLength(1);
  });

  test('is skipped in KTAP, with its reason', () => {
    expect(ktap([open])).toContain(
      [
        '  1..2',
        '  ok 1 never: guest.panic',
        `  ok 2 outlook: signalled # SKIP ${reason.replace('#', '%23')}`,
        'ok 1 e',
      ].join('\n'),
    );
  });

  test('is told in JUnit, where nothing has failed', () => {
    const xml = junitXml([open]);
    expect(xml).toContain(`<system-out>outcome logged\n? outlook: signalled: ${reason}\n[[ATTACHMENT|t.ndjson]]`);
    expect(xml).toContain('failures="0" errors="0" skipped="0"');
    const wrong = { ...open, verdict: 'fail' as const, expectations: [...failed.expectations, ...open.expectations] };
    expect(junitXml([wrong]).match(/<failure[^]*<\/failure>/)?.[0]).not.toContain('outlook');
  });

  test('keeps its name in JSON', () => {
    const lines: string[] = [];
    jsonReporter(line => lines.push(line)).result?.(open);
    expect((JSON.parse(lines[0] ?? '') as RunResult).expectations.map(e => e.status)).toEqual(['pass', 'not-judged']);
  });
});

test('XML text escapes markup and shows what XML cannot hold', () => {
  expect(xmlText('<a b="c">&\u0000\u001b[31m\uffff')).toBe('&#60;a b=&#34;c&#34;&#62;&#38;\\x00\\x1b[31m\\u{ffff}');
});

describe('a trace of somebody else', () => {
  const hostile = '\u001b[2J\u009b31m\u202eevil\u0007\r\n';
  // oxlint-disable-next-line no-control-regex
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u202e]/;

  test('nor can the header, the expectations and the problem', () => {
    const judgement = {
      ...failed,
      expectations: [{ ...failed.expectations[0], expectation: hostile, reason: hostile }],
      causes: [{ id: hostile, text: hostile, history: hostile }],
      problem: { code: hostile, message: hostile, hint: hostile },
    } as unknown as RunResult;
    const lines = verdictLines(hostile, judgement, hostile, { style: plain, width: 100 });
    expect([...lines, partsLine({ qemu: hostile, [hostile]: hostile })].join('')).not.toMatch(unsafe);
    const hostileRun = { ...judgement, scenario: hostile };
    expect(ktap([hostileRun]).replaceAll('\n', '')).not.toMatch(unsafe);
    expect(junitXml([hostileRun]).replaceAll('\n', '')).not.toMatch(/[\u001b\u009b\u0007]/);
  });

  test('JSON for a terminal holds the same value without anything a terminal obeys', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary' }), (value, text) => {
        const written = screenJson({ value, text, hostile });
        expect(written).not.toMatch(unsafe);
        expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify({ value, text, hostile })));
      }),
    );
  });
});

describe('width', () => {
  test('is that of the terminal within reason, and 100 elsewhere', () => {
    expect([undefined, 20, 80, 500].map(columns => widthOf({ isTTY: true, ...(columns ? { columns } : {}) }))).toEqual([
      100, 60, 80, 140,
    ]);
    expect(widthOf({ columns: 80 })).toBe(100);
  });

  const marking: Style = (format, text) => (format === 'reset' ? text : `<${String(format)}>${text}</>`);
  const bare = (line: string): string => line.replace(/<[^>]*>/g, '');

  test.each([60, 80, 140])('%i columns hold every line, and each piece keeps its style', width => {
    const timeline = new Timeline({ style: marking, layers: ['lab', 'vmm', 'guest', 'process'], width });
    const text = 'word '.repeat(60).trim();
    const lines = timeline.lines({
      seq: 1,
      t: 0,
      layer: 'guest',
      source: 'console',
      name: 'guest.panic',
      fields: { message: text },
    });
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      expect(bare(line).length).toBeLessThanOrEqual(width);
      expect(line).toMatch(/<red>[^<]*(word|…)<\/>$/);
    }
    const long = { ...failed, expectations: failed.expectations.map(e => ({ ...e, expectation: text, reason: text })) };
    const verdict = verdictLines('b', long, undefined, { style: marking, width });
    for (const line of verdict) expect(bare(line).length).toBeLessThanOrEqual(width);
    const reasons = verdict.filter(line => /^ {6}/.test(bare(line)));
    expect(reasons.length).toBeGreaterThan(1);
    for (const line of reasons) expect(line).toMatch(/<red>.*<\/>$/);
  });
});

test('XML text holds no lone surrogate', () => {
  expect(xmlText('a\ud800b\udfffc\u{1f600}')).toBe('a\\u{d800}b\\u{dfff}c\u{1f600}');
});

test('the JUnit file is whole after each result', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'st-'));
  try {
    const file = join(dir, 'r.xml');
    const reporter = junitReporter(file);
    expect(existsSync(file)).toBe(false);
    for (const [i, result] of [base, failed, errored].entries()) {
      reporter.result?.(result);
      expect(readFileSync(file, 'utf8')).toBe(junitXml([base, failed, errored].slice(0, i + 1)));
      expect(readdirSync(dir)).toEqual(['r.xml']);
    }
    const nowhere = junitReporter(join(dir, 'no', 'r.xml'));
    nowhere.result?.(base);
    await expect(nowhere.finish?.([base])).rejects.toThrow('ENOENT');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('a report that is lost takes none from the others', async () => {
  const finished: number[] = [];
  const lost = async (): Promise<void> => {
    throw new Error('lost');
  };
  const every = all([{ finish: lost }, { finish: r => void finished.push(r.length) }]);
  await expect(every.finish([base])).rejects.toThrow('lost');
  expect(finished).toEqual([1]);
});

test('machines that had to be started once more are counted, and told only then', () => {
  const lines = (...restarts: number[]): string => {
    const results = restarts.map(n => ({ ...base, restarts: n }));
    const d = distribution('a', results);
    expect(d.restarts).toBe(restarts.reduce((sum, n) => sum + n, 0));
    return distributionLines(d).join('\n');
  };
  expect(lines(0, 1, 1)).toMatch(/^  restarts +2$/m);
  expect(lines(0, 0, 0)).not.toContain('restarts');
  const said: string[] = [];
  const look = { style: plain, width: 80 };
  textReporter(line => said.push(line), look, { quiet: true }).result?.({ ...base, restarts: 1 });
  expect(said).toEqual([expect.stringContaining('started once more')]);
});
