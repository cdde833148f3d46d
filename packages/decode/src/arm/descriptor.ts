/**
 * @module Descriptors of the 64-bit translation tables of AArch64 (VMSAv8-64), of both stages. Source: Arm ARM DDI 0487,
 * D8.3 "Translation table descriptor formats": table, block and page descriptors, with 48-bit and 52-bit addresses.
 */
import { placed } from '../registers/field.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';

/** log2 of the granule: 4, 16 or 64 KiB. */
export type GranuleBits = 12 | 14 | 16;

const SOURCE = 'DDI 0487 D8.3, VMSAv8-64 descriptor formats';
const COMMON = [
  bit(10, 'AF', 'accessed (block and page)'),
  bit(1, 'TABLE', 'a table, at the last level a page; otherwise a block'),
  bit(0, 'VALID', 'valid'),
] as const;

/** What a descriptor holds of an address, and where. */
export interface DescriptorFormat {
  readonly VALID: bigint;
  readonly TABLE: bigint;
  readonly AF: bigint;
  /** The bits of an address that stand in their place. */
  readonly ADDRESS: bigint;
  /** The field that holds the bits above them, 0 where there are none above, and the first of these bits. */
  readonly HIGH: bigint;
  readonly high: (descriptor: bigint) => bigint;
  readonly encodeHigh: (high: bigint) => bigint;
  readonly highFrom: number;
}

function narrow(granuleBits: GranuleBits): DescriptorFormat {
  const fields = [bits(47, granuleBits, 'ADDRESS', 'address bits 47 down'), ...COMMON] as const;
  const { masks } = defineRegister({ name: 'descriptor', width: 64, source: SOURCE, fields });
  return { ...masks, HIGH: 0n, high: () => 0n, encodeHigh: () => 0n, highFrom: 48 };
}

function wide(granuleBits: GranuleBits): DescriptorFormat {
  // 64 KiB (FEAT_LPA) has address bits 51:48 in 15:12; the others (FEAT_LPA2) have 51:50 in 9:8.
  const lpa = granuleBits === 16;
  const fields = [
    bits(lpa ? 47 : 49, granuleBits, 'ADDRESS', 'address bits in their place'),
    lpa ? bits(15, 12, 'HIGH', 'address bits 51:48') : bits(9, 8, 'HIGH', 'address bits 51:50'),
    ...COMMON,
  ] as const;
  const register = defineRegister({ name: 'descriptor', width: 64, source: SOURCE, fields });
  return {
    ...register.masks,
    high: descriptor => register.read(descriptor).HIGH,
    encodeHigh: HIGH => register.encode({ HIGH }),
    highFrom: lpa ? 48 : 50,
  };
}

const NARROW = { 12: narrow(12), 14: narrow(14), 16: narrow(16) } as const;
const WIDE = { 12: wide(12), 14: wide(14), 16: wide(16) } as const;

/** The format for a granule, with addresses of 52 bits or of at most 48. */
export function descriptorFormat(granuleBits: GranuleBits, addresses52: boolean): DescriptorFormat {
  return (addresses52 ? WIDE : NARROW)[granuleBits];
}

/**
 * The address in a descriptor; that of a block is not yet cut to the size of the block.
 *
 * @example
 * descriptorAddress(0x4000_0703n, descriptorFormat(12, false)) // 0x40000000n
 */
export function descriptorAddress(descriptor: bigint, format: DescriptorFormat): bigint {
  return (descriptor & format.ADDRESS) | placed(format.high(descriptor), format.highFrom);
}

/** The descriptor with another address and all its other bits. The address fits the format. */
export function withAddress(descriptor: bigint, address: bigint, format: DescriptorFormat): bigint {
  const rest = descriptor & ~(format.ADDRESS | format.HIGH);
  const above = format.HIGH === 0n ? 0n : address / placed(1n, format.highFrom);
  return rest | (address & format.ADDRESS) | format.encodeHigh(above);
}
