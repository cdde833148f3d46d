import { describe, expect, test } from 'vitest';
import { runResult as result } from '../testing/result.ts';
import { junitXml } from './junit.ts';
import { isJunitText, junitCases } from './junit-cases.ts';

describe('tests of a JUnit file', () => {
  test('are those that `--junit` wrote, with their traces', () => {
    const problem = { code: 'E_LAB_SKIP', message: 'no <such> thing' };
    const xml = junitXml([
      result({ scenario: 'a&b', verdict: 'pass', trace: '/s/traces/a.ndjson' }),
      result({ scenario: 'skipped', verdict: 'skip', problem, trace: '/s/traces/b.ndjson' }),
      result({ scenario: 'broken', verdict: 'error', problem, trace: '/s/traces/c.ndjson' }),
    ]);
    expect(isJunitText(xml.slice(0, 200))).toBe(true);
    expect(junitCases(xml, 'r.xml')).toEqual([
      { test: 'a&b', file: 'r.xml', verdict: 'pass', trace: '/s/traces/a.ndjson' },
      {
        test: 'skipped',
        file: 'r.xml',
        verdict: 'skip',
        message: 'E_LAB_SKIP: no <such> thing',
        trace: '/s/traces/b.ndjson',
      },
      {
        test: 'broken',
        file: 'r.xml',
        verdict: 'error',
        message: 'E_LAB_SKIP: no <such> thing',
        trace: '/s/traces/c.ndjson',
      },
    ]);
  });
  test('of other programs are left out, unless they name a trace', () => {
    const xml = `<testsuites><testsuite name="x">
      <testcase name="other" classname="pytest"/>
      <testcase classname="boots" name="deferred"><failure>it panicked</failure><system-out>[[ATTACHMENT|x/t.ndjson]]</system-out></testcase>
    </testsuite></testsuites>`;
    expect(junitCases(xml, 'r.xml')).toEqual([
      { test: 'boots deferred', file: 'r.xml', verdict: 'fail', message: 'it panicked', trace: 'x/t.ndjson' },
    ]);
  });
  test.each(['', '<testsuite>', '<testsuite><testcase name="a">', '<testsuite></x>', 'hello'])(
    'there are none in what is cut or none: %s',
    text => {
      expect(junitCases(text, 'r.xml')).toBeUndefined();
    },
  );
  test.each([
    ['<testsuite name="a">', true],
    ['\uFEFF<?xml version="1.0"?>\n<!-- by a program -->\n<testsuites>', true],
    ['<html><testsuite>', false],
    ['{"testsuite":1}', false],
  ])('%s', (head, is) => {
    expect(isJunitText(head)).toBe(is);
  });
});
