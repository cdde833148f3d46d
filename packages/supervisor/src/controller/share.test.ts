import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '@syndrome/base/store/open.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runController } from './controller.ts';
import { SCHEMA } from './schema.ts';
import { partOf, Share } from './share.ts';

const SHARDS = ['east', 'north', 'south', 'west'];
const TTL_MS = 600;

/** One of several controllers: each has stores of its own, as each process has. */
class Member {
  readonly stop = new AbortController();
  readonly held = new Set<string>();
  readonly done: Promise<void>;

  constructor(dir: string, ttlMs = TTL_MS) {
    this.done = this.#run(dir, ttlMs);
  }

  async #run(dir: string, ttlMs: number): Promise<void> {
    const stores = await Promise.all(SHARDS.map(shard => openStore({ at: join(dir, `${shard}.db`) })));
    const [first] = stores;
    if (first === undefined) return;
    await migrate(first, SCHEMA);
    const share = new Share(SHARDS.length, ttlMs, () => {});
    const { signal } = this.stop;
    const works = SHARDS.map((shard, i) =>
      runController(
        {
          store: stores[i] ?? first,
          share,
          agentSocket: join(dir, shard, 'agents.sock'),
          adminSocket: join(dir, shard, 'admin.sock'),
          targets: [],
          targetsOf: () => [],
          deliver: async () => ({ ok: true }),
          ttlMs,
          desk: desk => void (desk === undefined ? this.held.delete(shard) : this.held.add(shard)),
          log: () => {},
        },
        signal,
      ),
    );
    await Promise.all([...works, share.run(first, signal)]);
    await Promise.all(stores.map(store => store.close()));
  }

  end(): Promise<void> {
    this.stop.abort();
    return this.done;
  }
}

let dir = '';
let members: Member[] = [];

beforeEach(() => {
  [dir, members] = [mkdtempSync(join(tmpdir(), 'share-')), []];
});
afterEach(async () => {
  await Promise.all(members.map(member => member.end()));
  rmSync(dir, { recursive: true });
});

function joins(): Member {
  const member = new Member(dir);
  members.push(member);
  return member;
}

/** Resolves when the shards are held in these numbers, each by one; looked at every few ms, within the time of the test. */
async function shared(...numbers: number[]): Promise<string[]> {
  const now = (): string => {
    const all = members.flatMap(({ held }) => [...held]);
    const each = members.map(({ held }) => held.size).toSorted((a, b) => b - a);
    return new Set(all).size === all.length ? each.join() : 'two hold one';
  };
  const wanted = numbers.join();
  while (now() !== wanted) await sleep(20);
  return members.flatMap(({ held }) => [...held]).toSorted();
}

describe('the part of a controller', () => {
  test('is as large as that of the others, or larger by one; all of them together are all there is', () => {
    expect([0, 1, 2].map(rank => partOf(4, 3, rank))).toEqual([2, 1, 1]);
    for (const shards of [1, 4, 7])
      for (const members of [1, 2, 3, 5, 9]) {
        const parts = Array.from({ length: members }, (_, rank) => partOf(shards, members, rank));
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(shards);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
      }
  });
});

describe('several controllers', () => {
  test('share the shards; who comes gets its part, and what one leaves the others take', async () => {
    joins();
    await shared(4);
    const second = joins();
    await shared(2, 2);
    await second.end();
    members = members.filter(member => member !== second);
    await shared(4);
    for (let i = 0; i < 2; i++) joins();
    await shared(2, 1, 1);
    joins();
    expect(await shared(1, 1, 1, 1)).toEqual(SHARDS);
  });

  test('take over what one that says nothing any more has left', async () => {
    const store = await openStore({ at: join(dir, 'east.db') });
    await migrate(store, SCHEMA);
    // One that was killed: its leases last for their time, and it is one of the members until then.
    const later = (name: string): Promise<unknown> =>
      store.query(
        `insert into lease(name, owner, epoch, expires) values ($1, 'killed', 1, ${store.dialect.now} + ${TTL_MS})`,
        [name],
      );
    await later('controller');
    await later('member/killed');
    joins();
    expect(await shared(4)).toEqual(SHARDS);
    await store.close();
  });

  test('share at once what one has left that was killed, and wait with what one has given back for who has room', async () => {
    const store = await openStore({ at: join(dir, 'east.db') });
    await migrate(store, SCHEMA);
    const { now } = store.dialect;
    const lease = (name: string, expires: string): Promise<unknown> =>
      store.query(
        `insert into lease(name, owner, epoch, expires) values ($1, 'member/killed/1', 1, ${expires})
         on conflict (name) do update set owner = excluded.owner, expires = excluded.expires`,
        [name],
      );
    // It counts as one of the controllers as long as this test takes: each of the two has room for two of four.
    await lease('member/killed', `${now} + 600000`);
    const share = new Share(4, TTL_MS, () => {});
    const stop = new AbortController();
    const running = share.run(store, stop.signal);
    for (let i = 0; i < 2; i++) {
      await lease('controller', '0');
      while ((await share.attempt(store, `own-${i}`, TTL_MS)) === undefined) await sleep(5);
      share.took(i === 0 ? store : ({ ...store } as typeof store), () => {});
    }
    await lease('controller', '0');
    expect(await share.attempt(store, 'third', TTL_MS)).toBeUndefined();
    await lease('controller', `${now} - 1`);
    expect(await share.attempt(store, 'third', TTL_MS)).toMatchObject({ owner: 'third' });
    share.took({ ...store }, () => {});
    // Of one that is none of the controllers any more nothing is to be shared: who else has room takes it.
    await store.query(`update lease set owner = 'member/gone/1', expires = ${now} - 1 where name = 'controller'`);
    expect(await share.attempt({ ...store }, 'fourth', TTL_MS)).toBeUndefined();
    stop.abort();
    await running;
    await store.close();
  });

  test('leave nothing where none of them has room: one with its part takes it, too, after a while', async () => {
    const store = await openStore({ at: join(dir, 'east.db') });
    await migrate(store, SCHEMA);
    // One that is there, and works on nothing.
    await store.query(
      `insert into lease(name, owner, epoch, expires) values ('member/idle', 'idle', 1, ${store.dialect.now} + 600000)`,
    );
    const begun = performance.now();
    const member = joins();
    while (member.held.size < 4) await sleep(20);
    // Longer than it would wait for one that is silent.
    expect(performance.now() - begun).toBeGreaterThan(TTL_MS);
    await store.close();
  });
});
