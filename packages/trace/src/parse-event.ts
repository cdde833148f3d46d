import { foreignName } from '@syndrome/decode/events/catalog.ts';
import { reviveFields } from '@syndrome/decode/events/revive.ts';
import { LAYERS, SOURCES, type TraceEvent } from './event.ts';
import type { Line } from './modernize.ts';
import { NAME } from './names.ts';

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
    ...(fields === undefined ? {} : { fields: reviveFields(name, fields) }),
    ...(record === undefined ? {} : { record }),
  } as TraceEvent;
}
