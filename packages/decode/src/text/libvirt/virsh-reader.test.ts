import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogEvent } from '../../events/event.ts';
import { virshEvents } from '../testing/virsh-events.ts';

const eventsOf = (text: string): LogEvent[] => virshEvents(text.split('\n'));

const HEAD = "event 'memory-failure' for domain 't1':";
const failure = (action: string, fields: object = {}): object => ({
  name: 'vmm.memory-failure',
  fields: { recipient: 'guest', action, ...fields },
});

describe('what virsh prints of an event', () => {
  test('is the event of the catalogue, with a time and without, quoted or not', () => {
    for (const stamp of ['', '2026-11-30 02:42:16.915+0000: '])
      for (const domain of ["'t1'", 't1', "'it's: a name'"])
        expect([
          eventsOf(`${stamp}event 'lifecycle' for domain ${domain}: Crashed Panicked`),
          eventsOf(`${stamp}event 'reboot' for domain ${domain}`),
          eventsOf(`${stamp}event 'watchdog' for domain ${domain}: pause`),
          eventsOf(`${stamp}event 'lifecycle' for domain ${domain}: Shutdown Finished after guest request`),
          eventsOf(`${stamp}event 'lifecycle' for domain ${domain}: Stopped Snapshot`),
        ]).toEqual([
          [{ name: 'vmm.guest-panicked', fields: {} }],
          [{ name: 'vmm.reset', fields: {} }],
          [{ name: 'vmm.watchdog', fields: { action: 'pause' } }],
          [{ name: 'vmm.shutdown', fields: { guest: true, reason: 'guest request' } }],
          [{ name: 'vmm.exit', fields: { expected: true } }],
        ]);
  });

  test('ends with its last line, with another event, or with the text; what was not said is left out', () => {
    const whole = `${HEAD}\nrecipient: guest\naction: inject\nflags:\n\taction required: 1\n\trecursive: 0`;
    const flags = { actionRequired: true, recursive: false };
    expect(eventsOf(`${whole}\nrecipient: hypervisor`)).toEqual([failure('inject', flags)]);
    const cut = `${HEAD}\nrecipient: guest\naction: reset`;
    expect(eventsOf(cut)).toEqual([failure('reset')]);
    expect(eventsOf(`${cut}\nsomething else\n\trecursive: 1`)).toEqual([failure('reset')]);
    expect(eventsOf(`${cut}\n${whole}`)).toEqual([failure('reset'), failure('inject', flags)]);
  });

  test('of the monitor is as QMP gives it, on one line or laid out', () => {
    const data = { flags: { recursive: false, 'action-required': true }, recipient: 'guest', action: 'inject' };
    const flags = { actionRequired: true, recursive: false };
    for (const details of [JSON.stringify(data), JSON.stringify(data, null, 2)])
      for (const when of ['', ' at 1796006536.914315'])
        expect(eventsOf(`event MEMORY_FAILURE${when} for domain 't1': ${details}\n\nevents received: 1`)).toEqual([
          failure('inject', flags),
        ]);
    expect(eventsOf("event STOP at 1796006538.181221 for domain 't1': <null>")).toEqual([
      { name: 'vmm.stop', fields: {} },
    ]);
    expect(eventsOf('event MEMORY_FAILURE for domain t1: {\n  "flags": {\nx')).toEqual([
      { name: 'vmm.memory-failure', fields: {} },
    ]);
  });

  test('is nothing else', () => {
    for (const text of [
      "error: no event 'reboot' for domain 't1'",
      "event 'tunable' for domain 't1':\n\tcputune.vcpupin0: 1",
      'waiting for domain t1',
      "event stop for domain 't1': <null>",
      'recipient: guest',
    ])
      expect(eventsOf(text)).toEqual([]);
  });

  test('any lines at all give events within bounds', () => {
    const line = fc.oneof(
      fc.constantFrom(HEAD, 'recipient: guest', '\trecursive: 1', "event X for domain 'a': {", '}', '  "a": [', ''),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), lines => {
        expect(eventsOf(lines.join('\n')).length).toBeLessThanOrEqual(lines.length);
      }),
    );
  });
});
