import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { openSync, closeSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqlite, requireSqlite, type SqliteStore } from './sqlite.ts';
import { storeContract } from './testing/contract.ts';

let dir = '';
let path = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'store-'));
  path = join(dir, 'data/store.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

storeContract(
  'sqlite',
  () => openSqlite(path),
  async () => rmSync(join(dir, 'data'), { recursive: true, force: true }),
);

/** A store with so many rows of a kilobyte. */
async function filled(rows: number): Promise<SqliteStore> {
  const store = await openSqlite(path);
  await store.query('create table if not exists t(n bigint primary key, x text)');
  await add(store, 0, rows);
  return store;
}
const add = (store: SqliteStore, from: number, rows: number): Promise<void> =>
  store.transaction(async query => {
    for (let n = from; n < from + rows; n++) await query('insert into t values ($1, $2)', [n, 'x'.repeat(1000)]);
  });

describe('the file', () => {
  test('is of nobody else, and nothing is beside it once it is closed', async () => {
    const store = await filled(10);
    for (const name of readdirSync(join(dir, 'data'))) {
      expect(statSync(join(dir, 'data', name)).mode & 0o777, name).toBe(0o600);
    }
    expect(statSync(join(dir, 'data')).mode & 0o777).toBe(0o700);
    const [mode] = await store.query('pragma journal_mode');
    const [sync] = await store.query('pragma synchronous');
    expect([mode, sync]).toEqual([{ journal_mode: 'wal' }, { synchronous: 2n }]);
    await store.close();
    expect(readdirSync(join(dir, 'data'))).toEqual(['store.db']);
  });

  test('is made whole by several at once', async () => {
    const stores = await Promise.all([openSqlite(path), openSqlite(path), openSqlite(path)]);
    for (const store of stores) await store.close();
    expect(readdirSync(join(dir, 'data'))).toEqual(['store.db']);
  });

  test.each<[string, () => void, string]>([
    ['can be read by others', () => chmodSync(path, 0o640), 'chmod 600'],
    ['can be written by others', () => chmodSync(path, 0o620), 'others may write'],
    ['lies in a folder of others', () => chmodSync(join(dir, 'data'), 0o777), 'chmod go-w'],
    [
      'is a link',
      () => {
        rmSync(path);
        symlinkSync('/dev/null', path);
      },
      'symbolic link',
    ],
  ])('that %s is refused', async (_what, spoil, said) => {
    await (await filled(1)).close();
    spoil();
    await expect(openSqlite(path)).rejects.toMatchObject({
      code: 'E_STORE_OPEN',
      cause: { message: expect.stringContaining(said) as unknown },
    });
  });

  test.each<[string, () => void, string]>([
    ['is empty', () => truncateSync(path, 0), 'it is empty'],
    ['was cut', () => truncateSync(path, 20_000), 'damaged'],
    [
      'is something else',
      () => writeFileSync(path, 'no database, but long enough to be looked at '.repeat(40)),
      'not a database',
    ],
    ['has a page of rubbish', () => scribble(9000, 3000), 'damaged'],
    ['has a damaged header', () => scribble(0, 40), 'not a database'],
  ])('that %s is told, and stays as it is', async (_what, damage, said) => {
    await (await filled(100)).close();
    damage();
    const before = readFileSync(path);
    await expect(openSqlite(path)).rejects.toMatchObject({
      code: 'E_STORE_DAMAGED',
      message: expect.stringContaining(said) as unknown,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('of another program is not touched', async () => {
    mkdirSync(join(dir, 'data'), { mode: 0o700 });
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec('create table theirs(x)');
    db.close();
    chmodSync(path, 0o600);
    await expect(openSqlite(path)).rejects.toMatchObject({
      message: expect.stringContaining('another program') as unknown,
    });
  });

  test('that lost its end with kill -9 has all that was committed', async () => {
    const script = `import { openSqlite } from ${JSON.stringify(join(import.meta.dirname, 'sqlite.ts'))};
      const store = await openSqlite(process.env.DB);
      await store.query('create table t(n bigint primary key, x text)');
      await store.query("insert into t values (1, 'kept')");
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, DB: path },
    });
    expect([child.signal, existsSync(`${path}-wal`)]).toEqual(['SIGKILL', true]);
    const store = await openSqlite(path);
    expect(await store.query('select x from t')).toEqual([{ x: 'kept' }]);
    await store.close();
  });
});

function scribble(at: number, bytes: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(bytes, 0xa5), 0, bytes, at);
  closeSync(fd);
}

describe('a backup', () => {
  test('is made while the store is written to, and is whole', async () => {
    const store = await filled(3000);
    const to = join(dir, 'data/backup.db');
    const backup = store.backup(to);
    for (let i = 0; i < 20; i++) await add(store, 3000 + i * 10, 10);
    await backup;
    await store.close();
    expect(statSync(to).mode & 0o777).toBe(0o600);
    const copy = await openSqlite(to);
    const [row] = await copy.query('select count(*) as n, max(n) as last from t');
    // It is the store at one moment: no transaction is there in part.
    expect(Number(row?.['n']) % 10).toBe(0);
    expect(Number(row?.['n'])).toBeGreaterThanOrEqual(3000);
    expect(row?.['last']).toBe((row?.['n'] as bigint) - 1n);
    await copy.close();
    expect(readdirSync(join(dir, 'data')).toSorted()).toEqual(['backup.db', 'store.db']);
  });

  test('replaces nothing, and leaves nothing where it cannot be made', async () => {
    const store = await filled(1);
    await expect(store.backup(path)).rejects.toMatchObject({ code: 'E_STORE_EXISTS' });
    await expect(store.backup(join(dir, 'none/backup.db'))).rejects.toMatchObject({ code: 'E_STORE_IO' });
    await store.close();
    expect(readdirSync(join(dir, 'data'))).toEqual(['store.db']);
  });
});

test('a full disk is told, loses nothing, and is over when there is room again', async () => {
  const store = await filled(10);
  const [pages] = await store.query('pragma page_count');
  await store.query(`pragma max_page_count = ${Number(pages?.['page_count']) + 4}`);
  await expect(add(store, 10, 100)).rejects.toMatchObject({ code: 'E_STORE_FULL' });
  expect(await store.query('select count(*) as n from t')).toEqual([{ n: 10n }]);
  await store.query('pragma max_page_count = 1000000');
  await add(store, 10, 100);
  expect(await store.query('select count(*) as n from t')).toEqual([{ n: 110n }]);
  await store.close();
});

test('an SQLite with a known loss of data is refused', () => {
  for (const old of ['', '3.51.2', '3.50.9', '2.99.99', 'none'])
    expect(() => requireSqlite(old), old).toThrow('or later');
  for (const good of ['3.51.3', '3.53.0', '4.0.0']) requireSqlite(good);
});
