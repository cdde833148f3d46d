import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StoreError } from './errors.ts';
import { openPostgres, type PostgresOptions } from './postgres.ts';
import type { Query, Store } from './store.ts';
import { storeContract } from './testing/contract.ts';
import { PostgresRelay } from './testing/postgres-relay.ts';
import { PostgresServer, postgresMissing } from './testing/postgres-server.ts';
import { weaknessesOf } from './weakness.ts';

const missing = postgresMissing();
let server: PostgresServer | undefined;
let url = '';
beforeAll(async () => {
  if (missing !== undefined) return;
  server = await PostgresServer.make();
  url = await server.database('contract');
});
beforeEach(context => skipWithout(context, 'postgres', missing));
afterAll(() => server?.remove());

storeContract(
  'postgresql',
  () => openPostgres(url),
  async () => {
    const store = await openPostgres(url);
    await store.query('drop schema public cascade');
    await store.query('create schema public');
    await store.close();
  },
);

/** As it is sent. */
const COMMIT = 'commit\0';
const SHORT = { connect: 1000, statement: 400, lock: 200, idle: 300 };
const pidOf = async (store: Store): Promise<number> =>
  Number((await store.query('select pg_backend_pid() as pid'))[0]?.['pid']);
const ended = 'select pg_terminate_backend($1) as ended';
const the = (): PostgresServer => server ?? expect.fail('no server');

describe('a connection', () => {
  let stores: Store[] = [];
  let relay: PostgresRelay | undefined;
  const open = async (at = url, options: PostgresOptions = {}): Promise<Store> => {
    const store = await openPostgres(at, options);
    stores.push(store);
    return store;
  };
  beforeEach(async () => {
    stores = [];
    const store = await open();
    await store.query('drop table if exists t');
    await store.query('create table t(n bigint primary key)');
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    await relay?.close();
    relay = undefined;
  });
  const rows = async (): Promise<unknown[]> =>
    (await (stores[0] ?? expect.fail('no store')).query('select n from t order by n')).map(row => row['n']);
  let relays = 0;
  const relayed = async (options: PostgresOptions = {}): Promise<Store> => {
    const folder = join(the().folder, `relay-${++relays}`);
    relay = await PostgresRelay.open(folder, the().folder);
    return open(`postgresql://syndrome@/contract?host=${encodeURIComponent(folder)}`, options);
  };

  test('commits on the disk, whatever role and database were set to, and its transactions are serializable', async () => {
    await stores[0]?.query('alter role syndrome set synchronous_commit = off');
    const store = await open();
    const shown = async (name: string): Promise<unknown> =>
      Object.values((await store.query(`show ${name}`))[0] ?? {})[0];
    expect(await shown('synchronous_commit')).toBe('on');
    expect(
      await store.transaction(async query => Object.values((await query('show transaction_isolation'))[0] ?? {})),
    ).toEqual(['serializable']);
    expect([await shown('statement_timeout'), await shown('lock_timeout')]).toEqual(['15s', '5s']);
    expect(await shown('idle_in_transaction_session_timeout')).toBe('4s');
    await store.query('alter role syndrome set synchronous_commit = remote_apply');
    const stronger = await open();
    expect(Object.values((await stronger.query('show synchronous_commit'))[0] ?? {})).toEqual(['remote_apply']);
    await store.query('alter role syndrome reset synchronous_commit');
  });

  test('that was lost while nothing ran is made anew, and nobody is told', async () => {
    const store = await open();
    const [was] = await store.query(ended, [await pidOf(stores[0] ?? store)]);
    expect(was).toEqual({ ended: 1n });
    expect(await rows()).toEqual([]);
  });

  test('that is lost in a transaction has written nothing, and the next one works', async () => {
    const store = await open();
    const [first = store] = stores;
    const lost = store.transaction(async query => {
      const [row] = await query('select pg_backend_pid() as pid');
      await query('insert into t values (1)');
      await first.query(ended, [row?.['pid'] ?? 0]);
      await query('insert into t values (2)');
    });
    await expect(lost).rejects.toMatchObject({ code: 'E_STORE_LOST' });
    await store.query('insert into t values (3)');
    expect(await rows()).toEqual([3n]);
  });

  test.each<['before' | 'after', unknown[]]>([
    ['before', []],
    ['after', [1n]],
  ])('that is lost in a commit, %s the server has it, does not say that it knows', async (how, there) => {
    const store = await relayed();
    relay?.next(COMMIT, how);
    const lost = store.transaction(query => query('insert into t values (1)'));
    await expect(lost).rejects.toMatchObject({ code: 'E_STORE_UNKNOWN' });
    expect(relay?.hits).toBe(1);
    // Whoever takes what the transaction held has waited for its end.
    await store.transaction(query => query(store.dialect.alone('t')));
    expect(await rows()).toEqual(there);
  });

  test('that is lost in a statement of its own: whether it was done is not known; one that reads is asked again', async () => {
    const store = await relayed();
    relay?.next('insert into t', 'after');
    await expect(store.query('insert into t values (1)')).rejects.toMatchObject({ code: 'E_STORE_UNKNOWN' });
    await store.query('select 1');
    relay?.next('select n', 'after');
    expect(await store.query('select n from t')).toEqual([{ n: 1n }]);
  });

  test('on which nothing comes any more is left after a time', async () => {
    const store = await relayed({ deadlines: SHORT });
    relay?.next('insert into t values (2)', 'mute');
    const half = store.transaction(query => query('insert into t values (2)'));
    await expect(half).rejects.toMatchObject({ code: 'E_STORE_LOST' });
    relay?.next(COMMIT, 'mute');
    const silent = store.transaction(query => query('insert into t values (1)'));
    await expect(silent).rejects.toMatchObject({ code: 'E_STORE_UNKNOWN' });
    expect(await store.query('select n from t')).toEqual([{ n: 1n }]);
  });

  test('on which no server answers is given up after a time', async () => {
    const folder = join(the().folder, 'deaf');
    mkdirSync(folder);
    const deaf = createServer(() => {});
    await new Promise<void>(resolve => deaf.listen(join(folder, '.s.PGSQL.5432'), resolve));
    const opened = openPostgres(`postgresql://u@/x?host=${encodeURIComponent(folder)}`, { deadlines: SHORT });
    await expect(opened).rejects.toMatchObject({ code: 'E_STORE_LOST' });
    deaf.close();
  });

  test.each<[string, string, (query: Query) => Promise<unknown>]>([
    ['a statement that takes too long', 'E_STORE_BUSY', query => query('select pg_sleep(20)')],
    ['what another one holds', 'E_STORE_BUSY', query => query('insert into t values (1)')],
    ['a pause in a transaction', 'E_STORE_LOST', async query => (await pastIdle(), query('select 1'))],
  ])('waits for %s no longer than it may', async (_what, code, f) => {
    const holder = await open();
    const store = await open(url, { deadlines: SHORT });
    let release = (): void => {};
    const held = new Promise<void>(resolve => (release = resolve));
    let isHeld = (): void => {};
    const holding = new Promise<void>(resolve => (isHeld = resolve));
    const other = holder.transaction(async query => {
      await query('insert into t values (1)');
      isHeld();
      await held;
    });
    await holding;
    await expect(
      store.transaction(async query => void (await query('select 1'), await f(query))),
    ).rejects.toMatchObject({ code });
    release();
    await other;
    expect(await store.query('select n from t')).toEqual([{ n: 1n }]);
  });
  const pastIdle = async (): Promise<void> => {
    const [first = expect.fail('no store')] = stores;
    const gone = `select count(*) as n from pg_stat_activity where state = 'idle in transaction' and query = 'select 1'`;
    while ((await first.query(gone))[0]?.['n'] !== 0n) await new Promise(resolve => setTimeout(resolve, 10));
  };

  test('that is closed while its server says nothing any more does not hold the process', async () => {
    const store = await relayed();
    await store.close();
    const at = `postgresql://syndrome@/contract?host=${encodeURIComponent(join(the().folder, `relay-${relays}`))}`;
    const program = `import { openPostgres } from ${JSON.stringify(join(import.meta.dirname, 'postgres.ts'))};
      const store = await openPostgres(${JSON.stringify(at)});
      console.log('open');
      for await (const _ of process.stdin);
      await store.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      relay?.fallSilent();
      child.stdin.end();
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  }, 30_000);

  test.each([
    ['sslrootcert', 'cannot be read'],
    ['sslcert', 'cannot be read'],
    ['sslkey', 'cannot be read'],
  ])('%s that is not there is a wrong setting, and no server that is away', async (parameter, why) => {
    const opened = openPostgres(`postgresql://u@localhost/x?sslmode=verify-full&${parameter}=/nowhere`);
    await expect(opened).rejects.toMatchObject({
      code: 'E_STORE_OPEN',
      message: expect.stringContaining(`${parameter}: /nowhere ${why}`) as unknown,
    });
  });

  test('to servers of which none waits for another is told as weak', async () => {
    const [first = expect.fail('no store')] = stores;
    const several = `postgresql://syndrome@/contract?host=/nowhere,${the().folder}`;
    expect(await weaknessesOf({ at: url }, first)).toEqual([]);
    expect(await weaknessesOf({ at: several }, first)).toEqual([expect.stringContaining('synchronous_standby_names')]);
    await first.query(`alter system set synchronous_standby_names = 'ANY 1 (other)'`);
    await first.query('select pg_reload_conf()');
    const waits = `select 1 from pg_settings where name = 'synchronous_standby_names' and setting <> ''`;
    while ((await first.query(waits)).length === 0) await new Promise(resolve => setTimeout(resolve, 10));
    expect(await weaknessesOf({ at: several }, first)).toEqual([]);
    await first.query('alter system reset synchronous_standby_names');
    await first.query('select pg_reload_conf()');
    while ((await first.query(waits)).length > 0) await new Promise(resolve => setTimeout(resolve, 10));
  });

  test('goes to the first server that can be written to', async () => {
    const [first = expect.fail('no store')] = stores;
    await first.query('alter database contract set default_transaction_read_only = on');
    const closed = await openPostgres(url).catch((error: unknown) => error as StoreError);
    expect(closed).toMatchObject({
      code: 'E_STORE_LOST',
      message: expect.stringContaining('cannot be written to: it is read-only') as unknown,
    });
    await first.query('set default_transaction_read_only = off');
    await first.query('alter database contract reset default_transaction_read_only');
    const several = `postgresql://syndrome@/contract?host=/nowhere,${the().folder}`;
    expect(await (await open(several)).query('select 1 as one')).toEqual([{ one: 1n }]);
    const none = openPostgres('postgresql://syndrome@/contract?host=/nowhere,/neither');
    await expect(none).rejects.toMatchObject({
      code: 'E_STORE_LOST',
      message: expect.stringMatching(/syndrome@\/nowhere,\/neither\/contract.*\/nowhere.*ENOENT.*\/neither/) as unknown,
    });
  });

  test('needs a password where the server wants one, and never says it', async () => {
    const [first = expect.fail('no store')] = stores;
    const hba = join(the().folder, 'data/pg_hba.conf');
    const before = readFileSync(hba, 'utf8');
    writeFileSync(hba, `local all guarded scram-sha-256\n${before}`);
    await first.query(`create role guarded login superuser password 'open sesame'`);
    await first.query('select pg_reload_conf()');
    const secret = join(the().folder, 'secret');
    const guarded = the().url('contract', { user: 'guarded' });
    const tried = (text: string): Promise<unknown> => {
      writeFileSync(secret, text, { mode: 0o600 });
      return openPostgres(guarded, { passwordFile: secret }).then(store => store.close());
    };
    // The server reads its file when it comes to it.
    let refused: unknown;
    while (refused === undefined) refused = await tried('open barley\n').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'E_STORE_OPEN' });
    expect(inspect(refused, { depth: 20, showHidden: true })).not.toContain('barley');
    await tried('open sesame\n');
    await expect(openPostgres(guarded)).rejects.toMatchObject({
      code: expect.stringMatching(/E_STORE_(OPEN|LOST)/) as unknown,
    });
    await expect(openPostgres(`${guarded}&password=x`)).rejects.toMatchObject({ code: 'E_STORE_OPEN' });
    writeFileSync(hba, before);
    await first.query('select pg_reload_conf()');
  });

  test.each([
    ['postgresql://syndrome@/nothing', 'E_STORE_OPEN', /database "nothing" does not exist/],
    ['postgresql://stranger@/contract', 'E_STORE_OPEN', /role "stranger" does not exist/],
  ])('%s says what is wrong', async (at, code, why) => {
    const opened = openPostgres(`${at}?host=${encodeURIComponent(the().folder)}`);
    await expect(opened).rejects.toMatchObject({ code, message: expect.stringMatching(why) as unknown });
  });
});

test('a server that is away has got nothing of what is asked of it; once it is back all goes on', async () => {
  const store = await openPostgres(url);
  await store.query('create table if not exists back(n bigint)');
  await the().kill9();
  const away = { code: 'E_STORE_LOST', message: expect.stringMatching(/ENOENT|ECONNREFUSED|ECONNRESET/) as unknown };
  // The first may find out by the connection that it still has.
  await store.query('insert into back values (1)').catch(() => {});
  for (let i = 0; i < 3; i++) await expect(store.query('insert into back values (2)')).rejects.toMatchObject(away);
  await expect(store.transaction(query => query('insert into back values (2)'))).rejects.toMatchObject(away);
  await the().start();
  // Nobody is asked again for a moment after nobody has answered.
  const until = performance.now() + 20_000;
  let came: unknown;
  while (came === undefined && performance.now() < until)
    came = await store.query('insert into back values (3)').catch(() => undefined);
  expect(await store.query('select n from back where n > 1')).toEqual([{ n: 3n }]);
  await store.close();
});

test('a server that forgets what it has confirmed is refused, and so is a database that is not UTF8', async () => {
  const store = await openPostgres(url);
  await store.query(`create database ascii encoding 'SQL_ASCII' template template0`);
  await store.close();
  await expect(openPostgres(the().url('ascii'))).rejects.toMatchObject({ code: 'E_STORE_OPEN' });
  await the().stop();
  const weak = the().start('fsync=off');
  await expect(weak).rejects.toThrow('fsync=off');
  await the().stop();
  await the().start();
});
