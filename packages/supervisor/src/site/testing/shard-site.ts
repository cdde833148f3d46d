/**
 * A site of several shards whose ledgers are in one PostgreSQL: `syndrome controller` as processes of their own, each as on a machine of its own,
 * and agents of other machines, which know all of them.
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
import { newToken } from '../../rest/tokens.ts';
import { serveAgent } from '../serve-agent.ts';
import { readAgentSite } from '../site-file.ts';

const MAIN = join(import.meta.dirname, '../../../../cli/src/main.ts');

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  listener.close();
  await once(listener, 'close');
  return port;
}

/** `syndrome controller` of a folder of its own. */
class ShardController {
  readonly port: number;
  /** Of its API on loopback. */
  readonly apiPort: number;
  log = '';
  child: ChildProcess | undefined;
  #stopped = false;
  readonly #file: string;
  readonly #token: string;

  constructor(file: string, token: string, ports: { port: number; apiPort: number }) {
    [this.#file, this.#token, this.port, this.apiPort] = [file, token, ports.port, ports.apiPort];
  }

  start(): void {
    this.child = spawn(process.execPath, [MAIN, 'controller', '--config', this.#file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (said: string) => (this.log += said));
  }

  /** With -9. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Stops it, as a machine that swaps or is migrated, until {@link goOn}. */
  stop(): void {
    this.#stopped = this.child?.kill('SIGSTOP') === true;
  }

  goOn(): void {
    this.#stopped = false;
    this.child?.kill('SIGCONT');
  }

  /** What its API answers; status 0 where nobody does. */
  async get(path: string): Promise<{ status: number; body: string }> {
    if (this.#stopped) return { status: 0, body: '' };
    const headers = { Authorization: `Bearer ${this.#token}` };
    const asked = request({ host: '127.0.0.1', port: this.apiPort, path, headers }).end();
    try {
      const [response] = await once(asked, 'response');
      return { status: response.statusCode ?? 0, body: await text(response) };
    } catch {
      return { status: 0, body: '' };
    }
  }

  /** Those of some shards that it works on, and whose host is here. */
  async works(shards: readonly string[]): Promise<string[]> {
    const answers = await Promise.all(shards.map(shard => this.get(`/shards/${shard}/v1/hosts`)));
    return shards.filter((_, i) => answers[i]?.status === 200 && answers[i].body.includes('"connected":true'));
  }
}

export class ShardSite {
  readonly controllers: ShardController[] = [];
  readonly shards: readonly string[];
  /** Of a viewer. */
  readonly token: string;
  readonly #dir: string;
  readonly #authority = new Authority('site');
  readonly #end = new AbortController();
  readonly #agents: Promise<void>[] = [];

  private constructor(dir: string, shards: readonly string[], token: string) {
    [this.#dir, this.shards, this.token] = [dir, shards, token];
  }

  /** @param store the URL of the database */
  static async make(dir: string, store: string, shards: readonly string[], controllers: number): Promise<ShardSite> {
    const { token, sha256 } = newToken();
    const site = new ShardSite(dir, shards, token);
    for (let n = 1; n <= controllers; n++) {
      const [name, port, apiPort] = [`c${n}`, await freePort(), await freePort()];
      const data = {
        folder: join(dir, name),
        store,
        shards: Object.fromEntries(shards.map(shard => [shard, { hosts: [`${shard}-*`] }])),
        notify: [],
        agents: { address: '127.0.0.1', port, ...site.#files(name, site.#authority.issue([name], 'localhost')) },
        api: { port: apiPort, tokens: [{ name: 'test', roles: ['viewer'], sha256 }] },
      };
      const file = site.#write(`${name}.yaml`, JSON.stringify(data));
      site.controllers.push(new ShardController(file, token, { port, apiPort }));
    }
    return site;
  }

  /** An agent that knows all controllers, and asks that of this number first. */
  startAgent(host: string, first: number): void {
    const folder = join(this.#dir, host);
    mkdirSync(folder, { mode: 0o700 });
    const ports = this.controllers.map(({ port }) => `localhost:${port}`);
    const address = [...ports.slice(first % ports.length), ...ports.slice(0, first % ports.length)];
    const controller = { address, ...this.#files(host, this.#authority.issue([host])) };
    const agent = { host, controller, kmsg: false, trace: false, sysfs: false };
    const site = readAgentSite(this.#write(`${host}.yaml`, JSON.stringify({ folder, agent })));
    this.#agents.push(serveAgent(site, this.#end.signal, () => undefined));
  }

  /** Which shards each controller works on. */
  works(): Promise<string[][]> {
    return Promise.all(this.controllers.map(controller => controller.works(this.shards)));
  }

  /** Resolves when each shard is worked on by one, with its host, in these numbers; looked at every few ms, within the time of the caller. */
  async shared(...numbers: number[]): Promise<void> {
    const wanted = numbers.join();
    for (;;) {
      const works = await this.works();
      const all = works.flat();
      const each = works.map(of => of.length).toSorted((a, b) => b - a);
      const isWhole = new Set(all).size === this.shards.length && all.length === this.shards.length;
      if (isWhole && each.join() === wanted) return;
      await sleep(50);
    }
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.controllers.map(controller => controller.kill()));
    await Promise.all(this.#agents);
  }

  #write(name: string, content: string): string {
    const file = join(this.#dir, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  #files(name: string, { cert, key }: { cert: string; key: string }): Record<'ca' | 'cert' | 'key', string> {
    return {
      ca: this.#write(`${name}.ca`, this.#authority.cert),
      cert: this.#write(`${name}.crt`, cert),
      key: this.#write(`${name}.key`, key),
    };
  }
}
