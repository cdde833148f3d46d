/** @module A ledger from the lines of `export.ts`, into a store that is empty: all of it, or nothing. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { openInput } from '@syndrome/base/disk/input-file.ts';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { insert } from '@syndrome/base/store/insert.ts';
import { migrate, stepsDone, stepsOf } from '@syndrome/base/store/migrate.ts';
import type { Query, SqlValue, Store } from '@syndrome/base/store/store.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { EXPORT_VERSION, type Exported } from './export.ts';
import { SCHEMA } from './schema.ts';
import { quoted, type Table, TABLES, tablesOf } from './tables.ts';

/** Of one line: the snapshot of a large fleet is one. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;
/** Rows that are written at once. */
const AT_ONCE = 128;

/**
 * Reads an export to its end, before any store is touched for it.
 * @throws StoreError E_STORE_EXPORT for a file that was cut or changed, E_STORE_NEWER, E_STORE_CHANGED where it is of another version
 */
export async function checkExport(file: string): Promise<void> {
  for await (const _ of rowsOf(file));
}

/**
 * Writes an export into an empty store, all of it or nothing.
 * @param signal ends it before it is done: nothing is written then
 * @throws StoreError as {@link checkExport}; E_STORE_EXISTS for a store that is not empty: its schema stays what it was, too
 */
export async function importLedger(store: Store, file: string, signal?: AbortSignal): Promise<Exported> {
  if ((await stepsDone(store, SCHEMA)) > 0) await requireEmpty(store.query);
  await migrate(store, SCHEMA);
  const exported = await store.transaction(async query => {
    await requireEmpty(query);
    const rows = rowsOf(file);
    const waiting = new Map<Table, SqlValue[][]>();
    const write = async (table: Table, list: SqlValue[][]): Promise<void> => {
      signal?.throwIfAborted();
      await insert(query, `"${table.name}"(${quoted(Object.keys(table.columns))})`, list.splice(0));
    };
    for (let next = await rows.next(); ; next = await rows.next()) {
      if (next.done === true) {
        for (const [table, list] of waiting) await write(table, list);
        return next.value;
      }
      const [table, values] = next.value;
      const list = waiting.get(table) ?? [];
      waiting.set(table, list);
      list.push(values);
      if (list.length >= AT_ONCE) await write(table, list);
    }
  });
  return exported;
}

async function requireEmpty(query: Query): Promise<void> {
  for (const { name } of TABLES) {
    const [row] = await query(`select count(*) as n from "${name}"`);
    if (row?.['n'] !== 0n)
      throw new StoreError('E_STORE_EXISTS', `this store is not empty: ${name} has ${String(row?.['n'])} rows`);
  }
}

/** The rows of an export, of this schema or of its first steps, checked; at the end what it holds. @throws StoreError E_STORE_EXPORT, also where only the end is missing */
async function* rowsOf(file: string): AsyncGenerator<[Table, SqlValue[]], Exported> {
  let number = 0;
  const wrong = (why: string): StoreError => new StoreError('E_STORE_EXPORT', `${file}:${number}: ${why}`);
  const hash = createHash('sha256');
  const tables: Record<string, number> = {};
  let [rows, at] = [0, -1];
  let known: readonly Table[] | undefined;
  let end: Exported | undefined;
  for await (const { line, whole } of linesOf(file)) {
    number++;
    if (end !== undefined) throw wrong('something stands after its end');
    if (!whole) throw wrong('it ends before its end: it was cut');
    let value: unknown;
    try {
      value = JSON.parse(line.toString());
    } catch {
      throw wrong('no JSON');
    }
    const table = known?.[at];
    if (Array.isArray(value)) {
      if (table === undefined) throw wrong('a row of no table');
      yield [table, valuesOf(table, value, wrong)];
      tables[table.name] = (tables[table.name] ?? 0) + 1;
      rows++;
    } else if (known === undefined) known = tablesOf(stepsIn(value, wrong));
    else if (isObject(value) && 'table' in value) {
      const next = known[++at];
      if (next === undefined || JSON.stringify(value) !== JSON.stringify({ table: next.name, columns: next.columns }))
        throw wrong(`not the table ${next?.name ?? 'that could stand here'} of this version`);
      tables[next.name] = 0;
    } else if (isObject(value) && value['end'] === true) {
      const sha256 = hash.digest('hex');
      if (at !== known.length - 1 || value['rows'] !== rows) throw wrong('rows or tables are missing');
      if (value['sha256'] !== sha256) throw wrong('its hash is not that of its lines: it was changed');
      end = { tables, rows, sha256 };
      continue;
    } else throw wrong('no line of an export');
    hash.update(line).update('\n');
  }
  number++;
  if (end === undefined) throw wrong('it ends before its end: it was cut');
  return end;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** How many steps of our schema an export is of. @throws StoreError */
function stepsIn(value: unknown, wrong: (why: string) => StoreError): number {
  if (!isObject(value) || !('syndromeExport' in value)) throw wrong('no export of a ledger');
  const { syndromeExport: version, schema } = value;
  if (version !== EXPORT_VERSION)
    throw new StoreError(
      'E_STORE_NEWER',
      `an export of the form ${JSON.stringify(version)}; this version reads ${EXPORT_VERSION}`,
    );
  const ours = stepsOf(SCHEMA);
  // What a step says is never changed: the first steps of ours are an earlier version.
  if (
    Array.isArray(schema) &&
    schema.length > 0 &&
    JSON.stringify(schema) === JSON.stringify(ours.slice(0, schema.length))
  )
    return schema.length;
  const newer = Array.isArray(schema) && schema.length > SCHEMA.length;
  throw new StoreError(newer ? 'E_STORE_NEWER' : 'E_STORE_CHANGED', 'an export of another schema', {
    hint: newer
      ? 'Import it with the version that made it, or a later one.'
      : 'Import it with the version that made it.',
  });
}

function valuesOf(table: Table, row: readonly unknown[], wrong: (why: string) => StoreError): SqlValue[] {
  const types = Object.values(table.columns);
  if (row.length !== types.length) throw wrong(`a row of ${row.length} values; ${table.name} has ${types.length}`);
  return row.map((value, i) => {
    if (value === null) return null;
    if (types[i] === 'text' && typeof value === 'string') return value;
    if (types[i] === 'integer' && Number.isSafeInteger(value)) return value as number;
    if (types[i] === 'integer' && typeof value === 'string' && /^-?\d{16,19}$/.test(value)) return BigInt(value);
    throw wrong(`value ${i + 1} is no ${types[i]}`);
  });
}

/** Lines, without their line feeds; what stands after the last line feed is no whole one. */
async function* linesOf(file: string): AsyncGenerator<{ line: Buffer; whole: boolean }> {
  const begun: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file, { fd: openInput(file), highWaterMark: 1 << 20 })) {
      let from = 0;
      for (let to = (chunk as Buffer).indexOf(10); to >= 0; to = (chunk as Buffer).indexOf(10, from)) {
        yield { line: Buffer.concat([...begun.splice(0), (chunk as Buffer).subarray(from, to)]), whole: true };
        [from, bytes] = [to + 1, 0];
      }
      begun.push((chunk as Buffer).subarray(from));
      bytes += (chunk as Buffer).length - from;
      if (bytes > MAX_LINE_BYTES)
        throw new StoreError('E_STORE_EXPORT', `${file}: a line of more than ${MAX_LINE_BYTES} bytes`);
    }
    if (bytes > 0) yield { line: Buffer.concat(begun), whole: false };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('E_STORE_EXPORT', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
