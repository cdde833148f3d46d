/**
 * The stage-2 translation of ARMv8-A as software sees it: which descriptors the hardware reads for an intermediate
 * physical address (IPA), and where they stand. Pure: memory comes through a function.
 *
 * Source: Arm ARM (DDI 0487), chapter D8 "The AArch64 Virtual Memory System Architecture" (translation process, table
 * descriptor formats in VMSAv8-64), and the registers VTCR_EL2 and VTTBR_EL2. Covered: granules of 4, 16 and 64 KiB, concatenated start tables,
 * 52-bit addresses (FEAT_LPA with 64 KiB, FEAT_LPA2 with VTCR_EL2.DS), small tables (FEAT_TTST). Not covered: 128-bit
 * descriptors (refused), permissions, and limits of the implementation (ID_AA64MMFR0_EL1), which registers do not tell.
 *
 * | code | meaning |
 * |---|---|
 * | E_STAGE2_CONFIG | VTCR_EL2 or VTTBR_EL2 hold a reserved value or values that do not go together |
 * | E_STAGE2_ADDRESS | an address to be put into a descriptor does not fit there |
 */
import { descriptorAddress as addressIn, descriptorFormat, withAddress } from '@syndrome/decode/arm/descriptor.ts';
import type { DescriptorFormat, GranuleBits } from '@syndrome/decode/arm/descriptor.ts';
import { alignDown, fits, sizeOf } from '@syndrome/decode/registers/address.ts';
import { fieldOf, placed } from '@syndrome/decode/registers/field.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { VTCR_EL2, VTTBR_EL2, VTTBR_EL2_52 } from './el2-registers.ts';
import { Stage2Error } from './errors.ts';

/** What VTCR_EL2 says about the tables. */
export type Stage2Format = {
  /** log2 of the granule: 12, 14 or 16. */
  granuleBits: GranuleBits;
  /** Width of an IPA: 64 - T0SZ. */
  inputBits: number;
  /** Width of an output address: PS. */
  outputBits: number;
  /** First level of the walk, -1 to 3. */
  startLevel: number;
  /** Bits of the IPA that index the start tables, all concatenated ones together. */
  startIndexBits: number;
  /** How many tables are concatenated at the start level, 1 to 16. */
  concatenated: number;
  /** VTCR_EL2.DS: descriptors of the 52-bit format for 4 and 16 KiB. */
  ds: boolean;
  /** VTCR_EL2.HA: the hardware sets the access flag itself. */
  hardwareAccessFlag: boolean;
};

export type Stage2Step = {
  level: number;
  /** Where the table begins (for concatenated tables, the first). */
  tableAddress: bigint;
  index: number;
  descriptorAddress: bigint;
  descriptor: bigint;
  kind: 'table' | 'block' | 'page' | 'invalid';
};

type Stage2FaultReason = 'translation' | 'address-size' | 'access-flag';

export type Stage2Walk = {
  /** What was read, in order; at most five. */
  steps: Stage2Step[];
  /** Where the IPA leads, and the bytes its block or page maps. */
  output?: { pa: bigint; size: bigint };
  /** The fault the hardware would take instead. */
  fault?: { level: number; reason: Stage2FaultReason };
};

type Stage2Input = { vttbr: bigint; vtcr: bigint; ipa: bigint };

/** VTCR_EL2.TG0. */
const granules: Record<number, GranuleBits | undefined> = { 0: 12, 1: 16, 2: 14 };

/** VTCR_EL2.PS. 7 (56 bits) is of the 128-bit format. */
const physicalSizes: Record<number, number | undefined> = { 0: 32, 1: 36, 2: 40, 3: 42, 4: 44, 5: 48, 6: 52 };

/** Start level by granule and SL0 (VTCR_EL2.SL0); with SL2 the 4 KiB granule has only level -1. */
const startLevels: Record<GranuleBits, readonly (number | undefined)[]> = {
  12: [2, 1, 0, 3],
  14: [3, 2, 1, 0],
  16: [3, 2, 1, undefined],
};

/** Levels at which a block may stand: always, and with 52-bit addresses in use. */
const blockLevels: Record<GranuleBits, { always: readonly number[]; large: readonly number[] }> = {
  12: { always: [1, 2], large: [0] },
  14: { always: [2], large: [1] },
  16: { always: [2], large: [1] },
};

/** At most 16 tables are concatenated. */
const MAX_CONCATENATED_BITS = 4;
/** T0SZ of 48, with FEAT_TTST. */
const MIN_INPUT_BITS = 16;
const DESCRIPTOR_BYTES = 8n;

/** Reads VTCR_EL2. Throws Stage2Error (E_STAGE2_CONFIG) for what is reserved or impossible. */
export function stage2Format(vtcr: bigint): Stage2Format {
  const { D128, TG0, PS, DS, T0SZ, SL0, SL2, HA } = VTCR_EL2.decode(vtcr);
  const bad = (what: string): Stage2Error =>
    new Stage2Error('E_STAGE2_CONFIG', `VTCR_EL2 = ${hex64(vtcr)}: ${what}`, {
      hint: 'Was the register read while a guest was running? A hypervisor may leave anything in it otherwise.',
    });
  if (D128) throw bad('D128, 128-bit descriptors, are not supported');
  const granuleBits = granules[Number(TG0)];
  if (granuleBits === undefined) throw bad('TG0 = 0b11 is reserved');
  const outputBits = physicalSizes[Number(PS)];
  if (outputBits === undefined) throw bad('PS = 0b111 is reserved');
  const ds = granuleBits !== 16 && DS;
  if (outputBits === 52 && granuleBits !== 16 && !ds) {
    throw bad(`PS says 52 bits, which ${granuleName(granuleBits)} has only with DS`);
  }
  const inputBits = 64 - Number(T0SZ);
  const maxInputBits = ds || granuleBits === 16 ? 52 : 48;
  if (inputBits > maxInputBits) throw bad(`T0SZ gives ${inputBits} bits, more than ${maxInputBits}`);
  if (inputBits < MIN_INPUT_BITS) throw bad(`T0SZ gives ${inputBits} bits, less than ${MIN_INPUT_BITS}`);
  const startLevel = startLevelOf(granuleBits, Number(SL0), SL2, ds);
  if (startLevel === undefined) throw bad(`SL0 = ${SL0}, SL2 = ${SL2 ? 1 : 0} is reserved for this granule`);
  const startIndexBits = inputBits - levelShift(granuleBits, startLevel);
  const stride = granuleBits - 3;
  if (startIndexBits < 1) throw bad(`${inputBits} bits of input leave nothing to look up at start level ${startLevel}`);
  if (startIndexBits > stride + MAX_CONCATENATED_BITS) {
    throw bad(`${inputBits} bits of input need more than 16 concatenated tables at start level ${startLevel}`);
  }
  return {
    granuleBits,
    inputBits,
    outputBits,
    startLevel,
    startIndexBits,
    concatenated: 1 << Math.max(0, startIndexBits - stride),
    ds,
    hardwareAccessFlag: HA,
  };
}

/**
 * Where the start tables begin. Throws Stage2Error (E_STAGE2_CONFIG) when VTTBR_EL2.BADDR is not aligned to the tables
 * it points to, which the architecture leaves to the implementation.
 */
export function stage2Base(vttbr: bigint, format: Stage2Format): bigint {
  const { BADDR } = VTTBR_EL2.decode(vttbr);
  const { BADDR_LOW, BADDR_HIGH } = VTTBR_EL2_52.decode(vttbr);
  const base = format.outputBits === 52 ? placed(BADDR_LOW, 6) | placed(BADDR_HIGH, 48) : placed(BADDR, 1);
  const size = sizeOf(format.startIndexBits + 3);
  if (base % size !== 0n) {
    throw new Stage2Error(
      'E_STAGE2_CONFIG',
      `VTTBR_EL2 = ${hex64(vttbr)}: the start table has ${size} bytes and is not aligned to them`,
      { hint: 'VTTBR_EL2 and VTCR_EL2 must come from the same vCPU at the same moment.' },
    );
  }
  return base;
}

/**
 * Walks the tables for an IPA. `readDescriptor` gives the u64 at a physical address; it is asked for nothing but the
 * descriptors of the walk, and what it throws passes through. Throws Stage2Error (E_STAGE2_CONFIG) for registers that
 * describe no tables; a fault of the guest is a result, not an error.
 */
export async function walkStage2(
  { vttbr, vtcr, ipa }: Stage2Input,
  readDescriptor: (pa: bigint) => Promise<bigint>,
): Promise<Stage2Walk> {
  if (!fits(ipa, 64)) throw new UsageError('E_GDB_RANGE', 'an IPA is an address of at most 64 bits');
  const format = stage2Format(vtcr);
  const steps: Stage2Step[] = [];
  let table = stage2Base(vttbr, format);
  if (!fits(ipa, format.inputBits)) return { steps, fault: { level: 0, reason: 'translation' } };
  if (!fits(table, format.outputBits)) return { steps, fault: { level: 0, reason: 'address-size' } };
  const stride = format.granuleBits - 3;
  for (let level = format.startLevel; ; level++) {
    const shift = levelShift(format.granuleBits, level);
    const indexBits = level === format.startLevel ? format.startIndexBits : stride;
    const index = fieldOf(ipa, shift + indexBits - 1, shift);
    const descriptorAddress = table + index * DESCRIPTOR_BYTES;
    const descriptor = BigInt.asUintN(64, await readDescriptor(descriptorAddress));
    const kind = descriptorKind(descriptor, level, format);
    steps.push({ level, tableAddress: table, index: Number(index), descriptorAddress, descriptor, kind });
    if (kind === 'invalid') return { steps, fault: { level, reason: 'translation' } };
    const address = addressIn(descriptor, descriptorsOf(format));
    if (!fits(address, format.outputBits)) return { steps, fault: { level, reason: 'address-size' } };
    if (kind === 'table') {
      table = address;
      continue;
    }
    if ((descriptor & descriptorsOf(format).AF) === 0n && !format.hardwareAccessFlag) {
      return { steps, fault: { level, reason: 'access-flag' } };
    }
    const size = sizeOf(shift);
    return { steps, output: { pa: alignDown(address, size) + (ipa % size), size } };
  }
}

/**
 * The table descriptor with another next-level address and all its other bits. Throws Stage2Error (E_STAGE2_ADDRESS)
 * when the address is not aligned to the granule or is too large for the format.
 */
export function withTableAddress(descriptor: bigint, address: bigint, format: Stage2Format): bigint {
  const granule = sizeOf(format.granuleBits);
  if (address % granule !== 0n || !fits(address, format.outputBits)) {
    throw new Stage2Error(
      'E_STAGE2_ADDRESS',
      `${hex64(address)} cannot be the address of a table: ${granuleName(format.granuleBits)} granule, ${format.outputBits} bits of output`,
    );
  }
  return withAddress(descriptor, address, descriptorsOf(format));
}

function descriptorKind(descriptor: bigint, level: number, format: Stage2Format): Stage2Step['kind'] {
  const { VALID, TABLE } = descriptorsOf(format);
  if ((descriptor & VALID) === 0n) return 'invalid';
  if ((descriptor & TABLE) !== 0n) return level === 3 ? 'page' : 'table';
  const { always, large } = blockLevels[format.granuleBits];
  return always.includes(level) || (is52(format) && large.includes(level)) ? 'block' : 'invalid';
}

/** Whether addresses of 52 bits are in use. */
const is52 = ({ ds, granuleBits, outputBits }: Stage2Format): boolean =>
  ds || (granuleBits === 16 && outputBits === 52);

const descriptorsOf = (format: Stage2Format): DescriptorFormat => descriptorFormat(format.granuleBits, is52(format));

function startLevelOf(granuleBits: GranuleBits, sl0: number, sl2: boolean, ds: boolean): number | undefined {
  if (sl2) return granuleBits === 12 && ds && sl0 === 0 ? -1 : undefined;
  const level = startLevels[granuleBits][sl0];
  // Level 0 of 16 KiB indexes bits that only a 52-bit input has.
  return granuleBits === 14 && level === 0 && !ds ? undefined : level;
}

/** Lowest bit of the IPA that indexes a table of this level. */
function levelShift(granuleBits: GranuleBits, level: number): number {
  return granuleBits + (granuleBits - 3) * (3 - level);
}

const granuleName = (granuleBits: GranuleBits): string => `${1 << (granuleBits - 10)} KiB`;
