/**
 * @module The store in a PostgreSQL from 15 on, by `pg`: on the primary alone, every commit on its disk, transactions serializable as
 * those of SQLite are (postgresql.org/docs/current/transaction-iso.html, 13.2.3). One connection, and one statement after the other: what
 * is fast is that many rows go with one commit. A connection that is lost is told, and made anew by the next statement.
 */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import pg from 'pg';
import { StoreError } from './errors.ts';
import { isAnswer, isConflict, postgresError } from './postgres-error.ts';
import { passwordFor } from './postgres-password.ts';
import { readTls } from './postgres-tls.ts';
import { parsePostgresUrl, type PostgresPlace } from './postgres-url.ts';
import { type Query, type SqlRow, type SqlValue, type Store, storable, type TransactionOptions } from './store.ts';

/** Of version 15: Debian 12. Older ones may do as well; nobody has tried them. */
const OLDEST = 150_000;
/** How often a transaction is begun again that another one was in the way of; the wait grows up to so many ms. */
const MAX_TRIES = 10;
const MAX_PAUSE_MS = 200;
/** Statements that a connection keeps prepared. */
const MAX_STATEMENTS = 200;
/** How long nobody is asked again after nobody has answered, ms. */
const REST_MS = 250;
/** Beyond what the server allows a statement: then nobody answers. */
const SLACK_MS = 2000;
/** How long a server may take to end a connection, ms. */
const END_MS = 1000;

/** How long things may take, ms. */
export interface Deadlines {
  /** A server to answer; each of several is asked so long. */
  connect: number;
  /** One statement. */
  statement: number;
  /** To wait for what another transaction holds. */
  lock: number;
  /** Between two statements of a transaction. What a paused owner holds is free after that: not longer than a lease. */
  idle: number;
}
const DEADLINES: Deadlines = { connect: 5000, statement: 15_000, lock: 5000, idle: 4000 };

export interface PostgresOptions {
  /** A file of mode 0600 with the password; else a PGPASSFILE is looked at. */
  passwordFile?: string;
  deadlines?: Partial<Deadlines>;
  /** In which its tables are: lower-case letters, digits and _. It is made where it is missing. */
  schema?: string;
}

/**
 * Opens the store in a database, which has to be there.
 * @param url postgresql://user@host,host/database; {@link parsePostgresUrl}
 * @throws StoreError E_STORE_OPEN, E_STORE_ENGINE; E_STORE_LOST where no server answers, or none that can be written to
 * @example const store = await openPostgres('postgresql://syndrome@/syndrome?host=/var/run/postgresql');
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Store> {
  const { schema } = options;
  if (schema !== undefined && !SCHEMA_NAME.test(schema))
    throw new StoreError('E_STORE_OPEN', `${schema} is no name of a schema: lower-case letters, digits and _`);
  const store = new Postgres(parsePostgresUrl(url), options);
  await store.query(schema === undefined ? 'select 1' : `create schema if not exists "${schema}"`);
  return store;
}

const SCHEMA_NAME = /^[a-z_][a-z\d_]{0,62}$/;

/** Object identifiers of types (pg_type.dat of PostgreSQL): bool, int8, int2, int4, oid, float4, float8, numeric. */
const PARSERS: Readonly<Record<number, (text: string) => SqlValue>> = {
  16: text => (text === 't' ? 1n : 0n),
  20: BigInt,
  21: BigInt,
  23: BigInt,
  26: BigInt,
  700: Number,
  701: Number,
  // Sums of 64-bit integers.
  1700: text => (/^-?\d+$/.test(text) ? BigInt(text) : Number(text)),
};
const asText = (text: string): string => text;
const types = { getTypeParser: (oid: number) => PARSERS[oid] ?? asText } as unknown as pg.CustomTypesConfig;

/** What a session is, in one statement: as what it says of itself is read before anything is set. */
const SETTINGS = `select current_setting('server_version_num') as version, current_setting('transaction_read_only') as read_only,
    pg_is_in_recovery() as standby, current_setting('fsync') as fsync, current_setting('server_encoding') as encoding,
    set_config('synchronous_commit', case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, false),
    set_config('default_transaction_isolation', 'serializable', false),
    set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),
    set_config('idle_in_transaction_session_timeout', $3, false),
    set_config('search_path', coalesce($4, current_setting('search_path')), false)`;

/** A connection, and the names of what it has prepared. */
interface Session {
  client: pg.Client;
  socket: Socket;
  names: Map<string, string>;
}

class Postgres implements Store {
  readonly dialect = {
    engine: 'postgresql',
    now: '(extract(epoch from clock_timestamp()) * 1000)::bigint',
    forUpdate: ' for update',
    alone: (table: string) => `lock table ${table} in exclusive mode`,
    byBytes: ' collate "C"',
    hasTable: 'select to_regclass($1)::text as name where to_regclass($1) is not null',
  } as const;
  readonly #place: PostgresPlace;
  readonly #deadlines: Deadlines;
  readonly #passwordFile: string | undefined;
  readonly #schema: string | undefined;
  #session: Session | undefined;
  /** Nobody was there. What waited meanwhile is told the same, and does not wait for it once more each. */
  #refused: { error: StoreError; until: number } | undefined;
  /** What runs last. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(place: PostgresPlace, { passwordFile, deadlines, schema }: PostgresOptions) {
    this.#place = schema === undefined ? place : { ...place, label: `${place.label}, schema ${schema}` };
    this.#schema = schema;
    this.#passwordFile = passwordFile;
    this.#deadlines = { ...DEADLINES, ...deadlines };
  }

  readonly query: Query = (sql, values) => this.#next(() => this.#single(sql, values));

  transaction<T>(f: (query: Query) => Promise<T>, { once = false }: TransactionOptions = {}): Promise<T> {
    return this.#next(async () => {
      for (let tries = 1; ; tries++) {
        const outcome = await this.#try(f);
        if ('result' in outcome) return outcome.result;
        if (once || !outcome.conflict || tries >= MAX_TRIES) throw outcome.error;
        await pause(tries);
      }
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    this.#leave(this.#session);
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreError('E_STORE_USE', 'the store is closed'));
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** A statement that is a transaction of its own. */
  async #single(sql: string, values?: readonly SqlValue[]): Promise<SqlRow[]> {
    for (let tries = 1; ; tries++) {
      const reads = /^\s*select\b/i.test(sql);
      try {
        return (await this.#freshly(session => this.#run(session, sql, values), reads)).rows;
      } catch (error) {
        if ((isConflict(error) || isSameTable(sql, error)) && tries < MAX_TRIES) await pause(tries);
        // Where there was no connection nothing was sent.
        else if (error instanceof StoreError || isAnswer(error) || reads) throw postgresError(error, sql);
        else throw unknown(sql, error);
      }
    }
  }

  /** By the connection that is there; where that was lost meanwhile, and nothing has happened if so, by a new one. */
  async #freshly<T>(work: (session: Session) => Promise<T>, again: boolean): Promise<T> {
    const old = this.#session;
    try {
      return await work(await this.#connected());
    } catch (error) {
      if (!again || old === undefined || isAnswer(error) || error instanceof StoreError) throw error;
      return work(await this.#connected());
    }
  }

  async #try<T>(f: (query: Query) => Promise<T>): Promise<{ result: T } | { error: unknown; conflict: boolean }> {
    const begin = async (on: Session): Promise<Session> => (await this.#run(on, 'begin'), on);
    const session = await this.#freshly(begin, true).catch((error: unknown) => {
      throw postgresError(error, 'begin');
    });
    let over = false;
    /** The first statement that failed: nothing of the transaction will be there. */
    let lost: StoreError | undefined;
    const say = async (sql: string, values?: readonly SqlValue[]): Promise<SqlRow[]> => {
      if (over) throw new StoreError('E_STORE_USE', 'the transaction is over');
      if (lost !== undefined) throw lost;
      try {
        return (await this.#run(session, sql, values)).rows;
      } catch (error) {
        throw (lost = postgresError(error, sql));
      }
    };
    try {
      const result = await f(say);
      if (lost !== undefined) throw lost;
      over = true;
      await this.#commit(session);
      return { result };
    } catch (error) {
      over = true;
      if (this.#session === session) await this.#run(session, 'rollback').catch(() => this.#leave(session));
      return { error, conflict: isConflict((lost ?? (error as StoreError)).cause) };
    }
  }

  /** The outcome is known where the server has answered, and nowhere else. */
  async #commit(session: Session): Promise<void> {
    let command: string;
    try {
      ({ command } = await this.#run(session, 'commit'));
    } catch (error) {
      throw isAnswer(error) ? postgresError(error, 'commit') : unknown('commit', error);
    }
    if (command !== 'COMMIT') throw new StoreError('E_STORE_SQL', `the server answered ${command} to a commit`);
  }

  /** @throws what `pg` throws; the connection is left where the server has not answered */
  async #run(
    session: Session,
    sql: string,
    values: readonly SqlValue[] = [],
  ): Promise<{ command: string; rows: SqlRow[] }> {
    const { client } = session;
    const bound = values.map(value => (value === null ? null : storable(String(value))));
    const name = nameOf(session, sql);
    // The server ends a statement that takes too long; where it is gone without a word, this does.
    const late = setTimeout(() => this.#leave(session), this.#deadlines.statement + SLACK_MS);
    try {
      const config = { text: sql, values: bound, ...(name === undefined ? {} : { name }) };
      return await client.query<SqlRow>(config);
    } catch (error) {
      if (!isAnswer(error)) this.#leave(session);
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  #leave(session: Session | undefined): void {
    if (session === undefined) return;
    if (this.#session === session) this.#session = undefined;
    const { client, socket } = session;
    // Where something is under way the socket is closed at once.
    client.end().catch(() => {});
    // A server that is gone without a word never answers to that, and a process that waits for it never ends.
    setTimeout(() => socket.destroy(), END_MS).unref();
  }

  /** The connection; a new one, to the first server that can be written to, where there is none. */
  async #connected(): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    if (this.#refused !== undefined && performance.now() < this.#refused.until) throw this.#refused.error;
    const faults: StoreError[] = [];
    for (const host of this.#place.hosts) {
      try {
        return (this.#session = await this.#connect(host));
      } catch (error) {
        faults.push(postgresError(error, `${host.host}:${host.port}`));
      }
    }
    // One that may be there again soon is waited for, whatever is wrong with the others.
    const first = faults.find(({ code }) => code === 'E_STORE_LOST' || code === 'E_STORE_BUSY') ?? faults[0];
    const why = faults.map(fault => messageOf(fault)).join('; ');
    const hinting = faults.find(fault => fault.hint !== undefined);
    const hint = hinting?.hint === undefined ? {} : { hint: hinting.hint };
    const error = new StoreError(first?.code ?? 'E_STORE_LOST', `${this.#place.label}: ${why}`, hint);
    this.#refused = { error, until: performance.now() + REST_MS };
    throw error;
  }

  async #connect({ host, port }: PostgresPlace['hosts'][number]): Promise<Session> {
    const { user, database, tls } = this.#place;
    const { connect, statement, lock, idle } = this.#deadlines;
    const socket = new Socket();
    // Everything is said here: what is not, `pg` would take from the environment.
    const client = new pg.Client({
      host,
      port,
      user,
      database,
      password: () => passwordFor({ host, port, database, user }, this.#passwordFile) ?? '',
      ssl: tls !== undefined && { ...readTls(tls), rejectUnauthorized: true },
      application_name: 'syndrome',
      options: '-c client_min_messages=warning',
      connectionTimeoutMillis: connect,
      keepAlive: true,
      stream: () => socket,
      types,
    });
    const session: Session = { client, socket, names: new Map() };
    // Also while nothing runs: what comes next is said to a new connection.
    client.on('error', () => this.#leave(session));
    try {
      await client.connect();
      const { rows } = await this.#run(session, SETTINGS, [statement, lock, idle, this.#schema ?? null]);
      requireFit(rows[0] ?? {}, `${host}:${port}`);
      return session;
    } catch (error) {
      this.#leave(session);
      throw error;
    }
  }
}

/** Statements are few and come again: each is prepared once for a connection. */
function nameOf({ names }: Session, sql: string): string | undefined {
  if (!/^\s*(?:select|insert|update|delete)\b/i.test(sql)) return undefined;
  const known = names.get(sql);
  if (known !== undefined || names.size >= MAX_STATEMENTS) return known;
  const name = `s${names.size}`;
  names.set(sql, name);
  return name;
}

/** Refuses a server on which what is committed may be lost, or that cannot be written to. */
function requireFit({ version, read_only, standby, fsync, encoding }: SqlRow, where: string): void {
  if (Number(version) < OLDEST)
    throw new StoreError(
      'E_STORE_ENGINE',
      `${where} is PostgreSQL ${Math.floor(Number(version) / 10_000)}, not 15 or later`,
    );
  if (fsync !== 'on')
    throw new StoreError('E_STORE_ENGINE', `${where} runs with fsync=${String(fsync)}: it loses what it has confirmed`);
  if (encoding !== 'UTF8')
    throw new StoreError('E_STORE_OPEN', `the database of ${where} has the encoding ${String(encoding)}, not UTF8`);
  if (standby === 1n || read_only === 'on')
    throw new StoreError(
      'E_STORE_LOST',
      `${where} cannot be written to: it is ${standby === 1n ? 'a standby' : 'read-only'}`,
    );
}

/** Two that make the same table at once, where it is not there yet: both have it afterwards. */
const isSameTable = (sql: string, error: unknown): boolean =>
  /^\s*create (?:table|schema) if not exists\b/i.test(sql) &&
  ['23505', '42P07', '42710'].includes((error as { code?: string }).code ?? '');

const unknown = (what: string, cause: unknown): StoreError =>
  new StoreError('E_STORE_UNKNOWN', `${what}: the connection was lost before the server had answered`, { cause });

/** Two that were in each other's way do not come at the same moment again. */
const pause = (tries: number): Promise<void> => sleep(Math.random() * Math.min(2 ** tries, MAX_PAUSE_MS));
