import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { type Lease, takeLease } from '@syndrome/base/store/lease.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import type { Store } from '@syndrome/base/store/store.ts';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Input } from '../core/input.ts';
import { newState, snapshot } from '../core/state.ts';
import { step } from '../core/step.ts';
import { Scene } from '../core/testing/scene.ts';
import { Journal } from './journal.ts';
import { replay } from './replay.ts';
import { SCHEMA } from './schema.ts';
import { MOVES } from './testing/policy.ts';
import { newStore } from './testing/store.ts';
import { story } from './testing/story.ts';

let dir = '';
let store: Store;
let lease: Lease;
let log: string[] = [];
const options = { ttlMs: 600_000, targetsOf: () => ['t'], log: (line: string) => void log.push(line) };

beforeEach(async () => {
  log = [];
  dir = mkdtempSync(join(tmpdir(), 'journal-'));
  store = await newStore(dir);
  await migrate(store, SCHEMA);
  lease = (await takeLease(store, 'controller', 'test', 600_000)) ?? expect.fail('no lease');
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

const told = (scene: Scene): Input[] => scene.log.map(({ input }) => input);

const count = async (what: string): Promise<number> =>
  Number((await store.query(`select count(*) as n from ${what}`))[0]?.['n']);

/** Cuts a list at random places. */
const pieces = (inputs: readonly Input[]): fc.Arbitrary<Input[][]> =>
  fc.array(fc.integer({ min: 1, max: 12 }), { minLength: inputs.length, maxLength: inputs.length }).map(sizes => {
    const out: Input[][] = [];
    for (let at = 0, i = 0; at < inputs.length; at += sizes[i++] ?? 1) out.push(inputs.slice(at, at + (sizes[i] ?? 1)));
    return out;
  });

test('what is written is what the core wants, however it is cut, and a restart at any moment knows the same', async () => {
  const scene = story();
  const [batches = []] = fc.sample(pieces(told(scene)), 1);
  let journal = await Journal.open(store, lease, { ...options, snapshotEvery: 7 });
  for (const batch of batches) {
    await journal.commit(batch);
    const idle = batch.every(input => input.input === 'tick');
    const again = await Journal.open(store, lease, { ...options, snapshotEvery: 7 });
    // Ticks that wanted nothing may be lost.
    if (!idle) expect(snapshot(again.state)).toBe(snapshot(journal.state));
    expect(again.seq).toBe(journal.seq);
    expect([...again.openActs.keys()]).toEqual([...journal.openActs.keys()]);
    if (!idle) journal = again;
  }
  await journal.close();
  expect(snapshot(journal.state)).toBe(snapshot(scene.state));
  expect(await count('decision')).toBe(scene.state.decisions.count);
  expect(await count('act')).toBe(scene.effects.filter(e => e.effect === 'act').length);
  expect(await count(`act where state = 'confirmed'`)).toBe(await count('act'));
  expect(await count('outbox')).toBe(scene.effects.filter(e => e.effect === 'notice').length);
  const replayed = await replay(store.query);
  expect(replayed).toMatchObject({
    inputs: told(scene).length,
    decisions: scene.state.decisions.count,
    hash: scene.state.decisions.hash,
  });
  expect(replayed).not.toHaveProperty('differs');
  expect(replayed.compared).toBeGreaterThan(3);
});

test('a replay finds a ledger in which something was decided otherwise', async () => {
  const scene = story();
  const journal = await Journal.open(store, lease, options);
  for (const input of told(scene)) await journal.commit([input]);
  await journal.close();
  const [row] = await store.query(`select seq, body from input where body like '%sigbus-sent%' order by seq limit 1`);
  await store.query('update input set body = $2 where seq = $1', [
    row?.['seq'] ?? 0,
    String(row?.['body']).replace('0x0000000000000001', '0x0000000000000002'),
  ]);
  const { differs } = await replay(store.query);
  expect(differs?.seq).toBeGreaterThanOrEqual(Number(row?.['seq']));
  expect(differs?.noted).not.toBe(differs?.now);
});

test('what another version has decided otherwise is noticed when it is read again; a snapshot is believed', async () => {
  const scene = story();
  const journal = await Journal.open(store, lease, options);
  for (const input of told(scene)) await journal.commit([input]);
  expect((await Journal.open(store, lease, options)).strayed).toBe(0);
  await store.query(`update mark set hash = 'that of another version'`);
  expect((await Journal.open(store, lease, options)).strayed).toBe(journal.seq);
  await journal.close();
  await store.query(`delete from mark where hash = 'that of another version'`);
  expect((await Journal.open(store, lease, options)).strayed).toBe(0);
});

test('rows in any order, any of them again: each is written once, and the pages are the same', async () => {
  const scene = new Scene(MOVES);
  scene.host('a');
  scene.vm('a', 'v', { optedIn: false });
  for (let pfn = 1n; pfn <= 8n; pfn++)
    scene.see('a', 'kmsg', 'host.sigbus-sent', { pfn, comm: 'q', pid: 1 }, { vm: 'v' });
  const rows = told(scene).filter(input => input.input === 'row');
  const order = fc.shuffledSubarray([...rows, ...rows, ...rows], { minLength: rows.length * 3 });
  for (const list of fc.sample(order, 5)) {
    await store.query('delete from input');
    await store.query('delete from spool');
    for (const table of ['mark', 'snapshot', 'decision', 'act', 'outbox']) await store.query(`delete from ${table}`);
    const journal = await Journal.open(store, lease, options);
    for (let at = 0; at < list.length; at += 4) await journal.commit(list.slice(at, at + 4));
    expect(await count('input')).toBe(rows.length);
    expect(await journal.upto('a', 'a-1')).toBe(rows.length);
    expect([...(journal.state.hosts.get('a')?.pages.keys() ?? [])].toSorted()).toEqual(
      [...(scene.state.hosts.get('a')?.pages.keys() ?? [])].toSorted(),
    );
  }
});

test('up to a hole is acknowledged, and no further', async () => {
  const scene = story();
  const rows = told(scene).filter(input => input.input === 'row' && input.row.host === 'a');
  const journal = await Journal.open(store, lease, options);
  await journal.commit([...rows.slice(0, 2), ...rows.slice(3, 5)]);
  expect(await journal.upto('a', 'a-1')).toBe(2);
  // Also for a controller that has just begun.
  const again = await Journal.open(store, lease, options);
  expect(await again.upto('a', 'a-1')).toBe(2);
  await again.commit(rows.slice(2, 3));
  expect(await again.upto('a', 'a-1')).toBe(5);
  expect(await again.upto('a', 'another')).toBe(0);
});

test('a write that fails at any moment leaves nothing behind, and can be done again', async () => {
  const scene = story();
  const full = new StoreError('E_STORE_FULL', 'full');
  let left = Number.POSITIVE_INFINITY;
  /** Fails after so many statements, or at the end of the transaction. */
  const weak: Store = {
    ...store,
    query: store.query,
    dialect: store.dialect,
    close: async () => {},
    transaction: f =>
      store.transaction(async query => {
        const result = await f(async (sql, values) => {
          if (left-- <= 0) throw full;
          return query(sql, values);
        });
        if (left-- <= 0) throw full;
        return result;
      }),
  };
  const journal = await Journal.open(weak, lease, { ...options, snapshotEvery: 5 });
  let failures = 0;
  for (const [i, input] of told(scene).entries()) {
    left = i % 9;
    for (;;) {
      try {
        await journal.commit([input]);
        break;
      } catch (error) {
        expect(error).toBe(full);
        failures++;
        left = Number.POSITIVE_INFINITY;
        await journal.reload();
      }
    }
    left = Number.POSITIVE_INFINITY;
  }
  expect(failures).toBeGreaterThan(10);
  await journal.close();
  expect(journal.state.decisions).toEqual(scene.state.decisions);
  expect(await count('decision')).toBe(scene.state.decisions.count);
  expect(await replay(store.query)).not.toHaveProperty('differs');
});

/** A store that loses its connection in a commit: before the server has it, or after. */
function losing(when: () => 'before' | 'after' | undefined): Store {
  const gone = new StoreError('E_STORE_UNKNOWN', 'gone');
  return {
    ...store,
    query: store.query,
    dialect: store.dialect,
    close: async () => {},
    transaction: async (f, options) => {
      const how = options?.once === true ? when() : undefined;
      const result = await store.transaction(async query => {
        const done = await f(query);
        if (how === 'before') throw gone;
        return done;
      }, options);
      if (how === 'after') throw gone;
      return result;
    },
  };
}

test('a commit of which nobody knows whether it was done is looked for, and done once', async () => {
  const scene = story();
  let how: 'before' | 'after' | undefined;
  const journal = await Journal.open(
    losing(() => how),
    lease,
    { ...options, snapshotEvery: 5 },
  );
  const found: string[] = [];
  for (const [i, input] of told(scene).entries()) {
    const wanted = i % 3 === 0 ? 'before' : 'after';
    how = wanted;
    try {
      await journal.commit([input]);
      continue;
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_STORE_UNKNOWN' });
    }
    how = undefined;
    const written = await journal.recover();
    found.push(`${wanted} ${written !== undefined}`);
    if (written === undefined) await journal.commit([input]);
    else if (input.input !== 'tick') expect([...written.effects.keys()]).toEqual([input]);
  }
  how = undefined;
  await journal.close();
  expect(new Set(found)).toEqual(new Set(['before false', 'after true']));
  expect(journal.state.decisions).toEqual(scene.state.decisions);
  expect(await count(`input where kind = 'row'`)).toBe(told(scene).filter(i => i.input === 'row').length);
  expect(await replay(store.query)).not.toHaveProperty('differs');
});

test('whoever has lost the lease meanwhile does not look for its commit', async () => {
  const journal = await Journal.open(
    losing(() => 'after'),
    lease,
    options,
  );
  await expect(journal.commit(told(story()))).rejects.toMatchObject({ code: 'E_STORE_UNKNOWN' });
  await store.query('update lease set expires = 0');
  await takeLease(store, 'controller', 'another', 600_000);
  await expect(journal.recover()).rejects.toMatchObject({ code: 'E_STORE_LEASE' });
});

test('ticks that want nothing are written together', async () => {
  const journal = await Journal.open(store, lease, options);
  await journal.commit([{ input: 'policy', at: 1, by: 'x', policy: MOVES }]);
  for (let i = 1; i <= 130; i++) await journal.commit([{ input: 'tick', at: i * 1000 }]);
  expect(await count('input')).toBe(3);
  await journal.commit([{ input: 'order', at: 131_000, by: 'x', order: { order: 'pause' } }]);
  expect(await count('input')).toBe(5);
  const state = newState();
  step(state, { input: 'policy', at: 1, by: 'x', policy: MOVES });
  for (let i = 1; i <= 130; i++) step(state, { input: 'tick', at: i * 1000 });
  step(state, { input: 'order', at: 131_000, by: 'x', order: { order: 'pause' } });
  expect(await replay(store.query)).toMatchObject({ inputs: 132, decisions: 2, hash: state.decisions.hash });
});

test('nothing is written under a lease that was lost', async () => {
  const journal = await Journal.open(store, lease, options);
  await store.query('update lease set epoch = epoch + 1');
  const commit = journal.commit([{ input: 'order', at: 1, by: 'x', order: { order: 'pause' } }]);
  await expect(commit).rejects.toMatchObject({ code: 'E_STORE_LEASE' });
  expect(await count('input')).toBe(0);
});

test('what cannot be read is said, and nothing is decided on it', async () => {
  await store.query(`insert into input(seq, at, kind, body) values (1, 1, 'row', '{')`);
  await expect(Journal.open(store, lease, options)).rejects.toMatchObject({ code: 'E_CONTROLLER_STATE' });
  await store.query(`insert into snapshot(seq, at, body) values (1, 1, '{"schema":9}')`);
  await expect(Journal.open(store, lease, options)).rejects.toMatchObject({ code: 'E_CONTROLLER_STATE' });
});

test('an input on which the core fails is passed over, now and in a replay', async () => {
  const journal = await Journal.open(store, lease, options);
  const broken = { input: 'policy', at: 1, by: 'x', policy: null } as unknown as Input;
  expect([...(await journal.commit([broken])).effects.values()]).toEqual([[]]);
  await journal.commit([{ input: 'order', at: 2, by: 'x', order: { order: 'pause' } }]);
  expect(log).toEqual([expect.stringContaining('the core failed on an input (policy)')]);
  expect(await replay(store.query)).toMatchObject({ inputs: 2, decisions: 1 });
});

test('a state that is ahead of the store is not kept', async () => {
  const journal = await Journal.open(store, lease, { ...options, targetsOf: () => expect.fail('a defect') });
  const scene = story();
  await expect(journal.commit(told(scene))).rejects.toThrow('a defect');
  await journal.close();
  expect([await count('input'), await count('snapshot')]).toEqual([0, 0]);
  expect((await Journal.open(store, lease, options)).state.decisions.count).toBe(0);
});
