/** @module JSON with 64-bit integers, refused rather than rounded, and what zod says of it in words. */
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { cperToJson } from '@syndrome/decode/cper/json.ts';
import type { CperRecord } from '@syndrome/decode/cper/record.ts';
import { z } from 'zod';
import { WireError } from './errors.ts';

const U64_MAX = (1n << 64n) - 1n;

function exact(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    if (value < 0n || value > U64_MAX) throw new WireError('E_WIRE_VALUE', `${value} is no 64-bit value`);
    return hex64(value);
  }
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new WireError('E_WIRE_VALUE', `${value} has no JSON form`);
  // A firmware record has bytes in it.
  if (typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'cper')
    return cperToJson(value as CperRecord);
  return value;
}

/**
 * One line of JSON; a bigint is `0x` and 16 hex digits, bytes of firmware records are hex digits.
 * @throws WireError E_WIRE_VALUE for an integer of more than 64 bits, an infinity
 * @example toJson({ pfn: 0x1234n }) // '{"pfn":"0x0000000000001234"}'
 */
export const toJson = (value: unknown): string => JSON.stringify(value, exact);

/** A 64-bit value as the wire has it. */
export const wide = z
  .string()
  .regex(/^0x[0-9a-f]{16}$/, '0x and 16 hex digits')
  .transform(text => BigInt(text));

/** A name: of a host, a VM, a spool, an action. */
export const name = z
  .string()
  .min(1)
  .max(256)
  .refine(text => text.isWellFormed() && !/\p{Cc}/u.test(text), 'no control characters');
/** What is shown to a person. */
export const words = z.string().max(16_384);
/** Milliseconds UTC, epochs, sizes: never rounded. */
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/**
 * The value of a line, if it has the shape.
 * @param what what it should have been, for the error
 * @throws WireError E_WIRE_MESSAGE that says where it is wrong
 */
export function parseLine<T>(schema: z.ZodType<T>, line: string, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new WireError('E_WIRE_MESSAGE', `${what}: no JSON: ${safeText(line, 100)}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const first = result.error.issues[0];
  const at = first?.path.join('.') ?? '';
  throw new WireError('E_WIRE_MESSAGE', `${what}: ${safeText(`${at}${at === '' ? '' : ': '}${first?.message}`, 300)}`);
}
