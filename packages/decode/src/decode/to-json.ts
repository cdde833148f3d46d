/** @module Machine checks as JSON lines, fast: what records of one pattern have in common is written once. */
import { hex64 } from '../common/hex.ts';
import { DECODED_SCHEMA_VERSION, rawData } from './record.ts';
import type { DecodedRecord } from './record.ts';

/** Text that stands in JSON as it is, and that a terminal does not obey. */
const AS_IT_IS = /^[ !#-[\]-~]*$/;

/** Thrown and caught here: something that is left to JSON.stringify. */
const OTHER = new Error('left to the general way');

function json(value: unknown): string {
  switch (typeof value) {
    case 'bigint':
      return `"${hex64(value)}"`;
    case 'string':
      if (!AS_IT_IS.test(value)) throw OTHER;
      return `"${value}"`;
    case 'number':
      if (!Number.isFinite(value)) throw OTHER;
      return String(value);
    case 'boolean':
      return String(value);
    case 'object':
      if (Array.isArray(value)) return `[${value.map(json).join(',')}]`;
      if (value === null || Object.getPrototypeOf(value) !== Object.prototype) throw OTHER;
      return `{${bare(value as Record<string, unknown>)}}`;
    default:
      throw OTHER;
  }
}

/** `"a":1,"b":2`: some members without braces. */
function bare(value: Readonly<Record<string, unknown>>): string {
  let out = '';
  for (const key in value) {
    const member = value[key];
    if (member !== undefined) out += `${out === '' ? '"' : ',"'}${key}":${json(member)}`;
  }
  return out;
}

interface CommonJson {
  /** From `flags` to `mcacod`. */
  grade: string;
  component: string;
  lint: string;
  nextStep: string;
}

/** Writes records as `stringify(toData(record))` does, with the same bytes. */
export class JsonWriter {
  readonly #common = new WeakMap<object, CommonJson>();

  /** The record on one line; undefined for what is left to {@link toData}: other kinds, and text that needs escapes. */
  line(record: DecodedRecord): string | undefined {
    if (record.kind !== 'x86-mca') return undefined;
    try {
      return this.#line(record);
    } catch (error) {
      if (error === OTHER) return undefined;
      throw error;
    }
  }

  #line(record: DecodedRecord): string {
    const { source, kind, cpu, bank, registers, address, diagnostics, headline, explanation } = record;
    const { place, count, threshold, time } = record;
    const common = this.#commonOf(record);
    const first = bare({ schemaVersion: DECODED_SCHEMA_VERSION, source, kind, cpu, bank, registers });
    const where = address === undefined ? '' : `,${bare({ address })}`;
    const own = bare({ place, count, threshold, time });
    const words = bare({ diagnostics, headline, explanation });
    return `{${first},${common.grade}${where},${common.component}${own === '' ? '' : `,${own}`},${common.lint},${words},${common.nextStep},"raw":${json(rawData(record))}}`;
  }

  #commonOf(record: DecodedRecord): CommonJson {
    const { pattern } = record;
    const known = pattern === undefined ? undefined : this.#common.get(pattern);
    if (known !== undefined) return known;
    const { flags, severity, mcacod, component, lint, nextStep } = record;
    const common = {
      grade: bare({ flags, class: record.class, severity, mcacod }),
      component: bare({ component }),
      lint: bare({ lint }),
      nextStep: bare({ nextStep }),
    };
    if (pattern !== undefined) this.#common.set(pattern, common);
    return common;
  }
}
