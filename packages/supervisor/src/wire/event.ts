/** @module An event of the catalogue on the wire: its fields are those that the catalogue says, its record is one. */
import { catalogEvent } from '@syndrome/decode/events/catalog.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import { reviveFields } from '@syndrome/decode/events/revive.ts';
import type { FieldType, FieldValue } from '@syndrome/decode/events/row.ts';
import { recordOfJson } from '@syndrome/decode/text/syndrome/json-records.ts';
import { z } from 'zod';

const NAME = /^[a-z][\w.-]{0,63}$/i;
const MAX_FIELDS = 64;

const rightType = (value: FieldValue, type: FieldType): boolean =>
  type === 'any' || typeof value === (type === 'string' || type === 'number' || type === 'boolean' ? type : 'bigint');

/** What is wrong with the fields of an event; undefined when nothing is, or the name is of a later catalogue. */
function wrongField(event: string, fields: Readonly<Record<string, FieldValue>>): string | undefined {
  for (const [key, { type, optional }] of Object.entries(catalogEvent(event)?.fieldTypes ?? {})) {
    const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (value === undefined ? !optional : !rightType(value, type)) return `${event} needs ${key} as ${type}`;
  }
  return undefined;
}

export const eventSchema = z
  .object({
    name: z.string().regex(NAME),
    fields: z
      .record(z.string().regex(NAME), z.union([z.string().max(16_384), z.number(), z.boolean()]))
      .refine(fields => Object.keys(fields).length <= MAX_FIELDS, `at most ${MAX_FIELDS} fields`),
    record: z.record(z.string(), z.unknown()).optional(),
  })
  .transform((given, context): LogEvent => {
    const fields = reviveFields(given.name, given.fields);
    const wrong = wrongField(given.name, fields);
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
    const { record, notes } = given.record === undefined ? { notes: [] } : recordOfJson(given.record);
    if (given.record !== undefined && record === undefined)
      context.addIssue({ code: 'custom', message: `record: ${notes[0]?.message ?? 'of no kind that is known'}` });
    return { name: given.name, fields, ...(record === undefined ? {} : { record }) } as LogEvent;
  });
