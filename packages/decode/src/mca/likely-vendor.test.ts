import { describe, expect, it } from 'vitest';
import { decidingOf } from './deciding.ts';
import { describeRecord, explain } from './of-record.ts';
import { likelyVendor } from './likely-vendor.ts';
import type { X86McaRecord } from './record.ts';

const lone = (status: bigint, more: Partial<X86McaRecord> = {}): X86McaRecord => ({
  kind: 'x86-mca',
  bank: 9,
  status,
  ...more,
});

const likely = (status: bigint, more: Partial<X86McaRecord> = {}): string | undefined =>
  likelyVendor(decidingOf(lone(status, more)))?.vendor;

describe('a vendor that is not known', () => {
  it("QEMU's record for a guest of one vendor, also where the bank is not named", () => {
    expect(likely(0xbd80000000000134n)).toBe('intel');
    expect(likely(0xbd80000000000134n, { bank: 0 })).toBe('intel');
    expect(likely(0xbc00080000000000n)).toBe('amd');
    expect(explain(lone(0xbd80000000000134n))).toContain(
      'Intel is likelier: it is the record that QEMU makes for an Intel guest. Read so, it is uncorrected, action required (SRAR): a data cache error (level 0) on a data read.',
    );
  });

  it('an error code that one of them does not have', () => {
    expect(likelyVendor(decidingOf(lone(0x9c0000000000009fn, { bank: 3 })))).toMatchObject({
      vendor: 'intel',
      because: 'AMD has no error code 0x009f',
    });
    expect(likely(0x9c00000000000813n, { bank: 3 })).toBeUndefined();
  });

  it("the syndrome of a northbridge's DRAM error, where Intel would have a count beside an uncorrected error", () => {
    const text = explain(lone(0xb604a00100000813n, { bank: 4 }));
    expect(text).toMatch(/AMD is likelier: .{0,200}UECC.{0,200}\. Read so, it is .{0,80}northbridge: DRAM ECC error\./);
    // Corrected, with chip kill: mcelog of a K8.
    expect(likely(0x9443400098080813n, { bank: 4 })).toBe('amd');
    expect(likely(0x9443400098080813n, { bank: 2 })).toBeUndefined();
    // Neither of the ECC bits, or the wrong one.
    expect(likely(0xb604800100000813n, { bank: 4 })).toBeUndefined();
    expect(likely(0xb604c00100000813n, { bank: 4 })).toBeUndefined();
  });

  it('a memory controller of scalable MCA, with its syndrome bit', () => {
    expect(likely(0xdc2040000000011bn)).toBe('amd');
    expect(likely(0x9c2041000000011bn)).toBe('amd');
    expect(likely(0x9c0000000000011bn)).toBeUndefined();
  });

  it('the bits for a corrupt task and a syndrome beside an uncorrected error', () => {
    expect(likely(0xbea0000000000108n, { bank: 5 })).toBe('amd');
    expect(likely(0xbe00000000000108n, { bank: 5 })).toBeUndefined();
  });

  it("Intel's classes of errors to recover from, by flags and code", () => {
    expect(likely(0xbd80000000100134n, { bank: 1 })).toBe('intel');
    expect(likely(0xbd80000000000150n, { bank: 0 })).toBe('intel');
    expect(likely(0xbd0000000000017an, { bank: 4 })).toBe('intel');
    expect(likely(0xbd80080000000134n, { bank: 1 })).toBeUndefined();
    expect(likely(0xbf80000000000134n, { bank: 1 })).toBeUndefined();
  });

  it('is no fact: none where it is given, nothing named that one of them has alone', () => {
    expect(likely(0xbd80000000000134n, { vendor: 'amd' })).toBeUndefined();
    expect(likely(0n)).toBeUndefined();
    // K8's syndrome is at the place of Intel's count.
    const names = describeRecord(lone(0xb604a00100000813n, { bank: 4 })).flatMap(r => r.rows.map(row => row.name));
    expect(names).not.toContain('CEC');
    expect(names).toContain('PCC');
  });
});
