/**
 * @module The store in one file, by `node:sqlite`: WAL, synced at every commit, one writer at a time.
 * sqlite.org/wal.html, /pragma.html; fixed in 3.51.3: a reset of the WAL could damage the file (sqlite.org/releaselog/3_51_3.html).
 */
import { chmodSync, closeSync, constants, existsSync, fsyncSync, linkSync, lstatSync, mkdirSync } from 'node:fs';
import { openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { requireOwnFolder, whyNotOwn } from '../disk/own-folder.ts';
import { unfinishedName } from '../disk/write-whole.ts';
import { StoreError } from './errors.ts';
import { type Query, type SqlRow, type SqlValue, type Store, storable } from './store.ts';
import { sqliteError } from './sqlite-error.ts';

const OLDEST_SQLITE = [3, 51, 3] as const;
/** 'Synd': tells our files from those of others. */
const APPLICATION_ID = 0x53796e64;
/** How long a statement waits for another writer, ms; asked again so often. SQLite's own wait would stop the thread. */
const BUSY_MS = 5000;
const ASK_AGAIN_MS = 5;
/** More pages than a file of SQLite has (sqlite.org/limits.html: 2^32 - 2, and Node takes 31 bits). */
const ALL_PAGES = 0x7fff_ffff;
/** Statements that are kept prepared. */
const MAX_STATEMENTS = 200;

/** A store in a file. */
export interface SqliteStore extends Store {
  /**
   * Copies the store as it is at the end into a new file, while it is used; mode 0600, checked.
   * @throws StoreError E_STORE_EXISTS, E_STORE_FULL, …: no file is left then
   */
  backup(path: string): Promise<void>;
}

/** Throws StoreError E_STORE_ENGINE where this SQLite is older than what keeps data. */
export function requireSqlite(version = process.versions['sqlite'] ?? ''): void {
  const parts = version.split('.').map(Number);
  const differs = OLDEST_SQLITE.findIndex((least, i) => (parts[i] ?? 0) !== least);
  if (version !== '' && (differs < 0 || (parts[differs] ?? 0) > (OLDEST_SQLITE[differs] ?? 0))) return;
  throw new StoreError(
    'E_STORE_ENGINE',
    `this Node has SQLite ${version === '' ? '(none)' : version}, not ${OLDEST_SQLITE.join('.')} or later`,
  );
}

/**
 * Opens the store in a file, which is made where there is none, with its folder. Takes as long as reading all of it: it is
 * checked first. A damaged file is told and stays as it is.
 * @throws StoreError E_STORE_ENGINE, E_STORE_OPEN, E_STORE_DAMAGED
 */
export async function openSqlite(path: string): Promise<SqliteStore> {
  requireSqlite();
  const sqlite = await import('node:sqlite');
  const connect = (file: string, readOnly = false): DatabaseSync =>
    new sqlite.DatabaseSync(file, { timeout: BUSY_MS, readOnly });
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    requireOwnFolder(dirname(path));
    if (!existsSync(path)) make(path, connect);
    const why = whyNotOwn(path) ?? whyReadable(path);
    if (why !== undefined) throw new Error(why);
  } catch (cause) {
    throw cause instanceof StoreError
      ? cause
      : new StoreError('E_STORE_OPEN', `the store ${path} cannot be used`, { cause });
  }
  check(path, connect);
  let db: DatabaseSync;
  try {
    db = connect(path);
    db.exec(
      'pragma journal_mode = wal; pragma synchronous = full; pragma trusted_schema = off; pragma busy_timeout = 0',
    );
  } catch (error) {
    throw sqliteError(error, path);
  }
  return new Sqlite(db, async to => {
    // By a connection of its own and in one step, outside of this thread: what it reads is the store at one moment (WAL). Over
    // the connection that writes, a step between two statements of a transaction failed.
    const source = connect(path, true);
    try {
      await sqlite.backup(source, to, { rate: ALL_PAGES });
    } finally {
      source.close();
    }
    check(to, connect);
  });
}

function whyReadable(path: string): string | undefined {
  const { mode } = lstatSync(path);
  return (mode & 0o077) === 0 ? undefined : `others may read ${path}: chmod 600 it`;
}

/** A file appears whole or not at all, so that an empty one is always damage. Two processes may do it at once. */
function make(path: string, connect: (file: string) => DatabaseSync): void {
  const fresh = unfinishedName(path);
  try {
    closeSync(openSync(fresh, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
    const db = connect(fresh);
    db.exec(`pragma application_id = ${APPLICATION_ID}; pragma journal_mode = wal; pragma user_version = 1`);
    db.close();
    sync(fresh);
    linkSync(fresh, path);
    sync(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw sqliteError(error, path);
  } finally {
    for (const end of ['', '-wal', '-shm']) rmSync(`${fresh}${end}`, { force: true });
  }
}

function sync(path: string): void {
  const fd = openSync(path, constants.O_RDONLY);
  fsyncSync(fd);
  closeSync(fd);
}

/** Looks through a file that has to be a whole store, without writing to it. */
function check(path: string, connect: (file: string, readOnly: boolean) => DatabaseSync): void {
  let db: DatabaseSync | undefined;
  try {
    const why = lstatSync(path).size === 0 ? 'it is empty' : whyDamaged((db = connect(path, true)));
    if (why !== undefined) throw damaged(path, why);
  } catch (error) {
    const told = sqliteError(error, path);
    throw told.code === 'E_STORE_DAMAGED' && told !== error ? damaged(path, messageOf(error), error) : told;
  } finally {
    db?.close();
  }
}

function whyDamaged(db: DatabaseSync): string | undefined {
  const [id] = db.prepare('pragma application_id').all();
  if (id?.['application_id'] !== APPLICATION_ID) return 'it was made by another program';
  const problems = db
    .prepare('pragma quick_check(5)')
    .all()
    .map(row => String(row['quick_check']))
    .filter(text => text !== 'ok');
  return problems.length > 0 ? problems.join('; ') : undefined;
}

const damaged = (path: string, why: string, cause?: unknown): StoreError =>
  new StoreError('E_STORE_DAMAGED', `the store ${path} is damaged: ${why}`, {
    hint: 'Nothing was written to it. Move it away and put the last backup in its place.',
    ...(cause === undefined ? {} : { cause }),
  });

class Sqlite implements SqliteStore {
  readonly dialect = {
    engine: 'sqlite',
    now: `cast(unixepoch('subsec') * 1000 as integer)`,
    forUpdate: '',
    // Whoever began a transaction is.
    alone: () => 'select 1',
    byBytes: '',
    hasTable: `select name from sqlite_schema where type = 'table' and name = $1`,
  } as const;
  readonly #db: DatabaseSync;
  readonly #copy: (to: string) => Promise<void>;
  readonly #statements = new Map<string, StatementSync>();
  /** What runs last: one connection, and no statement comes between those of a transaction. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(db: DatabaseSync, copy: (to: string) => Promise<void>) {
    this.#db = db;
    this.#copy = copy;
  }

  readonly query: Query = (sql, values) => this.#next(() => this.#patiently(sql, values));

  transaction<T>(f: (query: Query) => Promise<T>): Promise<T> {
    return this.#next(async () => {
      await this.#patiently('begin immediate');
      let over = false;
      /** Of the first statement that failed. */
      let lost: unknown;
      try {
        const result = await f(async (sql, values) => {
          if (over) throw new StoreError('E_STORE_USE', 'the transaction is over');
          if (lost !== undefined) throw lost;
          try {
            return this.#run(sql, values);
          } catch (error) {
            lost = error;
            throw error;
          }
        });
        over = true;
        if (lost !== undefined) throw lost;
        this.#run('commit');
        return result;
      } catch (error) {
        over = true;
        // A full disk has rolled it back already.
        if (this.#db.isTransaction) this.#run('rollback');
        throw error;
      }
    });
  }

  async backup(path: string): Promise<void> {
    if (this.#closed) throw new StoreError('E_STORE_USE', 'the store is closed');
    if (existsSync(path)) throw new StoreError('E_STORE_EXISTS', `${path} is there already`);
    const fresh = unfinishedName(path);
    try {
      closeSync(openSync(fresh, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
      await this.#copy(fresh);
      chmodSync(fresh, 0o600);
      sync(fresh);
      linkSync(fresh, path);
      sync(dirname(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST')
        throw new StoreError('E_STORE_EXISTS', `${path} is there already`);
      throw sqliteError(error, path);
    } finally {
      for (const end of ['', '-wal', '-shm']) rmSync(`${fresh}${end}`, { force: true });
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    this.#statements.clear();
    this.#db.close();
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreError('E_STORE_USE', 'the store is closed'));
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** For what begins a transaction: nothing has happened when another one writes, and it can be asked again. */
  async #patiently(sql: string, values: readonly SqlValue[] = []): Promise<SqlRow[]> {
    for (const until = performance.now() + BUSY_MS; ; await sleep(ASK_AGAIN_MS)) {
      try {
        return this.#run(sql, values);
      } catch (error) {
        if ((error as StoreError).code !== 'E_STORE_BUSY' || performance.now() > until) throw error;
      }
    }
  }

  #run(sql: string, values: readonly SqlValue[] = []): SqlRow[] {
    try {
      const bound = values.map(value =>
        typeof value === 'string' ? storable(value) : Number.isInteger(value) ? BigInt(value as number) : value,
      );
      return this.#prepared(sql).all(...bound) as SqlRow[];
    } catch (error) {
      throw sqliteError(error, sql);
    }
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    const statement = this.#db.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'));
    statement.setReadBigInts(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}
