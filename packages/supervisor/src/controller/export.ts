/**
 * @module A ledger as lines of JSON, for another store: a header with the schema, each table with its columns and its rows, and at the end
 * the hash of all that stands before it. The same ledger gives the same lines on every engine.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { releaseLease, takeLease } from '@syndrome/base/store/lease.ts';
import { requireSchema, stepsOf } from '@syndrome/base/store/migrate.ts';
import type { SqlRow, SqlValue, Store } from '@syndrome/base/store/store.ts';
import { LEASE } from './lease-name.ts';
import { SCHEMA } from './schema.ts';
import { quoted, type Table, TABLES } from './tables.ts';

/** Of the form of the lines. */
export const EXPORT_VERSION = 1;
/** Rows that are read at once, and how long nobody else may write meanwhile, ms. */
const AT_ONCE = 1000;
const TTL_MS = 20_000;

export interface Exported {
  /** Rows by table. */
  tables: Record<string, number>;
  rows: number;
  sha256: string;
}

/**
 * Writes a ledger as lines. It takes the lease, so that no controller writes meanwhile: the lines are the ledger at one moment.
 * @param write takes each line, with its line feed
 * @param signal ends it before it is done; the lease is given back
 * @throws StoreError E_STORE_BUSY where a controller works on it, E_STORE_OLDER, E_STORE_NEWER, E_STORE_CHANGED
 */
export async function exportLedger(
  store: Store,
  write: (line: string) => void,
  signal?: AbortSignal,
): Promise<Exported> {
  await requireSchema(store, SCHEMA);
  const owner = randomUUID();
  const lease = await takeLease(store, LEASE, owner, TTL_MS);
  if (lease === undefined)
    throw new StoreError('E_STORE_BUSY', 'a controller works on this store', {
      hint: 'End it first: what it would write meanwhile would be missing. One that was killed is over after seconds.',
    });
  try {
    const hash = createHash('sha256');
    const say = (value: unknown): void => saying(hash, write, value);
    say({ syndromeExport: EXPORT_VERSION, schema: stepsOf(SCHEMA) });
    const tables: Record<string, number> = {};
    for (const table of TABLES) {
      say({ table: table.name, columns: table.columns });
      tables[table.name] = 0;
      for await (const rows of pagesOf(store, table)) {
        signal?.throwIfAborted();
        for (const row of rows) say(Object.keys(table.columns).map(name => plain(table, name, row[name] ?? null)));
        tables[table.name] = (tables[table.name] ?? 0) + rows.length;
        if ((await takeLease(store, LEASE, owner, TTL_MS))?.epoch !== lease.epoch)
          throw new StoreError('E_STORE_LEASE', 'a controller has begun to work on this store');
      }
    }
    const rows = Object.values(tables).reduce((sum, n) => sum + n, 0);
    const sha256 = hash.digest('hex');
    write(`${JSON.stringify({ end: true, rows, sha256 })}\n`);
    return { tables, rows, sha256 };
  } finally {
    await releaseLease(store, lease).catch(() => {});
  }
}

function saying(hash: Hash, write: (line: string) => void, value: unknown): void {
  const line = `${JSON.stringify(value)}\n`;
  hash.update(line);
  write(line);
}

/** An integer as a number where JSON keeps it, else as its digits. Who had the lease is nobody's business elsewhere: its epoch is. */
function plain({ name: table }: Table, column: string, value: SqlValue): string | number | null {
  if (table === 'lease' && column === 'owner') return '';
  if (table === 'lease' && column === 'expires') return 0;
  if (typeof value !== 'bigint') return value;
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : String(value);
}

/** All rows of a table by its key, texts by their bytes: each engine has its own order otherwise. */
async function* pagesOf({ query, dialect }: Store, table: Table): AsyncGenerator<readonly SqlRow[]> {
  const key = table.key.map(name => `"${name}"${table.columns[name] === 'text' ? dialect.byBytes : ''}`).join(', ');
  const select = `select ${quoted(Object.keys(table.columns))} from "${table.name}"`;
  const places = table.key.map((_, i) => `$${i + 1}`).join(', ');
  for (let last: SqlRow | undefined; ; ) {
    const after = last === undefined ? [] : table.key.map(name => last?.[name] ?? null);
    const conditions = [table.only ?? [], last === undefined ? [] : `(${key}) > (${places})`].flat();
    const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
    const rows = await query(`${select}${where} order by ${key} limit ${AT_ONCE}`, after);
    if (rows.length > 0) yield rows;
    if (rows.length < AT_ONCE) return;
    last = rows.at(-1);
  }
}
