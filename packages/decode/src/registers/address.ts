/**
 * @module Addresses and page frames. They are different types, so that none passes for the other: from one to the other
 * leads {@link pfnOf}, and no shift.
 */

/** log2 of the smallest page of x86, and of a record's page: 4 KiB. */
export const PAGE_LSB = 12;

/** The number of a page frame of 4 KiB. */
export type Pfn = bigint & { readonly __brand: 'Pfn' };

/** The frame of a physical address. @example pfnOf(0x12345678n) // 0x12345n */
export function pfnOf(address: bigint): Pfn {
  return (address >> BigInt(PAGE_LSB)) as Pfn;
}

/** The first address of a frame. */
export function addressOf(pfn: bigint): bigint {
  return pfn << BigInt(PAGE_LSB);
}

/** The first address of the page of 4 KiB that an address is in. @example pageOf(0x12345678n) // 0x12345000n */
export function pageOf(address: bigint): bigint {
  return addressOf(pfnOf(address));
}

/** A value without its bits below `lsb`: the start of the block of 2^lsb bytes that an address is in. */
export function dropBelow(value: bigint, lsb: number | bigint): bigint {
  return (value >> BigInt(lsb)) << BigInt(lsb);
}

/** 2^bits: the size of a block. */
export function sizeOf(bits: number | bigint): bigint {
  return 1n << BigInt(bits);
}

/** The pages of 4 KiB in a block of 2^lsb bytes, at least 1. */
export function pagesOf(lsb: number): bigint {
  return lsb > PAGE_LSB ? sizeOf(lsb - PAGE_LSB) : 1n;
}

/** The block of `size` bytes, a power of two, that an address is in. */
export function alignDown(address: bigint, size: bigint): bigint {
  return address & ~(size - 1n);
}

/** The first multiple of `size`, a power of two, that is not below an address. */
export function alignUp(address: bigint, size: bigint): bigint {
  return alignDown(address + size - 1n, size);
}

/** Whether an unsigned value has at most so many bits. @example fits(1n << 64n, 64) // false */
export function fits(value: bigint, bits: number): boolean {
  return value >= 0n && value >> BigInt(bits) === 0n;
}
