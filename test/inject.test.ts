/** Injections against what others make of them: the reader of QEMU's command, and decode of what real guests printed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { ghesInjection } from '@syndrome/decode/inject/ghes.ts';
import type { Injection } from '@syndrome/decode/inject/injection.ts';
import { mceInjection } from '@syndrome/decode/inject/mce.ts';
import { seenRecord } from '@syndrome/decode/inject/outcome.ts';
import { commandOf, injectionOf, recordOf } from '@syndrome/decode/inject/ways.ts';
import { NAMED_MCA, namedMca } from '@syndrome/decode/mca/named.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import type { OutlookRecord } from '@syndrome/decode/outlook/record.ts';
import type { LayerSettings } from '@syndrome/decode/outlook/predict.ts';

const SOURCES = join(import.meta.dirname, '../packages/decode/src');
const recordsIn = (golden: string): unknown[] =>
  decode(readFileSync(join(SOURCES, golden), 'utf8')).records.map(r => r.raw);

test('a command that is read back gives the registers of its injection', () => {
  const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const small = fc.integer({ min: 0, max: 255 });
  const chosen = fc.record({
    named: fc.constantFrom(undefined, ...NAMED_MCA),
    cpu: small,
    bank: small,
    status: u64,
    mcgStatus: u64,
    addr: u64,
    misc: u64,
    broadcast: fc.boolean(),
  });
  fc.assert(
    fc.property(chosen.map(mceInjection), injection => {
      const command = commandOf(injection) ?? '';
      const [read] = decode(command, { from: 'value' }).records.map(({ raw }) => ({ ...raw, origin: undefined }));
      expect(read).toEqual(recordOf(injection));
      expect(command.includes(' -b ')).toBe(injection.broadcast);
    }),
  );
});

/** What both sides say of a machine check. QEMU may not write a register, and a kernel prints none that says nothing. */
function registers({ cpu, bank, status, mcgStatus = 0n, addr = 0n, misc = 0n }: X86McaRecord): object {
  return { cpu, bank, status, mcgStatus, addr, misc };
}

const named = (name: string, addr?: bigint, broadcast = false): Injection =>
  mceInjection({ named: namedMca(name), addr, broadcast });
const poison = (gpa: bigint): Injection => ({ way: 'corrupt-pfn', addr: 0xcbe_4000n, gpa });
/** QEMU in a host of AMD's. */
const host = (vendor: 'intel' | 'amd'): LayerSettings => ({ qemu: { vendor, version: '11.1.3', platform: 'kvm' } });

test.each<[string, Injection, LayerSettings]>([
  ['outlook/golden/intel-ce-logged.log', named('ce', 0xdce_4000n), {}],
  ['outlook/golden/intel-srar-process.log', named('srar-data', 0xe2e_6000n, true), {}],
  ['outlook/golden/intel-uc-fatal.log', named('uc-fatal', undefined, true), {}],
  ['outlook/golden/amd-uc-plain.log', named('amd-uc', 0xdde_e000n), {}],
  ['outlook/golden/amd-deferred.log', poison(0x79e_3000n), host('amd')],
  ['outlook/golden/intel-guest-on-amd-host.log', poison(0x9f1_d000n), host('intel')],
  ['decode/golden/trace-amd-deferred.in', poison(0xa5e_4000n), host('amd')],
])('%s has the record that the injection says will be seen', (golden, injection, layers) => {
  const printed = recordsIn(golden).filter((r): r is X86McaRecord => (r as X86McaRecord).kind === 'x86-mca');
  const seen = seenRecord(injection, layers) as X86McaRecord;
  expect(printed.map(registers)).toEqual([registers(seen)]);
});

test('Xen prints the record, and the filler of the other CPU', () => {
  const injection = mceInjection({ bank: 1, status: 0xb200000000000000n, broadcast: true });
  const seen = seenRecord(injection, {}, { guest: 'xen' }) as X86McaRecord;
  const [first, other] = recordsIn('outlook/golden/xen-uc-fatal.log').filter(
    (r): r is X86McaRecord => (r as X86McaRecord).kind === 'x86-mca',
  );
  expect(first && registers(first)).toEqual(registers(seen));
  expect(other?.cpu).toBe(1);
});

test.each([
  ['outlook/golden/arm64-ghes-memory.log', ghesInjection('recoverable', 0x715e_8000n)],
  ['decode/golden/trace-arm64-ghes.in', ghesInjection('recoverable', 0x53b0_2000n)],
  ['decode/golden/trace-arm64-host-ghes.in', ghesInjection('recoverable', 0x4b0d_0000n)],
])('%s has the firmware record that the injection says will be seen', (golden, injection) => {
  const cper = (record: unknown): unknown => {
    const { severity, sections } = record as Extract<OutlookRecord, { kind: 'cper' }>;
    // The kernel prints what is valid, and not the bits that say so.
    const printed = (s: object): object => ({ ...s, validationBits: undefined });
    return { severity, sections: sections.map(s => printed({ ...s, body: printed(s.body) })) };
  };
  const printed = recordsIn(golden).filter(r => (r as OutlookRecord).kind === 'cper');
  expect(printed.map(cper)).toEqual([cper(seenRecord(injection, { qemu: { ras: true } }))]);
});

test('traces that are kept name their injection', () => {
  const injected = ['arm64-host-ghes', 'xen-ce'].map(name => {
    const lines = readFileSync(join(SOURCES, `decode/golden/trace-${name}.in`), 'utf8').split('\n');
    const event = lines.find(line => line.includes('"name":"lab.injected"')) ?? '';
    return injectionOf((JSON.parse(event) as { fields: Record<string, string> }).fields);
  });
  expect(injected).toEqual([ghesInjection('recoverable', 0x4b0d_0000n), named('xen-note-ce')]);
});
