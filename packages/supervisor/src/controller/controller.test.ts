import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Notice } from '../core/notice.ts';
import { messageLine, WIRE_VERSION } from '../wire/messages.ts';
import { shippedText } from '../policy/shipped.ts';
import { runController } from './controller.ts';
import type { ControllerOptions } from './options.ts';
import { replay } from './replay.ts';
import { SCHEMA } from './schema.ts';
import { ask } from './testing/ask.ts';
import { Peer, World } from './testing/peer.ts';
import { pidFence } from './testing/pid-fence.ts';
import { MOVES } from './testing/policy.ts';
import { newStore } from './testing/store.ts';

let dir = '';
let store: Awaited<ReturnType<typeof newStore>>;
let world: World;
let peers: Peer[] = [];
let running: { stop: AbortController; ended: Promise<void> }[] = [];
/** What was delivered: id and target. */
let told: string[] = [];
let log: string[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ctl-'));
  store = await newStore(dir);
  await migrate(store, SCHEMA);
  [world, peers, running, told, log] = [new World(), [], [], [], []];
});
afterEach(async () => {
  for (const peer of peers) peer.stop();
  for (const { stop } of running) stop.abort();
  await Promise.all(running.map(r => r.ended));
  await store.close();
  rmSync(dir, { recursive: true });
});

const agentSocket = (): string => join(dir, 'run/agents.sock');
const adminSocket = (): string => join(dir, 'run/admin.sock');

/** Starts a controller; its end is that of the test unless it is stopped before. */
function start(options: Partial<ControllerOptions> = {}): { stop: AbortController; ended: Promise<void> } {
  const stop = new AbortController();
  const ended = runController(
    {
      store,
      agentSocket: agentSocket(),
      adminSocket: adminSocket(),
      targets: ['one', 'two'],
      targetsOf: () => ['one', 'two'],
      deliver: async (notice: Notice, target) => {
        told.push(`${target} ${notice.id}`);
        return { ok: true };
      },
      policy: { policy: MOVES, by: 'configuration' },
      ttlMs: 3000,
      log: line => log.push(line),
      ...options,
    },
    stop.signal,
  );
  running.push({ stop, ended });
  return { stop, ended };
}

function peer(host: string): Peer {
  const made = new Peer(world, host, agentSocket());
  peers.push(made);
  return made;
}

const value = async (sql: string): Promise<unknown> => Object.values((await store.query(sql))[0] ?? {})[0];

/** Resolves when a query gives something; looked at every few ms, within the time of the test. */
async function until(sql: string, wanted: unknown): Promise<void> {
  while ((await value(sql)) !== wanted) await new Promise(resolve => setTimeout(resolve, 10));
}

describe('a controller', () => {
  test('moves a VM at its third page: with a proof, once, and tells each target once', async () => {
    start();
    const [a, b] = [peer('a'), peer('b')];
    a.vm('v');
    await Promise.all([a.settled(), b.settled()]);
    for (const pfn of [1n, 2n, 3n]) a.page('v', pfn);
    await b.until(() => world.copies.get('v')?.has('b') ?? false);
    await until(`select count(*) from act where state = 'confirmed'`, 4n);
    expect([world.copies.get('v'), world.copiesMax]).toEqual([new Map([['b', 1]]), 1]);
    expect([...world.effects.values()].every(n => n === 1)).toBe(true);
    const acts = await store.query(`select kind, host, state from act order by seq, id`);
    expect(acts.map(act => Object.values(act).join(' '))).toEqual([
      'autostart-off a confirmed',
      'stop a confirmed',
      'start b confirmed',
      'autostart-off a confirmed',
    ]);
    await until(`select count(*) from outbox where state = 'waiting'`, 0n);
    expect(told.length).toBeGreaterThanOrEqual(4);
    expect(new Set(told).size).toBe(told.length);
    expect(told.filter(t => t.startsWith('one ')).length).toBe(told.length / 2);
    expect(await replay(store.query)).not.toHaveProperty('differs');
  });

  test.each(['E_STORE_UNKNOWN', 'E_STORE_FULL'] as const)(
    'hands out no act and acknowledges no row of a commit that is not there (%s)',
    async code => {
      let seenThen: unknown;
      let failing = false;
      const fails: typeof store = {
        ...store,
        dialect: store.dialect,
        query: store.query,
        close: () => store.close(),
        transaction: async (f, options) => {
          if (!failing || options?.once !== true) return store.transaction(f, options);
          failing = false;
          const error = new StoreError(code, 'the test lets this commit fail');
          const lost = store.transaction(async query => {
            await f(query);
            throw error;
          }, options);
          await expect(lost).rejects.toBe(error);
          // Its end is not known yet to the controller, to which an agent comes again.
          const before = world.received.size;
          a.acked = -1;
          a.drop();
          await a.until(() => a.acked >= 0);
          seenThen = { acked: a.acked, acts: world.received.size - before };
          throw error;
        },
      };
      start({ store: fails });
      const [a, b] = [peer('a'), peer('b')];
      a.vm('v');
      for (const pfn of [1n, 2n]) a.page('v', pfn);
      await Promise.all([a.settled(), b.settled()]);
      const durable = a.spool.length;
      failing = true;
      a.page('v', 3n);
      await b.until(() => world.copies.get('v')?.has('b') ?? false);
      await until(`select state from act where kind = 'start'`, 'confirmed');
      expect(seenThen).toEqual({ acked: durable, acts: 0 });
      expect([world.copies.get('v'), world.copiesMax]).toEqual([new Map([['b', 1]]), 1]);
      expect(Math.max(...world.effects.values())).toBe(1);
      expect(await replay(store.query)).not.toHaveProperty('differs');
    },
  );

  test('takes rows that come again, and in another order, once each', async () => {
    start();
    const a = peer('a');
    a.vm('v');
    await a.settled();
    for (const pfn of [1n, 2n]) a.page('v', pfn);
    await a.settled();
    const decided = await value('select count(*) from decision');
    a.send(`{"type":"rows","rows":[${a.spool.toReversed().join(',')}]}`);
    a.send(`{"type":"rows","rows":[${a.spool.slice(1).join(',')}]}`);
    a.drop();
    await a.until(() => a.connections === 2);
    a.page('v', 1n);
    await a.settled();
    expect(await value(`select count(*) from input where kind = 'row'`)).toBe(BigInt(a.spool.length));
    expect(await value(`select count(distinct "row") from input where kind = 'row'`)).toBe(BigInt(a.spool.length));
    // A repeat of a page is no decision either; the agent's coming and going is none.
    expect(await value('select count(*) from decision')).toBe(decided);
  });

  test('goes on where it was stopped, and sends again what was not answered', async () => {
    const first = start();
    const a = peer('a');
    a.vm('v');
    for (const pfn of [1n, 2n, 3n]) a.page('v', pfn);
    // There is no other host: the VM stays where it is until there is one.
    await until(`select count(*) from outbox where id like '%no-target%' and state = 'delivered'`, 2n);
    first.stop.abort();
    await first.ended;
    const before = told.length;
    start();
    peer('b');
    await until(`select count(*) from outbox where id like '%restarted%' and state = 'delivered'`, 2n);
    expect([world.copies.get('v'), world.copiesMax]).toEqual([new Map([['b', 1]]), 1]);
    await until(`select count(*) from outbox where state = 'waiting'`, 0n);
    expect(new Set(told).size).toBe(told.length);
    expect(told.length).toBeGreaterThan(before);
    expect(await replay(store.query)).toMatchObject({ compared: expect.any(Number) as unknown });
    expect(await replay(store.query)).not.toHaveProperty('differs');
  });

  test('does not send again to an agent with another spool what an earlier one may have done', async () => {
    start();
    const [a, b] = [peer('a'), peer('b')];
    a.vm('v');
    await Promise.all([a.settled(), b.settled()]);
    a.deaf = true;
    await ask(adminSocket(), { ask: 'order', by: 'ann', order: { order: 'restart', vm: 'v' } });
    await until(`select count(*) from act where state = 'sent'`, 1n);
    a.stop();
    await until(`select count(*) from input where kind = 'agent'`, 3n);
    const anew = new Peer(world, 'a', agentSocket(), 'a-spool-2');
    peers.push(anew);
    await until(`select reason from act where kind = 'autostart-off' and host = 'a' and state = 'unknown'`, REASON);
    const [first] = await store.query(`select id from act where kind = 'autostart-off' and host = 'a' order by seq`);
    expect(world.effects.get(String(first?.['id']))).toBeUndefined();
    // It is asked anew, and the VM gets where it was to go.
    await b.until(() => world.copies.get('v')?.has('b') ?? false);
    expect(world.copiesMax).toBe(1);
  });

  test('waits while another one works, and takes its place', async () => {
    const first = start();
    const a = peer('a');
    await a.settled();
    start({ log: line => log.push(`2: ${line}`) });
    await seen(() => log.includes('2: another controller works on this store; this one waits'));
    first.stop.abort();
    await first.ended;
    a.vm('v');
    await a.settled();
    expect(log.filter(line => line.includes('works now')).map(line => line.replace(/^2: /, ''))).toEqual([
      'this controller works now, epoch 1',
      'this controller works now, epoch 2',
    ]);
  });

  test('writes no more once another one has taken its lease', async () => {
    start();
    const a = peer('a');
    await a.settled();
    const rows = await value(`select count(*) from input where kind = 'row'`);
    await store.query(`update lease set owner = 'other', epoch = epoch + 1, expires = ${store.dialect.now} + 60000`);
    const acked = a.acked;
    a.page('v', 1n);
    await seen(() => log.some(line => line.includes('works no more')));
    expect(await value(`select count(*) from input where kind = 'row'`)).toBe(rows);
    expect(a.acked).toBe(acked);
    // The other one dies: this one works again, and has everything.
    await store.query('update lease set expires = 0');
    await a.settled();
    expect(await value(`select count(*) from input where kind = 'row'`)).toBe(BigInt(a.spool.length));
  });

  test('refuses what is no agent, and only that', async () => {
    start();
    const a = peer('a');
    await a.settled();
    const refused = async (sent: string): Promise<string> => {
      const socket = connect(agentSocket());
      // It is the controller who hangs up.
      socket.write(sent);
      return text(socket);
    };
    const hello = { type: 'hello', version: WIRE_VERSION, host: 'x', spool: 's', agent: 'test' } as const;
    const said = [
      await refused('GET / HTTP/1.1\n'),
      await refused(`${messageLine({ type: 'pong', n: 1 })}\n`),
      await refused(`${messageLine({ ...hello, version: WIRE_VERSION - 1 })}\n`),
      await refused(`${messageLine({ ...hello, version: WIRE_VERSION + 1 })}\n`),
      await refused(`${messageLine({ ...hello, host: 'a' })}\n`),
      await refused(`${messageLine(hello)}\n${messageLine(hello)}\n`),
      await refused(`${messageLine(hello)}\n{"type":"rows","rows":[{"seq":1,"at":1,"said":{"kind":"x"}}]}\n`),
      await refused('x'.repeat(5 << 20)),
    ];
    expect(said.map(line => /E_[A-Z_]+/.exec(line)?.[0])).toEqual([
      'E_WIRE_MESSAGE',
      'E_WIRE_ORDER',
      'E_WIRE_VERSION',
      'E_WIRE_VERSION',
      'E_WIRE_HOST_TAKEN',
      'E_WIRE_ORDER',
      'E_WIRE_MESSAGE',
      'E_WIRE_LINE',
    ]);
    // Both sides say which of them is the older one.
    expect(said[2]).toContain(`the agent of x speaks version ${WIRE_VERSION - 1} of the wire`);
    expect(said.slice(2, 4).map(line => /bring the (\w+) up/.exec(line)?.[1])).toEqual(['agent', 'controller']);
    a.vm('v');
    await a.settled();
    expect(a.connections).toBe(1);
  });

  test('tells of an agent that comes and goes', async () => {
    start();
    const a = peer('a');
    await a.settled();
    a.drop();
    await a.until(() => a.connections === 2);
    await a.settled();
    await until(`select count(*) from input where kind = 'agent'`, 3n);
    const rows = await store.query(`select body from input where kind = 'agent' order by seq`);
    expect(rows.map(r => (JSON.parse(String(r['body'])) as { connected: boolean }).connected)).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('does nothing while the fleet is paused, also after a restart', async () => {
    const first = start();
    const [a, b] = [peer('a'), peer('b')];
    a.vm('v');
    await Promise.all([a.settled(), b.settled()]);
    await ask(adminSocket(), { ask: 'order', by: 'ann', order: { order: 'pause', reason: 'a test' } });
    first.stop.abort();
    await first.ended;
    start();
    for (const pfn of [1n, 2n, 3n]) a.page('v', pfn);
    await a.settled();
    expect(await value('select count(*) from act')).toBe(0n);
    await ask(adminSocket(), { ask: 'order', by: 'ann', order: { order: 'resume' } });
    await b.until(() => world.copies.get('v')?.has('b') ?? false);
    const [row] = await store.query(`select body from input where kind = 'order' order by seq limit 1`);
    expect(JSON.parse(String(row?.['body']))).toEqual({
      by: 'ann (as stated)',
      order: { order: 'pause', reason: 'a test' },
    });
  });

  test('does nothing where what was decided last is decided otherwise now, until a person has looked', async () => {
    const first = start();
    const [a, b] = [peer('a'), peer('b')];
    a.vm('v');
    a.page('v', 1n);
    await Promise.all([a.settled(), b.settled()]);
    first.stop.abort();
    await first.ended;
    // As if another version had written it, and was killed before its snapshot.
    await store.query('delete from snapshot');
    await store.query(`update mark set hash = 'that of another version'`);
    const second = start();
    for (const pfn of [2n, 3n]) a.page('v', pfn);
    await a.settled();
    const status = async (): Promise<unknown> => (await ask(adminSocket(), { ask: 'list', list: 'status' })).result;
    const paused = { paused: { by: 'controller', reason: expect.stringContaining('decided otherwise') } };
    expect(await status()).toMatchObject(paused);
    expect(await value('select count(*) from act')).toBe(0n);
    second.stop.abort();
    await second.ended;
    start();
    for (const pfn of [4n, 5n]) a.page('v', pfn);
    await a.settled();
    expect(await status()).toMatchObject(paused);
    await ask(adminSocket(), { ask: 'order', by: 'ann', order: { order: 'resume' } });
    await b.until(() => world.copies.get('v')?.has('b') ?? false);
  });

  test('sends no act that its state does not know: another version wanted it, and nobody would take its answer', async () => {
    const first = start();
    const [a, b] = [peer('a'), peer('b')];
    a.vm('v');
    a.page('v', 1n);
    await Promise.all([a.settled(), b.settled()]);
    first.stop.abort();
    await first.ended;
    await store.query(`update mark set hash = 'that of another version'`);
    await store.query('delete from snapshot');
    const deadline = Date.now() + 600_000;
    const act = { id: 'of-another', kind: 'start', host: 'b', vm: 'v', epoch: 1, incident: 'i', deadline };
    await store.query(
      `insert into act(id, seq, host, vm, incident, kind, state, body) values ($1, 1, 'b', 'v', 'i', 'start', 'intent', $2)`,
      [act.id, JSON.stringify(act)],
    );
    start();
    await a.until(() => a.connections === 2);
    await a.settled();
    await ask(adminSocket(), { ask: 'order', by: 'ann', order: { order: 'resume' } });
    for (const pfn of [2n, 3n]) a.page('v', pfn);
    await b.until(() => world.copies.get('v')?.has('b') ?? false);
    expect([world.received.get(act.id), world.copiesMax]).toEqual([undefined, 1]);
    // A person who compares reads of it what it is, and of the others what became of them.
    const { result } = await ask(adminSocket(), { ask: 'list', list: 'actions' });
    const acts = result as { id: string; state: string; reason: string }[];
    expect(acts.find(({ id }) => id === act.id)).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('another version') as string,
    });
    expect(acts.filter(({ state }) => state === 'unknown')).toHaveLength(1);
    expect((await ask(adminSocket(), { ask: 'explain', id: 'v' })).result).toMatchObject({
      acts: expect.arrayContaining([expect.objectContaining({ id: act.id, state: 'unknown' })]) as unknown,
    });
  });

  test('takes no host for silent for the time in which nobody could hear it', async () => {
    const gone = { name: 'gone', of: 'host', when: { silent: 5000 }, do: 'evacuate' } as const;
    const policy = { policy: { ...MOVES, rules: [...MOVES.rules, gone] }, by: 'configuration' };
    const first = start({ policy });
    const [a, b] = [peer('a'), peer('b')];
    a.vm('v');
    await Promise.all([a.settled(), b.settled()]);
    a.stop();
    await until(`select count(*) from input where kind = 'agent' and body like '%false%'`, 1n);
    first.stop.abort();
    await first.ended;
    start({ policy, clocks: { wall: () => Date.now() + 60_000, steady: () => performance.now() } });
    await b.until(() => b.connections === 2);
    await b.settled();
    expect(await value(`select count(*) from decision where body like '%"rule":"gone"%'`)).toBe(0n);
  });

  test('keeps the policy that a person has set over a restart, until the configuration names another one', async () => {
    const status = async (): Promise<unknown> => (await ask(adminSocket(), { ask: 'list', list: 'status' })).result;
    const restarted = async (version: string, last?: ReturnType<typeof start>): Promise<ReturnType<typeof start>> => {
      last?.stop.abort();
      await last?.ended;
      const next = start({ policy: { policy: { ...MOVES, version }, by: 'configuration' } });
      const host = peer(`h${version}-${peers.length}`);
      await host.settled();
      return next;
    };
    const first = await restarted('1');
    expect(await status()).toMatchObject({
      mode: 'act',
      policyBy: { by: 'configuration', site: true },
      sitePolicyInForce: true,
    });
    await ask(adminSocket(), { ask: 'policy', by: 'ann', policy: shippedText('observe') });
    const second = await restarted('1', first);
    expect(await status()).toMatchObject({
      mode: 'observe',
      policy: expect.stringMatching(/^observe@/) as unknown,
      policyBy: { by: 'ann (as stated)', site: false },
      sitePolicyInForce: false,
    });
    // Another text under the same name is another policy.
    await restarted('2', second);
    expect(await status()).toMatchObject({ mode: 'act', policyBy: { site: true }, sitePolicyInForce: true });
    expect(await replay(store.query)).not.toHaveProperty('differs');
  });

  test('says what it would do, and does nothing', async () => {
    start();
    const [a, b] = [peer('a'), peer('b')];
    a.vm('v');
    await Promise.all([a.settled(), b.settled()]);
    await until(`select count(*) from input where kind = 'row'`, 3n);
    const order = { order: 'restart', vm: 'v' } as const;
    const would = await ask(adminSocket(), { ask: 'order', by: 'ann', order, dryRun: true });
    expect(JSON.stringify(would.result)).toContain('"kind":"autostart-off"');
    const calm = await ask(adminSocket(), { ask: 'policy', by: 'ann', policy: shippedText('observe'), dryRun: true });
    expect(JSON.stringify(calm.result)).toContain('core/policy');
    expect([
      await value(`select count(*) from input where kind in ('order', 'policy')`),
      await value('select count(*) from act'),
    ]).toEqual([1n, 0n]);
    expect((await ask(adminSocket(), { ask: 'list', list: 'status' })).result).toMatchObject({
      mode: 'act',
      moving: [],
    });
    // What is not understood is not left out, but refused.
    const more = { ask: 'order', by: 'ann', order, dryrun: true } as const;
    expect((await ask(adminSocket(), more)).error?.code).toBe('E_WIRE_MESSAGE');
    expect(world.received.size).toBe(0);
    // The same order, meant.
    const done = await ask(adminSocket(), { ask: 'order', by: 'ann', order });
    expect(JSON.stringify(done.result)).toContain('"kind":"autostart-off"');
    await b.until(() => world.copies.get('v')?.has('b') ?? false);
  });

  test('retries a notice under the same id until it is taken, over a restart', async () => {
    const tries: string[] = [];
    const deaf = start({
      targets: ['one'],
      targetsOf: () => ['one'],
      deliver: async ({ id }) => {
        tries.push(id);
        if (tries.length === 1) throw new Error('refused');
        return { ok: false, why: 'busy', retryAfterMs: 5 };
      },
    });
    const a = peer('a');
    a.vm('v');
    a.page('v', 1n);
    await until(`select attempts from outbox`, 1n);
    deaf.stop.abort();
    await deaf.ended;
    expect(await value('select error from outbox')).toBe('refused');
    // A site that names the target otherwise serves it no more, and says so.
    const renamed = start({ targets: ['pager'], targetsOf: () => ['pager'] });
    const status = async (): Promise<unknown> => (await ask(adminSocket(), { ask: 'list', list: 'status' })).result;
    await vi.waitFor(
      async () => expect(await status()).toMatchObject({ unserved: [{ target: 'one', waiting: expect.any(Number) }] }),
      20_000,
    );
    expect(log).toContainEqual(expect.stringMatching(/^\d+ notices wait for one, which is no target any more/));
    renamed.stop.abort();
    await renamed.ended;
    start({ targets: ['one'], targetsOf: () => ['one'] });
    await until(`select state from outbox`, 'delivered');
    expect(await status()).toMatchObject({ unserved: [] });
    expect(told).toEqual([`one ${tries[0]}`]);
    expect(Number(await value('select attempts from outbox'))).toBeGreaterThanOrEqual(2);
  });

  test('goes on when the clock is set, forward and back', async () => {
    let offset = 0;
    start({ clocks: { wall: () => Date.now() + offset, steady: () => performance.now() } });
    const [a, b] = [peer('a'), peer('b')];
    a.vm('v');
    await Promise.all([a.settled(), b.settled()]);
    for (const by of [3_600_000, -7_200_000, 60_000]) {
      offset += by;
      a.page('v', BigInt(Math.abs(by)));
      await a.settled();
    }
    await until(`select count(*) from outbox where id like '%restarted%' and state = 'delivered'`, 2n);
    expect(world.copiesMax).toBe(1);
    const times = (await store.query('select at from input order by seq')).map(row => Number(row['at']));
    expect(times).toEqual(times.toSorted((x, y) => x - y));
    expect((await ask(adminSocket(), { ask: 'list', list: 'status' })).result).toMatchObject({
      clockJumps: { count: 3 },
    });
    expect(await replay(store.query)).not.toHaveProperty('differs');
  });

  test('answers the command line', async () => {
    start(store.backup === undefined ? {} : { backup: store.backup.bind(store) });
    const [a, b] = [peer('a'), peer('b')];
    a.vm('v');
    await Promise.all([a.settled(), b.settled()]);
    const events: unknown[] = [];
    await ask(adminSocket(), { ask: 'subscribe' }, event => events.push(event));
    a.say({ kind: 'event', source: 'console', vm: 'v', event: { name: 'guest.boot', fields: { version: '6.19.6' } } });
    for (const pfn of [1n, 2n, 3n]) a.page('v', pfn);
    await b.until(() => world.copies.get('v')?.has('b') ?? false);
    await until(`select count(*) from act where state in ('intent', 'sent')`, 0n);
    const list = async (
      name: 'status' | 'hosts' | 'vms' | 'pages' | 'incidents' | 'actions' | 'outbox',
    ): Promise<unknown> => (await ask(adminSocket(), { ask: 'list', list: name })).result;
    expect(await list('status')).toMatchObject({ hosts: 2, connected: 2, vms: 1, mode: 'act', epoch: 1 });
    expect(await list('hosts')).toMatchObject([
      { id: 'a', pages: 3 },
      { id: 'b', pages: 0 },
    ]);
    expect(await list('vms')).toMatchObject([{ id: 'v', home: 'b', epoch: 1 }]);
    expect(await list('pages')).toHaveLength(3);
    const incidents = (await list('incidents')) as { id: string }[];
    const actions = (await list('actions')) as { id: string; incident: string; state: string }[];
    expect(actions.length).toBeGreaterThanOrEqual(3);
    await until(`select count(*) from outbox where state = 'waiting'`, 0n);
    expect(await list('outbox')).toEqual([]);
    const action = actions.at(-1);
    const explained = (await ask(adminSocket(), { ask: 'explain', id: action?.id ?? '' })).result;
    expect(explained).toMatchObject({
      guestKernel: '6.19.6',
      incident: { id: action?.incident },
      acts: expect.any(Array) as unknown,
    });
    expect(incidents.map(i => i.id)).toContain(action?.incident);
    expect(events.length).toBeGreaterThan(5);
    const wrong = await ask(adminSocket(), { ask: 'explain', id: 'nothing' });
    expect(wrong.error?.code).toBe('E_CONTROLLER_ASK');
    const wrongPolicy = await ask(adminSocket(), { ask: 'policy', by: 'ann', file: 'p.yaml', policy: 'schema: 9' });
    expect(wrongPolicy.error).toMatchObject({
      code: 'E_POLICY',
      message: expect.stringContaining('p.yaml:1:') as unknown,
    });
    const policy = shippedText('notify');
    expect((await ask(adminSocket(), { ask: 'policy', by: 'ann', policy })).result).toMatchObject([
      { effect: 'decision' },
    ]);
    expect((await ask(adminSocket(), { ask: 'replay' })).result).not.toHaveProperty('differs');
    const copied = await ask(adminSocket(), { ask: 'backup', path: join(dir, 'copy.db') });
    if (store.backup === undefined) expect(copied.error?.code).toBe('E_CONTROLLER_ASK');
    else {
      expect(statSync(join(dir, 'copy.db')).size).toBeGreaterThan(10_000);
      expect((await ask(adminSocket(), { ask: 'backup', path: join(dir, 'copy.db') })).error?.code).toBe(
        'E_STORE_EXISTS',
      );
    }
    expect((statSync(adminSocket()).mode & 0o777).toString(8)).toBe('600');
    expect((statSync(join(dir, 'run')).mode & 0o777).toString(8)).toBe('700');
  });

  /** A policy under which a silent host is left, and switched off. */
  function fencing(): ReturnType<typeof pidFence> & { machine: ChildProcess } {
    const machine = spawn('sleep', ['600'], { stdio: 'ignore' });
    const fence = pidFence(dir, machine.pid ?? 0);
    const deadlines = { act: 50, stop: 50, start: 5000, migrate: 50, prove: 50, fence: 20_000 };
    start({
      fences: { a: fence.agent },
      policy: {
        by: 'configuration',
        policy: {
          ...MOVES,
          rules: [{ name: 'gone', of: 'host', when: { silent: 300 }, do: 'evacuate' }],
          proofs: { ...MOVES.proofs, fence: true },
          deadlines,
        },
      },
    });
    return { ...fence, machine };
  }

  test('switches a silent host off by its fence agent, and starts the VM elsewhere on what is read back', async () => {
    const { machine } = fencing();
    try {
      const a = peer('a');
      peer('b');
      a.vm('v');
      await a.settled();
      a.stop();
      await until(`select count(*) from decision where body like '%core/stop-proof%power-off%'`, 1n);
      expect(machine.signalCode).toBe('SIGKILL');
      await seen(() => world.copies.get('v')?.has('b') === true);
    } finally {
      machine.kill('SIGKILL');
    }
  });

  test('starts nothing where the fence agent says done and the power reads on', async () => {
    const { machine, calls } = fencing();
    writeFileSync(join(dir, 'liar'), '');
    try {
      const a = peer('a');
      peer('b');
      a.vm('v');
      await a.settled();
      a.stop();
      await until(`select count(*) from input where kind = 'result'`, 1n);
      expect(calls()).toContain('off');
      expect(world.copies.get('v')?.has('b')).toBeFalsy();
      expect(machine.signalCode).toBeNull();
    } finally {
      machine.kill('SIGKILL');
    }
  }, 60_000);
});

const REASON = 'its agent has another spool, and may have lost what it did';

async function seen(so: () => boolean): Promise<void> {
  while (!so()) await new Promise(resolve => setTimeout(resolve, 10));
}
