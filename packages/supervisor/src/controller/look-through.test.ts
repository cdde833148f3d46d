import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeLease } from '@syndrome/base/store/lease.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import type { Store } from '@syndrome/base/store/store.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LEASE } from './lease-name.ts';
import { Journal } from './journal.ts';
import { lookThrough } from './look-through.ts';
import { SCHEMA } from './schema.ts';
import { newStore } from './testing/store.ts';
import { story } from './testing/story.ts';

let dir = '';
let store: Store;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'look-'));
  store = await newStore(dir);
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

async function filled(): Promise<number> {
  await migrate(store, SCHEMA);
  const lease = (await takeLease(store, LEASE, 'test', 600_000)) ?? expect.fail('no lease');
  const journal = await Journal.open(store, lease, { ttlMs: 600_000, targetsOf: () => ['t'], log: () => {} });
  for (const { input } of story().log) await journal.commit([input]);
  await journal.close();
  return journal.state.decisions.count;
}

test('an empty store is well, and nothing is made in it', async () => {
  expect(await lookThrough(store)).toMatchObject({ schema: { done: 0, known: SCHEMA.length }, tables: {}, faults: [] });
  expect(await store.query(store.dialect.hasTable, ['migration'])).toEqual([]);
});

test('a ledger says what is in it', async () => {
  const decisions = await filled();
  const report = await lookThrough(store);
  expect(report).toMatchObject({
    engine: store.dialect.engine,
    schema: { done: SCHEMA.length },
    lease: { owner: 'test', epoch: 1, live: true },
    decided: { decisions },
    openActs: 0,
    faults: [],
  });
  expect(report.tables['decision']).toBe(decisions);
  expect(report.waiting).toBe(report.tables['outbox']);
  expect(report.inputs?.first).toBeLessThan(report.inputs?.last ?? 0);
  await store.query('update lease set expires = 0');
  expect((await lookThrough(store)).lease?.live).toBe(false);
});

test.each<[string, string]>([
  ['inputs are missing before number 5', 'delete from input where seq = 4'],
  ['decisions are missing before number 3', 'delete from decision where number = 2'],
  ['mark: no such input as 9999', `insert into mark(seq, decisions, hash) values (9999, 1, 'x')`],
  ['act: no such input as 9999', `update act set seq = 9999 where id = (select min(id) from act)`],
  ['outbox: no such input as 9999', `update outbox set seq = 9999 where id = (select min(id) from outbox)`],
  [
    'a spool is acknowledged further than its rows are here: that of host a',
    `update spool set upto = upto + 1 where host = 'a'`,
  ],
  ['a row of a spool that nothing is known of: that of host b', `delete from spool where host = 'b'`],
  ['an act in no known state a/x', `update act set state = 'done', id = 'a/x' where id = (select min(id) from act)`],
  [
    'a notice in no known state n',
    `update outbox set state = 'lost', id = 'n' where id = (select min(id) from outbox)`,
  ],
  ['a text that is no JSON: input 3', `update input set body = 'x' where seq = 3`],
])('%s', async (fault, damage) => {
  await filled();
  await store.query(damage);
  expect((await lookThrough(store)).faults).toContain(fault);
});
