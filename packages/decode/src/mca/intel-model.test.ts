import { describe, expect, it } from 'vitest';
import { explain, lint, pageOf } from './of-record.ts';
import { component, ioRootPort } from './testing/rules.ts';
import { cpuModel, cpuOf, signatureName } from './cpu.ts';
import { decidingOf } from './deciding.ts';
import { intelFamily, intelModelInfo, intelPlace, intelUnit } from './intel-model.ts';
import type { X86McaRecord } from './record.ts';

const SNB = 0x206d7n;
const IVB = 0x306e4n;
const HSW = 0x306f2n;
const BDX = 0x406f1n;
const BDW_DE = 0x50663n;
const SNR = 0x80665n;
const SKX = 0x50657n;
const ICX = 0x606a6n;
const SPR = 0x806f8n;
const EMR = 0xc06f2n;
const GNR = 0xa06d1n;

const record = (cpuid: bigint, bank: number, status: bigint, misc?: bigint): X86McaRecord => ({
  kind: 'x86-mca',
  vendor: 'intel',
  cpu: 0,
  bank,
  status,
  cpuid,
  ...(misc === undefined ? {} : { misc }),
});

const mscod = (cpuid: bigint, bank: number, code: bigint, mcacod = 0x0091n): unknown =>
  intelModelInfo(decidingOf(record(cpuid, bank, (1n << 63n) | (code << 16n) | mcacod)), cpuModel(cpuid))?.mscod;

describe('cpuModel', () => {
  it.each([
    [SKX, '06_55H', 7],
    [ICX, '06_6AH', 6],
    [SPR, '06_8FH', 8],
    [EMR, '06_CFH', 2],
    [GNR, '06_ADH', 1],
    [0xa20f10n, '19_21H', 0],
    [0x100f42n, '10_04H', 2],
    [0x600f20n, '15_02H', 0],
    [0x673n, '06_07H', 3],
    // A base family other than 6 and 15 has no extended model.
    [0xf0543n, '05_04H', 3],
    // The extended family counts only beside a base family of 15.
    [0x0f00006a0n, '06_0AH', 0],
  ])('%s is %s', (signature, name, stepping) => {
    const cpu = cpuModel(signature);
    expect([signatureName(cpu), cpu.stepping]).toStrictEqual([name, stepping]);
  });

  it('takes no CPU from a record without a signature', () => {
    expect(cpuOf({})).toBeUndefined();
    expect(cpuOf({ cpuid: 0n })).toBeUndefined();
    expect(cpuOf({ cpuid: SKX })).toStrictEqual({ family: 6, model: 0x55, stepping: 7 });
  });
});

describe('intelFamily', () => {
  it('knows the server families and nothing else', () => {
    const ids: Record<string, string> = {};
    for (let model = 0; model < 256; model++) {
      const id = intelFamily({ family: 6, model, stepping: 0 })?.id;
      if (id !== undefined) ids[model.toString(16)] = id;
    }
    expect(ids).toStrictEqual({
      '1a': 'NHM',
      '1e': 'NHM',
      '1f': 'NHM',
      '25': 'NHM',
      '2c': 'NHM',
      '2d': 'SNB',
      '3e': 'IVB',
      '3f': 'HSW',
      '4f': 'BDX',
      '55': 'SKX',
      '56': 'BDW_DE',
      '6a': 'ICX',
      '6c': 'ICX',
      '86': 'SNR',
      '8f': 'SPR',
      cf: 'SPR',
      ad: 'GNR',
      ae: 'GNR',
      af: 'GNR',
      dd: 'GNR',
    });
    // Ice Lake-D is one socket with two memory controllers.
    const banksOf = (model: number): number[] =>
      Array.from({ length: 32 }, (_, i) => i).filter(
        i => intelUnit(i, { family: 6, model, stepping: 0 }) !== undefined,
      );
    expect(banksOf(0x6a)).toStrictEqual([4, 5, 7, 8, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]);
    expect(banksOf(0x6c)).toStrictEqual([4, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(intelFamily({ family: 0x19, model: 0x55, stepping: 0 })).toBeUndefined();
    expect(intelUnit(40, cpuModel(SKX))).toBeUndefined();
    expect(intelUnit(4, cpuModel(SKX))?.id).toBe('PCU');
    expect(intelUnit(4, cpuModel(0xa20f10n))).toBeUndefined();
  });
});

describe('model-specific codes', () => {
  it.each([
    // Skylake: flags while bit 27 is clear, a number when it is set.
    [SKX, 13, 0x0008n, [{ hi: 19, lo: 19, value: 1, text: 'corrected patrol scrub error' }]],
    [
      SKX,
      16,
      0x0410n,
      [
        { hi: 26, lo: 26, value: 1, text: 'uncorrected address parity error' },
        { hi: 20, lo: 20, value: 1, text: 'uncorrected patrol scrub error' },
      ],
    ],
    [SKX, 18, 0x0800n, [{ hi: 23, lo: 16, value: 0, text: 'unrecognised request type' }]],
    [SKX, 18, 0x080cn, [{ hi: 23, lo: 16, value: 12, text: 'scheduler error' }]],
    [SKX, 18, 0x08ffn, [{ hi: 23, lo: 16, value: 255 }]],
    [SKX, 7, 0x0001n, [{ hi: 16, lo: 16, value: 1, text: 'read data error from the memory controller' }]],
    [SKX, 8, 0x0002n, [{ hi: 17, lo: 17, value: 1 }]],
    // Which memory it was: Intel's decoder of crash dumps, M2M banks.
    [SKX, 8, 0x0300n, [{ hi: 25, lo: 24, value: 3, text: 'in DDR4 and in persistent memory (DDR-T)' }]],
    [
      SKX,
      7,
      0x0101n,
      [
        { hi: 25, lo: 24, value: 1, text: 'in DDR4 memory' },
        { hi: 16, lo: 16, value: 1, text: 'read data error from the memory controller' },
      ],
    ],
    [
      ICX,
      12,
      0x0201n,
      [
        { hi: 25, lo: 24, value: 2, text: 'in persistent memory (DDR-T)' },
        { hi: 16, lo: 16, value: 1, text: 'read data error from the memory controller' },
      ],
    ],
    [ICX, 24, 0x0400n, [{ hi: 31, lo: 26, value: 1 }]],
    // Before Skylake: flags.
    [SNB, 8, 0x0008n, [{ hi: 19, lo: 19, value: 1, text: 'corrected patrol scrub error' }]],
    [SNB, 11, 0x0080n, [{ hi: 31, lo: 23, value: 1 }]],
    [SNB, 4, 0x7a00n, [{ hi: 31, lo: 24, value: 0x7a, text: 'MC_HA_FAILSTS_CHANGE_DETECTED' }]],
    [IVB, 11, 0x0008n, [{ hi: 19, lo: 19, value: 1, text: 'corrected patrol scrub error' }]],
    [
      IVB,
      16,
      0x0180n,
      [
        { hi: 24, lo: 24, value: 1, text: 'write data buffer parity error' },
        { hi: 23, lo: 23, value: 1, text: 'corrected read error' },
      ],
    ],
    [IVB, 9, 0x0200n, [{ hi: 31, lo: 25, value: 1 }]],
    [IVB, 7, 0x0001n, [{ hi: 31, lo: 16, value: 1 }]],
    [
      IVB,
      4,
      0x4409n,
      [
        { hi: 31, lo: 24, value: 0x44, text: 'MC_CRITICAL_VR_FAILED' },
        { hi: 19, lo: 16, value: 9, text: 'D_Parity_Error' },
      ],
    ],
    [HSW, 9, 0x0200n, [{ hi: 25, lo: 25, value: 1, text: 'DDR4 command or address parity error' }]],
    [HSW, 20, 0x0021n, [{ hi: 31, lo: 16, value: 0x21, text: 'data lanes failed over, the link healed itself' }]],
    [HSW, 4, 0x3900n, [{ hi: 31, lo: 24, value: 0x39, text: 'MC_PKGC_WATCHDOG_HANG_C3_UP_SF' }]],
    [BDX, 16, 0x0040n, [{ hi: 22, lo: 22, value: 1, text: 'uncorrected spare error' }]],
    [BDW_DE, 10, 0x0010n, [{ hi: 20, lo: 20, value: 1, text: 'uncorrected patrol scrub error' }]],
    [BDW_DE, 4, 0x2600n, [{ hi: 31, lo: 24, value: 0x26, text: 'MCA_PKGC_DIRECT_WAKE_RING_TIMEOUT' }]],
    [
      SKX,
      5,
      0x0022n,
      [{ hi: 21, lo: 16, value: 0x22, text: 'a lane failed, the link goes on at width x8 (corrected)' }],
    ],
    [
      SKX,
      19,
      0x8012n,
      [
        { hi: 31, lo: 31, value: 1, text: 'parity error of the link layer on transmit' },
        { hi: 21, lo: 16, value: 0x12, text: 'control error of the link or physical layer (uncorrected)' },
      ],
    ],
    // Bits 31:22 are details of 0x12 only.
    [
      SKX,
      12,
      0x8030n,
      [
        { hi: 31, lo: 22, value: 0x200 },
        { hi: 21, lo: 16, value: 0x30, text: 'CRC error, link level retry succeeded (corrected)' },
      ],
    ],
    [SKX, 4, 0x3300n, [{ hi: 31, lo: 24, value: 0x33, text: 'MCA_PKGC_WATCHDOG_HANG_CBZ_DOWN' }]],
    [
      SKX,
      4,
      0x0012n,
      [
        { hi: 23, lo: 20, value: 1 },
        { hi: 19, lo: 16, value: 2, text: 'internal error of the unit' },
      ],
    ],
    [SKX, 3, 0x0000n, []],
    [SKX, 3, 0xffffn, [{ hi: 31, lo: 16, value: 0xffff }]],
    // Ice Lake: bits 31:24 choose the table.
    [ICX, 13, 0x0008n, [{ hi: 23, lo: 16, value: 8, text: 'corrected patrol scrub error' }]],
    [ICX, 27, 0x0200n, [{ hi: 23, lo: 16, value: 0, text: 'DDR4 command or address parity error' }]],
    [ICX, 14, 0x0827n, [{ hi: 23, lo: 16, value: 0x27, text: 'TME_UFILL_PAR_ERR' }]],
    // Of the second mirror: 1008h to 10A0h.
    [ICX, 21, 0x1008n, [{ hi: 23, lo: 16, value: 8, text: 'corrected patrol scrub error, second mirror' }]],
    [ICX, 21, 0x10a0n, [{ hi: 23, lo: 16, value: 0xa0, text: 'uncorrected read error, second mirror' }]],
    [SNR, 15, 0x0080n, [{ hi: 23, lo: 16, value: 0x80, text: 'corrected read error' }]],
    [ICX, 14, 0x0399n, [{ hi: 31, lo: 16, value: 0x399 }]],
    [ICX, 12, 0x0004n, [{ hi: 18, lo: 18, value: 1, text: 'partial write data error' }]],
    [ICX, 8, 0x0032n, [{ hi: 21, lo: 16, value: 0x32, text: 'a link level retry was received' }]],
    [
      ICX,
      4,
      0x6592n,
      [
        { hi: 31, lo: 24, value: 0x65, text: 'MCA_PKGS_RESET_PREP_TIMEOUT' },
        { hi: 23, lo: 20, value: 9, text: 'invalid transaction at the power management controller' },
        { hi: 19, lo: 16, value: 2, text: 'double bit error on an instruction fetch' },
      ],
    ],
    // Sapphire and Emerald Rapids.
    [SPR, 13, 0x0005n, [{ hi: 23, lo: 16, value: 5 }]],
    [EMR, 20, 0x1080n, [{ hi: 23, lo: 16, value: 0x80, text: 'corrected read error, second mirror' }]],
    [SPR, 12, 0x0001n, [{ hi: 23, lo: 16, value: 1, text: 'read ECC error' }]],
    [SPR, 29, 0x0002n, [{ hi: 23, lo: 16, value: 2, text: 'fatal "bucket 1" error' }]],
    [SPR, 5, 0x0015n, [{ hi: 21, lo: 16, value: 0x15, text: 'SGX message authentication error (uncorrected)' }]],
    // Granite Rapids.
    [GNR, 24, 0x2103n, [{ hi: 23, lo: 16, value: 3 }]],
    [
      GNR,
      24,
      0x2104n,
      [{ hi: 23, lo: 16, value: 4, text: 'write data buffer byte enable parity error, sub-channel 1' }],
    ],
    [GNR, 12, 0x000dn, [{ hi: 31, lo: 16, value: 13, text: 'access rights mismatch (SAI)' }]],
    [
      GNR,
      6,
      0x0b80n,
      [
        { hi: 31, lo: 24, value: 0x0b, text: 'MCA_GPSB_TIMEOUT' },
        { hi: 23, lo: 16, value: 0x80, text: 'the S3M signalled an error' },
      ],
    ],
    [GNR, 5, 0x0014n, [{ hi: 31, lo: 16, value: 0x14, text: 'TDX failure (uncorrected)' }]],
  ])('%s bank %i code %s', (cpuid, bank, code, want) => {
    expect(mscod(cpuid, bank, code)).toStrictEqual(want);
  });

  it('calls a code unknown only where the unit has a published table', () => {
    const codes = (cpuid: bigint, bank: number, code: bigint): string[] =>
      lint(record(cpuid, bank, 0x8000000000000091n | (code << 16n))).map(found => found.code);
    expect(codes(IVB, 7, 1n)).not.toContain('L_MCA_MSCOD_UNKNOWN');
    expect(codes(IVB, 9, 0x200n)).toContain('L_MCA_MSCOD_UNKNOWN');
    expect(codes(IVB, 11, 8n)).not.toContain('L_MCA_MSCOD_UNKNOWN');
    // Cascade Lake, a kdump of 2020.
    expect(codes(SKX, 7, 0x0101n)).not.toContain('L_MCA_MSCOD_UNKNOWN');
  });

  it('reads bits 19:16 of the power unit by the error code on Sapphire Rapids', () => {
    expect(mscod(SPR, 4, 0x0005n, 0x040cn)).toStrictEqual([
      { hi: 19, lo: 16, value: 5, text: 'triple fault of the software' },
    ]);
    expect(mscod(SPR, 4, 0x0005n, 0x0402n)).toStrictEqual([{ hi: 19, lo: 16, value: 5, text: 'stack overflow' }]);
  });

  it('adds what the error code of the power unit says on Skylake', () => {
    expect(mscod(SKX, 4, 0n, 0x0406n)).toStrictEqual([{ hi: 15, lo: 0, value: 0x406, text: 'Intel TXT error' }]);
    expect(mscod(SKX, 4, 0n, 0x0405n)).toStrictEqual([]);
  });

  it('is silent about other vendors, banks and models', () => {
    const skx = cpuModel(SKX);
    expect(intelModelInfo(decidingOf({ ...record(SKX, 13, 1n << 63n), vendor: 'amd' }), skx)).toBeUndefined();
    expect(intelModelInfo(decidingOf(record(SKX, 6, 1n << 63n)), skx)).toBeUndefined();
    expect(intelModelInfo(decidingOf(record(SKX, 13, 1n << 63n)), { ...skx, model: 0x5e })).toBeUndefined();
    expect(intelModelInfo(decidingOf(record(SKX, 13, 1n << 63n)), skx)?.source).toBe(
      'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_55H (06_55H)',
    );
  });
});

const rows = (r: X86McaRecord): Record<string, bigint> | undefined => {
  const found = intelModelInfo(decidingOf(r), cpuModel(r.cpuid ?? 0n))?.misc?.describe(r.misc ?? 0n);
  return found === undefined ? undefined : Object.fromEntries(found.map(row => [row.name, row.value]));
};
const VALID = 0x8c00000000000091n;

describe('MCi_MISC of memory controllers', () => {
  // i7core_edac's own report of a Xeon 5500: 8c0000400001009f, DIMM 1 of channel 2.
  const NHM = { vendor: 'intel', bank: 8, status: 0x8c0000400001009fn, cpuid: 0x106a5n } as const;
  const westmere = { kind: 'x86-mca', ...NHM, addr: 0x2fb1c40n, misc: 0x1cdfd8a6000900a1n } as const;

  it('names DIMM, channel and syndrome on Nehalem and Westmere', () => {
    expect(rows(westmere)).toMatchObject({ CHANNEL: 2n, DIMM: 1n, SYNDROME: 0x1cdfd8a6n, RTID: 0xa1n });
    expect(rows({ ...westmere, cpuid: 0x206c2n })).toMatchObject({ CHANNEL: 2n, DIMM: 1n });
    expect(rows({ ...westmere, bank: 7 })).toBeUndefined();
  });

  it('says nothing of the address where the CPU has no software error recovery', () => {
    const misc = 0x8cn;
    const page = (more: object): boolean => pageOf({ ...westmere, misc, ...more }) !== undefined;
    expect(page({})).toBe(false);
    expect(page({ mcgCap: 0x1c09n })).toBe(false);
    expect(page({ mcgCap: 0x1001c09n })).toBe(true);
    expect(page({ cpuid: 0x50654n })).toBe(true);
    expect(page({ cpuid: 0x50654n, mcgCap: 0xc09n })).toBe(false);
    // QEMU's Nehalem has it.
    expect(page({ bank: 9 })).toBe(true);
  });

  it('places a corrected error of Ice Lake', () => {
    // transient=0 eccmode=1 rank=2 subrank=3 device=0x11 bank=2 bankgroup=4|1 row=0x12345 column=0x2aa mode=2 lsb=6
    const misc =
      (1n << 59n) |
      (2n << 56n) |
      (3n << 52n) |
      (0x11n << 46n) |
      (1n << 44n) |
      (2n << 42n) |
      (1n << 40n) |
      (0x12345n << 19n) |
      (0x2aan << 9n) |
      0x86n;
    expect(rows(record(ICX, 13, VALID, misc))).toStrictEqual({
      TRANSIENT: 0n,
      ECCMODE: 1n,
      RANK: 2n,
      SUBRANK: 3n,
      DEVICE: 0x11n,
      BANKGROUP2: 1n,
      BANK: 2n,
      BANKGROUP: 1n,
      ROW: 0x12345n,
      COLUMN: 0x2aan,
      MODE: 2n,
      LSB: 6n,
    });
  });

  it('has no place without MISCV, without MISC, or for a unit without a table', () => {
    expect(rows(record(ICX, 13, VALID & ~(1n << 59n), 0x86n))).toBeUndefined();
    expect(rows(record(ICX, 13, VALID))).toBeUndefined();
    expect(rows(record(SKX, 13, VALID, 0x86n))).toBeUndefined();
  });

  it('reads mirroring from the mesh to memory banks', () => {
    expect(rows(record(SKX, 7, VALID, (1n << 63n) | 0x86n))).toMatchObject({ FAILOVER: 1n, MIRRORED: 0n });
  });

  it('reads mirroring from the home agents of Broadwell', () => {
    expect(rows(record(BDX, 8, VALID, (1n << 41n) | 0x86n))).toMatchObject({ FAILOVER: 1n, MIRRORED: 0n });
    expect(rows(record(HSW, 8, VALID, (1n << 41n) | 0x86n))).toBeUndefined();
  });

  it('needs its own valid bit on Granite Rapids, and a code that names a place', () => {
    const valid = VALID | (1n << 33n);
    expect(rows(record(GNR, 13, VALID, 0x86n))).toBeUndefined();
    expect(rows(record(GNR, 13, valid, (5n << 55n) | 0x86n))).toMatchObject({ CHIPSELECT: 5n });
    expect(rows(record(GNR, 13, valid | (0x800n << 16n), 0x86n))).toBeUndefined();
    expect(rows(record(GNR, 13, valid | (0x82fn << 16n), 0x86n))).toBeUndefined();
    expect(rows(record(GNR, 13, valid | (0x830n << 16n), 0x86n))).toBeDefined();
    expect(rows(record(GNR, 13, valid | (0x7ffn << 16n), 0x86n))).toBeDefined();
  });
});

describe('intelPlace', () => {
  it('takes the channel from the bank where the bank has one, else from the code', () => {
    expect(intelPlace(record(SKX, 17, 0x8000000000000090n), cpuModel(SKX))).toStrictEqual({
      controller: 0,
      channel: 2,
    });
    expect(intelPlace(record(SKX, 8, 0x8000000000000091n), cpuModel(SKX))).toStrictEqual({ controller: 1, channel: 1 });
    expect(intelPlace(record(SKX, 8, 0x800000000000009fn), cpuModel(SKX))).toStrictEqual({ controller: 1 });
    expect(intelPlace(record(SPR, 20, 0x8000000000000090n), cpuModel(SPR))).toStrictEqual({ channel: 7 });
    expect(intelPlace(record(ICX, 26, 0x8000000000000090n), cpuModel(ICX))).toStrictEqual({
      controller: 3,
      channel: 1,
    });
    expect(intelPlace(record(GNR, 24, 0x8000000000000290n), cpuModel(GNR))).toStrictEqual({ channel: 11 });
    // Bank 11 of Ivy Bridge logs for any channel; on Haswell each channel has a bank.
    expect(intelPlace(record(IVB, 11, 0x80000000000000c0n), cpuModel(IVB))).toStrictEqual({ channel: 0 });
    expect(intelPlace(record(HSW, 14, 0x80000000000000c0n), cpuModel(HSW))).toStrictEqual({
      controller: 1,
      channel: 1,
    });
    expect(intelPlace(record(HSW, 8, 0x8000000000000092n), cpuModel(HSW))).toStrictEqual({ controller: 1, channel: 2 });
    expect(intelPlace(record(0n, 8, 0x8000000000000093n))).toStrictEqual({ channel: 3 });
    expect(intelPlace(record(0n, 8, 0x800000000000009fn))).toStrictEqual({});
  });

  it('has none for other errors', () => {
    expect(intelPlace(record(SKX, 17, 0x8000000000000134n), cpuModel(SKX))).toBeUndefined();
  });
});

describe('levels of caches', () => {
  const name = (mcacod: bigint, cpuid?: bigint): string =>
    component({
      kind: 'x86-mca',
      vendor: 'intel',
      bank: 1,
      status: (1n << 63n) | mcacod,
      ...(cpuid === undefined ? {} : { cpuid }),
    }).name;

  // Intel's decoder of crash dumps: DCU ...L0, MLC ...L1, CBO ...L2; STLB 0x0019.
  it.each([
    ['DCACHEL0_DRD', 0x0134n, 'L1 data cache'],
    ['ICACHEL0_IRD', 0x0150n, 'L1 instruction cache'],
    ['GCACHEL1_EVICT', 0x0179n, 'L2 cache'],
    ['DCACHEL1_DRD', 0x0135n, 'L2 data cache'],
    ['GCACHEL2_EVICT', 0x017an, 'last-level cache'],
    ['ICACHEL2_IRD, filtered', 0x1152n, 'last-level instruction cache'],
    ['GCACHELG', 0x010bn, 'a cache'],
    ['DTLBL0', 0x0014n, 'L1 data TLB'],
    ['GTLBL1', 0x0019n, 'L2 TLB'],
    ['generic, level 2', 0x000en, 'last-level cache'],
  ])('%s since Nehalem, and without a CPU', (_, mcacod, want) => {
    expect(name(mcacod)).toBe(want);
    expect(name(mcacod, 0x106a5n)).toBe(want);
    expect(name(mcacod, 0x50657n)).toBe(want);
  });

  it.each([
    ['Core 2', 0x6fbn],
    ['Dunnington', 0x106d1n],
    ['Pentium 4', 0xf29n],
  ])('are those of the code on a %s', (_, cpuid) => {
    expect(name(0x017an, cpuid)).toBe('L2 cache');
    expect(name(0x0134n, cpuid)).toBe('L0 data cache');
  });

  it('are those of the code on an AMD CPU', () => {
    expect(component({ kind: 'x86-mca', vendor: 'amd', bank: 1, status: (1n << 63n) | 0x0136n }).name).toBe(
      'L2 data cache',
    );
  });

  it('name the write-back of the L3 for what it is', () => {
    expect(explain(record(SKX, 10, 0xbd0000000000017an))).toContain('an explicit write-back of the L3 cache');
    expect(explain({ ...record(SKX, 10, 0x8c0000000000017an), vendor: 'amd' })).not.toContain('write-back of the L3');
  });
});

describe('I/O errors', () => {
  const io = (code: bigint, misc?: bigint): X86McaRecord => record(SKX, 6, 0xac00000000000000n | code, misc);

  it('name the root port in MCi_MISC', () => {
    const misc = (1n << 32n) | (0xaen << 24n) | (0x1dn << 19n) | (3n << 16n);
    expect(ioRootPort(io(0x0e0bn, misc))).toBe('0001:ae:1d.3');
    expect(ioRootPort(io(0x1e0bn, misc))).toBe('0001:ae:1d.3');
    expect(component(io(0x0e0bn, misc))).toStrictEqual({
      area: 'io',
      name: 'PCIe root port 0001:ae:1d.3',
      basis: 'MCi_MISC',
      pci: '0001:ae:1d.3',
    });
    expect(explain(io(0x0e0bn, misc))).toContain('PCIe root port 0001:ae:1d.3.');
  });

  it('name none without a valid MCi_MISC', () => {
    expect(ioRootPort(io(0x0e0bn))).toBeUndefined();
    expect(ioRootPort(io(0x0e0an, 1n))).toBeUndefined();
    expect(ioRootPort({ ...io(0x0e0bn, 1n), vendor: 'amd' })).toBeUndefined();
    expect(ioRootPort({ ...io(0x0e0bn, 1n), status: 0xa400000000000e0bn })).toBeUndefined();
    expect(component(io(0x0e0bn))).toStrictEqual({ area: 'io', name: 'PCIe root port', basis: 'MCACOD' });
  });
});
