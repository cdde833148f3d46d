/** The client that is made of the document, against the API of a controller. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiProblem, type Decision, SyndromeClient } from './client.ts';
import { type Person, TestSite } from './testing/site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await TestSite.start();
  await site.story();
});
afterAll(() => site.stop());
const as = (who: Person): SyndromeClient => new SyndromeClient({ at: site.socket, token: site.tokens[who] });
const problem = async (asked: Promise<unknown>): Promise<unknown[]> => {
  const error = await asked.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ApiProblem);
  const { status, code } = error as ApiProblem;
  return [status, code];
};

test('reads, page by page', async () => {
  const client = as('vera');
  const first = await client.listPages({ limit: 2 });
  expect(first.body.items).toMatchObject([{ host: 'a', vms: ['web'] }, { host: 'a' }]);
  const rest = await client.listPages({ limit: 2, after: first.body.next ?? '' });
  expect([rest.body.items.length, rest.body.next]).toEqual([1, undefined]);
  expect((await client.getVm('web')).body.home).toBe('b');
});
test('orders, once for a key', async () => {
  const client = as('otto');
  const tried = await client.order({ order: 'pause' }, { dryRun: true });
  expect(tried.body).toMatchObject({ dryRun: true, decisions: [{ rule: 'order/pause' }] });
  const done = await client.order({ order: 'resume' }, {}, { key: 'one' });
  const again = await client.order({ order: 'resume' }, {}, { key: 'one' });
  expect([done.replayed, again.replayed, again.body]).toEqual([false, true, done.body]);
  await client.order({ order: 'resume' });
});
test('replaces the policy that it has seen', async () => {
  const client = as('paula');
  const { etag = '' } = await client.getPolicy();
  const policy =
    'schema: 1\nname: mine\nversion: "1"\nmode: observe\nrules:\n  - { name: all, of: vm, when: { errors: 1 }, do: tell }\n';
  await client.setPolicy({ policy }, {}, { ifMatch: etag });
  expect(await problem(client.setPolicy({ policy }, {}, { ifMatch: etag }))).toEqual([412, 'E_API_CHANGED']);
});
test('throws what is a problem, with its code', async () => {
  expect(await problem(as('vera').getHost('a/b?c'))).toEqual([404, 'E_API_NONE']);
  expect(await problem(as('vera').order({ order: 'pause' }))).toEqual([403, 'E_API_ROLE']);
  expect(await problem(as('otto').order({ order: 'drain', host: 'none' }))).toEqual([409, 'E_API_REFUSED']);
  const nobody = new SyndromeClient({ at: site.socket, token: 'syn_x' });
  expect(await problem(nobody.followDecisions().next())).toEqual([401, 'E_API_TOKEN']);
});
test('follows decisions, and leaves', async () => {
  const all = await as('vera').listDecisions({ limit: 1000 });
  const seen: Decision[] = [];
  for await (const { event, data } of as('vera').followDecisions({ after: 0 })) {
    if (event !== 'decision') continue;
    seen.push(data as Decision);
    if (seen.length === all.body.items.length) break;
  }
  expect(seen).toEqual(all.body.items);
});
test('leaves by its signal', async () => {
  const leaving = new AbortController();
  const events = as('vera').followDecisions({}, { signal: leaving.signal });
  const next = events.next();
  leaving.abort();
  await expect(next).rejects.toThrow(/abort/i);
});
