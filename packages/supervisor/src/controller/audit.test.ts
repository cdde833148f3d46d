/** The audit of a ledger: every order has its entry, and whoever changes either is found out. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { takeLease } from '@syndrome/base/store/lease.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Order } from '../core/input.ts';
import { auditPage, beginning, verifyAudit } from './audit.ts';
import { MACHINE, SteadyTime } from './clock.ts';
import { Committer } from './committer.ts';
import { Journal } from './journal.ts';
import { LEASE } from './lease-name.ts';
import { lookThrough } from './look-through.ts';
import { SCHEMA } from './schema.ts';
import { newStore } from './testing/store.ts';
import { story } from './testing/story.ts';

let dir = '';
let store: Awaited<ReturnType<typeof newStore>>;
let journal: Journal;
let committer: Committer;
let failed: unknown[] = [];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'audit-'));
  failed = [];
  store = await newStore(dir);
  await migrate(store, SCHEMA);
  const lease = (await takeLease(store, LEASE, 'test', 600_000)) ?? expect.fail('no lease');
  journal = await Journal.open(store, lease, { ttlMs: 600_000, targetsOf: () => ['t'], log: () => {} });
  const fatal = (error: unknown): void => void failed.push(error);
  committer = new Committer(
    journal,
    new SteadyTime(MACHINE, 0),
    () => {},
    fatal,
    () => {},
  );
  await committer.put([], beginning(journal.seq));
});
afterEach(async () => {
  await committer.close();
  if (failed.length > 0) throw failed[0];
  await store.close();
  rmSync(dir, { recursive: true });
});

const order = (given: Order, by = 'ann'): Promise<unknown> =>
  committer.put([{ input: 'order', by, order: given }], { actor: by, via: 'socket' });
const entries = async (): Promise<unknown[]> =>
  (await auditPage(store.query, { newestFirst: false, limit: 1000 })).map(e => [e.actor, e.via, e.action, e.outcome]);
const faults = async (expected?: ReadonlyMap<number, string>): Promise<string[]> =>
  (await verifyAudit(store.query, expected)).faults;

test('who has ordered what, by which way, and what came of it', async () => {
  await order({ order: 'pause', reason: 'a look' });
  await order({ order: 'drain', host: 'nowhere' }, 'bob');
  await committer.put([], {
    actor: 'eve',
    via: 'api',
    note: { action: 'setPolicy', outcome: 'denied', about: {} },
  });
  expect(await entries()).toEqual([
    ['controller', 'controller', 'begin', 'done'],
    ['ann', 'socket', 'pause', 'done'],
    ['bob', 'socket', 'drain', 'refused'],
    ['eve', 'api', 'setPolicy', 'denied'],
  ]);
  expect(await faults()).toEqual([]);
});

test('whoever gives the core an order or a policy has an entry, also who says nothing of himself', async () => {
  for (const { input } of story().log) await journal.commit([input]);
  expect((await entries()).slice(1)).toEqual([
    ['test', 'controller', 'policy', 'done'],
    ['ann', 'controller', 'drain', 'done'],
  ]);
  expect(await faults()).toEqual([]);
  expect((await lookThrough(store)).faults).toEqual([]);
});

test('orders of before the audit need no entry', async () => {
  await store.query('delete from audit');
  await store.query(
    `insert into input(seq, at, kind, body) values (1, 1, 'order', '{"by":"old","order":{"order":"resume"}}')`,
  );
  await journal.reload();
  await committer.put([], beginning(journal.seq));
  await order({ order: 'resume' });
  expect(await faults()).toEqual([]);
});

test('a commit that has to be tried again leaves one order and one entry', async () => {
  let tries = 0;
  await committer.put([{ input: 'order', by: 'ann', order: { order: 'resume' } }], {
    actor: 'ann',
    via: 'api',
    write: async () => {
      if (++tries === 1) throw new StoreError('E_STORE_BUSY', 'another transaction was in the way');
    },
  });
  expect(tries).toBe(2);
  expect(await store.query(`select count(*) as n from input where kind = 'order'`)).toMatchObject([{ n: 1n }]);
  expect((await entries()).slice(1)).toEqual([['ann', 'api', 'resume', 'done']]);
  expect(await faults()).toEqual([]);
});

describe('what is changed afterwards is found:', () => {
  const TAMPERED: readonly (readonly [what: string, sql: string, fault: RegExp])[] = [
    ['who', `update audit set actor = 'bob' where number = 3`, /entry 3 is not as it was written/],
    ['what', `update audit set action = 'resume' where number = 3`, /entry 3 is not/],
    ['when', 'update audit set at = at + 1 where number = 3', /entry 3 is not/],
    ['by which way', `update audit set via = 'api' where number = 3`, /entry 3 is not/],
    ['what came of it', `update audit set outcome = 'done' where number = 3`, /entry 3 is not/],
    ['what was said', `update audit set body = '{}' where number = 3`, /entry 3 is not/],
    ['of which input', 'update audit set seq = seq + 1 where number = 3', /entry 3 is not/],
    ['a hash', `update audit set hash = 'x' where number = 3`, /entry 3 is not/],
    ['one that is taken out', 'delete from audit where number = 3', /entries are missing before number 4/],
    ['the first', 'delete from audit where number = 1', /entries are missing before number 2/],
    [
      'an order in the ledger',
      `update input set body = replace(body, 'h2', 'h9') where seq = 2`,
      /input 2 is not what entry 3 says/,
    ],
    ['an order that is taken out', 'delete from input where seq = 2', /entry 3 is of an input that is not there/],
    [
      'an order that is put in',
      `insert into input(seq, at, kind, body) values (9, 1, 'order', '{"by":"x","order":{"order":"resume"}}')`,
      /input 9 is an order without an entry/,
    ],
  ];
  beforeEach(async () => {
    for (const host of ['h1', 'h2', 'h3', 'h4']) await order({ order: 'repaired', host });
  });
  test.each(TAMPERED)('%s', async (_, sql, fault) => {
    expect(await faults()).toEqual([]);
    await store.query(sql);
    expect((await faults()).join('\n')).toMatch(fault);
    expect((await lookThrough(store)).faults.join('\n')).toMatch(fault);
  });
  test('an end that is cut off, by whoever has noted it', async () => {
    const { entries: last, hash } = await verifyAudit(store.query);
    expect(await faults(new Map([[last, hash]]))).toEqual([]);
    await store.query('delete from audit where number = $1', [last]);
    await store.query('delete from input where seq = (select max(seq) from input)');
    expect(await faults()).toEqual([]);
    expect(await faults(new Map([[last, hash]]))).toEqual([`entry ${last} is not there; it had the hash ${hash}`]);
  });
  test('a chain that is made anew from one entry on, by whoever has noted one behind it', async () => {
    const { entries: last, hash } = await verifyAudit(store.query);
    await store.query('delete from audit where number >= 3');
    for (const host of ['h9', 'h3', 'h4'])
      await committer.put([], {
        actor: 'ann',
        via: 'socket',
        note: { action: 'repaired', outcome: 'done', about: { host } },
      });
    expect((await faults(new Map([[last, hash]]))).join('\n')).toContain(`entry ${last} had the hash ${hash}`);
  });
});
