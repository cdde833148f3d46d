import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeLease } from '@syndrome/base/store/lease.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import { expect, test } from 'vitest';
import { MACHINE, SteadyTime } from './clock.ts';
import { Committer } from './committer.ts';
import { Journal } from './journal.ts';
import { LEASE } from './lease-name.ts';
import { SCHEMA } from './schema.ts';
import { newStore } from './testing/store.ts';

test('what is put right behind an answer is committed, with nothing else coming', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'committer-'));
  const store = await newStore(dir);
  await migrate(store, SCHEMA);
  const lease = (await takeLease(store, LEASE, 'test', 600_000)) ?? expect.fail('no lease');
  const journal = await Journal.open(store, lease, { ttlMs: 600_000, targetsOf: () => [], log: () => {} });
  const failed: unknown[] = [];
  const committer = new Committer(
    journal,
    new SteadyTime(MACHINE, 0),
    () => {},
    error => failed.push(error),
    () => {},
  );
  for (let i = 0; i < 20; i++) await committer.put([{ input: 'order', by: 'ann', order: { order: 'resume' } }]);
  expect(await store.query('select count(*) as n from input')).toMatchObject([{ n: 20n }]);
  expect(failed).toEqual([]);
  await committer.close();
  await store.close();
  rmSync(dir, { recursive: true });
});
