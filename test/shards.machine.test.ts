/**
 * Three controllers, each as on a machine of its own, share the shards of a site whose ledgers are in one PostgreSQL. Agents of other
 * machines find the one that works on theirs. One is killed with -9, and comes again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Authority } from '@syndrome/base/disk/testing/certificates.ts';
import { openPostgres } from '@syndrome/base/store/postgres.ts';
import { postgresMissing, PostgresServer } from '@syndrome/base/store/testing/postgres-server.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { newToken } from '@syndrome/supervisor/rest/tokens.ts';
import { serveAgent } from '@syndrome/supervisor/site/serve-agent.ts';
import { readAgentSite } from '@syndrome/supervisor/site/site-file.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Sandbox } from './program.ts';

const SHARDS = ['east', 'north', 'south', 'west'];
const { token, sha256 } = newToken();
const missing = postgresMissing();
const sandbox = new Sandbox();
const authority = new Authority('site');
const end = new AbortController();
const agents: Promise<void>[] = [];
const controllers: Controller[] = [];
let server: PostgresServer;

const write = (name: string, content: string): string => {
  const file = join(sandbox.dir, name);
  writeFileSync(file, content, { mode: 0o600 });
  return file;
};
const files = (name: string, { cert, key }: { cert: string; key: string }): Record<'ca' | 'cert' | 'key', string> => ({
  ca: write(`${name}.ca`, authority.cert),
  cert: write(`${name}.crt`, cert),
  key: write(`${name}.key`, key),
});

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  listener.close();
  await once(listener, 'close');
  return port;
}

/** `syndrome controller` of a folder of its own. */
class Controller {
  readonly name: string;
  readonly port: number;
  readonly #file: string;
  readonly #socket: string;
  log = '';
  child: ChildProcess | undefined;

  constructor(name: string, port: number) {
    [this.name, this.port] = [name, port];
    const folder = join(sandbox.dir, name);
    this.#socket = join(folder, 'run/api.sock');
    const site = {
      folder,
      store: server.url('fleet'),
      shards: Object.fromEntries(SHARDS.map(shard => [shard, { hosts: [`${shard}-*`] }])),
      notify: [],
      agents: { address: '127.0.0.1', port, ...files(name, authority.issue([name], 'localhost')) },
      api: { tokens: [{ name: 'test', roles: ['viewer'], sha256 }] },
    };
    this.#file = write(`${name}.yaml`, JSON.stringify(site));
  }

  start(): void {
    const main = join(import.meta.dirname, '../packages/cli/src/main.ts');
    this.child = spawn(process.execPath, [main, 'controller', '--config', this.#file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr?.on('data', data => (this.log += String(data)));
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** What its API answers; status 0 where nobody does. */
  async get(path: string): Promise<{ status: number; body: string }> {
    const asked = request({ socketPath: this.#socket, path, headers: { Authorization: `Bearer ${token}` } }).end();
    try {
      const [response] = await once(asked, 'response');
      return { status: response.statusCode ?? 0, body: await text(response) };
    } catch {
      return { status: 0, body: '' };
    }
  }

  /** The shards that it works on, and whose host is here. */
  async works(): Promise<string[]> {
    const answers = await Promise.all(SHARDS.map(shard => this.get(`/shards/${shard}/v1/hosts`)));
    return SHARDS.filter((_, i) => answers[i]?.status === 200 && answers[i].body.includes('"connected":true'));
  }
}

/** Which of the shards are worked on by whom, and have their host: once all are, in these numbers. */
async function shared(...numbers: number[]): Promise<void> {
  const wanted = numbers.join();
  for (;;) {
    const works = await Promise.all(controllers.map(controller => controller.works()));
    const all = works.flat();
    const each = works.map(of => of.length).toSorted((a, b) => b - a);
    if (new Set(all).size === SHARDS.length && all.length === SHARDS.length && each.join() === wanted) return;
    await sleep(50);
  }
}

beforeAll(async () => {
  if (missing !== undefined) return;
  server = await PostgresServer.make();
  const root = await openPostgres(server.url('postgres'));
  await root.query('create database fleet');
  await root.close();
  for (const name of ['c1', 'c2', 'c3']) controllers.push(new Controller(name, await freePort()));
});
afterAll(async () => {
  end.abort();
  await Promise.all(controllers.map(controller => controller.kill()));
  await Promise.all(agents);
  await server?.remove();
  sandbox.remove();
});

/** An agent that knows all three controllers, beginning with another one each. */
function startAgent(host: string, first: number): void {
  const folder = join(sandbox.dir, host);
  mkdirSync(folder, { mode: 0o700 });
  const ports = controllers.map(({ port }) => `localhost:${port}`);
  const address = [...ports.slice(first % ports.length), ...ports.slice(0, first % ports.length)];
  const controller = { address, ...files(host, authority.issue([host])) };
  const agent = { host, controller, kmsg: false, trace: false, sysfs: false };
  const site = readAgentSite(write(`${host}.yaml`, JSON.stringify({ folder, agent })));
  agents.push(serveAgent(site, end.signal, () => undefined));
}

describe('three controllers and four shards', () => {
  beforeEach(context => skipWithout(context, 'postgres', missing));

  test('one works on all; with three each has its part, and each agent finds the one of its host', async () => {
    const [first, ...others] = controllers;
    SHARDS.forEach((shard, i) => startAgent(`${shard}-1`, i));
    first?.start();
    await shared(4, 0, 0);
    for (const controller of others) controller.start();
    await shared(2, 1, 1);
    const standby = await Promise.all(controllers.map(c => c.get('/shards/east/v1/hosts')));
    expect(standby.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 503, 503]);
    expect((await controllers[0]?.get('/v1/hosts'))?.status).toBe(404);
  });

  test('what one that is killed with -9 worked on the others take over; it gets its part when it is here again', async () => {
    const works = await Promise.all(controllers.map(controller => controller.works()));
    const busiest = controllers[works.findIndex(of => of.length === 2)];
    await busiest?.kill();
    const killed = performance.now();
    await shared(2, 2, 0);
    console.log(`both shards worked on, and their hosts connected, after ${Math.round(performance.now() - killed)} ms`);
    busiest?.start();
    await shared(2, 1, 1);
    expect(busiest?.log.match(/works now/g)?.length).toBeGreaterThan(0);
  });

  test('each ledger has the rows of its own host, and of no other', async () => {
    const store = await openPostgres(server.url('fleet'));
    for (const shard of SHARDS) {
      const rows = await store.query(`select distinct host from shard_${shard}.input where kind = 'row'`);
      expect(rows).toEqual([{ host: `${shard}-1` }]);
      const [gaps] = await store.query(
        `select max("row") - count(*) as n from shard_${shard}.input where kind = 'row' and host = '${shard}-1'`,
      );
      expect(gaps).toEqual({ n: 0n });
    }
    await store.close();
  });
});
