/**
 * A PostgreSQL of a test's own: on a socket in a folder of its own, with fsync, gone afterwards. It refuses to run as root: then it runs
 * as another user. `postgresMissing` says why there can be none.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  chownSync,
  constants,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPostgres } from '../postgres.ts';
import type { StoreError } from '../errors.ts';

/** What brings it where it is missing. */
const APT_LINE = 'apt-get install -y --no-install-recommends postgresql';
/** How long a server may take to start; after kill -9 its orphans hold the shared memory for a while, ms. */
const START_MS = 60_000;
/** Debian's packages put it where no PATH leads. */
const DEBIAN = '/usr/lib/postgresql';

/** The folder with the programs of version 15 or later. */
function findPrograms(): string | undefined {
  const debian = (): string[] => {
    try {
      return readdirSync(DEBIAN).map(version => join(DEBIAN, version, 'bin'));
    } catch {
      return [];
    }
  };
  return [...(process.env['PATH'] ?? '').split(':'), ...debian()].find(folder => {
    try {
      for (const name of ['initdb', 'postgres', 'pg_basebackup', 'pg_ctl'])
        accessSync(join(folder, name), constants.X_OK);
      const version = execFileSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' });
      return Number(/(\d+)(?:\.|devel|beta|rc|$)/.exec(version)?.[1]) >= 15;
    } catch {
      return false;
    }
  });
}

/** Why no server can be started here; undefined when one can. */
export function postgresMissing(): string | undefined {
  if (findPrograms() === undefined) return `no PostgreSQL 15 or later; ${APT_LINE}`;
  return process.geteuid?.() === 0 && otherUser() === undefined
    ? 'PostgreSQL does not run as root, and there is no user postgres or nobody'
    : undefined;
}

function otherUser(): { uid: number; gid: number } | undefined {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'));
  const [, , uid, gid] =
    accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody') ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

export class PostgresServer {
  readonly folder: string;
  readonly #programs: string;
  readonly #user: { uid: number; gid: number } | Record<string, never>;
  #child: ChildProcess | undefined;
  #isStandby = false;

  private constructor() {
    const programs = findPrograms();
    if (programs === undefined) throw new Error('no PostgreSQL');
    this.#programs = programs;
    this.folder = mkdtempSync(join(tmpdir(), 'pg-'));
    this.#user = process.geteuid?.() === 0 ? (otherUser() ?? {}) : {};
    const { uid, gid } = this.#user;
    if (uid !== undefined && gid !== undefined) chownSync(this.folder, uid, gid);
  }

  /** Makes a cluster, and starts it. */
  static async make(...settings: string[]): Promise<PostgresServer> {
    const server = new PostgresServer();
    const words = ['-U', 'syndrome', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-instructions', '-N'];
    server.#run('initdb', '-D', server.#data, ...words);
    await server.start(...settings);
    return server;
  }

  /** Makes a standby of another one, and starts it: it takes what that writes as it comes. */
  static async standbyOf(primary: PostgresServer, ...settings: string[]): Promise<PostgresServer> {
    const server = new PostgresServer();
    await server.follow(primary, ...settings);
    return server;
  }

  /** Becomes a standby of another one; what it has is thrown away. It has to be down. */
  async follow(primary: PostgresServer, ...settings: string[]): Promise<void> {
    rmSync(this.#data, { recursive: true, force: true });
    const from = ['-h', primary.folder, '-U', 'syndrome', '--checkpoint=fast', '--no-sync'];
    this.#run('pg_basebackup', '-D', this.#data, '--write-recovery-conf', ...from);
    this.#isStandby = true;
    await this.start(...settings);
  }

  /** Of a standby the primary is gone: it takes its place. */
  promote(): void {
    this.#run('pg_ctl', 'promote', '-D', this.#data, '-w', '-t', String(START_MS / 1000));
    this.#isStandby = false;
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  #run(program: string, ...args: string[]): void {
    execFileSync(join(this.#programs, program), args, {
      ...this.#user,
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: START_MS,
    });
  }

  /** Of a database, which `database` makes; where the server fails over, with the others. */
  url(
    database = 'postgres',
    { user = 'syndrome', others = [] }: { user?: string; others?: PostgresServer[] } = {},
  ): string {
    const hosts = [this, ...others].map(({ folder }) => folder).join(',');
    return `postgresql://${user}@/${database}?host=${encodeURIComponent(hosts)}`;
  }

  /** Makes a database. */
  async database(name: string): Promise<string> {
    const store = await openPostgres(this.url());
    await store.query(`create database ${name}`);
    await store.close();
    return this.url(name);
  }

  /** Starts it, and waits until it answers. After kill -9 it is tried until what was left of the last one is gone. */
  async start(...settings: string[]): Promise<void> {
    const all = ['listen_addresses=', ...settings];
    const until = performance.now() + START_MS;
    const log = openSync(join(this.folder, 'log'), 'a');
    try {
      for (let refused = ''; ; await sleep(50)) {
        if (this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null)
          this.#child = spawn(
            join(this.#programs, 'postgres'),
            ['-D', this.#data, '-k', this.folder, ...all.flatMap(setting => ['-c', setting])],
            { ...this.#user, cwd: this.folder, stdio: ['ignore', log, log] },
          );
        try {
          await (await openPostgres(this.url())).close();
          return;
        } catch (error) {
          const { code, message } = error as StoreError;
          if (code === 'E_STORE_ENGINE') throw error;
          if (this.#isStandby && message.includes('it is a standby')) return;
          refused = message;
        }
        if (performance.now() > until)
          throw new Error(
            `PostgreSQL does not start: ${refused}\n${readFileSync(join(this.folder, 'log'), 'utf8').slice(-2000)}`,
          );
      }
    } finally {
      closeSync(log);
    }
  }

  /** As a crash of its machine: it writes nothing more, and its backends end by themselves. */
  kill9(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Ends it at once, in order. */
  stop(): Promise<void> {
    return this.#end('SIGINT');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}
