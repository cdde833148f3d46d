/** @module What the lines of the time line are made of: short values, records in words. Whatever a trace holds is safe here. */
import { hex64 } from '../common/hex.ts';
import { safeText } from '../common/screen.ts';
import { injectionOf, wordsOf } from '../inject/ways.ts';
import { explain } from '../mca/of-record.ts';
import { MCA_REGISTERS } from '../mca/record.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { EventContext, FieldValue } from './row.ts';

/** 64-bit values without leading zeros, as the kernel prints most of them; registers are shown in full elsewhere. */
export function short(value: FieldValue | undefined): string {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  return safeText(String(value ?? ''), 200);
}

/** Fields as `name=value` words. */
export function pairs(fields: Readonly<Record<string, FieldValue | undefined>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${safeText(key, 64)}=${typeof value === 'bigint' ? hex64(value) : short(value)}`)
    .join(' ');
}

/** What the fields of an injection say was done: its command, and words for it. */
export function injectedWords(fields: Readonly<Record<string, FieldValue | undefined>>): string {
  const { command } = fields;
  const injection = injectionOf(fields);
  const words = injection === undefined ? pairs(fields) : wordsOf(injection);
  return [...(command === undefined ? [] : [short(command)]), ...(words === undefined ? [] : [words])].join(': ');
}

/** The record that an event completes, in words; the raw line where the record is damaged. */
export function recordWords(event: EventContext): string {
  const record = mcaRecord(event.record);
  if (record !== undefined) return explain(record);
  return event.raw === undefined ? `record ${pairs(event.fields ?? {})}` : safeText(event.raw, 400);
}

const WIDE = [...MCA_REGISTERS, 'time'] as const;
const NUMBERS: readonly (keyof X86McaRecord)[] = ['bank', 'cpu', 'socket'];

/**
 * A machine check record out of a trace, where registers are text when it was read from a file; undefined when it is none,
 * or damaged. What is missing was not reported.
 */
function mcaRecord(value: unknown): X86McaRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Record<string, unknown>;
  const { kind, vendor } = given;
  if (kind !== 'x86-mca' || !(vendor === undefined || vendor === 'intel' || vendor === 'amd')) return undefined;
  const record: Record<string, unknown> = { kind, ...(vendor === undefined ? {} : { vendor }) };
  for (const name of WIDE) {
    const raw = given[name];
    if (raw === undefined) continue;
    const register = typeof raw === 'string' && /^0x[0-9a-f]{16}$/.test(raw) ? BigInt(raw) : raw;
    if (typeof register !== 'bigint') return undefined;
    record[name] = register;
  }
  for (const name of NUMBERS) {
    const number = given[name];
    if (number === undefined) continue;
    if (!Number.isSafeInteger(number)) return undefined;
    record[name] = number;
  }
  if (record['status'] === undefined || record['bank'] === undefined) return undefined;
  return record as unknown as X86McaRecord;
}
