import { expect, test, vi } from 'vitest';
import { LabInterrupted } from './errors.ts';
import { TRACE_VERSION } from '@syndrome/trace/event.ts';
import { TraceRecorder } from './trace/recorder.ts';
import { Waits } from './waits.ts';

const header = { scenario: '', tool: '', startedAt: '', layers: [], expect: [], settle: 0, parts: {} };
const recorder = (): TraceRecorder => new TraceRecorder({ type: 'trace', version: TRACE_VERSION, ...header });
const LONG_MS = 3_600_000;
const never = (): boolean => false;
const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;

test('a wait ends with the wanted event, its time, or the signal', async () => {
  const trace = recorder();
  const controller = new AbortController();
  const waits = new Waits(trace, controller.signal, () => new LabInterrupted());
  const seen = waits.next(LONG_MS, event => event.name === 'guest.mce');
  trace.record({ layer: 'guest', source: 'console', name: 'guest.boot' });
  trace.record({ layer: 'guest', source: 'console', name: 'guest.mce' });
  await seen;
  await waits.next(1, never);
  const waiting = waits.next(LONG_MS, never);
  controller.abort();
  await expect(waiting).rejects.toBeInstanceOf(LabInterrupted);
  await expect(waits.next(LONG_MS, never)).rejects.toBeInstanceOf(LabInterrupted);
});

test('what still waits when the machine stops ends at once and leaves no timer, and so does what begins to wait then', async () => {
  const before = timers();
  const trace = recorder();
  const listen = vi.spyOn(trace, 'listen');
  const waits = new Waits(trace, new AbortController().signal, () => new LabInterrupted());
  const both = [waits.next(LONG_MS, never), waits.next(LONG_MS, never)].map(wait =>
    expect(wait).rejects.toMatchObject({ code: 'E_LAB_STOPPED' }),
  );
  expect([timers() - before, listen.mock.calls.length]).toEqual([2, 2]);
  waits.end();
  await Promise.all(both);
  await expect(waits.next(LONG_MS, never)).rejects.toMatchObject({ code: 'E_LAB_STOPPED' });
  expect(timers()).toBe(before);
});
