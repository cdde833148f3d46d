/** The fleet at one glance: now, and as it was known at an input. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Past } from '../controller/state-at.ts';
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

test('a state is made once, from the one before it; what another version has written is a problem in words', async () => {
  const asked: string[] = [];
  const query: typeof site.store.query = (text, values) => {
    asked.push(text);
    return site.store.query(text, values);
  };
  const past = new Past(query, ({ decisions }) => decisions.count);
  const inputs = (): number => asked.filter(text => text.includes('from input')).length;
  const [first, again] = await Promise.all([past.at(3), past.at(3)]);
  expect([first, inputs()]).toEqual([again, 1]);
  const later = await past.at(now.inputs);
  expect(later).toBe((await client.getFleet({ input: now.inputs })).body.decisions);
  // To and fro costs nothing; an earlier one that nobody has asked for begins anew.
  asked.length = 0;
  expect([await past.at(3), await past.at(now.inputs), asked]).toEqual([first, later, []]);
  expect(await past.at(2)).toBe((await client.getFleet({ input: 2 })).body.decisions);

  const many = Array.from({ length: 12 }, (_, i) => past.at(5 + i));
  const codes = (await Promise.allSettled(many)).map(one =>
    one.status === 'rejected' ? (one.reason as { code: string }).code : 'ok',
  );
  expect(codes).toEqual([...Array(8).fill('ok'), ...Array(4).fill('E_CONTROLLER_BUSY')]);

  // One that nobody has asked for yet.
  const marked = new Set((await site.store.query('select seq from mark')).map(row => Number(row['seq'])));
  const seq = Array.from({ length: now.inputs }, (_, i) => now.inputs - i).find(n => !marked.has(n)) ?? 0;
  await site.store.query('insert into snapshot(seq, at, body) values ($1, 0, $2)', [seq, '{"schema":99}']);
  try {
    await expect(client.getFleet({ input: seq })).rejects.toMatchObject({
      status: 422,
      code: 'E_CONTROLLER_STATE',
      message: expect.stringContaining('schema 99'),
    });
  } finally {
    await site.store.query('delete from snapshot where seq = $1', [seq]);
  }
});
