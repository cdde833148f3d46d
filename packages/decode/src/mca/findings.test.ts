/** What a record must not be called: each a real value that was misread once. */
import { describe, expect, it } from 'vitest';
import { classify, gradedClass } from './classify.ts';
import { decodeMcacod } from './mcacod.ts';
import { componentOf } from './component.ts';
import { decidingOf } from './deciding.ts';
import { describeRecord, explain, lint, nextStep, pageOf } from './of-record.ts';
import { errorText } from './testing/rules.ts';
import { severity } from './severity.ts';
import { vendorOfCpu } from './cpu.ts';
import type { X86McaRecord } from './record.ts';

const rec = (status: bigint, more: Partial<X86McaRecord> = {}): X86McaRecord => ({
  kind: 'x86-mca',
  bank: 0,
  status,
  ...more,
});
const codes = (record: X86McaRecord): string[] => lint(record).map(f => f.code);

describe('a patrol scrub error that Skylake-SP reports as corrected', () => {
  const scrub = rec(0x8c000040001000c0n, { vendor: 'intel', bank: 13, cpuid: 0x50654n, addr: 0x1000n, misc: 0x86n });

  it('is uncorrected, action optional', () => {
    expect(classify(scrub)).toBe('CE');
    expect(gradedClass(scrub)).toBe('SRAO');
    expect(severity(scrub)).toBe('uncorrected-recoverable');
    expect(explain(scrub)).toMatch(/^Uncorrected, reported as corrected/);
    expect(nextStep(scrub)[0]).toMatch(/^Take the page out of use/);
  });

  it('is corrected on other CPUs, in other banks and with another code', () => {
    for (const other of [
      { cpuid: 0x50653n },
      { cpuid: 0x606a6n },
      { bank: 12 },
      { bank: 19 },
      { status: 0x8c000040000800c0n },
      { status: 0x8c00004000100090n },
      { mcgCap: 0xc14n },
      { vendor: 'amd' as const },
    ]) {
      expect(gradedClass({ ...scrub, ...other })).toBe('CE');
      expect(severity({ ...scrub, ...other })).toBe('corrected');
    }
  });
});

describe("QEMU's filler", () => {
  const filler = rec(0xa000000000000000n, { vendor: 'intel', bank: 1, mcgStatus: 5n });

  it('is no bad data', () => {
    expect(severity(filler)).toBe('none');
    expect(explain(filler)).toMatch(/^QEMU's filler/);
    expect(explain(filler)).not.toMatch(/bad data was found/);
    expect(codes(filler)).toContain('L_MCA_QEMU_BROADCAST');
    expect(codes(filler)).not.toContain('L_MCA_UC_WITHOUT_EN');
  });

  it('is of no unit, also where the number of the bank names one', () => {
    const zen = decidingOf({ ...filler, vendor: 'amd', cpuid: 0x800f12n });
    expect(componentOf(zen)).toMatchObject({ area: 'unknown', basis: expect.stringContaining('QEMU') });
  });

  it('is told from an error by its bank and its bits', () => {
    for (const other of [{ bank: 2 }, { status: 0xb000000000000000n }, { status: 0xa000000000000001n }]) {
      expect(severity({ ...filler, ...other })).toBe('deferred');
      expect(explain({ ...filler, ...other })).not.toMatch(/filler/);
    }
  });
});

describe('the words of AMD', () => {
  const umc = rec(0xdc2040000400011bn, {
    vendor: 'amd',
    bank: 17,
    addr: 0x7ff7e93c0n,
    synd: 0x000100010a801203n,
    ipid: 0x9600050f00n,
  });

  it('are those of the extended code where the unit is known', () => {
    expect(errorText(umc)).toBe('UMC channel 0, chip select 3: DRAM ECC error');
    expect(explain(umc)).not.toMatch(/cache/);
    const northbridge = rec(0xdc04410020080813n, { vendor: 'amd', bank: 4, cpuid: 0x600f20n });
    expect(errorText(northbridge)).toBe('northbridge: DRAM ECC error');
  });

  it('name no cache where the code of a memory controller cannot be told from one', () => {
    for (const record of [
      rec(0x9c2000000000011bn, { vendor: 'amd', addr: 0x12345600n }),
      rec(0xbea0000000000108n, { vendor: 'amd', bank: 17, cpuid: 0x870f10n }),
      { ...umc, ipid: 0xffff00000fffn },
    ]) {
      expect(errorText(record)).toMatch(/memory hierarchy error/);
      expect(`${explain(record)} ${nextStep(record).join(' ')}`).not.toMatch(/cache error|A cache/);
    }
    for (let code = 0x0103; code < 0x200; code += 4) expect(decodeMcacod(code, 'amd').text).not.toMatch(/cache error/);
  });

  it('name the memory controller without MCA_IPID where code and bits of ECC are its own, and say by what', () => {
    for (const status of [0x9c2040000000011bn, 0x9c2031000000011bn]) {
      const record = rec(status, { vendor: 'amd', bank: 17, cpuid: 0xa60f12n });
      expect(errorText(record)).toBe('UMC (by its error code alone): DRAM ECC error');
      expect(componentOf(decidingOf(record))).toMatchObject({
        area: 'memory',
        basis: expect.stringContaining('MCA_IPID would prove it'),
      });
    }
    // Another extended code, no ECC, or the wrong bit of it.
    for (const status of [0x9c2040000001011bn, 0x9c2000000000011bn, 0xbc2040000000011bn]) {
      expect(componentOf(decidingOf(rec(status, { vendor: 'amd', bank: 17, cpuid: 0xa60f12n }))).area).toBe('unknown');
    }
  });

  it('name the unit of a core by its number where the family has a public PPR, and MCA_IPID was not logged', () => {
    const status = 0xbea0000000000108n;
    const watchdog = rec(status, { vendor: 'amd', bank: 5, cpuid: 0x870f10n });
    expect(errorText(watchdog)).toBe('execution unit: the watchdog timer expired: no instruction retired');
    for (const other of [
      { ...watchdog, cpuid: 0xb40f40n },
      { ...watchdog, bank: 0 },
      { ...watchdog, bank: 4 },
    ]) {
      expect(errorText(other)).not.toMatch(/execution unit: the watchdog/);
    }
    expect(errorText({ ...watchdog, ipid: 0x700b000000000n })).toMatch(/^L3 cache: /);
  });

  it('speak of bad data and of a page only where the record is about memory', () => {
    const said = (record: X86McaRecord): string => `${explain(record)} ${nextStep(record).join(' ')}`;
    const io = rec(0xb800000000000e0bn, { vendor: 'intel', bank: 6, cpuid: 0x50654n, misc: 0x81120000n });
    const bus = rec(0xbc00000000000e0fn, { vendor: 'intel', bank: 6, misc: 0x8cn, addr: 0x1000n });
    for (const record of [io, rec(0xb800000000000400n, { vendor: 'intel' }), { ...bus, misc: 0x1cn }]) {
      expect(said(record)).not.toMatch(/bad data|The page/);
      expect(said(record)).toContain('No page is known to be bad');
    }
    expect(pageOf({ ...io, status: io.status | (1n << 58n), misc: 0x8cn, addr: 0x1000n })).toBeUndefined();
    for (const record of [
      bus,
      rec(0xbc00000080000136n, { vendor: 'intel' }),
      rec(0xb80000000000009fn, { vendor: 'intel' }),
    ])
      expect(said(record)).toMatch(/bad data was found.*The page holds bad data/);
  });

  it('take the address of a northbridge DRAM error for physical, as Linux does, and no other of that bank', () => {
    const dram = rec(0xdc04410020080813n, { vendor: 'amd', bank: 4, cpuid: 0x600f20n, addr: 0x12345600n });
    expect(pageOf(dram)).toMatchObject({ address: 0x12345600n, pfn: 0x12345n, assumed: true });
    expect(pageOf({ ...dram, status: 0xdc044100200b0813n })).toBeUndefined();
    expect(pageOf({ ...dram, bank: 3 })).toBeUndefined();
  });

  it('cite the manuals of AMD', () => {
    const over = lint(umc).find(f => f.code === 'L_MCA_OVER');
    expect(over?.section).toBe('APM vol. 2, Machine-Check Status Registers');
    expect(lint({ ...umc, vendor: 'intel' }).find(f => f.code === 'L_MCA_OVER')?.section).toMatch(/^SDM/);
  });
});

describe('a vendor', () => {
  it('follows from the family where only one uses it', () => {
    for (const intel of [0x50654n, 0xc06f2n, 0x400f10n]) expect(vendorOfCpu(intel)).toBe('intel');
    const amd = [0x100f43n, 0x200f31n, 0x500f10n, 0x600f20n, 0x700f01n, 0x800f12n, 0x900f02n, 0xa20f10n, 0xb00f20n];
    for (const signature of amd) expect(vendorOfCpu(signature)).toBe('amd');
    for (const both of [0xf43n, 0x300f10n]) expect(vendorOfCpu(both)).toBeUndefined();
  });

  it('that is not known leaves both readings', () => {
    const text = explain(rec(0xbd80000000000134n));
    expect(text).toContain('On Intel this is uncorrected, action required (SRAR); on AMD uncorrected.');
    expect(explain(rec(0xbc00080000000000n))).toContain('on AMD uncorrected, poison consumed.');
    expect(nextStep(rec(0xbd80000000000134n)).join(' ')).toContain('--vendor');
  });

  it('that no CPU of this signature has is a finding', () => {
    expect(codes(rec(0x9c00000000000135n, { vendor: 'amd', cpuid: 0x50654n }))).toContain('L_MCA_VENDOR_CPUID');
    expect(codes(rec(0x9c00000000000135n, { vendor: 'amd', cpuid: 0xf43n }))).not.toContain('L_MCA_VENDOR_CPUID');
  });
});

describe('a field', () => {
  const tes = (status: bigint) =>
    describeRecord(rec(status, { vendor: 'intel' }))[0]?.rows.find(r => r.name === 'TES')?.meaning;

  it('of the threshold status means something only while UC is clear', () => {
    expect(tes(0x9c20000000000e0bn)).toBe('green');
    expect(tes(0xbe20000000000e0bn)).toBe('without a meaning while UC is set');
  });

  it('with the filter bit of a corrected error is explained', () => {
    expect(explain(rec(0x9c00004000001136n, { vendor: 'intel' }))).toContain('filtered (bit 12');
    expect(explain(rec(0x9c00004000000136n, { vendor: 'intel' }))).not.toContain('filtered');
  });
});

describe('an address', () => {
  const ce = rec(0x9c00000000000091n, { vendor: 'intel', bank: 7, addr: 0x12345000n, misc: 0x8cn });

  it('has no page with a granularity beyond all memory', () => {
    expect(pageOf({ ...ce, misc: 0xbfn })).toBeUndefined();
    expect(codes({ ...ce, misc: 0xbfn })).toContain('L_MCA_ADDR_LSB');
    expect(pageOf({ ...ce, misc: 0xb3n })?.lsb).toBe(51);
  });

  it('of more than 52 bits is a finding', () => {
    expect(codes({ ...ce, addr: 1n << 52n })).toContain('L_MCA_ADDR_WIDTH');
    expect(codes({ ...ce, addr: (1n << 52n) - 0x1000n })).not.toContain('L_MCA_ADDR_WIDTH');
    expect(codes({ ...ce, addr: 0xffff888000001000n, misc: 0x4cn })).not.toContain('L_MCA_ADDR_WIDTH');
  });
});

it('a syndrome of arm64 is taken for what it is', () => {
  for (const esr of [0x96000410n, 0x92000010n, 0x86000010n, 0xbe000011n]) {
    expect(nextStep(rec(esr)).join(' ')).toContain('--esr');
  }
  for (const other of [0n, 0x134n, 0x1_9600_0410n]) expect(nextStep(rec(other)).join(' ')).not.toContain('--esr');
});
