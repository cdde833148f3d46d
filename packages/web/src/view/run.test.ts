import { describe, expect, test } from 'vitest';
import { parseTrace } from '@syndrome/trace/testing/parse.ts';
import { BAD, GOOD, runOf, traceText } from './testing/runs.ts';
import { fittedWindow, openRun, type Run, timeOf, weightOf, wholeWindow } from './run.ts';

const bad = runOf(BAD);
const good = runOf(GOOD);
const namesOf = (run: Run, indices: readonly number[]): (string | undefined)[] =>
  indices.map(index => run.trace.events[index]?.name);

describe('the way of the error', () => {
  test('goes through the layers in time', () => {
    expect(namesOf(good, good.way)).toEqual([
      'lab.injected',
      'host.memory-failure',
      'vmm.memory-failure',
      'vmm.sigbus-injected',
      'guest.sigbus-sent',
      'process.signal',
      'guest.mce-record',
    ]);
  });
  test('ends where the system did, although nobody expected that', () => {
    expect(namesOf(bad, bad.way).slice(-2)).toEqual(['guest.msr-error', 'guest.panic']);
  });
});

test('the window opens at the injection and ends behind the last event', () => {
  const [from, to] = fittedWindow([bad]);
  expect(from).toBeLessThan(0);
  expect(from).toBeGreaterThan(-1e9);
  expect(to).toBeGreaterThan((bad.times.at(-1) ?? 0) - bad.zero);
  const [low, high] = wholeWindow([bad, good]);
  expect(low).toBeLessThanOrEqual((bad.times[0] ?? 0) - bad.zero);
  expect(high).toBeGreaterThanOrEqual(to * 0.9);
});

test('an injection that was noted late is zero all the same', () => {
  const run = openRun(
    parseTrace(
      traceText([
        [90, 'guest', { name: 'guest.mce-logged' }],
        [100, 'lab', { name: 'lab.injected', fields: { kind: 'mce', sent: 80e6 } }],
      ]),
      'x',
    ),
    'x',
  );
  expect(run.zero).toBe(80e6);
  expect(run.trace.events.slice(0, 2).map(event => timeOf(run, event))).toEqual([10e6, 0]);
});

test('what broke weighs more than evidence, and evidence more than a step', () => {
  const weight = (run: Run, name: string): string =>
    weightOf(
      run,
      run.trace.events.findIndex(event => event.name === name),
    );
  expect(weight(bad, 'lab.injected')).toBe('injection');
  expect(weight(bad, 'guest.panic')).toBe('fatal');
  expect(weight(good, 'host.memory-failure')).toBe('evidence');
  expect(weight(good, 'guest.memory-failure')).toBe('error');
  expect(weight(good, 'guest.mce-logged')).toBe('plain');
  expect(weight(good, 'lab.step')).toBe('step');
});

test('the outer machine has no lane, a layer that the header forgot has one', () => {
  expect(good.lanes).toEqual(['lab', 'host', 'vmm', 'guest', 'process']);
  const forgot = openRun(parseTrace(traceText([[1, 'process', { name: 'process.exit', fields: {} }]]), 'x'), 'x');
  expect(forgot.lanes).toContain('process');
});

test('of a trace without events there is a window too', () => {
  const empty = openRun(parseTrace(traceText([]), 'x'), 'x');
  const [from, to] = fittedWindow([empty]);
  expect(to).toBeGreaterThan(from);
});
