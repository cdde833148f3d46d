/** A ledger from a file to another store and back: a PostgreSQL, where these tests are run on one. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeLease } from '@syndrome/base/store/lease.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import { openStore } from '@syndrome/base/store/open.ts';
import type { Store } from '@syndrome/base/store/store.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LEASE } from './lease-name.ts';
import { type Exported, exportLedger } from './export.ts';
import { checkExport, importLedger } from './import.ts';
import { Journal } from './journal.ts';
import { replay } from './replay.ts';
import { SCHEMA } from './schema.ts';
import { TABLES } from './tables.ts';
import { newStore } from './testing/store.ts';
import { story } from './testing/story.ts';

let dir = '';
let file = '';
let stores: Store[] = [];
let source: Store;
let target: Store;
const kept = async (store: Promise<Store>): Promise<Store> => {
  stores.push(await store);
  return store;
};
/** A ledger of a file, with more in it than a page of the export. */
beforeEach(async () => {
  stores = [];
  dir = mkdtempSync(join(tmpdir(), 'transfer-'));
  file = join(dir, 'export.ndjson');
  source = await kept(openStore({ at: join(dir, 'source.db') }));
  target = await kept(newStore(dir));
  await migrate(source, SCHEMA);
  const lease = (await takeLease(source, LEASE, 'test', 600_000)) ?? expect.fail('no lease');
  const options = { ttlMs: 600_000, targetsOf: () => ['t', 'ä'], log: () => {}, snapshotEvery: 20 };
  const journal = await Journal.open(source, lease, options);
  for (const { input } of story().log) await journal.commit([input]);
  await journal.close();
  await source.query('update lease set expires = 0');
  const odd = `\u{1f4a3} "quoted"\n\t\\ ',; --`;
  await source.query(
    `insert into attestation values (1, 'att-1', 1, 2, 'v', 'a', 0, $1, 'ann', 'waiting', null, null)`,
    [odd],
  );
  await source.query(`insert into answer values ('ann', 'k', 'r', 1, 200, $1)`, [odd]);
  await source.transaction(async query => {
    for (let i = 0; i < 1500; i++)
      await query('insert into spool(host, name, upto) values ($1, $2, $3)', [
        `${odd} ${i % 7}`,
        `s${i}`,
        (1n << 62n) + BigInt(i),
      ]);
  });
});
afterEach(async () => {
  for (const store of stores) await store.close();
  rmSync(dir, { recursive: true });
});

async function exported(store: Store, to = file): Promise<Exported> {
  let text = '';
  const done = await exportLedger(store, line => (text += line));
  writeFileSync(to, text);
  return done;
}
const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n');
/** All that does not change with each owner. */
const lasting = (path: string): string[] => linesOf(path).filter(line => !/^\["controller"|^\{"end"/.test(line));
const isEmpty = async (store: Store): Promise<boolean> => {
  const [there] = await store.query(store.dialect.hasTable, ['input']);
  if (there === undefined) return true;
  const rows = await Promise.all(TABLES.map(({ name }) => store.query(`select * from "${name}" limit 1`)));
  return rows.flat().length === 0;
};
/** Lines with the hash and the number of rows that are theirs. */
function resealed(lines: readonly string[]): string {
  const body = lines
    .slice(0, -2)
    .map(line => `${line}\n`)
    .join('');
  const rows = lines.filter(line => line.startsWith('[')).length;
  return `${body}${JSON.stringify({ end: true, rows, sha256: createHash('sha256').update(body).digest('hex') })}\n`;
}

test('goes to the other store and back without loss: the same lines, the same decisions, a higher epoch', async () => {
  const before = await replay(source.query);
  // Which controllers there are is none of the ledger's business.
  await source.query(`insert into lease(name, owner, epoch, expires) values ('member/x', 'x', 1, 1)`);
  const done = await exported(source);
  expect(await importLedger(target, file)).toEqual(done);
  expect(done.tables).toMatchObject({ lease: 1, outbox: expect.any(Number) as unknown, spool: 1502 });
  for (const n of Object.values(done.tables)) expect(n).toBeGreaterThan(0);
  expect(await replay(target.query)).toEqual(before);
  expect(before).not.toHaveProperty('differs');
  await exported(target, join(dir, 'second'));
  expect(lasting(join(dir, 'second'))).toEqual(lasting(file));
  const back = await kept(openStore({ at: join(dir, 'back.db') }));
  await importLedger(back, join(dir, 'second'));
  expect(await replay(back.query)).toEqual(before);
  await exported(back, join(dir, 'third'));
  expect(lasting(join(dir, 'third'))).toEqual(lasting(file));
  const epochs = [source, target, back].map(
    async store => (await store.query('select epoch from lease'))[0]?.['epoch'],
  );
  expect(await Promise.all(epochs)).toEqual([2n, 3n, 4n]);
  // Whoever works on it next goes on.
  const lease = (await takeLease(back, LEASE, 'next', 60_000)) ?? expect.fail('no lease');
  const journal = await Journal.open(back, lease, { ttlMs: 60_000, targetsOf: () => [], log: () => {} });
  expect(journal.strayed).toBe(0);
  await journal.commit([{ input: 'order', at: journal.state.now + 1, by: 'x', order: { order: 'pause' } }]);
  expect(await replay(back.query)).not.toHaveProperty('differs');
});

test('its tables are those of the schema, column by column', async () => {
  const lists = source.dialect.engine === 'sqlite' ? `select name from sqlite_schema where type = 'table'` : '';
  const names = (await source.query(lists)).map(row => String(row['name'])).filter(name => name !== 'migration');
  expect(TABLES.map(t => t.name).toSorted()).toEqual(names.toSorted());
  await exported(source);
  await importLedger(target, file);
  for (const store of [source, target]) {
    for (const { name, columns } of TABLES) {
      const [row = {}] = await store.query(`select * from "${name}" limit 1`);
      expect(Object.keys(row), name).toEqual(Object.keys(columns));
    }
  }
});

describe('a damaged export is refused whole:', () => {
  test('one that was cut, wherever', async () => {
    await exported(source);
    const all = readFileSync(file);
    const cuts = [
      0,
      1,
      100,
      ...Array.from({ length: 12 }, (_, i) => Math.floor((all.length * (i + 1)) / 13)),
      all.length - 1,
    ];
    for (const cut of cuts) {
      writeFileSync(file, all.subarray(0, cut));
      await expect(importLedger(target, file), String(cut)).rejects.toMatchObject({ code: 'E_STORE_EXPORT' });
    }
    expect(await isEmpty(target)).toBe(true);
    writeFileSync(file, all);
    await importLedger(target, file);
  });

  test.each<[string, (lines: string[]) => string, string]>([
    ['a letter was changed', lines => lines.join('\n').replace('"s700"', '"s7o0"'), 'changed'],
    ['a row is missing', lines => lines.toSpliced(5, 1).join('\n'), 'rows or tables are missing'],
    [
      'a table is missing',
      lines =>
        resealed(
          lines
            .slice(
              0,
              lines.findIndex(l => l.includes('"table":"act"')),
            )
            .concat('', ''),
        ),
      'rows or tables',
    ],
    ['something stands behind it', lines => `${lines.join('\n')}[1]\n`, 'after its end'],
    ['something without a line feed stands behind it', lines => `${lines.join('\n')}x`, 'after its end'],
    ['a value has another type', lines => resealed(lines.map(l => l.replace(/^\[1,/, '["x",'))), 'is no integer'],
    ['a row is longer', lines => resealed(lines.map(l => l.replace(/^\[1,/, '[1,1,'))), 'a row of'],
    [
      'a column is another one',
      lines => resealed(lines.map(l => l.replace('"upto":', '"until":'))),
      'not the table spool',
    ],
    ['it is no JSON', lines => resealed(lines.with(4, '{')), 'no JSON'],
    ['it is something else', () => '{"a":1}\n', 'no export'],
  ])('%s', async (_what, damage, why) => {
    await exported(source);
    writeFileSync(file, damage(linesOf(file)));
    const refused = { code: 'E_STORE_EXPORT', message: expect.stringContaining(why) as unknown };
    await expect(checkExport(file)).rejects.toMatchObject(refused);
    await expect(importLedger(target, file)).rejects.toMatchObject(refused);
    expect(await isEmpty(target)).toBe(true);
  });

  test.each<[string, (lines: string[]) => string[], string]>([
    [
      'of a later form',
      lines => lines.with(0, (lines[0] ?? '').replace('"syndromeExport":1', '"syndromeExport":2')),
      'E_STORE_NEWER',
    ],
    [
      'of a later schema',
      lines => lines.with(0, (lines[0] ?? '').replace(']}', ',{"number":9,"name":"x","sha256":"y"}]}')),
      'E_STORE_NEWER',
    ],
    [
      'of another schema',
      lines => lines.with(0, (lines[0] ?? '').replace(/"sha256":"../, '"sha256":"zz')),
      'E_STORE_CHANGED',
    ],
  ])('one %s', async (_what, change, code) => {
    await exported(source);
    writeFileSync(file, resealed(change(linesOf(file))));
    await expect(importLedger(target, file)).rejects.toMatchObject({ code });
    expect(await isEmpty(target)).toBe(true);
  });
});

test('a store that has anything in it takes no import, and stays as it is', async () => {
  await exported(source);
  await importLedger(target, file);
  await target.query('delete from outbox');
  await expect(importLedger(target, file)).rejects.toMatchObject({ code: 'E_STORE_EXISTS' });
  expect(await target.query('select count(*) as n from outbox')).toEqual([{ n: 0n }]);
});

test('nobody writes to a ledger while it is exported, and one that is worked on is not', async () => {
  const lease = await takeLease(source, LEASE, 'works', 60_000);
  await expect(exported(source)).rejects.toMatchObject({ code: 'E_STORE_BUSY' });
  await source.query('update lease set expires = 0');
  let taken: unknown = 'nobody asked';
  let lines = 0;
  await exportLedger(source, () => {
    if (lines++ === 3) taken = takeLease(source, LEASE, 'late', 60_000);
  });
  expect(await taken).toBeUndefined();
  // Given back at its end.
  expect(await takeLease(source, LEASE, 'next', 60_000)).toMatchObject({ epoch: (lease?.epoch ?? 0n) + 2n });
  await source.query('update lease set expires = 0');
  lines = 0;
  const robbed = exportLedger(source, () => {
    if (lines++ === 3)
      void source.query(`update lease set owner = 'other', epoch = epoch + 1, expires = ${source.dialect.now} + 60000`);
  });
  await expect(robbed).rejects.toMatchObject({ code: 'E_STORE_LEASE' });
});

test.each<[string, () => Promise<unknown>]>([
  ['an export', () => exportLedger(source, () => {}, AbortSignal.abort())],
  ['an import', () => importLedger(target, file, AbortSignal.abort())],
])('%s that is interrupted leaves no lease and no rows behind', async (_what, f) => {
  await exported(source);
  await expect(f()).rejects.toMatchObject({ name: 'AbortError' });
  expect(await takeLease(source, LEASE, 'next', 60_000)).toBeDefined();
  expect(await isEmpty(target)).toBe(true);
});

describe('a ledger of the first step of the schema', () => {
  /** What a version of that step had: the same without the tables that came later. */
  async function early(): Promise<Store> {
    const store = await kept(openStore({ at: join(dir, 'early.db') }));
    await migrate(store, SCHEMA.slice(0, 1));
    for (const { name, columns, since = 1 } of TABLES) {
      if (since > 1) continue;
      const names = Object.keys(columns).map(column => `"${column}"`);
      const rows = await source.query(`select ${names.join(', ')} from "${name}"`);
      await store.transaction(async query => {
        for (const row of rows)
          await query(
            `insert into "${name}"(${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
            Object.values(row),
          );
      });
    }
    return store;
  }
  const LATER = TABLES.filter(({ since = 1 }) => since > 1).map(({ name }) => name);

  test('has to be brought up before it is exported; then it goes to the other store without loss', async () => {
    const store = await early();
    await expect(exported(store)).rejects.toMatchObject({
      code: 'E_STORE_OLDER',
      message: expect.stringContaining('1 of 2 steps') as unknown,
      hint: expect.stringContaining('syndrome store migrate') as unknown,
    });
    expect(await migrate(store, SCHEMA)).toBe(1);
    const { tables } = await exported(store);
    expect(LATER.map(name => tables[name])).toEqual([0, 0, 0]);
    await importLedger(target, file);
    expect(await replay(target.query)).toEqual(await replay(source.query));
  });

  test('that its own version has exported is taken: what came later is empty', async () => {
    await exported(source);
    const lines = linesOf(file);
    const [first = ''] = lines;
    const header = JSON.parse(first) as { schema: unknown[] };
    const old = JSON.stringify({ ...header, schema: header.schema.slice(0, 1) });
    const later = lines.findIndex(line => line.startsWith(`{"table":"${LATER[0]}"`));
    writeFileSync(file, resealed([old, ...lines.slice(1, later), '', '']));
    await importLedger(target, file);
    expect(await replay(target.query)).toEqual(await replay(source.query));
    for (const name of LATER) expect(await target.query(`select * from "${name}"`)).toEqual([]);
    // It is a ledger of this version now.
    await exported(target, join(dir, 'second'));
  });
});

test('an empty store, or one of an earlier version, has to be brought up first', async () => {
  await expect(exportLedger(target, () => {})).rejects.toMatchObject({ code: 'E_STORE_OLDER' });
});
