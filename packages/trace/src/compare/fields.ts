/** @module Whether two events of one name say the same, although no two runs have the same addresses, processes and times. */
import { catalogEvent } from '@syndrome/decode/events/catalog.ts';
import { pfnOf } from '@syndrome/decode/registers/address.ts';
import type { FieldType, FieldValue } from '@syndrome/decode/events/row.ts';
import type { Trace } from '../reader.ts';
import type { TraceEvent } from '../event.ts';
import { showValue } from '../expect/judge.ts';

/** A field of two aligned events that says something else. */
export interface FieldDifference {
  field: string;
  /** As a trace has it, or the name of a saved value (`$page`); absent where the event has no such field. */
  a?: string;
  b?: string;
}

/** Fields that count or number what is by chance: processes, times, how much of something came in one look. */
const BY_CHANCE: ReadonlySet<string> = new Set(['pid', 'seq', 'us', 'ms', 'sent', 'delta', 'iterations', 'length']);

/** `mce_wrmsrq+0x1d/0x50`: where in a function depends on the compiler. */
const OFFSET = /\+0x[0-9a-f]+\/0x[0-9a-f]+/gi;
/** Addresses and frames in a text; a status register has 16 digits and stays. */
const ADDRESS = /\b0x(?:0{0,8}[0-9a-f]{4,12}|(?:f{4}[89a-f])[0-9a-f]{11})\b/gi;

/** Values by what a run has saved them as; a page frame by the page. */
export class SavedValues {
  readonly #names = new Map<string, string>();

  constructor(events: readonly TraceEvent[]) {
    for (const { name, fields } of events) {
      if (name !== 'lab.value') continue;
      const { name: saved, value } = fields ?? {};
      if (typeof saved !== 'string' || typeof value !== 'bigint') continue;
      this.#add('address', value, `$${saved}`);
      this.#add('pfn', pfnOf(value), `the frame of $${saved}`);
    }
  }

  /** What an address or frame is called in its run; undefined for any other. */
  of(type: FieldType, value: bigint): string | undefined {
    if (type === 'pfn') return this.#names.get(`pfn ${value}`);
    const page = this.#names.get(`pfn ${pfnOf(value)}`);
    return this.#names.get(`address ${value}`) ?? (page === undefined ? undefined : `in ${page}`);
  }

  /** Of two names for one value the first stays: it is the one that the steps speak of. */
  #add(type: 'address' | 'pfn', value: bigint, name: string): void {
    const key = `${type} ${value}`;
    if (!this.#names.has(key)) this.#names.set(key, name);
  }
}

/** Compares the fields of aligned events of two traces. */
export class FieldComparer {
  readonly #a: { saved: SavedValues; parts: readonly string[] };
  readonly #b: { saved: SavedValues; parts: readonly string[] };

  constructor(a: Trace, b: Trace) {
    const of = ({ events, header }: Trace, other: Trace): { saved: SavedValues; parts: string[] } => ({
      saved: new SavedValues(events),
      // A text that names what the runs were given to differ in says nothing new.
      parts: Object.entries(header.parts)
        .filter(([key, value]) => value !== other.header.parts[key])
        .flatMap(([, value]) => value.split(/\s+/))
        .filter(word => /\d/.test(word) && word.length > 2),
    });
    this.#a = of(a, b);
    this.#b = of(b, a);
  }

  /**
   * The fields of two events of one name that say something else. Addresses and page frames are the same where both runs have
   * saved them under one name, or neither has.
   */
  differences(a: TraceEvent, b: TraceEvent): FieldDifference[] {
    const types = catalogEvent(a.name ?? '')?.fieldTypes ?? {};
    const left: Readonly<Record<string, FieldValue>> = a.fields ?? {};
    const right: Readonly<Record<string, FieldValue>> = b.fields ?? {};
    const out: FieldDifference[] = [];
    for (const field of new Set([...Object.keys(left), ...Object.keys(right)])) {
      if (BY_CHANCE.has(field)) continue;
      const type = Object.hasOwn(types, field) ? (types[field]?.type ?? 'any') : 'any';
      const x = seen(Object.hasOwn(left, field) ? left[field] : undefined, type, this.#a);
      const y = seen(Object.hasOwn(right, field) ? right[field] : undefined, type, this.#b);
      if (x.same === y.same) continue;
      out.push({
        field,
        ...(x.shown === undefined ? {} : { a: x.shown }),
        ...(y.shown === undefined ? {} : { b: y.shown }),
      });
    }
    return out;
  }
}

/**
 * An event in words that are the same in another run that does the same: without times and what else is by chance, addresses by
 * what they were saved as.
 * @example sameWords(event, saved) // 'guest.memory-failure page=dirty LRU page pfn=the frame of $page result=Recovered'
 */
export function sameWords(event: TraceEvent, saved: SavedValues): string {
  const { name, fields = {} } = event;
  const types = catalogEvent(name ?? '')?.fieldTypes ?? {};
  const words = Object.entries(fields as Readonly<Record<string, FieldValue>>)
    .filter(([field]) => !BY_CHANCE.has(field))
    .map(([field, value]) => {
      const type = Object.hasOwn(types, field) ? (types[field]?.type ?? 'any') : 'any';
      return `${field}=${seen(value, type, { saved, parts: [] }).same}`;
    });
  return [name ?? '', ...words.toSorted()].join(' ');
}

/** A value as it is compared, and as it is shown. */
function seen(
  value: FieldValue | undefined,
  type: FieldType,
  { saved, parts }: { saved: SavedValues; parts: readonly string[] },
): { same: string; shown?: string } {
  if (value === undefined) return { same: 'none' };
  const shown = showValue(value);
  if (typeof value === 'bigint') {
    if (type !== 'address' && type !== 'pfn') return { same: shown, shown };
    const name = saved.of(type, value);
    return name === undefined ? { same: type, shown } : { same: name, shown: name };
  }
  if (typeof value !== 'string') return { same: shown, shown };
  let same = value.replace(OFFSET, '').replace(ADDRESS, 'an address');
  for (const part of parts) same = same.replaceAll(part, 'a part');
  return { same, shown };
}
