/** Anything that an agent or the core may say, drawn at random: events of the whole catalogue among it. */
import { CATALOG, foreignName } from '@syndrome/decode/events/catalog.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import type { FieldType, FieldValue } from '@syndrome/decode/events/row.ts';
import fc from 'fast-check';
import { ACT_KINDS, type Act, PROOF_KINDS, RESULT_STATES } from '../../core/act.ts';
import { SOURCES, type Said, VM_STATES } from '../../core/said.ts';
import type { BareRow } from '../row.ts';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const name = fc.string({ minLength: 1, maxLength: 40 });
// Also what looks like a number of 64 bits, and is a text.
const text = fc.oneof(fc.string({ maxLength: 60, unit: 'grapheme' }), fc.constant('0x0000000000001234'));
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const flag = fc.boolean();

/** A member may be missing, and is then not there at all. */
const maybe = <T extends object>(
  shape: { [K in keyof T]: fc.Arbitrary<T[K]> },
  required: (keyof T)[],
): fc.Arbitrary<T> => fc.record(shape, { requiredKeys: required }) as unknown as fc.Arbitrary<T>;

function valueOf(type: FieldType): fc.Arbitrary<FieldValue> {
  if (type === 'string') return text;
  if (type === 'number') return fc.double({ noNaN: true, noDefaultInfinity: true }).map(n => (n === 0 ? 0 : n));
  if (type === 'boolean') return flag;
  return type === 'any' ? fc.oneof(flag, u64, fc.constant('a word')) : u64;
}

const record = fc.oneof(
  maybe(
    { kind: fc.constant('x86-mca'), bank: fc.nat(31), status: u64, addr: u64, misc: u64, cpu: fc.nat(255), time: u64 },
    ['kind', 'bank', 'status'],
  ),
  maybe({ kind: fc.constant('arm-sea'), esr: u64, far: u64, gpa: u64, el: fc.constant(2) }, ['kind', 'esr']),
);

const event: fc.Arbitrary<LogEvent> = fc.constantFrom(...CATALOG).chain(({ name: of, fieldTypes }) => {
  const entries = Object.entries(fieldTypes);
  const fields = maybe(
    Object.fromEntries(entries.map(([key, { type }]) => [key, valueOf(type)])),
    entries.filter(([, { optional }]) => !optional).map(([key]) => key),
  );
  return maybe({ name: fc.constant(foreignName(of)), fields, record }, ['name', 'fields']) as fc.Arbitrary<LogEvent>;
});

const evidence = fc.dictionary(
  fc.string({ maxLength: 10 }).filter(k => k !== '__proto__'),
  text,
  { maxKeys: 4, noNullPrototype: true },
);

const anySaid: fc.Arbitrary<Said> = fc.oneof(
  maybe(
    {
      kind: fc.constant('event'),
      source: fc.constantFrom(...SOURCES),
      event,
      vm: name,
      when: count,
      count: fc.integer({ min: 1, max: 1e9 }),
      pfn: u64,
      gpa: u64,
      where: fc.record({ dimm: text, row: text }, { requiredKeys: [], noNullPrototype: true }),
      order: fc.nat(63),
      raw: text,
    },
    ['kind', 'source', 'event'],
  ),
  maybe(
    {
      kind: fc.constant('source'),
      source: fc.constantFrom(...SOURCES),
      state: fc.constantFrom('reading', 'lost', 'back', 'stalled', 'spool-full', 'ended'),
      gapMs: count,
      lostEvents: count,
      vm: name,
      reason: text,
    },
    ['kind', 'source', 'state'],
  ),
  maybe(
    {
      kind: fc.constant('host'),
      boot: name,
      arch: fc.constantFrom('x86-64', 'arm64'),
      kernel: text,
      memoryBytes: count,
      freeBytes: count,
      cpuModels: fc.array(name, { maxLength: 3 }),
      storage: fc.array(text, { maxLength: 3 }),
      unapplied: fc.array(u64, { maxLength: 3 }),
      counters: fc.constant({ 'node0/total': 3 }),
      leases: fc.array(
        maybe(
          {
            lockspace: name,
            hostId: count,
            generation: count,
            owner: text,
            ioTimeout: count,
            watchdog: fc.record({ fireSeconds: count, device: text }),
            unarmed: text,
          },
          ['lockspace', 'hostId', 'generation', 'ioTimeout'],
        ),
        { maxLength: 3 },
      ),
    },
    ['kind', 'boot', 'arch', 'kernel', 'memoryBytes', 'freeBytes', 'cpuModels', 'storage'],
  ),
  maybe(
    {
      kind: fc.constant('vm'),
      vm: name,
      name,
      state: fc.constantFrom(...VM_STATES),
      pid: count,
      startTicks: fc.constant('18446744073709551615'),
      vmm: fc.constantFrom('qemu', 'libvirt', 'reference'),
      definition: text,
      disks: fc.array(text, { maxLength: 3 }),
      needs: fc.array(text, { maxLength: 3 }),
      memoryBytes: count,
      autostart: flag,
      optedIn: flag,
      canQuarantine: flag,
      epoch: count,
    },
    ['kind', 'vm', 'name', 'state', 'vmm', 'disks', 'memoryBytes', 'autostart', 'optedIn', 'epoch'],
  ),
  maybe(
    {
      kind: fc.constant('result'),
      action: name,
      epoch: count,
      state: fc.constantFrom(...RESULT_STATES),
      reason: text,
      proof: fc.record({
        kind: fc.constantFrom(...PROOF_KINDS),
        vm: name,
        host: name,
        epoch: count,
        at: count,
        evidence,
      }),
      seen: evidence,
    },
    ['kind', 'action', 'epoch', 'state'],
  ),
) as fc.Arbitrary<Said>;

export const anyRow: fc.Arbitrary<BareRow> = fc.record({
  seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  at: count,
  said: anySaid,
});

export const anyAct = maybe<Act>(
  {
    id: name,
    kind: fc.constantFrom(...ACT_KINDS),
    host: name,
    vm: name,
    epoch: count,
    incident: name,
    deadline: count,
    definition: text,
    of: name,
    disks: fc.array(text, { maxLength: 3 }),
    needs: fc.array(text, { maxLength: 3 }),
    lease: fc.record({ lockspace: name, hostId: count, fireSeconds: count }),
    to: name,
    pfn: u64,
    gpa: u64,
  },
  ['id', 'kind', 'host', 'epoch', 'incident', 'deadline'],
);
