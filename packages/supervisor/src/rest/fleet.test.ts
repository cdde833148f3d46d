/** The fleet at one glance: now, and as it was known at an input. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fleet } from '../client/types.ts';
import { SyndromeClient } from './client.ts';
import { TestSite } from './testing/site.ts';

let site: TestSite;
let client: SyndromeClient;
let now: Fleet;
beforeAll(async () => {
  site = await TestSite.start();
  await site.story();
  await site.unproven();
  client = new SyndromeClient({ at: site.socket, token: site.tokens.vera });
  now = (await client.getFleet()).body;
});
afterAll(() => site.stop());

test('hosts, what is wrong, and which copy nobody can prove to have stopped', () => {
  expect(now.hosts.map(({ id, pages }) => [id, pages])).toEqual([
    ['a', 3],
    ['b', 0],
    ['c', 3],
  ]);
  const db = now.troubled.find(({ id }) => id === 'db');
  expect(db).toMatchObject({ step: 'unproven', rung: 'restart-elsewhere', unproven: [{ host: 'c', epoch: 0 }] });
  // One that was restarted elsewhere has a proof, and its home is nothing that anybody has to prove.
  expect(now.troubled.flatMap(vm => (vm.id === 'db' ? [] : vm.unproven))).toEqual([]);
  expect(now.alerts).toContainEqual(expect.objectContaining({ type: 'unproven', about: 'db' }));
  expect(now.poisoned).toBe(6);
  expect(now.openIncidents).toBe(now.incidents.filter(({ state }) => state === 'open').length);
});

test('at each input it is what was known then', async () => {
  const at = async (input: number): Promise<Fleet> => (await client.getFleet({ input })).body;
  expect(await at(0)).toMatchObject({ input: 0, hosts: [], incidents: [], decisions: 0 });
  const decided = new Map<number, number>();
  const marks = await site.store.query('select seq, decisions from mark order by seq');
  for (const row of marks) decided.set(Number(row['seq']), Number(row['decisions']));
  expect(decided.size).toBeGreaterThan(4);
  let pages = 0;
  for (const [seq, decisions] of decided) {
    const then = await at(seq);
    expect([then.input, then.decisions]).toEqual([seq, decisions]);
    expect(then.poisoned).toBeGreaterThanOrEqual(pages);
    pages = then.poisoned;
  }
  const last = await at(now.input);
  expect({ ...last, now: 0, inputs: 0 }).toEqual({ ...now, now: 0, inputs: 0 });
});

test('what the ledger has not, nobody is shown', async () => {
  await expect(client.getFleet({ input: now.inputs + 1_000_000 })).rejects.toMatchObject({ status: 404 });
});
