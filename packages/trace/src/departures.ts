/** @module What events of a trace are not as the catalogue has them: told and counted, never refused. */
import { nearest } from '@syndrome/decode/common/nearest.ts';
import { type CatalogField, catalogEvent, eventNames } from '@syndrome/decode/events/catalog.ts';
import type { FieldType, FieldValue } from '@syndrome/decode/events/row.ts';
import type { TraceEvent } from './event.ts';

/** One way in which events of one name depart from the catalogue. */
export interface Departure {
  code: 'W_TRACE_EVENT' | 'W_TRACE_FIELD';
  /** Name of the events, and of the field where it is one. */
  event: string;
  field?: string;
  /** How many of them, and the line of the first. */
  count: number;
  line: number;
  /** What it is, in a sentence without its end. */
  problem: string;
}

/** More different ones are counted together: a trace may come from anybody. */
const MAX_DEPARTURES = 100;

const WORDS: Record<Exclude<FieldType, 'any'>, string> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  address: 'an address',
  register: 'a register value',
  pfn: 'a page frame number',
  bigint: 'a 64-bit value',
};

function isOf({ type }: CatalogField, value: FieldValue): boolean {
  if (type === 'any') return true;
  return typeof value === (type === 'string' || type === 'number' || type === 'boolean' ? type : 'bigint');
}

/** Collects the departures of the events of one trace. */
export class Departures {
  readonly #found = new Map<string, Departure>();
  /** Events with departures beyond those that are kept. */
  more = 0;

  /** Looks at an event; `line` is where it stands in the trace. */
  see({ name, fields }: TraceEvent, line: number): void {
    if (name === undefined) return;
    const known = catalogEvent(name);
    if (known === undefined) {
      this.#add('W_TRACE_EVENT', line, name, undefined, () => unknownWords(name));
      return;
    }
    const { fieldTypes } = known;
    const given: Readonly<Record<string, FieldValue>> = fields ?? {};
    for (const field of Object.keys(given)) {
      if (!Object.hasOwn(fieldTypes, field))
        this.#add('W_TRACE_FIELD', line, name, field, () => `${name} has no field ${field} in the catalogue`);
    }
    for (const [field, type] of Object.entries(fieldTypes)) {
      const value = Object.hasOwn(given, field) ? given[field] : undefined;
      if (value === undefined) {
        if (!type.optional) this.#add('W_TRACE_FIELD', line, name, field, () => `${name} lacks its field ${field}`);
      } else if (!isOf(type, value)) this.#add('W_TRACE_FIELD', line, name, field, () => typeWords(name, field, type));
    }
  }

  /** What was found, in the order in which it came. */
  list(): Departure[] {
    return [...this.#found.values()];
  }

  #add(code: Departure['code'], line: number, event: string, field: string | undefined, words: () => string): void {
    const key = `${event} ${field ?? ''}`;
    const same = this.#found.get(key);
    if (same) same.count++;
    else if (this.#found.size === MAX_DEPARTURES) this.more++;
    else {
      const problem = words();
      this.#found.set(key, { code, event, ...(field === undefined ? {} : { field }), count: 1, line, problem });
    }
  }
}

function unknownWords(name: string): string {
  const near = nearest(name, eventNames());
  return `the catalogue of this program has no event ${name}${near === undefined ? '' : `; the nearest is ${near}`}`;
}

const typeWords = (name: string, field: string, { type }: CatalogField): string =>
  `the field ${field} of ${name} is not ${type === 'any' ? 'a value' : WORDS[type]}`;
