/**
 * @module Fields whose places are computed: of structures whose tables are made elsewhere, of page tables. Here values are
 * shifted and masked, and nowhere else; a field that stands at a fixed place belongs into a table (register.ts).
 */

/** Bits `hi`:`lo`, all set. */
export function maskOf(hi: number, lo: number): bigint {
  return ((1n << BigInt(hi - lo + 1)) - 1n) << BigInt(lo);
}

/** Bits `hi`:`lo` of a value, shifted down to bit 0. @example fieldOf(0xab00n, low + 7, low) // 0xabn, for a `low` of 8 */
export function fieldOf(value: bigint, hi: number, lo: number): bigint {
  return BigInt.asUintN(hi - lo + 1, value >> BigInt(lo));
}

/** Bits `hi`:`lo` of a number below 2^32, which costs no bigint. @example partOf(0xab00, low + 7, low) // 0xab, for a `low` of 8 */
export function partOf(value: number, hi: number, lo: number): number {
  return (value >>> lo) & (-1 >>> (31 - hi + lo));
}

/** The same number with bits `hi`:`lo` of 32 set. @example withBits(0x100, 3, 2) // 0x10c */
export function withBits(value: number, hi: number, lo: number): number {
  return (value | ((-1 >>> (31 - hi + lo)) << lo)) >>> 0;
}

/** A value that begins at bit `lo`. */
export function placed(value: bigint, lo: number): bigint {
  return value << BigInt(lo);
}

/** Whether bit `at` is set. */
export function hasBit(value: bigint, at: number): boolean {
  return ((value >> BigInt(at)) & 1n) === 1n;
}

/** 64 bits of two halves. */
export function joined(high: number | bigint, low: number | bigint): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Bits 63:32. */
export function highHalf(value: bigint): number {
  return Number(BigInt.asUintN(32, value >> 32n));
}

/** Bits 31:0. */
export function lowHalf(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

/** Byte `index` of a value, from the lowest. */
export function byteOf(value: bigint, index: number): number {
  return Number(BigInt.asUintN(8, value >> BigInt(8 * index)));
}

/** The integer of `size` bytes at `at`, the lowest first; bytes behind the end are 0. */
export function readLittleEndian(bytes: ArrayLike<number>, at: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return value;
}

/** Writes an integer into `size` bytes, the lowest first. */
export function writeLittleEndian(bytes: Uint8Array, at: number, size: number, value: bigint): void {
  let rest = value;
  for (let i = 0; i < size; i++) {
    bytes[at + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}
