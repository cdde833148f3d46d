import { describe, expect, test } from 'vitest';
import type { TraceEvent, TraceHeader } from '../event.ts';
import { judgeTrace } from './verdict.ts';

const header: TraceHeader = {
  type: 'trace',
  version: 2,
  tool: '',
  scenario: 'x',
  startedAt: '',
  layers: [],
  expect: [],
  settle: 0,
  parts: {},
};

type Row = [seconds: number, name: string, fields?: object];

/** A run with this outlook: injection at 10 s, then `seen`, then the end at `end` s. */
function judgeRun(outlook: object, seen: Row[], end = 60, last = 'lab.end'): ReturnType<typeof judgeTrace> {
  const rows: Row[] = [[9, 'lab.outlook', outlook], [10, 'lab.injected'], ...seen, [end, last]];
  const events = rows.map(
    ([t, name, fields], i) =>
      ({
        seq: i + 1,
        t: t * 1e9,
        layer: 'lab',
        source: 'lab',
        name,
        fields: fields ?? {},
      }) as TraceEvent,
  );
  return judgeTrace(header, events);
}

const CERTAIN = {
  outcome: 'signalled',
  rule: 'linux.sigbus.handled',
  certainty: 'certain',
  possible: 'signalled',
  within: 30,
};
const DEPENDS = {
  outcome: 'panicked',
  rule: 'linux.mce.fatal',
  certainty: 'depends',
  possible: 'panicked logged',
  dependsOn: 'running',
  within: 30,
};
const SIGBUS: Row = [11, 'process.signal', { signal: 'SIGBUS' }];
const PANIC: Row = [12, 'guest.panic', { message: 'm' }];
const LOGGED: Row = [12, 'guest.mce-logged'];

describe('a certain outlook', () => {
  test('passes when it comes true', () => {
    const { verdict, expectations } = judgeRun(CERTAIN, [SIGBUS]);
    expect(verdict).toBe('pass');
    expect(expectations).toEqual([
      expect.objectContaining({ expectation: 'outlook: signalled', kind: 'outlook', status: 'pass', evidence: [1] }),
    ]);
  });

  test('fails the scenario when something else is observed', () => {
    const { verdict, expectations } = judgeRun(CERTAIN, [SIGBUS, PANIC]);
    expect(verdict).toBe('fail');
    expect(expectations.at(-1)).toMatchObject({
      kind: 'outlook',
      status: 'fail',
      reason: 'the outcome is panicked; by the rule linux.sigbus.handled it had to be signalled',
    });
  });

  test('something milder fails too, once the run has lasted long enough', () => {
    expect(judgeRun(CERTAIN, [LOGGED], 41).verdict).toBe('fail');
    expect(judgeRun(CERTAIN, [LOGGED], 39)).toMatchObject({
      verdict: 'pass',
      expectations: [
        {
          status: 'not-judged',
          evidence: [],
          reason:
            'not judged: signalled may show until 30 s after the injection, and the run ended 29.000 s after the injection',
        },
      ],
    });
    expect(judgeRun({ ...CERTAIN, outcome: 'panicked' }, [SIGBUS], 12).verdict).toBe('fail');
  });
});

describe('an outlook that depends', () => {
  test('passes with each outcome it leaves open, and says on what it depends', () => {
    for (const seen of [[PANIC], [LOGGED]]) {
      const { verdict, expectations } = judgeRun(DEPENDS, seen);
      expect(verdict).toBe('pass');
      expect(expectations[0]?.reason).toContain('depends on: running');
    }
  });

  test('is not judged by another outcome than the one that was stated', () => {
    expect(judgeRun(DEPENDS, [PANIC]).expectations[0]).toMatchObject({ status: 'pass', evidence: [1] });
    expect(judgeRun(DEPENDS, [LOGGED]).expectations[0]).toMatchObject({
      expectation: 'outlook: panicked',
      status: 'not-judged',
      evidence: [],
      nearest: [1],
      reason: 'not judged: the outcome is logged, which the rules leave open; it depends on: running',
    });
  });

  test('fails with an outcome it leaves no room for', () => {
    expect(judgeRun(DEPENDS, [SIGBUS])).toMatchObject({
      verdict: 'fail',
      expectations: [
        { reason: 'the outcome is signalled; by the rule linux.mce.fatal it had to be one of panicked, logged' },
      ],
    });
  });

  test('never fails where the rules need not hold', () => {
    const { possible: _, ...open } = DEPENDS;
    const own = { ...open, dependsOn: 'parts of your own' };
    expect(judgeRun(own, [SIGBUS])).toMatchObject({
      verdict: 'pass',
      expectations: [
        {
          status: 'not-judged',
          reason:
            'not judged: the outcome is signalled; by the rule linux.mce.fatal it would be panicked; it depends on: parts of your own',
        },
      ],
    });
    expect(judgeRun(own, [PANIC]).expectations[0]?.status).toBe('pass');
  });

  test('that names neither its rule nor what it depends on is not filled up', () => {
    const { rule: _, dependsOn: __, ...bare } = DEPENDS;
    for (const seen of [[PANIC], [LOGGED], [SIGBUS]]) {
      const reasons = judgeRun(bare, seen).expectations.map(e => e.reason);
      expect(reasons.length).toBe(1);
      expect(reasons.join()).not.toContain('undefined');
    }
  });
});

describe('no outlook', () => {
  test.each<[string, object]>([
    ['of an unknown outcome', { ...CERTAIN, outcome: 'forwarded' }],
    ['that is damaged', { certainty: 'certain' }],
  ])('%s is judged', (_name, fields) => {
    expect(judgeRun(fields, [PANIC]).expectations).toEqual([]);
  });

  test('is judged in a run that was cut off', () => {
    expect(judgeRun(CERTAIN, [PANIC], 60, 'lab.note').expectations).toEqual([]);
  });
});
