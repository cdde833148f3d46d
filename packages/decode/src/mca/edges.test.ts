/** What each code and each bank of the known CPUs is called, and the layouts and sentences beside them. */
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { INTEL_FAMILIES } from './intel-model.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import { MCI_STATUS_AMD_LEGACY } from './amd-registers.ts';
import { NAMED_MCA } from './named.ts';
import { explain, lint, nextStep } from './of-record.ts';
import { component } from './testing/rules.ts';
import { cpuOf } from './cpu.ts';
import { smcaBank, umcPlace } from './smca-banks.ts';
import { statusRegister } from './describe.ts';
import type { McaVendor, X86McaRecord } from './record.ts';

const VAL = 1n << 63n;
const rec = (status: bigint, more: Partial<X86McaRecord> = {}): X86McaRecord => ({
  kind: 'x86-mca',
  bank: 1,
  status: VAL | status,
  ...more,
});
const place = (label: string, record: X86McaRecord): string => {
  const { area, name, detail, basis, ...where } = component(record);
  const numbers = Object.keys(where).length === 0 ? '' : ` ${JSON.stringify(where)}`;
  return `${label}: ${area}: ${name}${detail === undefined ? '' : ` (${detail})`}, by ${basis}${numbers}`;
};

/** One of each class of code, of each level, side and channel that has a name of its own. */
const CODES = [
  0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0xc, 0xf, 0x10, 0x15, 0x1b, 0x80, 0x9f, 0x8f, 0x100, 0x109, 0x10b, 0x134,
  0x17a, 0x1a5, 0x280, 0x28f, 0x400, 0x401, 0x40c, 0x800, 0x808, 0x80f, 0xe0b, 0x1134,
];
/** CPUID signature of an Intel model, stepping 4. */
const cpuidOf = (model: number): bigint => BigInt(((model >> 4) << 16) | 0x600 | ((model & 15) << 4) | 4);

describe('what reported an error', () => {
  it('by the error code alone', async () => {
    const lines = CODES.flatMap(code =>
      (['intel', 'amd'] as McaVendor[]).map(vendor => {
        const record = rec((1n << 60n) | BigInt(code), { vendor });
        return [
          place(`${vendor} 0x${code.toString(16).padStart(4, '0')}`, record),
          explain(record),
          ...nextStep(record),
        ].join('\n  ');
      }),
    );
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/component-codes.txt');
  });

  it('by the banks of the Intel servers', async () => {
    const lines = INTEL_FAMILIES.flatMap(({ id, models, banks }) =>
      Object.keys(banks).flatMap(bank =>
        [0n, 0x40cn, 0x80n].map(code =>
          place(
            `${id} ${bank} 0x${code.toString(16)}`,
            rec((0x12fen << 16n) | code, { vendor: 'intel', bank: Number(bank), cpuid: cpuidOf(models[0] ?? 0) }),
          ),
        ),
      ),
    );
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/component-banks.txt');
  });

  it('by the banks of AMD before scalable MCA', async () => {
    const lines = [0x600f20n, 0x100f42n].flatMap(cpuid =>
      [0, 1, 2, 3, 4, 5, 6].flatMap(bank =>
        [0x0n, 0x1n, 0x8n, 0x1fn].map(xec =>
          place(
            `${cpuid.toString(16)} ${bank} 0x${xec.toString(16)}`,
            rec((xec << 16n) | 0x136n, { vendor: 'amd', bank, cpuid }),
          ),
        ),
      ),
    );
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/component-legacy.txt');
  });

  it('not without VAL or a vendor, nor where firmware made the bank', () => {
    const nothing = { area: 'unknown', name: 'unknown' };
    expect(component({ ...rec(0x80n, { vendor: 'intel' }), status: 0x80n })).toEqual({
      ...nothing,
      basis: 'VAL is clear',
    });
    expect(component(rec(0x80n))).toEqual({ ...nothing, basis: 'the CPU vendor is not known' });
    for (const bank of [-1, 255]) {
      expect(component(rec(0x80n, { vendor: 'amd', bank }))).toEqual({
        area: 'memory',
        name: 'memory, as firmware reported it',
        basis: `bank ${bank}`,
      });
    }
    expect(component(rec(0n, { vendor: 'intel', bank: 254 }))).toMatchObject(nothing);
  });
});

describe('the layout of MCi_STATUS', () => {
  it('follows vendor, CPU and MCA_IPID', () => {
    // Without a vendor no field is named that only one of them has.
    expect(
      statusRegister(rec(0n))
        .fields.map(f => f.name)
        .join(' '),
    ).toBe('VAL OVER UC EN MISCV ADDRV PCC BY_VENDOR CODE');
    expect(statusRegister(rec(0n, { vendor: 'intel' }))).toBe(MCI_STATUS_INTEL);
    expect(statusRegister(rec(0n, { vendor: 'amd' }))).toBe(MCI_STATUS_AMD);
    expect(statusRegister(rec(0n, { vendor: 'amd', cpuid: 0x600f20n }))).toBe(MCI_STATUS_AMD_LEGACY);
    expect(statusRegister(rec(0n, { vendor: 'amd', cpuid: 0x600f20n, ipid: 0n }))).toBe(MCI_STATUS_AMD_LEGACY);
    expect(statusRegister(rec(0n, { vendor: 'amd', cpuid: 0x600f20n, ipid: 1n }))).toBe(MCI_STATUS_AMD);
  });
});

describe('what no hardware makes', () => {
  const codes = (record: X86McaRecord): string[] =>
    lint(record).map(f => f.code + (/with an unusual error code/.test(f.message) ? ' unusual' : ''));

  it('is told by the code of a firmware report', () => {
    expect(codes(rec(0x9fn, { bank: -1 }))).toContain('L_MCA_GHES_MADE');
    expect(codes(rec(0x9en, { bank: 255 }))).toContain('L_MCA_GHES_MADE unusual');
  });

  it('is bare only without any bit below the flags, and without an address or MCi_MISC', () => {
    expect(codes(rec(0n))).toContain('L_MCA_BARE_STATUS');
    for (const bit of [0n, 15n, 16n, 31n, 52n, 54n, 58n, 59n]) {
      expect(codes(rec(1n << bit))).not.toContain('L_MCA_BARE_STATUS');
    }
  });
});

describe('an AMD bank', () => {
  it('is a scalable one when MCA_IPID is not 0', () => {
    const of = (ipid: bigint) => component(rec(0x80136n, { vendor: 'amd', bank: 4, cpuid: 0x600f20n, ipid }));
    expect(of(0n)).toMatchObject({ area: 'memory', basis: 'bank 4 of family 15h' });
    expect(of(1n)).toMatchObject({ area: 'unknown', name: 'unknown bank type (HwId 0x0, McaType 0x0)' });
  });
});

describe('a UMC', () => {
  it('names the chip select of a DRAM ECC error, whatever the error code says', () => {
    const of = (status: bigint) => umcPlace({ ipid: 0x9600250f00n, status, synd: { chipSelect: 5n } });
    const syndV = VAL | (1n << 53n);
    expect(of(syndV)).toStrictEqual({ channel: 2, chipSelect: 5 });
    expect(of(syndV | 0xffffn)).toStrictEqual({ channel: 2, chipSelect: 5 });
    expect(of(syndV | (1n << 22n))).toStrictEqual({ channel: 2, chipSelect: 5 });
    expect(of(syndV | (1n << 16n))).toStrictEqual({ channel: 2 });
    expect(of(syndV | (1n << 21n))).toStrictEqual({ channel: 2 });
    expect(of(VAL)).toStrictEqual({ channel: 2 });
  });
});

describe('the sentence about the unit', () => {
  it('is left out where the bank type is not known', () => {
    expect(explain(rec(0x136n, { vendor: 'amd', ipid: 1n }))).not.toMatch(/bank type/i);
  });

  it('counts corrected errors from the second on', () => {
    const counted = (count: bigint) => explain(rec((count << 38n) | 0x80n, { vendor: 'intel', mcgCap: 0x400n }));
    expect(counted(2n)).toContain('The bank counted 2 corrected errors.');
    expect(counted(1n)).not.toContain('counted');
    const other = (more: bigint, vendor: McaVendor) => explain(rec((2n << 38n) | more, { vendor, mcgCap: 0x400n }));
    expect(other(1n << 61n, 'intel')).not.toContain('counted');
    expect(other(0n, 'amd')).not.toContain('counted');
  });
});

describe('named records', () => {
  it('are these', async () => {
    const lines = NAMED_MCA.map(named => stringify(named));
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/named.txt');
  });
});

describe('models with an erratum or HBM', () => {
  /** CPUID signature of family `f`h, model `m`. */
  const zen = (f: number, m: number): bigint =>
    BigInt(((f - 15) << 20) | ((m >> 4) << 16) | (15 << 8) | ((m & 15) << 4));
  const bank = (ipid: bigint, f: number, m: number) =>
    smcaBank(ipid, cpuOf(rec(0n, { vendor: 'amd', cpuid: zen(f, m) })));
  const ranges = (f: number, has: (m: number) => boolean): string => {
    const found = Array.from({ length: 256 }, (_, m) => m).filter(has);
    const first = found.filter(m => !found.includes(m - 1));
    return first
      .map(
        m =>
          `${f.toString(16)}:${m.toString(16)}-${(found.find(n => n >= m && !found.includes(n + 1)) ?? -1).toString(16)}`,
      )
      .join(' ');
  };
  const CS_V2 = (2n << 48n) | (0x2en << 32n);
  const UMC = 0x96n << 32n;

  it('are told by family and model', () => {
    const usual = smcaBank(CS_V2)?.codes;
    expect(ranges(0x19, m => bank(CS_V2, 0x19, m)?.codes !== usual)).toBe('19:10-1f 19:60-7b 19:a0-af');
    expect(ranges(0x1a, m => bank(CS_V2, 0x1a, m)?.codes !== usual)).toBe('1a:40-4f');
    expect(ranges(0x17, m => bank(CS_V2, 0x17, m)?.codes !== usual)).toBe('');
    expect(ranges(0x19, m => bank(UMC, 0x19, m)?.name === 'HBM memory controller')).toBe('19:90-9f');
    expect(ranges(0x1a, m => bank(UMC, 0x1a, m)?.name === 'HBM memory controller')).toBe('');
  });
});
