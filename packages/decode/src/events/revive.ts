/** @module Fields of an event as they were before they were JSON. */
import { type CatalogField, catalogEvent } from './catalog.ts';
import type { FieldValue } from './row.ts';

const HEX64 = /^0x[0-9a-f]{16}$/;

const NONE: Readonly<Record<string, CatalogField>> = {};

/**
 * Wire strings of 64-bit values become bigint again; a text that the catalogue knows as one stays a text. What is no value of
 * a field is left out.
 * @example reviveFields('guest.memory-failure', { pfn: '0x0000000000001234' }) // { pfn: 0x1234n }
 */
export function reviveFields(name: string | undefined, fields: Record<string, unknown>): Record<string, FieldValue> {
  const types = (name === undefined ? undefined : catalogEvent(name)?.fieldTypes) ?? NONE;
  const out: Record<string, FieldValue> = {};
  for (const [key, value] of Object.entries(fields)) {
    const isText = Object.hasOwn(types, key) && types[key]?.type === 'string';
    if (typeof value === 'string') out[key] = !isText && HEX64.test(value) ? BigInt(value) : value;
    // JSON has no infinity, but numbers that JavaScript takes for one.
    else if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) out[key] = value;
  }
  return out;
}
