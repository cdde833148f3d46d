/**
 * The guest's own (stage 1) translation, walked by software: KVM on arm64 has no KVM_TRANSLATE, and KVM_EXIT_ARM_SEA may
 * come without a guest physical address. VMSAv8-64, EL1&0 regime (Arm ARM DDI 0487, D8). Pure.
 */
import { descriptorAddress, descriptorFormat } from '@syndrome/decode/arm/descriptor.ts';
import type { GranuleBits } from '@syndrome/decode/arm/descriptor.ts';
import { alignDown, sizeOf } from '@syndrome/decode/registers/address.ts';
import { fieldOf, maskOf, placed } from '@syndrome/decode/registers/field.ts';
import { SCTLR_EL1, TCR_EL1, TTBR_EL1, TTBR_EL1_52, VIRTUAL_ADDRESS } from './processor-state.ts';

export interface Stage1Registers {
  ttbr0: bigint;
  ttbr1: bigint;
  tcr: bigint;
  sctlr: bigint;
}

type Stage1Result =
  | { ok: true; gpa: bigint; blockBytes: bigint }
  | { ok: false; reason: 'fault' | 'out-of-range' | 'walk-disabled' | 'unsupported' | 'no-memory'; level?: number }
  /** The walk came to the level whose descriptor must not be read; it would lie at `descriptor`. */
  | { ok: false; reason: 'suspect'; level: number; descriptor: bigint };

/** TCR_EL1.TG0 and TG1 name granules differently; both as log2 of the page size. */
const TG0: Readonly<Record<number, GranuleBits>> = { 0: 12, 1: 16, 2: 14 };
const TG1: Readonly<Record<number, GranuleBits>> = { 1: 14, 2: 12, 3: 16 };

const LAST_LEVEL = 3;
const DESCRIPTOR_BYTES = 8n;

/**
 * Translates a virtual address. `read` gives the 64-bit little-endian word at a guest physical address, or undefined when
 * there is no memory. The result says nothing about permissions.
 * @param suspectLevel do not read the descriptor of this level: the hardware could not
 */
export function walkStage1(
  va: bigint,
  regs: Stage1Registers,
  read: (gpa: bigint) => bigint | undefined,
  suspectLevel?: number,
): Stage1Result {
  if (!SCTLR_EL1.decode(regs.sctlr).M) return { ok: true, gpa: va, blockBytes: 4096n }; // MMU off: flat
  const upper = VIRTUAL_ADDRESS.read(va).UPPER;
  const tcr = TCR_EL1.decode(regs.tcr);
  if (upper ? tcr.EPD1 : tcr.EPD0) return { ok: false, reason: 'walk-disabled' };
  const granule = upper ? TG1[Number(tcr.TG1)] : TG0[Number(tcr.TG0)];
  if (granule === undefined) return { ok: false, reason: 'unsupported' };
  const ds = tcr.DS;
  const inputBits = 64 - Number(upper ? tcr.T1SZ : tcr.T0SZ);
  const widest = ds || granule === 16 ? 52 : 48;
  if (inputBits < 16 || inputBits > widest) return { ok: false, reason: 'unsupported' };
  const address = inTable(va, upper, inputBits, upper ? tcr.TBI1 : tcr.TBI0);
  if (address === undefined) return { ok: false, reason: 'out-of-range' };

  const stride = granule - 3; // bits of one index: a table is one page of 8-byte descriptors
  let level = LAST_LEVEL + 1 - Math.ceil((inputBits - granule) / stride);
  const format = descriptorFormat(granule, granule === 16 || ds);
  const ttbr = upper ? regs.ttbr1 : regs.ttbr0;
  const highBits = granule === 16 ? inputBits > 48 : ds;
  let table = highBits ? baddr52(ttbr) : placed(TTBR_EL1.read(ttbr).BADDR, 1);
  const lowestBit = (l: number): number => granule + stride * (LAST_LEVEL - l);
  let top = inputBits - 1;
  for (;;) {
    const low = lowestBit(level);
    const at = table + fieldOf(address, top, low) * DESCRIPTOR_BYTES;
    if (level === suspectLevel) return { ok: false, reason: 'suspect', level, descriptor: at };
    const descriptor = read(at);
    if (descriptor === undefined) return { ok: false, reason: 'no-memory', level };
    const isTable = (descriptor & format.TABLE) !== 0n;
    if ((descriptor & format.VALID) === 0n || (level === LAST_LEVEL && !isTable))
      return { ok: false, reason: 'fault', level };
    if (level === LAST_LEVEL || !isTable) {
      const blockBytes = sizeOf(low);
      const base = alignDown(descriptorAddress(descriptor, format), blockBytes);
      return { ok: true, gpa: base + (address % blockBytes), blockBytes };
    }
    table = descriptorAddress(descriptor, format);
    top = low - 1;
    level += 1;
  }
}

/** The translated bits of an address, or undefined when it lies in neither half. With TBI the top byte is ignored. */
function inTable(va: bigint, upper: boolean, inputBits: number, topByteIgnored: boolean): bigint | undefined {
  const checked = topByteIgnored ? 55 : 63;
  const above = fieldOf(va, checked, inputBits);
  const expected = upper ? maskOf(checked - inputBits, 0) : 0n;
  return above === expected ? fieldOf(va, inputBits - 1, 0) : undefined;
}

/** The table of a TTBR with 52-bit addresses. */
function baddr52(ttbr: bigint): bigint {
  const { BADDR_LOW, BADDR_HIGH } = TTBR_EL1_52.read(ttbr);
  return placed(BADDR_LOW, 6) | placed(BADDR_HIGH, 48);
}
