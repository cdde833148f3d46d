/** @module Lines that say that something happened whose record stands elsewhere: how many, when, and where to look. */
import { RECORD_ROWS } from '../events/records.ts';
import type { DecodedRecord, DecodedSource } from '../decode/record.ts';
import type { DecodedTime } from '../decode/time.ts';
import { fieldsOf, secondsApart } from './witness.ts';
import type { Witness } from './witness.ts';

export interface PointerReport {
  /** Class of the records. */
  class: string;
  what: string;
  lines: number;
  /** Errors that the lines count; missing where they count none. */
  errors?: number;
  first: DecodedSource;
  last: DecodedSource;
  firstTime?: DecodedTime;
  lastTime?: DecodedTime;
  /** Lines near which the record itself stands in the input; only of those that announce one. */
  recordsBeside?: number;
  /** Where the record is to be found. */
  where: string;
}

/** What of a line tells kinds of it apart, of which each is counted for itself. */
type Kind = (record: DecodedRecord) => string | undefined;

const all: Kind = () => '';
const message: Kind = record => String(fieldsOf(record)['message'] ?? '');

/** By class of record; undefined of a kind leaves the record out. */
const POINTERS: ReadonlyMap<string, Kind> = new Map<string, Kind>(
  Object.entries({
    'mce-logged': all,
    'mce-storm': record => (fieldsOf(record)['state'] === 'subsided' ? undefined : ''),
    'soft-offline': record => (String(fieldsOf(record)['message']).endsWith('(CEC)') ? '' : undefined),
    'reset-reason': message,
    'ras-summary': record => `${String(fieldsOf(record)['what'] ?? '')}: ${message(record)}`,
    'xen-virq': all,
    'messages-suppressed': record => String(fieldsOf(record)['function'] ?? ''),
  }),
);

/** Words where the headline of the record is one of a single line. */
const WHAT: Readonly<Record<string, string>> = {
  'mce-logged': 'Linux logged machine checks',
  'mce-storm': 'Storms of corrected errors (CMCI) began',
  'soft-offline': 'Linux counted too many corrected errors in a page and set out to move it away (CEC)',
};
const WHERE: Readonly<Record<string, string>> = {
  'mce-logged':
    'Ask `ras-mc-ctl --errors` (rasdaemon), /var/log/mcelog (mcelog) and the journal of both; look in the whole log of the kernel for `[Hardware Error]` and `EDAC`.',
  'soft-offline':
    'The errors themselves were only counted: /sys/kernel/debug/ras/cec/array has the pages and their counts, if the kernel offers it.',
};
/** The line comes from a worker of the kernel: the record of it stands near. */
const SECONDS = 10;
const MAX_KINDS = 64;

/** Whether a record only points to another, and is neither an error nor its consequence. */
export function isPointer({ class: name }: DecodedRecord): boolean {
  return POINTERS.has(name) && name !== 'soft-offline';
}

export class Pointers {
  readonly #kinds = new Map<string, PointerReport>();
  /** The last record of a bank or driver: what a line may have announced. */
  #record: Witness | undefined;
  /** The last line that announced a record which did not come yet, and how many like it. */
  #waiting: { line: Witness; lines: number } | undefined;
  #missed = 0;

  /** Looks at a record of any kind, in the order of the input. */
  take(witness: Witness): void {
    const { record, reporter } = witness;
    const name = record.class;
    const kindOf = POINTERS.get(name);
    if (kindOf !== undefined) {
      const kind = kindOf(record);
      if (kind !== undefined) this.#count(witness, kind);
    } else if (reporter === 'machine-check' || reporter === 'driver' || name === 'thermal') {
      this.#record = witness;
      const waiting = this.#waiting;
      if (waiting === undefined || !isBeside(waiting.line, witness)) return;
      this.#waiting = undefined;
      this.#beside(waiting.lines);
    }
  }

  /** Those that announce records first. */
  report(): PointerReport[] {
    return [...this.#kinds.values()];
  }

  /** Kinds beyond the bound are not told apart, and not told. */
  get missed(): number {
    return this.#missed;
  }

  #count(witness: Witness, kind: string): void {
    const { record, time } = witness;
    const name = record.class;
    const key = `${name}\n${kind}`;
    const known = this.#kinds.get(key);
    if (known === undefined && this.#kinds.size >= MAX_KINDS) {
      this.#missed++;
      return;
    }
    const row = RECORD_ROWS.get(name);
    const of = kind === '' ? '' : `: ${kind}`;
    const report: PointerReport = known ?? {
      class: name,
      what: `${WHAT[name] ?? row?.headline ?? name}${of}`,
      lines: 0,
      first: record.source,
      last: record.source,
      ...(time === undefined ? {} : { firstTime: time }),
      ...(name === 'mce-logged' ? { recordsBeside: 0 } : {}),
      where: WHERE[name] ?? row?.next ?? '',
    };
    this.#kinds.set(key, report);
    report.lines++;
    report.last = record.source;
    if (time !== undefined) report.lastTime = time;
    const { count } = fieldsOf(record);
    if (typeof count === 'number') report.errors = (report.errors ?? 0) + count;
    if (name === 'mce-logged') this.#announced(witness);
  }

  /** A line says that records were logged: one near it, before or behind, is meant. */
  #announced(line: Witness): void {
    if (this.#record !== undefined && isBeside(this.#record, line)) {
      this.#beside(1);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting =
      waiting !== undefined && isBeside(waiting.line, line) ? { line, lines: waiting.lines + 1 } : { line, lines: 1 };
  }

  #beside(lines: number): void {
    const report = this.#kinds.get('mce-logged\n');
    if (report !== undefined) report.recordsBeside = (report.recordsBeside ?? 0) + lines;
  }
}

/** Near by a clock, else by the lines of one input. */
function isBeside(a: Witness, b: Witness): boolean {
  const apart = secondsApart(a, b);
  if (apart !== undefined) return apart <= SECONDS;
  const [x, y] = [a.record.source, b.record.source];
  return x.input === y.input && Math.abs((x.firstLine ?? 0) - (y.firstLine ?? 0)) <= NEAR_LINES;
}
const NEAR_LINES = 32;
