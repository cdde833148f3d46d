/** Records that no fault of the machine made, records of virtual CPUs, and what is left of an earlier boot. */
import { describe, expect, it } from 'vitest';
import { decidingOf } from './deciding.ts';
import { bogusNote } from './not-hardware.ts';
import { lint, nextStep } from './of-record.ts';
import type { X86McaRecord } from './record.ts';

const rec = (more: Partial<X86McaRecord>): X86McaRecord => ({
  kind: 'x86-mca',
  bank: 0,
  status: 0x90000040000f0005n,
  vendor: 'intel',
  ...more,
});
const bogus = (more: Partial<X86McaRecord>): string | undefined => bogusNote(decidingOf(rec(more)));
const codes = (record: X86McaRecord): string[] => lint(record).map(found => found.code);

describe('values that errata leave', () => {
  it.each([0x306c3n, 0x306d4n, 0x40651n, 0x40661n, 0x50654n])('the parity error of bank 0 on %s', cpuid => {
    expect(bogus({ cpuid })).toContain('HSD131');
    expect(bogus({ cpuid, status: 0xb0000040000f0005n })).toBeUndefined();
    expect(bogus({ cpuid, bank: 1 })).toBeUndefined();
    expect(bogus({ cpuid, status: 0x9000004000100005n })).toBeUndefined();
  });

  it('not on other CPUs, of another vendor or an unknown CPU', () => {
    expect(bogus({ cpuid: 0x306f2n })).toBeUndefined();
    expect(bogus({ cpuid: 0x306c3n, vendor: 'amd' })).toBeUndefined();
    expect(bogus({})).toBeUndefined();
  });

  it('the banks of Cezanne A0 with EN clear', () => {
    const cezanne = { vendor: 'amd', bank: 11, cpuid: 0xa50f00n } as const;
    expect(bogus({ ...cezanne, status: 0x8c00100000000000n })).toContain('0422b07bc4c2');
    expect(bogus({ ...cezanne, status: 0x9c00100000000000n })).toBeUndefined();
    expect(bogus({ ...cezanne, cpuid: 0xa50f01n, status: 0x8c00100000000000n })).toBeUndefined();
  });

  it('erratum 1114 in the instruction fetch unit', () => {
    const fetch = { vendor: 'amd', bank: 1, cpuid: 0x810f10n, status: 0x90000000000a0150n } as const;
    expect(bogus({ ...fetch, ipid: 0x000100b000000000n })).toContain('1114');
    expect(bogus({ ...fetch, ipid: 0x000000b000000000n })).toBeUndefined();
    expect(bogus({ ...fetch, ipid: 0x000100b000000000n, cpuid: 0x830f10n })).toBeUndefined();
    expect(bogus(fetch)).toBeUndefined();
  });

  it('a GART walk of K8', () => {
    const gart = { vendor: 'amd', bank: 4, cpuid: 0xf51n, status: 0xa40000000005001bn } as const;
    expect(bogus(gart)).toContain('GART');
    expect(nextStep(rec(gart))[0]).toContain('Nothing failed');
    expect(bogus({ ...gart, cpuid: 0x600f20n })).toBeUndefined();
  });

  it('are named by the lint and the next step', () => {
    const record = rec({ cpuid: 0x306c3n });
    expect(codes(record)).toContain('L_MCA_NOT_HARDWARE');
    expect(nextStep(record).join(' ')).toContain('nothing has to be replaced');
  });
});

describe('records of virtual CPUs', () => {
  const wsl = rec({ status: 0xb200000080060001n, cpuid: 0xb0671n, mcgStatus: 4n, microcode: 0xffffffffn });

  it('a microcode revision that no processor has', () => {
    expect(codes(wsl)).toContain('L_MCA_VIRTUAL_CPU');
    expect(codes(rec({ microcode: 0x1n }))).toContain('L_MCA_VIRTUAL_CPU');
    expect(codes(rec({ microcode: 0x1n, vendor: 'amd' }))).not.toContain('L_MCA_VIRTUAL_CPU');
    expect(codes(rec({ microcode: 0x1000065n, vendor: 'amd' }))).toContain('L_MCA_VIRTUAL_CPU');
    expect(codes(rec({ microcode: 0x5000021n }))).not.toContain('L_MCA_VIRTUAL_CPU');
  });

  it("Hyper-V's status sends to the host", () => {
    expect(codes(wsl)).toContain('L_MCA_HYPERV_MADE');
    expect(nextStep(wsl).join(' ')).toContain('WHEA-Logger');
    const other = { ...wsl, status: 0xb200000080060002n };
    expect(codes(other)).not.toContain('L_MCA_HYPERV_MADE');
    expect(nextStep(other).join(' ')).toContain('the machine is a guest');
  });
});

describe('what is left of an earlier boot', () => {
  // Gemini Lake, logged 0.06 s after the start.
  const boot = rec({ bank: 4, status: 0xa600000000020408n, cpuid: 0x706a1n, mcgStatus: 0n });

  it('wants no reset', () => {
    expect(nextStep(boot)[0]).toContain('needs no reset');
    expect(nextStep(boot).join(' ')).not.toContain('must be reset');
  });

  it('is not what an exception reported, nor a record that does not say', () => {
    expect(nextStep({ ...boot, mcgStatus: 4n })[0]).toContain('must be reset');
    const { mcgStatus: _, ...silent } = boot;
    expect(nextStep(silent)[0]).toContain('must be reset');
  });
});
