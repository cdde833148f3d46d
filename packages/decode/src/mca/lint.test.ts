import { describe, expect, it } from 'vitest';
import { softwareShapes } from './lint-shapes.ts';
import { decidingOf } from './deciding.ts';
import { lint } from './of-record.ts';
import { LINT_CODES } from './lint-codes.ts';
import { NAMED_MCA } from './named.ts';
import type { LintCodeId } from './lint-codes.ts';
import type { X86McaRecord } from './record.ts';

const VAL = 1n << 63n;
const at = (n: number): bigint => 1n << BigInt(n);
const OVER = at(62);
const UC = at(61);
const EN = at(60);
const MISCV = at(59);
const ADDRV = at(58);
const PCC = at(57);
const S = at(56);
const AR = at(55);

/** An Intel SRAO that hardware may well write (bank 7 of a server), and an AMD corrected DRAM error of Zen 4. */
const INTEL: X86McaRecord = {
  kind: 'x86-mca',
  vendor: 'intel',
  cpu: 0,
  bank: 7,
  status: VAL | UC | EN | MISCV | ADDRV | S | 0xc1n,
  mcgStatus: 0x5n,
  mcgCap: 0x0f000c14n,
  addr: 0x12345600n,
  misc: 0x86n,
};
const CE: X86McaRecord = { ...INTEL, status: VAL | EN | MISCV | ADDRV | 0x91n, mcgStatus: 0n };
const AMD: X86McaRecord = {
  kind: 'x86-mca',
  vendor: 'amd',
  cpu: 3,
  bank: 17,
  status: 0x9c2040000000011bn | (6n << 24n),
  misc: 0xd01a0ffe00000000n,
  addr: 0x1234580n,
  synd: 0x0000000900000002n,
  ipid: 0x0000009600350f00n,
  cpuid: 0xa10f11n,
};
const LEGACY: X86McaRecord = {
  kind: 'x86-mca',
  vendor: 'amd',
  bank: 0,
  status: VAL | EN | ADDRV | at(46) | 0x135n,
  addr: 0x1234580n,
  cpuid: 0x600f20n,
};

const without = (record: X86McaRecord, ...members: (keyof X86McaRecord)[]): X86McaRecord =>
  Object.fromEntries(Object.entries(record).filter(([k]) => !members.includes(k as never))) as unknown as X86McaRecord;

type Case = readonly [code: LintCodeId, record: X86McaRecord, message?: string];

/** What makes each finding, one change away from a clean record where that is possible. */
const CASES: readonly Case[] = [
  ['L_MCA_EMPTY', { ...INTEL, status: 0n }],
  ['L_MCA_VAL_CLEAR', { ...INTEL, status: 0x1n }, 'VAL is clear but other bits are set (0x0000000000000001)'],
  ['L_MCA_VENDOR_UNKNOWN', without(INTEL, 'vendor')],
  ['L_MCA_RESERVED_BITS', { ...INTEL, mcgStatus: 0x15n }, 'reserved bits are set (MCG_STATUS 0x0000000000000010)'],
  ['L_MCA_RESERVED_BITS', { ...INTEL, mcgCap: 0x4f000c14n }, 'reserved bits are set (MCG_CAP 0x0000000040000000)'],
  [
    'L_MCA_RESERVED_BITS',
    { ...AMD, status: AMD.status | at(52) },
    'reserved bits are set (MCi_STATUS 0x0010000000000000)',
  ],
  ['L_MCA_RESERVED_BITS', { ...AMD, misc: 0x8cn }, 'reserved bits are set (MCi_MISC 0x000000000000008c)'],
  ['L_MCA_RESERVED_BITS', { ...AMD, config: at(63) }, 'reserved bits are set (MCA_CONFIG 0x8000000000000000)'],
  ['L_MCA_RESERVED_BITS', { ...LEGACY, status: LEGACY.status | at(55) }],
  ['L_MCA_BANK_OUT_OF_RANGE', { ...INTEL, bank: 20 }, 'the CPU has no such bank (bank 20, MCG_CAP has 20)'],
  ['L_MCA_VENDOR_MIX', { ...INTEL, ipid: 1n }],
  ['L_MCA_VENDOR_MIX', { ...INTEL, synd: 1n }],
  ['L_MCA_VENDOR_MIX', { ...INTEL, config: 1n }],
  [
    'L_MCA_REGISTER_MISSING',
    without(INTEL, 'addr', 'misc'),
    'the status calls registers valid that the input does not have (MCi_ADDR, MCi_MISC)',
  ],
  ['L_MCA_VENDOR_CPUID', { ...INTEL, cpuid: 0xa20f10n }],
  ['L_MCA_VENDOR_CPUID', { ...AMD, cpuid: 0x50654n }],
  ['L_MCA_ADDR_WIDTH', { ...INTEL, addr: at(52) }],
  [
    'L_MCA_ADDR_NOT_VALID',
    { ...CE, status: CE.status & ~ADDRV },
    'there is an address but ADDRV is clear (0x0000000012345600)',
  ],
  ['L_MCA_REGISTER_MISSING', without(INTEL, 'misc')],
  [
    'L_MCA_MISC_NOT_VALID',
    { ...CE, status: CE.status & ~MISCV },
    'there is an MCi_MISC but MISCV is clear (0x0000000000000086)',
  ],
  ['L_MCA_MISC_MODE_RESERVED', { ...CE, misc: 0x106n }, 'reserved address mode in MCi_MISC (mode 4)'],
  ['L_MCA_MISC_MODE_RESERVED', { ...CE, misc: 0x186n }, 'reserved address mode in MCi_MISC (mode 6)'],
  ['L_MCA_PCC_WITHOUT_UC', { ...CE, status: CE.status | PCC }],
  ['L_MCA_PCC_WITHOUT_UC', { ...AMD, status: AMD.status | PCC }],
  ['L_MCA_AR_WITHOUT_S', { ...INTEL, status: (INTEL.status & ~S) | AR }],
  ['L_MCA_PCC_WITH_S_AR', { ...INTEL, status: INTEL.status | PCC }],
  ['L_MCA_PCC_WITH_S_AR', { ...INTEL, status: (INTEL.status & ~S) | PCC | AR }],
  ['L_MCA_S_AR_WITHOUT_UC', { ...CE, status: CE.status | S }],
  ['L_MCA_S_AR_WITHOUT_UC', { ...CE, status: CE.status | AR }],
  ['L_MCA_S_WITHOUT_EN', { ...INTEL, status: INTEL.status & ~EN }],
  ['L_MCA_UC_WITHOUT_EN', { ...INTEL, status: INTEL.status & ~EN & ~S }],
  ['L_MCA_S_AR_WITHOUT_SER_P', { ...INTEL, mcgCap: 0x0c14n }],
  ['L_MCA_UCR_WITHOUT_ADDRESS', { ...INTEL, status: INTEL.status & ~ADDRV, addr: 0n }],
  [
    'L_MCA_UCR_WITHOUT_ADDRESS',
    { ...INTEL, status: (INTEL.status & ~MISCV) | AR },
    'action optional or required, but ADDRV or MISCV are clear (SRAR)',
  ],
  [
    'L_MCA_UCR_ADDRESS_MODE',
    { ...INTEL, misc: 0x46n },
    'action optional or required, but the address is not a physical one (SRAO, mode 1)',
  ],
  [
    'L_MCA_SRAR_CODE',
    { ...INTEL, status: INTEL.status | AR },
    'action required with a code that is not an architectural SRAR code (0xc1)',
  ],
  [
    'L_MCA_SRAO_CODE',
    { ...INTEL, status: (INTEL.status & ~0xffffn) | 0x134n },
    'action optional with a code that is not an architectural SRAO code (0x134)',
  ],
  ['L_MCA_SRAR_OVER', { ...INTEL, status: (INTEL.status & ~0xffffn) | 0x134n | AR | OVER }],
  ['L_MCA_OVER', { ...CE, status: CE.status | OVER }],
  [
    'L_MCA_COUNT_WITHOUT_CMCI_P',
    { ...CE, mcgCap: 0x0f000814n, status: CE.status | at(38) },
    'a corrected error count on a CPU that does not count (0x1)',
  ],
  [
    'L_MCA_COUNT_WITH_UC',
    { ...INTEL, status: INTEL.status | (3n << 38n) },
    'a corrected error count in an uncorrected error (3)',
  ],
  ['L_MCA_COUNT_OVERFLOW', { ...CE, status: CE.status | at(52) }],
  ['L_MCA_TES_WITHOUT_TES_P', { ...CE, mcgCap: 0x0f000414n, status: CE.status | at(53) }],
  ['L_MCA_TES_RESERVED', { ...CE, status: CE.status | (3n << 53n) }],
  ['L_MCA_TES_WITH_UC', { ...INTEL, status: INTEL.status | at(54) }],
  ['L_MCA_FILTER_WITH_UC', { ...INTEL, status: INTEL.status | 0x1000n }],
  ['L_MCA_CODE_RESERVED', { ...CE, status: CE.status | 0x2000n }, 'reserved error code (0x2091)'],
  ['L_MCA_CODE_RESERVED', { ...AMD, status: AMD.status | 0x2000n }, 'reserved error code (0x211b)'],
  [
    'L_MCA_MSCOD_UNKNOWN',
    { ...CE, cpuid: 0x606a6n, bank: 13, status: CE.status | 0x70000000n },
    'model-specific code without a public meaning (0x7000)',
  ],
  ['L_MCA_NO_CODE', { ...CE, status: CE.status & ~0xffffn }],
  ['L_MCA_BARE_STATUS', without({ ...INTEL, status: VAL | UC }, 'addr', 'misc')],
  [
    'L_MCA_MCE_INJECT',
    without({ ...CE, status: VAL | EN }, 'addr', 'misc'),
    'the flags of an mce-inject keyword and nothing else (CORRECTED)',
  ],
  [
    'L_MCA_MCE_INJECT',
    without({ ...CE, status: VAL | EN | UC | OVER }, 'addr', 'misc'),
    'the flags of an mce-inject keyword and nothing else (UNCORRECTED)',
  ],
  [
    'L_MCA_MCE_INJECT',
    without({ ...CE, status: VAL | EN | UC | PCC }, 'addr', 'misc'),
    'the flags of an mce-inject keyword and nothing else (FATAL)',
  ],
  ['L_MCA_BARE_STATUS', without({ ...INTEL, status: VAL }, 'addr', 'misc')],
  ['L_MCA_S_WITHOUT_MCIP', { ...INTEL, mcgStatus: 1n }],
  ['L_MCA_NO_IP', { ...INTEL, mcgStatus: 4n }],
  ['L_MCA_LMCE_WITHOUT_LMCE_P', { ...INTEL, mcgStatus: 0xdn, mcgCap: 0x07000c14n }],
  ['L_MCA_DEFERRED_WITH_POISON', { ...AMD, status: (AMD.status & ~at(46)) | at(44) | at(43) }],
  ['L_MCA_DEFERRED_WITH_UC', { ...AMD, status: (AMD.status & ~at(46)) | at(44) | UC }],
  ['L_MCA_DEFERRED_WITH_PCC', { ...AMD, status: (AMD.status & ~at(46)) | at(44) | PCC }],
  ['L_MCA_TCC_WITHOUT_UC', { ...AMD, status: AMD.status | at(55) }],
  ['L_MCA_POISON_WITHOUT_UC', { ...AMD, status: AMD.status | at(43) }],
  ['L_MCA_CECC_AND_UECC', { ...AMD, status: AMD.status | at(45) }],
  ['L_MCA_CECC_WITH_UC', { ...AMD, status: AMD.status | UC }],
  ['L_MCA_UECC_WITHOUT_UC', { ...AMD, status: (AMD.status & ~at(46)) | at(45) }],
  ['L_MCA_REGISTER_MISSING', without(AMD, 'synd')],
  [
    'L_MCA_SYND_NOT_VALID',
    { ...AMD, status: AMD.status & ~at(53) },
    'there is an MCA_SYND but SYNDV is clear (0x0000000900000002)',
  ],
  [
    'L_MCA_CORE_NOT_VALID',
    { ...AMD, status: AMD.status | (5n << 32n) },
    'a core is named but ERRCOREIDVAL is clear (core 5)',
  ],
  ['L_MCA_IPID_MISSING', without(AMD, 'ipid', 'cpuid')],
  ['L_MCA_IPID_MISSING', without({ ...AMD, status: (AMD.status & ~at(53)) | UC | at(55), synd: 0n }, 'ipid')],
  ['L_MCA_IPID_MISSING', without({ ...AMD, status: (AMD.status & ~at(53)) | at(54), synd: 0n }, 'ipid')],
  ['L_MCA_IPID_UNKNOWN', { ...AMD, ipid: 0x0012_0abc_0000_0000n }, 'unknown bank type (HwId 0xabc, McaType 0x12)'],
  [
    'L_MCA_XEC_UNKNOWN',
    { ...AMD, status: AMD.status | (0xdn << 16n) },
    'extended error code without a public meaning (0xd)',
  ],
  ['L_MCA_XEC_UNKNOWN', { ...LEGACY, status: LEGACY.status | (0x1en << 16n) }],
  [
    'L_MCA_ADDR_LSB',
    { ...AMD, status: AMD.status | (52n << 24n) },
    'the granularity of the address is larger than the address space (bit 54)',
  ],
  [
    'L_MCA_ADDR_LSB',
    { ...CE, misc: 0xb4n },
    'the granularity of the address is larger than the address space (bit 52)',
  ],
  ['L_MCA_NOT_HARDWARE', { ...CE, bank: 0, status: VAL | EN | 0xf0005n, cpuid: 0x306c3n }],
  ['L_MCA_VIRTUAL_CPU', { ...CE, microcode: 0xffffffffn }],
  ['L_MCA_HYPERV_MADE', { ...INTEL, bank: 0, status: 0xb200000080060001n, mcgStatus: 4n }],
  ['L_MCA_QEMU_SRAR', { ...INTEL, bank: 9, status: 0xbd80000000000134n, misc: 0x8cn, mcgStatus: 7n }],
  ['L_MCA_QEMU_SRAO', { ...INTEL, bank: 9, status: 0xbd000000000000c0n, misc: 0x8cn }],
  ['L_MCA_QEMU_AMD_AR', { kind: 'x86-mca', vendor: 'amd', bank: 9, status: 0xbc00080000000000n, misc: 0x8cn }],
  ['L_MCA_QEMU_AMD_AO', { kind: 'x86-mca', vendor: 'amd', bank: 9, status: 0x9c00180000000000n, misc: 0x8cn }],
  ['L_MCA_QEMU_BROADCAST', { kind: 'x86-mca', bank: 1, status: 0xa000000000000000n }],
  ['L_MCA_GHES_MADE', { ...INTEL, bank: -1, status: 0xbd0000000000009fn }, 'made by Linux from a firmware report'],
  ['L_MCA_GHES_MADE', { ...INTEL, bank: 255, status: 0x9c0000000000009fn }, 'made by Linux from a firmware report'],
  [
    'L_MCA_GHES_MADE',
    { ...INTEL, bank: 255, status: 0x9c00000000000091n },
    'made by Linux from a firmware report (with an unusual error code)',
  ],
  [
    'L_MCA_XEN_MCEINJ',
    { ...INTEL, status: 0xbd2000008000017an },
    'the values of a fixed record of xen-mceinj (type 0, labelled memory scrubbing, is a last level cache write-back)',
  ],
];

const codesOf = (record: X86McaRecord): LintCodeId[] => lint(record).map(f => f.code);

describe('lint', () => {
  it('says nothing about records that hardware may well write', () => {
    expect(lint(INTEL)).toEqual([]);
    expect(lint(CE)).toEqual([]);
    expect(lint(AMD)).toEqual([]);
    expect(lint(LEGACY)).toEqual([]);
  });

  it('takes the MCA_CONFIG of real records for what hardware writes', () => {
    expect(codesOf({ ...AMD, config: 0x0000_0003_0000_01f9n })).not.toContain('L_MCA_RESERVED_BITS');
  });

  it.each([0x4d000000n, 0x5a000005n, 0x5a020005n, 0x5b240203n, 0x5a800001n])(
    'takes the MCA_SYND 0x%x of real records for what hardware writes',
    synd => {
      const core = { status: 0xbea0000000000108n, ipid: 0x500b000000000n, cpuid: 0x870f10n, bank: 5, addr: 0x1n };
      const record: X86McaRecord = { kind: 'x86-mca', vendor: 'amd', ...core, misc: 0xd012000100000000n, synd };
      expect(codesOf(record)).not.toContain('L_MCA_RESERVED_BITS');
    },
  );

  it.each(CASES.map(([code, record, message]) => ({ code, record, message })))('$code', ({ code, record, message }) => {
    const found = lint(record).find(f => f.code === code);
    expect(codesOf(record)).toContain(code);
    expect(found?.severity).toBe(LINT_CODES[code].severity);
    // What both vendors forbid is cited from the manual of the record's vendor.
    if (record.vendor === 'intel' || !LINT_CODES[code].section.startsWith('SDM')) {
      expect(found?.section).toBe(LINT_CODES[code].section);
    } else if (record.vendor === 'amd' && code !== 'L_MCA_VENDOR_CPUID') {
      expect(found?.section).toMatch(/^(?:APM vol\. 2|PPR), [^;]*$/);
    }
    expect(found?.message).toBe(message ?? found?.message);
    expect(found?.message.startsWith(LINT_CODES[code].title)).toBe(true);
  });

  it('has a case for every code', () => {
    expect(Object.keys(LINT_CODES).filter(code => !CASES.some(c => c[0] === code))).toEqual([]);
  });

  it('finds exactly this in the cases', async () => {
    const lines = CASES.map(([code, record]) => {
      const found = lint(record).map(f => {
        const bits = f.bits?.map(b => `${b.register}[${b.hi === b.lo ? b.hi : `${b.hi}:${b.lo}`}]`).join(' ') ?? '';
        return `  ${f.severity} ${f.code} ${bits}\n    ${f.message}`;
      });
      return [code, ...found].join('\n');
    });
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/lint.txt');
  });

  it('takes what the record lacks from the context, and believes the record first', () => {
    const bare = without(INTEL, 'mcgCap');
    expect(lint(bare)).toEqual([]);
    expect(lint(bare, { mcgCap: 0x0100_0005n }).map(f => f.code)).toEqual(['L_MCA_BANK_OUT_OF_RANGE']);
    expect(lint(INTEL, { mcgCap: 0x0100_0005n })).toEqual([]);
    const icx = { ...CE, bank: 13, status: CE.status | 0x70000000n };
    expect(lint(icx)).toEqual([]);
    expect(lint(icx, { cpuid: 0x606a6n }).map(f => f.code)).toEqual(['L_MCA_MSCOD_UNKNOWN']);
    expect(lint({ ...icx, cpuid: 0x50657n, bank: 0 }, { cpuid: 0x606a6n })).toEqual([]);
  });

  it('puts errors first', () => {
    const record = { ...AMD, status: (AMD.status & ~at(46)) | at(44) | at(43) | OVER | at(52) };
    expect(lint(record).map(f => f.severity)).toEqual(['error', 'warning', 'info']);
  });

  it("knows QEMU's four records, also when one overwrote another", () => {
    const seen = NAMED_MCA.filter(n => n.source.startsWith('QEMU')).map(n => {
      const { vendor, bank, status, misc, mcgStatus } = n;
      const record: X86McaRecord = { kind: 'x86-mca', vendor, bank, status, misc, mcgStatus, addr: 0x1000n };
      const again = codesOf({ ...record, status: status | OVER }).filter(c => c.startsWith('L_MCA_QEMU'));
      return [n.name, codesOf(record), again];
    });
    expect(seen).toEqual([
      ['srao', ['L_MCA_QEMU_SRAO'], ['L_MCA_QEMU_SRAO']],
      ['srar-data', ['L_MCA_QEMU_SRAR'], ['L_MCA_QEMU_SRAR']],
      [
        'amd-deferred',
        ['L_MCA_DEFERRED_WITH_POISON', 'L_MCA_RESERVED_BITS', 'L_MCA_QEMU_AMD_AO'],
        ['L_MCA_QEMU_AMD_AO'],
      ],
      ['amd-uc', ['L_MCA_RESERVED_BITS', 'L_MCA_QEMU_AMD_AR'], ['L_MCA_QEMU_AMD_AR']],
    ]);
  });

  it('does not take a record for a made one when vendor, bank, MISC or any bit differ', () => {
    const qemu: X86McaRecord = { ...INTEL, bank: 9, status: 0xbd000000000000c0n, misc: 0x8cn };
    expect(codesOf(qemu)).toEqual(['L_MCA_QEMU_SRAO']);
    expect(codesOf(without(qemu, 'vendor', 'mcgStatus'))).toContain('L_MCA_QEMU_SRAO');
    expect(codesOf(without(qemu, 'misc'))).toContain('L_MCA_QEMU_SRAO');
    expect(codesOf({ ...qemu, bank: 8 })).toEqual([]);
    expect(codesOf({ ...qemu, misc: 0x86n })).toEqual([]);
    expect(codesOf({ ...qemu, status: qemu.status | 1n })).toEqual([]);
    expect(codesOf({ ...qemu, vendor: 'amd' })).not.toContain('L_MCA_QEMU_SRAO');
  });

  it('checks no bank number of a record that Linux made from a firmware report', () => {
    const made: X86McaRecord = { ...INTEL, bank: 255, status: 0x9c0000000000009fn, mcgCap: 0x0100010an, mcgStatus: 0n };
    expect(codesOf(made)).toEqual(['L_MCA_GHES_MADE']);
  });

  it('reads the values of xen-mceinj', () => {
    const of = (status: bigint, bank: number): string | undefined =>
      lint({ ...without(INTEL, 'mcgStatus'), status, bank }).find(f => f.code === 'L_MCA_XEN_MCEINJ')?.message;
    const title = 'the values of a fixed record of xen-mceinj';
    expect(of(0xbd000000004000cfn, 8)).toBe(`${title} (type 1, labelled LLC, is memory scrubbing)`);
    expect(of(0xbc20000080000136n, 9)).toBe(`${title} (type 2, UCNA of the last level cache)`);
    expect(of(0x9400000000000151n, 1)).toBe(`${title} (type 3, instruction cache parity)`);
    expect(of(0x9400000000000151n, 2)).toBeUndefined();
    expect(of(0xbf2000008000017an, 7)).toBe(`${title} (type 4, fatal last level cache write-back)`);
  });

  it('takes nothing that is not valid for a shape', () => {
    expect(softwareShapes(decidingOf({ ...INTEL, status: 0x3d000000000000c0n }))).toEqual([]);
    expect(softwareShapes(decidingOf({ ...INTEL, status: 0n, bank: 255 }))).toEqual([]);
  });
});
