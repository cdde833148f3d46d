import { parseU64 } from '@syndrome/decode/common/hex.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import { LabError } from '../errors.ts';
import type { Value } from './step.ts';

/** The u64 that a step argument stands for: a number, `0x…` text, or `$name`. @throws LabError E_LAB_VALUE. */
function resolveU64(value: string | number, values: ReadonlyMap<string, FieldValue>): bigint {
  if (typeof value === 'number') return BigInt(value);
  const saved = value.startsWith('$') ? values.get(value.slice(1)) : value;
  const number = typeof saved === 'bigint' ? saved : parseU64(String(saved));
  if (number === undefined) throw new LabError('E_LAB_VALUE', `${value} is not a number (${String(saved)})`);
  return number;
}

/** A text with the saved values for `$name` in it, as hex; what is not saved stays as it is. */
export function filled(text: string, values: ReadonlyMap<string, FieldValue>): string {
  return text.replace(/\$([A-Za-z][\w.]*)/g, (whole, name: string) => {
    const value = values.get(name);
    if (value === undefined) return whole;
    return typeof value === 'bigint' ? `0x${value.toString(16)}` : String(value);
  });
}

/** {@link resolveU64} with the values that are saved so far. */
export const valueIn =
  ({ values }: { values: ReadonlyMap<string, FieldValue> }): Value =>
  argument =>
    resolveU64(argument, values);

/** Numbers too large for a double stand as `0x…` text in a scenario; QMP gets them as what they are. */
export function exactNumbers(value: unknown): unknown {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,16}$/.test(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(exactNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, exactNumbers(v)]));
}
