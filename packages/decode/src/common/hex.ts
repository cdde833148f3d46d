/** What stands before so many digits. */
const BEFORE: readonly string[] = Array.from({ length: 17 }, (_, digits) => `0x${'0'.repeat(16 - digits)}`);

/** A u64 as every wire of the project writes it: `0x` and 16 hex digits. */
export function hex64(value: bigint): string {
  // Many registers of a log are zero.
  if (value === 0n) return '0x0000000000000000';
  const digits = BigInt.asUintN(64, value).toString(16);
  return (BEFORE[digits.length] ?? '') + digits;
}

const U64_MAX = (1n << 64n) - 1n;

/** Parses a u64 in hex (`0x…`) or decimal; undefined when it is neither or does not fit in 64 bits. */
export function parseU64(text: string): bigint | undefined {
  if (!/^(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value > U64_MAX ? undefined : value;
}

/**
 * JSON.stringify with every bigint as a {@link hex64} string, so that no 64-bit value is ever rounded.
 *
 * @example
 * stringify({ status: 1n }) // '{"status":"0x0000000000000001"}'
 */
export function stringify(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? hex64(v) : v), indent);
}
