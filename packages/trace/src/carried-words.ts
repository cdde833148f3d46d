/** @module What an event of a trace carries beside its fields, in words: an error record, an injection. Whatever a trace holds is safe here. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import { pairs, short } from '@syndrome/decode/events/show.ts';
import { injectionOf, wordsOf } from '@syndrome/decode/inject/ways.ts';
import { explain } from '@syndrome/decode/mca/of-record.ts';
import { MCA_REGISTERS } from '@syndrome/decode/mca/record.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import type { TraceEvent } from './event.ts';

type Fields = Readonly<Record<string, FieldValue | undefined>>;

/** The record that an event completes in words, or the injection that its fields describe. */
export function carriedWords(event: TraceEvent): string {
  return event.name === 'lab.injected' ? injectedWords(event.fields ?? {}) : recordWords(event);
}

/** What the fields of an injection say was done: its command, and words for it. */
function injectedWords(fields: Fields): string {
  const { command } = fields;
  const injection = injectionOf(fields);
  const words = injection === undefined ? pairs(fields) : wordsOf(injection);
  return [...(command === undefined ? [] : [short(command)]), ...(words === undefined ? [] : [words])].join(': ');
}

/** The record that an event completes, in words; the raw line where the record is damaged. */
function recordWords({ record: carried, raw, fields = {} }: TraceEvent): string {
  const record = mcaRecord(carried);
  if (record !== undefined) return explain(record);
  return raw === undefined ? `record ${pairs(fields)}` : safeText(raw, 400);
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
