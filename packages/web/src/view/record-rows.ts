/** @module The records of a log as a list: rows, what they are found by, and groups that say the same. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { rowOfSource } from '@syndrome/decode/decode/record.ts';

/** A row of the list, safe to show. */
interface RecordRow {
  title: string;
  /** CPU, bank, address, part. */
  where: string;
  severity: string;
  findings: number;
  /** `:120`, or where it stands in a database. */
  place: string;
}

/**
 * A record as a row.
 * @param named with the file that it is of: there are several
 */
export function rowOf(record: DecodedRecord, named = false): RecordRow {
  const { cpu, bank, address, source } = record;
  const where = [
    cpu === undefined ? undefined : `CPU ${cpu}`,
    bank === undefined ? undefined : `bank ${bank}`,
    address === undefined ? undefined : `0x${address.value.toString(16)}`,
  ].filter(text => text !== undefined);
  const line = source.firstLine === undefined ? undefined : `:${source.firstLine}`;
  const byte = source.firstByte === undefined ? '' : `@0x${source.firstByte.toString(16)}`;
  const file = named ? source.input.slice(-40) : '';
  return {
    title: safeText(record.title, 200),
    where: safeText(where.join(' · '), 120),
    severity: record.severity,
    findings: record.lint.length,
    place: safeText(`${file}${rowOfSource(source) ?? line ?? byte}`, 100),
  };
}

/** What a record is found by. */
function textOf(record: DecodedRecord, named: boolean): string {
  const { where, place, title } = rowOf(record, named);
  const { address } = record;
  const page = address?.pfn === undefined ? '' : `pfn 0x${address.pfn.toString(16)}`;
  return `${title} ${where} ${record.severity} ${record.class} ${page} ${place}`.toLowerCase();
}

/** Records that say the same but for where and when. */
interface RecordGroup {
  title: string;
  severity: string;
  count: number;
  cpus: number;
  pages: number;
  /** Index of its first record. */
  first: number;
}

/** Finds records and groups them; what was looked at once is kept. */
export class RecordList {
  readonly #texts: string[] = [];
  /** Whether rows say which file they are of. */
  readonly named: boolean;
  readonly records: DecodedRecord[] = [];
  readonly #groups = new Map<string, { group: RecordGroup; cpus: Set<number>; pages: Set<bigint> }>();

  constructor(named = false) {
    this.named = named;
  }

  add(record: DecodedRecord): void {
    const index = this.records.push(record) - 1;
    const key = `${record.severity} ${record.title}`;
    let there = this.#groups.get(key);
    if (there === undefined) {
      const group = {
        title: safeText(record.title, 200),
        severity: record.severity,
        count: 0,
        cpus: 0,
        pages: 0,
        first: index,
      };
      this.#groups.set(key, (there = { group, cpus: new Set(), pages: new Set() }));
    }
    const { group, cpus, pages } = there;
    group.count++;
    if (record.cpu !== undefined) cpus.add(record.cpu);
    if (record.address?.pfn !== undefined && pages.size < 100_000) pages.add(record.address.pfn);
    [group.cpus, group.pages] = [cpus.size, pages.size];
  }

  /** Those that say the same, the most first. */
  groups(): RecordGroup[] {
    return [...this.#groups.values()].map(({ group }) => group).toSorted((a, b) => b.count - a.count);
  }

  /** Indices of what is looked for. */
  find(text: string): Int32Array {
    const wanted = text.trim().toLowerCase();
    if (wanted === '') return Int32Array.from(this.records.keys());
    const out: number[] = [];
    for (const [index, record] of this.records.entries()) {
      const words = (this.#texts[index] ??= textOf(record, this.named));
      if (words.includes(wanted)) out.push(index);
    }
    return Int32Array.from(out);
  }
}
