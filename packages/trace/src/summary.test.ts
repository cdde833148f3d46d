import { describe, expect, test } from 'vitest';
import type { TraceEvent } from './event.ts';
import { summarize } from './summary.ts';

describe('a trace of somebody else', () => {
  const event = (more: object): TraceEvent =>
    ({ seq: 1, t: 0, layer: 'guest', source: 'console', ...more }) as unknown as TraceEvent;
  test('names of the language itself are no events', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(summarize(event({ name, fields: { a: 1 } }))).toBe(`${name} a=1`);
    }
  });

  const record = {
    kind: 'x86-mca',
    vendor: 'intel',
    bank: 9,
    status: '0xbd000000000000c0',
    addr: '0x0000000009eca000',
    misc: '0x000000000000008c',
  };

  test('a record that was read from a file is explained', () => {
    expect(summarize(event({ name: 'guest.mce-record', record, raw: 'line' }))).toContain('action optional (SRAO)');
  });

  test.each([
    ['a bad register', { status: 'many' }],
    ['no register', { status: undefined }],
    ['a number for a register', { misc: 12 }],
    ['an object for a register', { addr: { toString: 1 } }],
    ['no bank', { bank: undefined }],
    ['a bad bank', { bank: '9' }],
    ['a bad cpu', { cpu: 1.5 }],
    ['another vendor', { vendor: 'acme' }],
  ])('a damaged record with %s falls back to the raw line', (_what, change) => {
    for (const name of ['guest.mce-record', 'xen.mce-bank']) {
      const damaged = { ...record, ...change };
      expect(summarize(event({ name, record: damaged, raw: 'the raw line' }))).toContain('the raw line');
    }
  });

  test('an injection with damaged fields is shown by its fields', () => {
    const fields = { command: 'mce 1', bank: 'x', status: 'y' };
    expect(summarize(event({ name: 'lab.injected', fields }))).toContain('bank=x status=y');
  });
});

test.each([
  [true, 1, 'the VMM runs its guest: it takes KVM_EXIT_ARM_SEA'],
  [false, 1, 'the VMM runs its guest: without KVM_EXIT_ARM_SEA'],
  [false, 0, 'the VMM runs its guest: without KVM_EXIT_ARM_SEA, the host kernel has no KVM_CAP_ARM_SEA_TO_USER'],
])('the start of the reference VMM, opted in: %s, capability: %i', (seaEnabled, seaCapability, line) => {
  const fields = { vcpus: 1, seaEnabled, seaCapability, ms: 5 };
  expect(summarize({ seq: 1, t: 0, layer: 'vmm', source: 'events', name: 'vmm.started', fields })).toBe(line);
});
