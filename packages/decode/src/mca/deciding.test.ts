import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { componentOf } from './component.ts';
import { decidingOf, MCA_DECIDING, McaKey } from './deciding.ts';
import type { McaDeciding } from './deciding.ts';
import { decodeMcacod, isIoCode } from './mcacod.ts';
import { MCA_REGISTERS } from './record.ts';
import type { X86McaRecord } from './record.ts';

const u64 = fc.bigInt(0n, (1n << 64n) - 1n);
const record: fc.Arbitrary<X86McaRecord> = fc
  .record(
    {
      vendor: fc.constantFrom('intel' as const, 'amd' as const),
      cpu: fc.nat(4096),
      socket: fc.nat(7),
      ...Object.fromEntries(MCA_REGISTERS.filter(name => name !== 'status').map(name => [name, u64])),
    },
    { requiredKeys: [] },
  )
  .chain(rest =>
    fc
      .record({ kind: fc.constant('x86-mca' as const), bank: fc.integer({ min: -1, max: 255 }), status: u64 })
      .map(own => ({ ...rest, ...own })),
  );

/** The same errors, read by other CPUs at other times. */
const elsewhere = (raw: X86McaRecord): X86McaRecord => ({ ...raw, cpu: 9, time: 1n, apicId: 9n, rip: 9n, ppin: 9n });

describe('what decides', () => {
  it('is the same for records with the same key, and only for them', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const [one, other] = [new McaKey(), new McaKey()];
        one.pack(a);
        for (const raw of [elsewhere(a), b]) {
          other.pack(raw);
          expect(one.equals(other.copy())).toBe(
            JSON.stringify(text(one.read())) === JSON.stringify(text(other.read())),
          );
        }
        other.pack(elsewhere(a));
        expect([other.hash(), one.equals(other.copy())]).toEqual([one.hash(), true]);
      }),
    );
  });

  it('is a fixed point: what is packed of it again is itself', () => {
    fc.assert(
      fc.property(record, raw => {
        const { status, bank, vendor, mcgStatus, mcgCap, cpuid, ipid, config, destat, synd1, synd2, microcode } = raw;
        const whole = { status, bank, vendor, mcgStatus, mcgCap, cpuid, ipid, config, destat, synd1, synd2, microcode };
        const seen = decidingOf(raw);
        for (const [name, value] of Object.entries(whole)) expect(seen[name as keyof McaDeciding]).toBe(value);
        for (const name of Object.keys(MCA_DECIDING)) expect(name in seen).toBe(name in raw);
      }),
    );
  });

  it('takes nothing else: such rules do not compile', () => {
    const raw: X86McaRecord = { kind: 'x86-mca', vendor: 'intel', cpu: 3, bank: 1, status: 1n << 63n, addr: 0x1000n };
    const seen = decidingOf(raw);
    // @ts-expect-error which CPU it was decides nothing
    expect(seen.cpu).toBeUndefined();
    // @ts-expect-error nor when it was
    expect(seen.time).toBeUndefined();
    // @ts-expect-error the address has no bits to look at, only a shape
    expect(() => (seen.addr ?? 0n) & 1n).toThrow(TypeError);
    // @ts-expect-error a rule does not take the record itself
    expect(componentOf(raw).area).toBe('unknown');
  });

  it('knows the codes of I/O errors as their table does', () => {
    const codes = Array.from({ length: 0x1_0000 }, (_, code) => code);
    const table = codes.filter(code => decodeMcacod(code, 'intel').class === 'io');
    expect(codes.filter(isIoCode)).toEqual(table);
  });
});

/** JSON has no bigint. */
const text = (seen: McaDeciding): unknown =>
  JSON.parse(JSON.stringify(seen, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)));
