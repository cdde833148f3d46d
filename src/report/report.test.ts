import { expect, test } from 'vitest';
import type { RunResult } from '../lab/run.ts';
import { junitXml, xmlText } from './junit.ts';
import { ktap } from './ktap.ts';
import { plain } from './style.ts';
import { Timeline, wrap } from './timeline.ts';

const base: RunResult = {
  schemaVersion: 1,
  scenario: 'a',
  title: 'A',
  verdict: 'pass',
  outcome: 'logged',
  seconds: 1.5,
  expectations: [
    { expectation: 'never: guest.panic', kind: 'never', status: 'pass', evidence: [], nearest: [], reason: 'ok' },
  ],
  causes: [],
  trace: 't.ndjson',
  parts: {},
  phases: {},
  restored: false,
};
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
    ok 4 d # SKIP
    "
  `);
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
        <error message="E_LAB_BOOT: dead
    line"/>
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

test('XML text escapes markup and drops what XML cannot hold', () => {
  expect(xmlText('<a b="c">&\u0000\u001b[31m')).toBe('&#60;a b=&#34;c&#34;&#62;&#38;\ufffd\ufffd[31m');
});

test('a hostile console line cannot write escape sequences to the terminal', () => {
  const timeline = new Timeline({ style: plain, layers: ['lab', 'vmm', 'guest', 'process'], all: true });
  const lines = timeline.lines({
    seq: 1,
    t: 0,
    layer: 'guest',
    source: 'console',
    raw: '\u001b]0;owned\u0007\u001b[2J\u202egnp',
  });
  expect(lines.join('')).toBe('    0.000  ·     ·     ●     ·     console: \\x1b]0;owned\\x07\\x1b[2J\\x202egnp');
});

test('the time line counts from the injection on', () => {
  const timeline = new Timeline({ style: plain, layers: ['lab', 'vmm', 'guest', 'process'] });
  const event = { seq: 1, layer: 'lab', source: 'lab' } as const;
  const lines = [
    ...timeline.lines({ ...event, t: 7e9, name: 'lab.note', fields: { text: 'before' } }),
    ...timeline.lines({ ...event, t: 8e9, name: 'lab.injected', fields: { kind: 'ghes' } }),
    ...timeline.lines({
      ...event,
      t: 8.06e9,
      layer: 'process',
      name: 'process.exit',
      fields: { proc: 'victim', status: 'exited', code: 7 },
    }),
  ];
  expect(lines).toEqual([
    '    7.000  ●     ·     ·     ·     before',
    '   +0.000  ●     ·     ·     ·     INJECT kind=ghes',
    '   +0.060  ·     ·     ·     ●     victim ends: exited 7',
  ]);
});

test('wrapping breaks at blanks, and inside words only where it must', () => {
  expect(wrap('aa bb ccccccccc d', 5)).toEqual(['aa bb', 'ccccc', 'cccc', 'd']);
});
