import { expect, test } from 'vitest';
import { AgentDeadlineError } from './guest/errors.ts';
import { emulationFault } from './emulation-fault.ts';
import type { NamedEvent, TraceEvent } from '@syndrome/trace/event.ts';
import type { NewEvent } from './trace/recorder.ts';

const trace = (...rows: NewEvent[]): TraceEvent[] => rows.map((row, i) => ({ seq: i + 1, t: i, ...row }) as TraceEvent);
const console = (raw: string): NewEvent => ({ layer: 'host', source: 'console', raw });
const started: NewEvent = {
  layer: 'vmm',
  source: 'events',
  raw: '{"event":"started"}',
  name: 'vmm.started',
  fields: {},
};
const exit = (fields: NamedEvent<'vmm.exit'>['fields']): NewEvent => ({
  layer: 'vmm',
  source: 'agent',
  name: 'vmm.exit',
  ...(fields === undefined ? {} : { fields }),
});

const DUMP = [
  '[   12.1] node[91]: unhandled exception: DABT (lower EL), ESR 0x0000000092000006, level 2 translation fault in node',
  '[   12.2] CPU: 1 UID: 0 PID: 91 Comm: node Not tainted 7.3.4+deb13-cloud-arm64',
  '[   12.3] pc : 0000000000a1b2c4',
  '[   12.4] x29: 0000ffffe3a41c30 x28: 0000000000000000 x27: 0000000000000001',
  '[   12.5] x2 : 0000000000000001 x1 : 0000000000000002 x0 : 0000000000000003',
];

test('a VMM that crashed: its last words, how it ended, and its registers', () => {
  const events = trace(
    console('[   11.0] quiet'),
    started,
    ...DUMP.map(console),
    console('[   13.0] later'),
    exit({ signal: 11, expected: false }),
  );
  expect(emulationFault(new Error('the VMM ended'), events, true)).toEqual({
    why: 'the VMM in the host crashed',
    evidence: ['the VMM ended by signal 11', 'the last the VMM said: {"event":"started"}', ...DUMP],
  });
});

test('a dump without its end is bounded', () => {
  const lines = Array.from({ length: 100 }, (_, i) => `[   13.0] line ${i} ${'x'.repeat(1000)}`);
  const events = trace(...[DUMP[0] ?? '', ...lines].map(console), exit({ signal: 11, expected: false }));
  const evidence = emulationFault(new Error('the VMM ended'), events, true)?.evidence ?? [];
  expect(evidence).toHaveLength(21);
  expect(Math.max(...evidence.map(line => line.length))).toBe(300);
});

test('a guest that stopped answering', () => {
  const error = new AgentDeadlineError('hello', 30_000);
  expect(emulationFault(error, trace(started), true)).toEqual({
    why: 'the guest stopped answering right after its boot',
    evidence: ['the last the VMM said: {"event":"started"}'],
  });
});

test.each<[string, NamedEvent<'vmm.exit'>['fields']]>([
  ['with a code', { code: 1, expected: false }],
  ['as it has announced', { code: 3, expected: true }],
])('a VMM that ended %s is no fault of the emulation', (_name, fields) => {
  expect(emulationFault(new Error('the VMM ended'), trace(started, exit(fields)), true)).toBeUndefined();
});

test('a timer that came too late for the kernel, on every emulated machine; of a flat one nothing else', () => {
  const panic = (message: string): NewEvent => ({
    layer: 'guest',
    source: 'console',
    name: 'guest.panic',
    fields: { message },
  });
  const late = trace(panic("IO-APIC + timer doesn't work!  Boot with apic=debug and send a report."));
  for (const nested of [true, false]) {
    expect(emulationFault(new Error('the guest panicked'), late, nested)).toEqual({
      why: 'the emulated timer was too late for the kernel',
      evidence: [],
    });
  }
  const other = trace(panic('VFS: Unable to mount root fs'), exit({ signal: 11, expected: false }));
  expect(emulationFault(new Error('the guest panicked'), other, false)).toBeUndefined();
});
