/** @module Values of an event for its table: exact, with what the run calls them. */
import { escapeText } from '@syndrome/decode/common/screen.ts';
import { catalogEvent } from '@syndrome/decode/events/catalog.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import { SavedValues } from '@syndrome/trace/compare/fields.ts';
import { showValue } from '@syndrome/trace/expect/judge.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import type { Run } from './run.ts';

/** A field of an event. */
interface FieldLine {
  name: string;
  value: string;
  /** What a step has saved the value as: `$page`. */
  saved?: string;
}

/** The fields of an event, safe to show. */
export function fieldLines(run: Run, { name, fields }: TraceEvent): FieldLine[] {
  const saved = new SavedValues(run.trace.events);
  const types = catalogEvent(name ?? '')?.fieldTypes ?? {};
  const given: Readonly<Record<string, FieldValue>> = fields ?? {};
  return Object.entries(given).map(([field, value]) => {
    const type = Object.hasOwn(types, field) ? (types[field]?.type ?? 'any') : 'any';
    const isPlace = type === 'address' || type === 'pfn' || name === 'lab.value';
    const as = typeof value === 'bigint' && isPlace ? saved.of(type === 'pfn' ? 'pfn' : 'address', value) : undefined;
    return { name: field, value: escapeText(showValue(value)), ...(as === undefined ? {} : { saved: escapeText(as) }) };
  });
}

/** Values that the steps of a run have saved, in the order in which they came. */
export function savedLines(run: Run): FieldLine[] {
  const lines = new Map<string, FieldLine>();
  for (const { name, fields } of run.trace.events) {
    if (name !== 'lab.value' || typeof fields?.name !== 'string' || fields.value === undefined) continue;
    const said = `$${fields.name}`;
    const value = typeof fields.value === 'bigint' ? `0x${fields.value.toString(16)}` : String(fields.value);
    lines.set(said, { name: escapeText(said), value: escapeText(value) });
  }
  return [...lines.values()].slice(0, 12);
}
