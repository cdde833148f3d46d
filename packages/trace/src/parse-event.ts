import { type CatalogField, catalogEvent, foreignName } from '@syndrome/decode/events/catalog.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import { LAYERS, SOURCES, type TraceEvent } from './event.ts';
import type { Line } from './modernize.ts';
import { NAME } from './names.ts';

const HEX64 = /^0x[0-9a-f]{16}$/;

const NONE: Readonly<Record<string, CatalogField>> = {};

/** Wire strings of 64-bit values become bigint again; a text that the catalogue knows as one stays a text. */
function revive(name: string | undefined, fields: Record<string, unknown>): Record<string, FieldValue> {
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

/** Positions and times: what the recorder counts. */
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** The object that a line is; undefined when it is none. */
export function parseLine(line: string): Line | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return typeof value === 'object' && value !== null ? (value as Line) : undefined;
}

/** The event that a line in the newest form is; undefined when it is none. */
export function eventOf(line: Line): TraceEvent | undefined {
  const event = line as unknown as TraceEvent;
  if (!isCount(event.seq) || !isCount(event.t)) return undefined;
  if (!LAYERS.includes(event.layer)) return undefined;
  if (!SOURCES.includes(event.source)) return undefined;
  if (event.name !== undefined && !(typeof event.name === 'string' && NAME.test(event.name))) return undefined;
  if (event.dir !== undefined && event.dir !== 'send' && event.dir !== 'receive') return undefined;
  if (event.raw !== undefined && typeof event.raw !== 'string') return undefined;
  if (event.fields !== undefined) {
    if (typeof event.fields !== 'object' || event.fields === null) return undefined;
    if (!Object.keys(event.fields).every(key => NAME.test(key))) return undefined;
  }
  const { seq, t, layer, source, raw, dir, name, fields, record } = event;
  return {
    seq,
    t,
    layer,
    source,
    ...(raw === undefined ? {} : { raw }),
    ...(dir === undefined ? {} : { dir }),
    // A name of a later catalogue stays what it is: it is shown, and may be waited for.
    ...(name === undefined ? {} : { name: foreignName(name) }),
    ...(fields === undefined ? {} : { fields: revive(name, fields) }),
    ...(record === undefined ? {} : { record }),
  } as TraceEvent;
}
