/** A controller with its API on a socket, two hosts as the controller sees them, and whoever asks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, ask } from '@syndrome/base/http/testing/ask.ts';
import { runController } from '../../controller/controller.ts';
import type { Desk } from '../../controller/desk.ts';
import type { ControllerOptions } from '../../controller/options.ts';
import { Peer, World } from '../../controller/testing/peer.ts';
import { MOVES } from '../../controller/testing/policy.ts';
import { newStore } from '../../controller/testing/store.ts';
import type { Role } from '../roles.ts';
import { type Api, serveApi } from '../serve.ts';
import { newToken, type TokenOf } from '../tokens.ts';

/** People of the tests, and what each may do. */
const PEOPLE = {
  vera: ['viewer'],
  otto: ['operator'],
  paula: ['policy-admin'],
  fay: ['fencer'],
  finn: ['fencer', 'operator'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;
export type Person = keyof typeof PEOPLE;
export const EVERYBODY = Object.keys(PEOPLE) as Person[];

interface Request {
  as?: Person | undefined;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** An answer with its JSON. */
export type Said = Answer & { json: Record<string, unknown> };

export class TestSite {
  readonly dir: string;
  readonly socket: string;
  readonly world = new World();
  readonly log: string[] = [];
  readonly tokens: Readonly<Record<Person, string>>;
  readonly store: Awaited<ReturnType<typeof newStore>>;
  readonly #peers: Peer[] = [];
  readonly #serving = new AbortController();
  #working = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  readonly #apis: Awaited<ReturnType<typeof serveApi>>[] = [];
  readonly #known: TokenOf[];
  #desk: Desk | undefined;

  private constructor(dir: string, store: TestSite['store']) {
    this.dir = dir;
    this.store = store;
    this.socket = join(dir, 'run/api.sock');
    const made = EVERYBODY.map(name => ({ name, ...newToken() }));
    this.tokens = Object.fromEntries(made.map(({ name, token }) => [name, token])) as Record<Person, string>;
    this.#known = made.map(({ name, sha256 }) => ({ name, roles: PEOPLE[name], sha256 }));
  }

  static async start(options: Partial<ControllerOptions> = {}): Promise<TestSite> {
    const dir = mkdtempSync(join(tmpdir(), 'api-'));
    const site = new TestSite(dir, await newStore(dir));
    await site.serve({ socket: site.socket });
    await site.work(options);
    return site;
  }

  /** The API at one more place, for who reads no unix socket; with a page for people, if there is one. */
  async serve(place: Api['place'], page?: Api['page']): Promise<void> {
    const api = await serveApi({ place, tokens: this.#known, ...(page && { page }) }, this.#serving.signal, line =>
      this.log.push(line),
    );
    api.deskOf()(this.#desk);
    this.#apis.push(api);
  }

  /** A controller begins to work; resolves when it does. */
  async work(options: Partial<ControllerOptions> = {}): Promise<void> {
    this.#working = new AbortController();
    const begun = Promise.withResolvers<void>();
    this.#ended = runController(
      {
        store: this.store,
        agentSocket: join(this.dir, 'run/agents.sock'),
        adminSocket: join(this.dir, 'run/admin.sock'),
        targets: ['one'],
        targetsOf: () => ['one'],
        deliver: async () => ({ ok: true }),
        policy: { policy: MOVES, by: 'configuration' },
        ttlMs: 3000,
        log: line => this.log.push(line),
        desk: desk => {
          this.#desk = desk;
          for (const api of this.#apis) api.deskOf()(desk);
          if (desk !== undefined) begun.resolve();
        },
        ...options,
      },
      this.#working.signal,
    );
    this.#ended.catch((error: unknown) => begun.reject(error));
    await begun.promise;
  }

  /** The controller works no more; the API stays. */
  async rest(): Promise<void> {
    this.#working.abort();
    await this.#ended;
  }

  /** Of the controller that works. */
  get desk(): Desk | undefined {
    return this.#desk;
  }

  get admin(): string {
    return join(this.dir, 'run/admin.sock');
  }

  peer(host: string): Peer {
    const peer = new Peer(this.world, host, join(this.dir, 'run/agents.sock'));
    this.#peers.push(peer);
    return peer;
  }

  /** Two hosts; a VM loses three pages on one and runs on the other at the end. */
  async story(): Promise<void> {
    const [a, b] = [this.peer('a'), this.peer('b')];
    a.vm('web');
    await Promise.all([a.settled(), b.settled()]);
    for (const pfn of [0x10n, 0x11n, 0x12n]) a.page('web', pfn);
    await this.until(() => this.#desk?.state().vms.get('web')?.home === 'b');
    await this.until(() => this.#desk?.state().flying.length === 0);
  }

  /** A host whose VM `db` cannot be stopped, so that nobody can prove that it has: it is started nowhere else. */
  async unproven(): Promise<void> {
    const [c] = [this.peer('c')];
    c.stuck = true;
    c.vm('db');
    for (const pfn of [0x20n, 0x21n, 0x22n]) c.page('db', pfn);
    await this.until(() => this.#desk?.state().vms.get('db')?.move?.step === 'unproven');
  }

  /** Resolves when something is so; it is looked at after each commit. */
  async until(so: () => boolean): Promise<void> {
    while (!so()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const leave = this.#desk?.onCommit(resolve);
      if (leave === undefined) throw new Error('no controller works');
      await promise;
      leave();
    }
  }

  /** Asks the API. */
  async ask(path: string, { as, headers = {}, ...rest }: Request = {}): Promise<Said> {
    const token = as === undefined ? {} : { authorization: `Bearer ${this.tokens[as]}` };
    const length = rest.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(rest.body)) };
    const answer = await ask(this.socket, path, { ...rest, headers: { ...token, ...length, ...headers } });
    const isJson = (answer.headers['content-type'] ?? '').endsWith('json') && answer.body !== '';
    return { ...answer, json: isJson ? (JSON.parse(answer.body) as Record<string, unknown>) : {} };
  }

  async stop(): Promise<void> {
    for (const peer of this.#peers) peer.stop();
    this.#working.abort();
    this.#serving.abort();
    await this.#ended;
    for (const { ended } of this.#apis) await ended;
    await this.store.close();
    rmSync(this.dir, { recursive: true });
  }
}
