import { describe, expect, test } from 'vitest';
import type { TraceEvent } from '../event.ts';
import { parseExpectation } from './expectation.ts';
import { type ExpectationResult, judge as judgeIndex, judgePart, type ResultSoFar, Tally } from './judge.ts';
import { TraceIndex } from '../trace-index.ts';
import type { Expectation } from './expectation.ts';
import { outcomeOf } from './outcome.ts';
import { judgeFile, judgeTrace, type Judgement } from './verdict.ts';

const S = 1e9;

/** A trace from (seconds, name, fields). */
function trace(...rows: [number, string, object?][]): TraceEvent[] {
  return rows.map(
    ([t, name, fields], i) =>
      ({
        seq: i + 1,
        t: t * S,
        layer: 'guest',
        source: 'lab',
        name,
        fields: fields ?? {},
      }) as TraceEvent,
  );
}

const judge = (e: Expectation, events: TraceEvent[], now: number, ended: boolean): ResultSoFar =>
  judgeIndex(e, new TraceIndex(events), now, ended);

const INJECTED: [number, string] = [10, 'lab.injected'];

describe('within', () => {
  const e = parseExpectation('within 5s: process.signal code=BUS_MCEERR_AO addr=$page.virt');
  const value: [number, string, object] = [9, 'lab.value', { name: 'page.virt', value: 0x7f00_0000_1000n }];
  const signal = { code: 'BUS_MCEERR_AO', addr: 0x7f00_0000_1000n };

  test('passes at the first event that matches, with its evidence', () => {
    const r = judge(e, trace(value, INJECTED, [10.06, 'process.signal', signal]), 11 * S, false);
    expect(r).toMatchObject({ status: 'pass', evidence: [3], nearest: [] });
    expect(r.reason).toContain('0.060 s after the injection');
  });
  test('is pending while there is time, and fails after it', () => {
    expect(judge(e, trace(value, INJECTED), 12 * S, false).status).toBe('pending');
    expect(judge(e, trace(value, INJECTED), 15.1 * S, false)).toMatchObject({
      status: 'fail',
      reason: 'no process.signal was seen at all',
    });
  });
  test('counts from when the injection was sent, where it was noted only once it was accepted', () => {
    const accepted: [number, string, object] = [10.2, 'lab.injected', { sent: 10 * S }];
    const r = judge(e, trace(value, [10.1, 'process.signal', signal], accepted), 11 * S, false);
    expect(r).toMatchObject({ status: 'pass', reason: 'seen 0.100 s after the injection (event 2)' });
    const later = judge(e, trace(value, [9.9, 'process.signal', signal], accepted), 16 * S, false);
    expect(later.reason).toContain('before the injection');
  });
  test('a failure shows the nearest evidence and what differs', () => {
    const events = trace(value, INJECTED, [10.1, 'process.signal', { ...signal, addr: 0x7f00_0000_2000n }]);
    const r = judge(e, events, 16 * S, false);
    expect(r).toMatchObject({ status: 'fail', nearest: [3] });
    expect(r.reason).toContain('addr is 0x00007f0000002000, not 0x00007f0000001000');
  });
  test('what came before the injection or too late does not count', () => {
    expect(judge(e, trace(value, [9.5, 'process.signal', signal], INJECTED), 20 * S, true).reason).toContain(
      'before the injection',
    );
    expect(judge(e, trace(value, INJECTED, [15.5, 'process.signal', signal]), 20 * S, true).reason).toContain(
      'after 5.500 s',
    );
  });
  test('64-bit values are compared exactly', () => {
    const exact = parseExpectation('within 1s: guest.mce status=0xb200000000000135');
    const seen = (status: bigint): string =>
      judge(exact, trace(INJECTED, [10.1, 'guest.mce', { status }]), 12 * S, true).status;
    expect(seen(0xb200_0000_0000_0135n)).toBe('pass');
    expect(seen(0xb200_0000_0000_0134n)).toBe('fail');
  });
});

describe('never', () => {
  const e = parseExpectation('never: guest.panic message~"machine check"');
  test('fails as soon as it is seen', () => {
    const events = trace(INJECTED, [11, 'guest.panic', { message: 'Fatal Machine check' }]);
    expect(judge(e, events, 11 * S, false)).toMatchObject({ status: 'fail', evidence: [2] });
  });
  test('passes only when the run has ended', () => {
    const events = trace(INJECTED, [11, 'guest.panic', { message: 'VFS: Unable to mount root fs' }]);
    expect(judge(e, events, 100 * S, false).status).toBe('pending');
    expect(judge(e, events, 100 * S, true).status).toBe('pass');
  });
});

test.each(['(a|a)*$', '((a+))+$', '(a+b?)*$'])('a pattern such as ^%s cannot hold up a verdict', source => {
  const e = parseExpectation(`never: guest.panic message~^${source}`);
  const said = (message: string): string => judge(e, trace(INJECTED, [11, 'guest.panic', { message }]), S, true).status;
  expect(said(`${'a'.repeat(8000)}!`)).toBe('pass');
  expect(said('a'.repeat(8000))).toBe('fail');
});

test('a saved value is looked for as it is: it is no pattern', () => {
  const e = parseExpectation('within 5s: guest.panic message~$said');
  const seen = (value: string, message: string): string =>
    judge(e, trace([9, 'lab.value', { name: 'said', value }], INJECTED, [11, 'guest.panic', { message }]), 20 * S, true)
      .status;
  expect(seen('(A|a)*[', 'it was (a|a)*[!')).toBe('pass');
  expect(seen('a.c', 'abc')).toBe('fail');
});

test.each(['constructor', 'toString', 'hasOwnProperty'])('%s is no field that every event has', field => {
  const events = trace(INJECTED, [11, 'guest.panic', { message: 'm' }]);
  expect(judge(parseExpectation(`never: guest.panic ${field}!=x`), events, 20 * S, true).status).toBe('pass');
  expect(judge(parseExpectation(`within 5s: guest.panic ${field}~native`), events, 20 * S, true)).toMatchObject({
    status: 'fail',
    reason: expect.stringContaining(`it has no field ${field}`),
  });
});

test('what is judged again and again while a trace grows looks at each event once', () => {
  const e = parseExpectation('count 3 within 5s: guest.mce bank=1');
  const events = trace(
    INJECTED,
    ...Array.from({ length: 1000 }, (_, i): [number, string, object] => [
      10 + i / 1000,
      'guest.mce',
      { bank: i % 300 === 0 ? 1 : i },
    ]),
  );
  const [grows, whole] = [new TraceIndex(events.slice(0, 1)), new TraceIndex(events.slice(0, 1))];
  const tally = new Tally(e, grows);
  let looked = 0;
  for (const event of events.slice(1)) {
    const { fields = {}, ...rest } = event;
    grows.add({
      ...rest,
      get fields() {
        looked++;
        return fields;
      },
    } as TraceEvent);
    whole.add(event);
    looked = 0;
    expect(judgeIndex(e, grows, 11 * S, false, tally)).toEqual(judgeIndex(e, whole, 11 * S, false));
    expect(looked).toBe(1);
  }
});

describe('count', () => {
  const rows = (n: number): TraceEvent[] =>
    trace(INJECTED, ...Array.from({ length: n }, (_, i): [number, string] => [10 + i / 10, 'guest.mce']));
  test.each([
    ['count 2 within 5s: guest.mce', 1, 'fail'],
    ['count 2 within 5s: guest.mce', 2, 'pass'],
    ['count 2 within 5s: guest.mce', 3, 'fail'],
    ['count >=2 within 5s: guest.mce', 3, 'pass'],
    ['count >=2 within 5s: guest.mce', 1, 'fail'],
    ['count <=2 within 5s: guest.mce', 0, 'pass'],
    ['count <=2 within 5s: guest.mce', 3, 'fail'],
  ])('%s with %i seen: %s', (text, n, status) => {
    expect(judge(parseExpectation(text), rows(n), 16 * S, false).status).toBe(status);
  });
  test.each([
    ['count 2: guest.mce', 1, 'fail'],
    ['count 2: guest.mce', 2, 'pass'],
    ['count <=2: guest.mce', 2, 'pass'],
    ['count >=2: guest.mce', 1, 'fail'],
  ])('%s with %i seen when the run has ended: %s', (text, n, status) => {
    expect(judge(parseExpectation(text), rows(n), 1000 * S, false).status).toBe('pending');
    expect(judge(parseExpectation(text), rows(n), 1000 * S, true).status).toBe(status);
  });
  test('one too many is seen at once, however long the run still goes on', () => {
    expect(judge(parseExpectation('count 2: guest.mce'), rows(3), 11 * S, false).status).toBe('fail');
  });
  test('says what was seen, and what came nearest only where something did', () => {
    const two = parseExpectation('count 2 within 5s: guest.mce bank=1');
    const said = (...seen: [number, string, object?][]): string =>
      judge(two, trace(INJECTED, ...seen), 16 * S, false).reason;
    expect(said()).toBe('no guest.mce was seen, wanted 2');
    expect(said([11, 'guest.mce', { bank: 1 }])).toBe('seen once, wanted 2');
    expect(said([11, 'guest.mce', { bank: 1 }], [12, 'guest.mce', { bank: 3 }])).toBe(
      'seen once, wanted 2; the nearest guest.mce (event 3) differs: bank is 3, not 1',
    );
  });
  test('exactly n stays open until the time is over: one more may come', () => {
    expect(judge(parseExpectation('count 2 within 5s: guest.mce'), rows(2), 11 * S, false).status).toBe('pending');
  });
});

describe('what could not be judged', () => {
  const part = (text: string, events: TraceEvent[]): ExpectationResult =>
    judgePart(parseExpectation(text), new TraceIndex(events), 'the run broke off');
  const panic: [number, string] = [10.5, 'guest.panic'];

  test.each<[string, ExpectationResult['status'], string]>([
    ['within 30s: process.signal', 'not-judged', 'not judged: the run broke off; not seen so far'],
    ['within 100ms: process.signal', 'not-judged', 'not judged: the run broke off; not seen so far'],
    ['never: process.signal', 'not-judged', 'not judged: the run broke off; not seen so far'],
    ['count 2 within 30s: guest.panic', 'not-judged', 'not judged: the run broke off; seen once so far'],
    ['count <=2: guest.panic', 'not-judged', 'not judged: the run broke off; seen once so far'],
    ['count 1: guest.panic', 'not-judged', 'not judged: the run broke off; seen once so far'],
    ['within 30s: guest.panic', 'pass', 'seen 0.500 s after the injection (event 2)'],
    ['never: guest.panic', 'fail', 'guest.panic was seen 0.500 s after the injection (event 2)'],
    ['count >=1: guest.panic', 'pass', 'seen once'],
    ['count 0: guest.panic', 'fail', 'seen once, wanted 0'],
  ])('in a run that broke off: %s is %s', (text, status, reason) => {
    expect(part(text, trace(INJECTED, panic))).toMatchObject({ status, reason });
  });

  test('before anything was injected nothing is, and what was seen is shown as what it is', () => {
    expect(part('never: guest.panic', trace([1, 'guest.boot'], [3.2, 'guest.panic']))).toMatchObject({
      status: 'not-judged',
      evidence: [2],
      reason: 'not judged: the run broke off; guest.panic was seen 3.200 s after the start (event 2)',
    });
  });
});

describe('what came is counted from something that was there', () => {
  const e = parseExpectation('within 5s: guest.mce');
  const seen: [number, string] = [12, 'guest.mce'];
  test.each<[string, [number, string][], string]>([
    ['the injection', [[10, 'lab.step'], [11, 'lab.injected'], seen], 'seen 1.000 s after the injection (event 3)'],
    ['the first step', [[10, 'lab.step'], [11, 'lab.step'], seen], 'seen 2.000 s after the first step (event 3)'],
    ['the start', [[3, 'guest.mce']], 'seen 3.000 s after the start (event 1)'],
  ])('%s', (_what, rows, reason) => {
    expect(judge(e, trace(...rows), 20 * S, true).reason).toBe(reason);
  });
  test('also what came too early for it', () => {
    const { status, reason } = judge(e, trace([1, 'guest.mce'], [10, 'lab.step']), 20 * S, true);
    expect([status, reason]).toEqual(['fail', expect.stringContaining('it came before the first step')]);
  });
  test('a run that ended before the time was over says so', () => {
    const late = parseExpectation('within 30s: guest.mce');
    expect(judge(late, trace(INJECTED), 12 * S, true)).toMatchObject({
      status: 'fail',
      reason: 'no guest.mce was seen at all; the run ended 2.000 s after the injection',
    });
    const two = parseExpectation('count 2 within 30s: guest.mce');
    expect(judge(two, trace(INJECTED, seen), 13 * S, true).reason).toBe(
      'seen once, wanted 2; the run ended 3.000 s after the injection',
    );
    expect(judge(late, trace(INJECTED), 45 * S, true).reason).toBe('no guest.mce was seen at all');
  });
});

test.each([
  ['withn 5s: guest.panic', '"withn 5s" is not a kind of expectation'],
  ['within 5: guest.panic', '"within 5" is not a kind of expectation'],
  ['count 18446744073709551616: guest.panic', 'is not a kind of expectation'],
  ['never: panic', 'does not begin with an event name'],
  ['never: guest.panic message', '"message" is not a comparison'],
  ['never: guest.panic message~"("', 'is not a regular expression'],
  ['never: guest.panic message~a(?=b)', 'looks ahead or behind'],
  ['never: guest.panic message~"(a)\\\\1"', 'has \\1, which is not taken'],
  ['never: guest.panic message~(a{1000}){1000}', 'is too large'],
  [`never: guest.panic message~${'a'.repeat(201)}`, 'is longer than 200 characters'],
  [`never: guest.panic message="${'a'.repeat(5000)}"`, 'is longer than 4096 characters'],
  ['never: guest.panic message~"machine check', 'has a quote that does not end its word'],
  ['never: guest.panic message~"machine"check', 'has a quote that does not end its word'],
])('%s is refused', (text, message) => {
  expect(() => parseExpectation(text)).toThrow(message);
});

describe('outcome', () => {
  test.each<[string, [number, string, object?][], string]>([
    ['nothing', [], 'none'],
    ['a record', [[11, 'guest.mce-record']], 'logged'],
    [
      'a signal outweighs the record',
      [
        [11, 'guest.mce-record'],
        [12, 'process.signal', { signal: 'SIGBUS' }],
      ],
      'signalled',
    ],
    [
      'death outweighs the signal',
      [
        [12, 'process.signal', { signal: 'SIGBUS' }],
        [13, 'process.exit', { status: 'signaled' }],
      ],
      'killed',
    ],
    ['a panic', [[12, 'guest.panic']], 'panicked'],
    [
      'the reboot after a panic is no reset',
      [
        [12, 'guest.panic'],
        [13, 'vmm.shutdown', { reason: 'guest-reset' }],
      ],
      'panicked',
    ],
    ['a reset out of nowhere', [[13, 'vmm.shutdown', { reason: 'guest-reset' }]], 'reset'],
    [
      'the reboot of a panic that was read before it',
      [
        [12, 'vmm.shutdown', { reason: 'guest-reset' }],
        [13, 'guest.panic', { message: 'x' }],
      ],
      'panicked',
    ],
    [
      'a reset, and a panic of the system that boots then',
      [
        [12, 'vmm.reset', { reason: 'guest-reset' }],
        [13, 'guest.boot', {}],
        [14, 'guest.panic', { message: 'x' }],
      ],
      'reset',
    ],
    [
      'a reset that was asked for, which the firmware of a PC repeats',
      [
        [12, 'vmm.reset', { reason: 'host-qmp-system-reset' }],
        [13, 'vmm.reset', { reason: 'guest-reset' }],
        [14, 'guest.boot', {}],
      ],
      'none',
    ],
    [
      'one out of nowhere behind it',
      [
        [12, 'vmm.reset', { reason: 'host-qmp-system-reset' }],
        [13, 'guest.boot', {}],
        [14, 'vmm.reset', { reason: 'guest-reset' }],
      ],
      'reset',
    ],
    ['the reference VMM ends with a reset out of nowhere', [[13, 'vmm.stopped', { reason: 'reset' }]], 'reset'],
    [
      'and with one after a panic',
      [
        [12, 'guest.panic'],
        [13, 'vmm.stopped', { reason: 'reset' }],
        [14, 'vmm.exit', { code: 3, expected: true }],
      ],
      'panicked',
    ],
    ['the reference VMM ends with a shutdown', [[13, 'vmm.stopped', { reason: 'shutdown' }]], 'none'],
    ['QEMU says reset', [[13, 'vmm.memory-failure', { action: 'reset' }]], 'reset'],
    ['QEMU dies', [[13, 'vmm.exit', { signal: 6, expected: false }]], 'vmm-died'],
    ['QEMU ends as asked', [[13, 'vmm.exit', { code: 0, expected: true }]], 'none'],
    ['no answer', [[13, 'guest.silent']], 'hung'],
  ])('%s', (_name, rows, outcome) => {
    const events = trace(INJECTED, ...rows);
    expect(outcomeOf(events, new TraceIndex(events))).toBe(outcome);
  });
  test('what happened before the injection is not its outcome', () => {
    const events = trace([1, 'guest.mce-record'], INJECTED);
    expect(outcomeOf(events, new TraceIndex(events))).toBe('none');
  });
});

describe('verdict', () => {
  const header = {
    type: 'trace' as const,
    version: 2,
    tool: '',
    scenario: 'x',
    startedAt: '',
    layers: [],
    expect: ['within 5s: guest.mce-record'],
    outcome: 'logged',
    settle: 0,
    parts: {},
  };
  const seen: [number, string] = [11, 'guest.mce-record'];
  test.each([
    ['lab.error', 'error'],
    ['lab.skip', 'skip'],
  ])('%s that says nothing is told as that', (name, verdict) => {
    expect(judgeTrace(header, trace(INJECTED, [12, name]))).toMatchObject({
      verdict,
      problem: { code: 'E_LAB_TRACE_FORMAT', message: 'the trace does not say why' },
    });
  });

  test('pass needs the end of the run', () => {
    expect(judgeTrace(header, trace(INJECTED, seen, [12, 'lab.end'])).verdict).toBe('pass');
    expect(judgeTrace(header, trace(INJECTED, seen))).toMatchObject({
      verdict: 'error',
      problem: { code: 'E_LAB_TRACE_CUT' },
    });
  });
  test.each([
    ['logged or panicked', 'pass'],
    ['hung or logged', 'fail'],
  ])('of the outcomes %s, which a scenario leaves open, one has to be it: %s', (outcome, verdict) => {
    const events = trace(INJECTED, seen, [11.5, 'guest.panic'], [12, 'lab.end']);
    expect(judgeTrace({ ...header, outcome }, events).verdict).toBe(verdict);
  });
  test('the wrong outcome fails even when every expectation holds', () => {
    const r = judgeTrace(header, trace(INJECTED, seen, [11.5, 'guest.panic'], [12, 'lab.end']));
    expect(r.verdict).toBe('fail');
    expect(r.expectations.at(-1)).toMatchObject({
      kind: 'outcome',
      status: 'fail',
      reason: 'the outcome is panicked, not logged',
    });
  });
  test('what was seen to be wrong stays wrong when the lab fails later', () => {
    const strict = { ...header, expect: ['never: guest.panic'] };
    const events = trace(INJECTED, [11, 'guest.panic'], [12, 'lab.error', { code: 'E_LAB_TIMEOUT', message: 'm' }]);
    expect(judgeTrace(strict, events)).toMatchObject({ verdict: 'fail', problem: { code: 'E_LAB_TIMEOUT' } });
  });
  test.each([
    ['count 2 within 30s: guest.mce-record', 1, 'error'],
    ['count 2 within 30s: guest.mce-record', 2, 'error'],
    ['count 2 within 30s: guest.mce-record', 3, 'fail'],
    ['count >=2 within 30s: guest.mce-record', 1, 'error'],
    ['count <=2 within 30s: guest.mce-record', 3, 'fail'],
    ['within 30s: guest.mce-record bank=9', 1, 'error'],
    ['within 1s: guest.mce-record bank=9', 1, 'error'],
  ])('what was only missing when the lab failed proves nothing: %s, seen %i times, is %s', (text, n, verdict) => {
    const seen = Array.from({ length: n }, (_, i): [number, string] => [11 + i / 10, 'guest.mce-record']);
    const events = trace(INJECTED, ...seen, [13, 'lab.error', { code: 'E_LAB_QEMU_KILLED', message: 'm' }]);
    expect(judgeTrace({ ...header, expect: [text] }, events)).toMatchObject({ verdict });
  });
  test('what happened because the lab failed is not what the system did', () => {
    const strict = { ...header, expect: ['never: vmm.exit'] };
    const killed: [number, string, object] = [12, 'lab.error', { code: 'E_LAB_QEMU_KILLED', message: 'm' }];
    const exit: [number, string, object] = [12.1, 'vmm.exit', { signal: 9, expected: false }];
    expect(judgeTrace(strict, trace(INJECTED, killed, exit)).verdict).toBe('error');
    expect(judgeTrace(strict, trace(INJECTED, exit, killed)).verdict).toBe('fail');
  });
  test('when the lab could not tell, it is an error and no failure', () => {
    const r = judgeTrace(header, trace([1, 'lab.error', { code: 'E_LAB_BOOT', message: 'm', hint: 'h' }]));
    expect(r).toMatchObject({ verdict: 'error', problem: { code: 'E_LAB_BOOT', message: 'm', hint: 'h' } });
    const skipped = judgeTrace(header, trace([1, 'lab.skip', { code: 'E_LAB_KVM', message: 'm' }]));
    expect(skipped.verdict).toBe('skip');
  });
  test('a run that broke off holds nothing for judged that the rest could have decided', () => {
    const strict = {
      ...header,
      expect: ['within 5s: guest.mce-record', 'within 5s: guest.alive', 'never: guest.panic'],
    };
    const statuses = (...rows: [number, string, object?][]): string[] =>
      judgeTrace(strict, trace(INJECTED, seen, ...rows)).expectations.map(e => `${e.expectation}: ${e.status}`);
    const part = [
      'within 5s: guest.mce-record: pass',
      'within 5s: guest.alive: not-judged',
      'never: guest.panic: not-judged',
      'outcome: logged: not-judged',
    ];
    const failed: object = { code: 'E_LAB_TIMEOUT', message: 'm' };
    expect(statuses([30, 'lab.error', failed])).toEqual(part);
    // What happens once the lab has failed is not what the system did.
    expect(statuses([30, 'lab.error', failed], [31, 'guest.panic'])).toEqual(part);
    expect(statuses([30, 'lab.skip', failed])).toEqual(part);
    expect(statuses([30, 'lab.note'])).toEqual(part);
    expect(statuses([11.5, 'guest.alive'], [30, 'lab.end'])).toEqual(part.map(p => p.replace('not-judged', 'pass')));
    const damaged = judgeFile({
      header: strict,
      events: trace(INJECTED, seen, [11.5, 'guest.alive'], [30, 'lab.end']),
      diagnostics: [{ line: 3, problem: 'cut' }],
    });
    expect(damaged.expectations.map(e => e.status)).toEqual(['pass', 'pass', 'not-judged', 'not-judged']);
    expect(damaged.expectations[2]?.reason).toContain('a part of the trace cannot be read');
  });
  test('a damaged line of a trace file leaves no verdict about the system', () => {
    const whole = trace(INJECTED, seen, [12, 'lab.end']);
    const damaged = (...problems: string[]): Judgement =>
      judgeFile({ header, events: whole, diagnostics: problems.map((problem, i) => ({ line: i + 3, problem })) });
    expect(damaged()).toMatchObject({ verdict: 'pass' });
    expect(damaged('cut')).toMatchObject({
      verdict: 'error',
      problem: { code: 'E_LAB_TRACE_DAMAGED', message: expect.stringContaining('a line') as string },
    });
    const wrong = { ...header, outcome: 'panicked' };
    const both = judgeFile({ header: wrong, events: whole, diagnostics: [{ line: 3, problem: 'cut' }] });
    expect(both).toMatchObject({ verdict: 'error', problem: { hint: 'Without them the verdict would be fail.' } });
    const cut = judgeFile({ header, events: whole.slice(0, -1), diagnostics: [{ line: 4, problem: 'cut' }] });
    expect(cut).toMatchObject({ verdict: 'error', problem: { code: 'E_LAB_TRACE_CUT' } });
  });
});

describe('a raw line', () => {
  const line = (seq: number, t: number, raw: string, more: object = {}): TraceEvent =>
    ({ seq, t: t * S, layer: 'guest', source: 'console', raw, ...more }) as TraceEvent;
  const events = [
    ...trace(INJECTED),
    line(2, 11, 'BUG: something new'),
    line(3, 12, 'Kernel panic', { name: 'guest.panic', fields: { message: 'x' } }),
    line(4, 13, 'R 1 ok BUG: an answer', { source: 'agent' }),
    line(5, 14, 'BUG: of Xen', { layer: 'xen' }),
  ];
  const seen = (text: string): number[] => judge(parseExpectation(text), events, 20 * S, true).evidence;

  test('is found on the console of its layer, whether it means something or not', () => {
    expect(seen('within 5s: guest.line ~ "^BUG: some"')).toEqual([2]);
    expect(seen('within 5s: guest.line ~"BUG"')).toEqual([2]);
    expect(seen('within 5s: guest.line text~panic')).toEqual([3]);
    expect(seen('within 5s: xen.line ~ BUG')).toEqual([5]);
    expect(seen('within 5s: guest.panic')).toEqual([3]);
  });
  test('is compared with nothing but its text', () => {
    expect(() => parseExpectation('within 5s: guest.panic ~ "x"')).toThrow('"~" is not a comparison');
  });
});
