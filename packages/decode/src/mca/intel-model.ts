/**
 * @module Which unit of an Intel server reports through a bank, and what its model-specific fields say: chosen by CPUID
 * family and model, and bank. Banks and codes that are not in the tables stay raw. Sources: intel-codes.ts.
 */
import { lowHalf, partOf, withBits } from '../registers/field.ts';
import type { Register } from '../registers/register.ts';
import { signatureName } from './cpu.ts';
import type { CpuModel } from './cpu.ts';
import * as codes from './intel-codes.ts';
import type { MscodPart } from './intel-codes.ts';
import * as misc from './intel-misc.ts';
import { decodeMcacod, errorCodeOf, isMemoryCode } from './mcacod.ts';
import type { McaDeciding } from './deciding.ts';
import { MCI_STATUS_INTEL } from './registers.ts';

type IntelUnitId = 'MLC' | 'PCU' | 'PUNIT' | 'QPI' | 'UPI' | 'HA' | 'M2M' | 'B2CMI' | 'IMC' | 'HBM_M2M' | 'HBM_IMC';

export interface IntelUnit {
  id: IntelUnitId;
  /** Plain name, as the middle of a sentence. */
  name: string;
  /** Memory controller of the socket. */
  controller?: number;
  /** Channel of that controller, or of the socket when `controller` is not given. */
  channel?: number;
  mscod: readonly MscodPart[];
  misc?: Register;
  /** Status bits that must be set for the layout of `misc` to apply, beside MISCV. */
  miscNeeds?: bigint;
  /** `misc` is a place in memory only for codes outside this range (MSCOD). */
  miscNotFor?: readonly [lo: number, hi: number];
}

interface IntelFamily {
  id: 'NHM' | 'SNB' | 'IVB' | 'HSW' | 'BDX' | 'BDW_DE' | 'SKX' | 'ICX' | 'SNR' | 'SPR' | 'GNR';
  name: string;
  models: readonly number[];
  source: string;
  banks: Readonly<Record<number, IntelUnit>>;
}

const number = (hi: number, lo: number, values: codes.MscodValues, when?: MscodPart['when']): MscodPart => ({
  hi,
  lo,
  values,
  ...(when === undefined ? {} : { when }),
});
const flags = (hi: number, lo: number, values: codes.MscodValues, when?: MscodPart['when']): MscodPart => ({
  hi,
  lo,
  flags: values,
  ...(when === undefined ? {} : { when }),
});

/** Bits 31:24 choose the table for bits 23:16. */
const byGroup = (tables: Readonly<Record<number, codes.MscodValues>>): MscodPart[] =>
  Object.entries(tables).map(([group, values]) => number(23, 16, values, { hi: 31, lo: 24, values: [Number(group)] }));

const upi = (values: codes.MscodValues): IntelUnit => ({
  id: 'UPI',
  name: 'UPI link',
  mscod: [number(21, 16, values), flags(31, 22, codes.UPI_CONTROL, { hi: 21, lo: 16, values: [0x12] })],
});

const pcu = (...mscod: MscodPart[]): IntelUnit => ({ id: 'PCU', name: 'power control unit', mscod });

const PCU_PARTS = (firmware: codes.MscodValues): MscodPart[] => [
  number(31, 24, firmware),
  number(23, 20, codes.PCU_HARDWARE),
];

const SHUTDOWN_CODE = { hi: 15, lo: 0, values: [0x40c] };

const m2mFlags = (controller: number): IntelUnit => ({
  id: 'M2M',
  name: 'mesh to memory unit',
  controller,
  mscod: [flags(23, 16, codes.M2M_FLAGS), number(25, 24, codes.M2M_DDR_TYPE)],
  misc: misc.MISC_M2M,
});

/** SDM 06_55H: bit 27 set means the numbers of bits 23:16, clear means flags. */
const DDRT = { hi: 27, lo: 27, values: [1] };
const imcSkx = (controller: number, channel: number): IntelUnit => ({
  id: 'IMC',
  name: 'memory controller',
  controller,
  channel,
  mscod: [number(23, 16, codes.IMC_SKX_DDRT, DDRT), flags(26, 16, codes.IMC_SKX_FLAGS, { ...DDRT, not: true })],
});

const imcIcx = (controller: number, channel: number): IntelUnit => ({
  id: 'IMC',
  name: 'memory controller',
  controller,
  channel,
  mscod: byGroup({
    0: codes.IMC_ICX_0,
    1: codes.IMC_ICX_1,
    2: codes.IMC_ICX_2,
    4: codes.IMC_ICX_4,
    8: codes.IMC_ICX_8,
    16: codes.IMC_SPR_10,
  }),
  misc: misc.MISC_IMC_ICX,
});

const SPR_IMC = byGroup({
  0: codes.IMC_SPR_0,
  1: codes.IMC_SPR_1,
  2: codes.IMC_SPR_2,
  4: codes.IMC_SPR_4,
  8: codes.IMC_SPR_8,
  16: codes.IMC_SPR_10,
});

const GNR_MCCHAN = byGroup({
  0: codes.MCCHAN_0,
  1: codes.MCCHAN_1,
  2: codes.MCCHAN_2,
  4: codes.MCCHAN_4,
  8: codes.MCCHAN_8,
  32: codes.MCCHAN_20,
  33: codes.MCCHAN_21,
});

function banks(...rows: readonly (readonly [number, IntelUnit])[]): Readonly<Record<number, IntelUnit>> {
  return Object.fromEntries(rows);
}

function channels(first: number, count: number, make: (channel: number) => IntelUnit): [number, IntelUnit][] {
  return Array.from({ length: count }, (_, channel) => [first + channel, make(channel)]);
}

/** Home agents sit before the memory controllers; no manual says what their model-specific code means. */
const homeAgent = (controller: number, misc?: Register): IntelUnit => ({
  id: 'HA',
  name: 'home agent',
  controller,
  mscod: [],
  ...(misc === undefined ? {} : { misc }),
});

/** Flags of the controllers before 06_55H; which channel it is says the error code. */
const imcFlags = (hi: number, values: codes.MscodValues): IntelUnit => ({
  id: 'IMC',
  name: 'memory controller',
  mscod: [flags(hi, 16, values)],
});

const pcuSnb = (firmware: codes.MscodValues): IntelUnit =>
  pcu(number(19, 16, codes.PCU_SNB_CONTROLLER), number(31, 24, firmware));

/** What MCACOD of the power control unit says, since 06_3FH. */
const PCU_CODE: MscodPart = { hi: 15, lo: 0, values: codes.PCU_SKX_MCACOD, listed: true };
const pcuHsw = (firmware: codes.MscodValues): IntelUnit =>
  pcu(number(31, 24, firmware), number(19, 16, codes.PCU_SKX_INTERNAL), PCU_CODE);

const qpi = (...mscod: MscodPart[]): IntelUnit => ({ id: 'QPI', name: 'QPI link', mscod });

/** The SDM has the table under 06_1AH; the other models have the same bank: Linux drivers/edac/i7core_edac.c. */
const NHM: IntelFamily = {
  id: 'NHM',
  name: 'Nehalem or Westmere',
  models: [0x1a, 0x1e, 0x1f, 0x25, 0x2c],
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_1AH',
  banks: banks([
    8,
    { id: 'IMC', name: 'memory controller', mscod: [flags(24, 16, codes.IMC_NHM)], misc: misc.MISC_IMC_NHM },
  ]),
};

const SNB: IntelFamily = {
  id: 'SNB',
  name: 'Sandy Bridge-EP',
  models: [0x2d],
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_2DH',
  banks: banks(
    [4, pcuSnb(codes.PCU_SNB)],
    [6, qpi()],
    [7, qpi()],
    ...channels(8, 4, () => imcFlags(22, codes.IMC_SNB)),
  ),
};

const IVB: IntelFamily = {
  id: 'IVB',
  name: 'Ivy Bridge-EP or EX',
  models: [0x3e],
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_3EH',
  banks: banks(
    [4, pcuSnb(codes.PCU_IVB)],
    [5, qpi()],
    [7, homeAgent(0)],
    [8, homeAgent(1)],
    ...channels(9, 8, () => imcFlags(24, codes.IMC_IVB)),
  ),
};

/** Two controllers of four channels, each channel with a bank. */
const hswMemory = (misc?: Register): [number, IntelUnit][] => [
  [7, homeAgent(0, misc)],
  [8, homeAgent(1, misc)],
  ...channels(9, 8, n => ({ ...imcFlags(25, codes.IMC_HSW), controller: n < 4 ? 0 : 1, channel: n % 4 })),
];
const hswQpi = [5, 20, 21].map((bank): [number, IntelUnit] => [bank, qpi(number(31, 16, codes.QPI_HSW))]);

const HSW: IntelFamily = {
  id: 'HSW',
  name: 'Haswell-EP or EX',
  models: [0x3f],
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_3FH',
  banks: banks([4, pcuHsw(codes.PCU_HSW)], ...hswQpi, ...hswMemory()),
};

const BDX: IntelFamily = {
  id: 'BDX',
  name: 'Broadwell-EP or EX',
  models: [0x4f],
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_4FH',
  banks: banks([4, pcuHsw(codes.PCU_HSW)], ...hswQpi, ...hswMemory(misc.MISC_HA_BDX)),
};

const BDW_DE: IntelFamily = {
  id: 'BDW_DE',
  name: 'Broadwell-DE',
  models: [0x56],
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_56H',
  banks: banks([4, pcuHsw(codes.PCU_BDW_DE)], ...channels(9, 2, () => imcFlags(24, codes.IMC_IVB))),
};

/** Skylake-SP, Cascade Lake and Cooper Lake share one signature and one set of tables. */
const SKX: IntelFamily = {
  id: 'SKX',
  name: 'Skylake-SP, Cascade Lake or Cooper Lake',
  models: [0x55],
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_55H',
  banks: banks(
    [3, { id: 'MLC', name: 'L2 cache (MLC)', mscod: [] }],
    [4, pcu(number(31, 24, codes.PCU_SKX), number(19, 16, codes.PCU_SKX_INTERNAL), PCU_CODE)],
    [5, upi(codes.UPI)],
    [7, m2mFlags(0)],
    [8, m2mFlags(1)],
    [12, upi(codes.UPI)],
    [13, imcSkx(0, 0)],
    [14, imcSkx(0, 1)],
    [15, imcSkx(1, 0)],
    [16, imcSkx(1, 1)],
    [17, imcSkx(0, 2)],
    [18, imcSkx(1, 2)],
    [19, upi(codes.UPI)],
  ),
};

const icxMemory = (controllers: number): [number, IntelUnit][] =>
  Array.from({ length: controllers }, (_, controller): [number, IntelUnit][] => [
    [12 + 4 * controller, m2mFlags(controller)],
    ...channels(13 + 4 * controller, 3, channel => imcIcx(controller, channel)),
  ]).flat();

const ICX: IntelFamily = {
  id: 'ICX',
  name: 'Ice Lake-SP',
  models: [0x6a],
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_6AH and 06_6CH',
  banks: banks(
    [4, pcu(...PCU_PARTS(codes.PCU_ICX), number(19, 16, codes.PCU_CONTROLLER))],
    [5, upi(codes.UPI_ICX)],
    [7, upi(codes.UPI_ICX)],
    [8, upi(codes.UPI_ICX)],
    ...icxMemory(4),
  ),
};

/** One socket: no UPI, and half the memory controllers. */
const ICX_D: IntelFamily = {
  id: 'ICX',
  name: 'Ice Lake-D',
  models: [0x6c],
  source: ICX.source,
  banks: banks([4, pcu(...PCU_PARTS(codes.PCU_ICX), number(19, 16, codes.PCU_CONTROLLER))], ...icxMemory(2)),
};

/** The same units with one memory controller. */
const SNR: IntelFamily = {
  id: 'SNR',
  name: 'Snow Ridge (Tremont-D)',
  models: [0x86],
  source: 'Intel, published decoders for 06_86H',
  banks: banks([4, pcu(...PCU_PARTS(codes.PCU_ICX), number(19, 16, codes.PCU_CONTROLLER))], ...icxMemory(1)),
};

const SPR: IntelFamily = {
  id: 'SPR',
  name: 'Sapphire Rapids or Emerald Rapids',
  models: [0x8f, 0xcf],
  source: 'SDM vol. 3B, Interpreting Machine-Check Error Codes, 06_8FH',
  banks: banks(
    [
      4,
      pcu(
        ...PCU_PARTS(codes.PCU_SPR),
        number(19, 16, codes.SHUTDOWN, SHUTDOWN_CODE),
        number(19, 16, codes.PCU_CONTROLLER, { ...SHUTDOWN_CODE, not: true }),
      ),
    ],
    [5, upi(codes.UPI_SPR)],
    [12, { id: 'M2M', name: 'mesh to memory unit', mscod: [number(23, 16, codes.M2M_SPR)] }],
    ...channels(13, 8, channel => ({
      id: 'IMC',
      name: 'memory controller',
      channel,
      mscod: SPR_IMC,
      misc: misc.MISC_IMC_SPR,
    })),
    [29, { id: 'HBM_M2M', name: 'mesh to HBM unit', mscod: [number(23, 16, codes.M2M_SPR)] }],
    ...channels(30, 2, channel => ({
      id: 'HBM_IMC',
      name: 'HBM controller',
      channel,
      mscod: SPR_IMC,
      misc: misc.MISC_HBM_SPR,
    })),
  ),
};

const GNR: IntelFamily = {
  id: 'GNR',
  name: 'Granite Rapids, Sierra Forest or Clearwater Forest',
  models: [0xad, 0xae, 0xaf, 0xdd],
  source: 'Intel, published decoders for 06_ADH, 06_AEH, 06_AFH and 06_DDH',
  banks: banks(
    [5, { id: 'UPI', name: 'UPI link', mscod: [number(31, 16, codes.UPI_GNR)] }],
    [
      6,
      {
        id: 'PUNIT',
        name: 'power management unit',
        mscod: [number(23, 16, codes.PUNIT_HARDWARE), number(31, 24, codes.PUNIT_FIRMWARE)],
      },
    ],
    [12, { id: 'B2CMI', name: 'mesh to memory bridge', mscod: [number(31, 16, codes.B2CMI)] }],
    ...channels(13, 12, channel => ({
      id: 'IMC',
      name: 'memory controller',
      channel,
      mscod: GNR_MCCHAN,
      misc: misc.MISC_MCCHAN_GNR,
      miscNeeds: MCI_STATUS_INTEL.encode({ OTHER: 2n }),
      miscNotFor: [0x800, 0x82f],
    })),
  ),
};

export const INTEL_FAMILIES: readonly IntelFamily[] = [NHM, SNB, IVB, HSW, BDX, BDW_DE, SKX, ICX, ICX_D, SNR, SPR, GNR];

/** The server family of a CPU whose model-specific codes are known, or undefined. */
export function intelFamily(cpu: CpuModel): IntelFamily | undefined {
  return cpu.family === 6 ? INTEL_FAMILIES.find(f => f.models.includes(cpu.model)) : undefined;
}

/** The unit that reports through a bank, or undefined where the tables do not say. */
export function intelUnit(bank: number, cpu: CpuModel): IntelUnit | undefined {
  return intelFamily(cpu)?.banks[bank];
}

/** Cutting a part out of the code; `text` is undefined for a value the tables do not have. */
interface MscodRow {
  hi: number;
  lo: number;
  value: number;
  text?: string;
}

function applies({ when }: MscodPart, status: number): boolean {
  return when === undefined || when.values.includes(partOf(status, when.hi, when.lo)) !== (when.not === true);
}

function readPart(part: MscodPart, status: number, rows: MscodRow[]): void {
  if (part.values !== undefined) {
    const value = partOf(status, part.hi, part.lo);
    const text = part.values[value];
    if (text !== undefined) rows.push({ hi: part.hi, lo: part.lo, value, text });
    else if (value !== 0 && part.listed !== true) rows.push({ hi: part.hi, lo: part.lo, value });
    return;
  }
  for (let b = part.hi; b >= part.lo; b--) {
    if (partOf(status, b, b) === 0) continue;
    const text = part.flags?.[b];
    rows.push(text === undefined ? { hi: b, lo: b, value: 1 } : { hi: b, lo: b, value: 1, text });
  }
}

const MSCOD_HI = 31;
const MSCOD_LO = 16;

/** Set bits of the code that no part reads, as runs, so that nothing is lost. @param read bits that a part reads */
function unread(read: number, status: number, rows: MscodRow[]): void {
  for (let hi = MSCOD_HI; hi >= MSCOD_LO; hi--) {
    if (partOf(read, hi, hi) === 1) continue;
    let lo = hi;
    while (lo > MSCOD_LO && partOf(read, lo - 1, lo - 1) === 0) lo--;
    const value = partOf(status, hi, lo);
    if (value !== 0) rows.push({ hi, lo, value });
    hi = lo;
  }
}

/** @param status the low half of MCi_STATUS */
function readMscod(parts: readonly MscodPart[], status: number): MscodRow[] {
  const rows: MscodRow[] = [];
  let read = 0;
  for (const part of parts) {
    if (!applies(part, status)) continue;
    readPart(part, status, rows);
    read = withBits(read, part.hi, part.lo);
    if (part.when !== undefined) read = withBits(read, part.when.hi, part.when.lo);
  }
  if (partOf(status, MSCOD_HI, MSCOD_LO) !== 0) unread(read, status, rows);
  return rows.length < 2 ? rows : rows.sort((x, y) => y.hi - x.hi);
}

/** What the model-specific code in a status says, in the words of a unit. */
export function mscodRows({ mscod }: IntelUnit, status: bigint): MscodRow[] {
  return readMscod(mscod, lowHalf(status));
}

/** What the model-specific fields of an Intel record say. */
interface IntelModelInfo {
  family: IntelFamily;
  unit: IntelUnit;
  /** Parts of MCi_STATUS[31:16] that say something or are not known. */
  readonly mscod: MscodRow[];
  /** The layout of MCi_MISC, where the unit defines one and it applies to the record. */
  misc?: Register;
  readonly source: string;
}

function miscLayout(unit: IntelUnit, record: McaDeciding): Register | undefined {
  const s = MCI_STATUS_INTEL.read(record.status);
  if (unit.misc === undefined || record.misc === undefined || !s.MISCV) return undefined;
  const needs = unit.miscNeeds ?? 0n;
  if ((record.status & needs) !== needs) return undefined;
  const [lo, hi] = unit.miscNotFor ?? [0x10000, 0];
  if (Number(s.MSCOD) >= lo && Number(s.MSCOD) <= hi) return undefined;
  return unit.misc;
}

/** Reads the model-specific fields; undefined for other CPUs, other vendors and banks without a table. */
export function intelModelInfo(record: McaDeciding, cpu: CpuModel): IntelModelInfo | undefined {
  if (record.vendor !== 'intel') return undefined;
  const family = intelFamily(cpu);
  const unit = family?.banks[record.bank];
  if (family === undefined || unit === undefined) return undefined;
  const layout = miscLayout(unit, record);
  return {
    family,
    unit,
    // Most of those who ask for the unit do not ask for the code.
    get mscod() {
      return mscodRows(unit, record.status);
    },
    ...(layout === undefined ? {} : { misc: layout }),
    get source() {
      return `${family.source} (${signatureName(cpu)})`;
    },
  };
}

/** Where in the memory system of its socket an Intel record points, as far as bank and error code say. */
interface IntelPlace {
  controller?: number;
  channel?: number;
}

/**
 * Channel of a memory error. A bank of one channel wins over the code's CCCC; a bank of one controller takes the channel
 * from the code; without a known CPU only the code speaks.
 */
export function intelPlace(record: Pick<McaDeciding, 'status' | 'bank'>, cpu?: CpuModel): IntelPlace | undefined {
  const code = decodeMcacod(errorCodeOf(record.status), 'intel');
  if (!isMemoryCode(code)) return undefined;
  const unit = cpu === undefined ? undefined : intelUnit(record.bank, cpu);
  const channel = unit?.channel ?? code.channel;
  return {
    ...(unit?.controller === undefined ? {} : { controller: unit.controller }),
    ...(channel === undefined ? {} : { channel }),
  };
}
