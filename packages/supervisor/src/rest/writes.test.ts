/** What the API orders: who may, once for a key, by two where it takes two, and with an entry in the audit. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { verifyAudit } from '../controller/audit.ts';
import { ask as askSocket } from '../controller/testing/ask.ts';
import { shippedText } from '../policy/shipped.ts';
import { EVERYBODY, type Person, type Said, TestSite } from './testing/site.ts';

let site: TestSite;
let keys = 0;
beforeAll(async () => {
  site = await TestSite.start();
  await site.story();
});
afterAll(() => site.stop());

const key = (): string => `k-${++keys}`;
interface Sent {
  key?: string | undefined;
  headers?: Record<string, string>;
  method?: string;
}
const send = (as: Person, path: string, body: unknown, sent: Sent = {}): Promise<Said> => {
  const named = 'key' in sent ? sent.key : key();
  return site.ask(path, {
    as,
    method: sent.method ?? 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: {
      'content-type': 'application/json',
      ...(named === undefined ? {} : { 'idempotency-key': named }),
      ...sent.headers,
    },
  });
};
const codeOf = ({ status, json }: Said): unknown[] => [status, json['code']];
const last = async (): Promise<Record<string, unknown>> =>
  ((await site.ask('/v1/audit?order=desc&limit=1', { as: 'vera' })).json['items'] as Record<string, unknown>[])[0] ??
  {};
const count = async (table: string): Promise<number> =>
  Number(Object.values((await site.store.query(`select count(*) as n from ${table}`))[0] ?? {})[0]);
const pause = { order: 'pause', reason: 'a look' };
beforeEach(async () => {
  await send('otto', '/v1/orders', { order: 'resume' });
});

describe('who may order what', () => {
  const ROUTES: readonly (readonly [path: string, method: string, body: unknown, roles: readonly Person[]])[] = [
    ['/v1/orders', 'POST', pause, ['otto', 'finn']],
    ['/v1/policy', 'PUT', { policy: '' }, ['paula']],
    ['/v1/attestations', 'POST', { vm: 'x', host: 'y', epoch: 1, statement: 'seen' }, ['fay', 'finn']],
    ['/v1/attestations/x/confirmation', 'POST', { statement: 'seen' }, ['fay', 'finn']],
  ];
  test.each(ROUTES)('%s %s', async (path, method, body, may) => {
    for (const who of EVERYBODY) {
      const answer = await send(who, path, body, { method });
      if (may.includes(who)) expect(answer.status, who).not.toBe(403);
      else expect(codeOf(answer), who).toEqual([403, 'E_API_ROLE']);
    }
  });
  test('who may not stands in the audit, and nothing is done', async () => {
    const before = await count("input where kind = 'order'");
    expect((await send('fay', '/v1/orders', pause)).status).toBe(403);
    const denied = (await site.ask('/v1/audit?limit=1000', { as: 'vera' })).json['items'] as Record<string, unknown>[];
    expect(denied).toContainEqual(
      expect.objectContaining({ actor: 'fay', action: 'order', outcome: 'denied' }) as unknown,
    );
    expect(await count("input where kind = 'order'")).toBe(before);
  });
});

describe('an order', () => {
  test('is decided, and stands in the audit with the name of the token', async () => {
    const answer = await send('otto', '/v1/orders', pause);
    expect(answer.json).toMatchObject({ dryRun: false, decisions: [{ rule: 'order/pause', inputs: { by: 'otto' } }] });
    expect((await site.ask('/v1/status', { as: 'vera' })).json['paused']).toMatchObject({
      by: 'otto',
      reason: 'a look',
    });
    expect(await last()).toMatchObject({ actor: 'otto', via: 'api', action: 'pause', outcome: 'done' });
  });
  test('that is only tried changes nothing, and needs no key', async () => {
    const before = [await count("input where kind = 'order'"), await count('audit')];
    const answer = await send('otto', '/v1/orders?dryRun=true', pause, { key: undefined });
    expect(answer.json).toMatchObject({ dryRun: true, decisions: [{ rule: 'order/pause' }] });
    expect([await count("input where kind = 'order'"), await count('audit')]).toEqual(before);
  });
  test('that the core refuses is a problem, with its words', async () => {
    const answer = await send('otto', '/v1/orders', { order: 'drain', host: 'nowhere' });
    expect(codeOf(answer)).toEqual([409, 'E_API_REFUSED']);
    expect(answer.json['detail']).toContain('no host nowhere is known');
    expect(await last()).toMatchObject({ action: 'drain', outcome: 'refused' });
  });
  test('of the command line stands in the audit, too', async () => {
    await askSocket(site.admin, { ask: 'order', by: 'root', order: { order: 'resume' } });
    expect(await last()).toMatchObject({ actor: 'root (as stated)', via: 'socket', action: 'resume', outcome: 'done' });
  });
  test.each([
    ['without a key', pause, { key: undefined }, 400, 'E_API_KEY'],
    ['with a key of other characters', pause, { key: 'a b' }, 400, 'E_API_KEY'],
    ['that is no JSON', '{', {}, 400, 'E_API_BODY'],
    ['that nobody knows', { order: 'burn' }, {}, 400, 'E_API_BODY'],
    ['with more in it than is known', { ...pause, force: true }, {}, 400, 'E_API_BODY'],
    ['that takes two', { order: 'attest', vm: 'web', host: 'a', epoch: 0, statement: 'x' }, {}, 400, 'E_API_BODY'],
    ['of another type', pause, { headers: { 'content-type': 'text/plain' } }, 415, 'E_API_BODY'],
    // It is not read: by what it says of itself alone.
    ['that is too long', pause, { headers: { 'content-length': `${2 ** 20 + 1}` } }, 413, 'E_HTTP_BODY'],
    ['by a page of another origin', pause, { headers: { origin: 'http://evil.example' } }, 403, 'E_HTTP_ORIGIN'],
    ['by another method', pause, { method: 'PUT' }, 405, 'E_HTTP_METHOD'],
    ['by a method of nowhere', pause, { method: 'PATCH' }, 405, 'E_HTTP_METHOD'],
  ])('%s is none', async (_, body, sent, status, code) => {
    const before = await count("input where kind = 'order'");
    expect(codeOf(await send('otto', '/v1/orders', body, sent))).toEqual([status, code]);
    expect(await count("input where kind = 'order'")).toBe(before);
  });
});

describe('a key', () => {
  test('is good for one order, however often it is sent, also at once', async () => {
    const before = await count("input where kind = 'order'");
    const under = key();
    const many = await Promise.all(Array.from({ length: 8 }, () => send('otto', '/v1/orders', pause, { key: under })));
    expect(await count("input where kind = 'order'")).toBe(before + 1);
    expect(new Set(many.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect(many.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(7);
  });
  test('keeps its answer while another controller takes over; a refusal, too', async () => {
    const [good, bad] = [key(), key()];
    const orders = (): Promise<Said[]> =>
      Promise.all([
        send('otto', '/v1/orders', pause, { key: good }),
        send('otto', '/v1/orders', { order: 'drain', host: 'nowhere' }, { key: bad }),
      ]);
    const first = await orders();
    const before = await count("input where kind = 'order'");
    await site.rest();
    await site.work();
    const again = await orders();
    expect(again.map(({ status, body, headers }) => [status, body, headers['content-type']])).toEqual(
      first.map(({ status, body, headers }) => [status, body, headers['content-type']]),
    );
    expect(await count("input where kind = 'order'")).toBe(before);
  });
  test('is no key for another request', async () => {
    const under = key();
    await send('otto', '/v1/orders', pause, { key: under });
    const other = await send('otto', '/v1/orders', { order: 'resume' }, { key: under });
    expect(codeOf(other)).toEqual([422, 'E_API_KEY']);
  });
  test('is that of one person', async () => {
    const under = key();
    await send('otto', '/v1/orders', pause, { key: under });
    expect((await send('finn', '/v1/orders', { order: 'resume' }, { key: under })).status).toBe(200);
  });
});

describe('the policy', () => {
  const policy = { policy: shippedText('notify') };
  const tag = async (): Promise<string> => (await site.ask('/v1/policy', { as: 'vera' })).headers.etag ?? '';
  const set = (body: unknown, headers: Record<string, string>): Promise<Said> =>
    send('paula', '/v1/policy', body, { method: 'PUT', headers });
  test('is set by whoever has seen the one that is replaced', async () => {
    const seen = await tag();
    expect(codeOf(await set(policy, {}))).toEqual([428, 'E_API_CHANGED']);
    expect(codeOf(await set(policy, { 'if-match': '"another"' }))).toEqual([412, 'E_API_CHANGED']);
    expect((await set(policy, { 'if-match': seen })).status).toBe(200);
    expect((await site.ask('/v1/policy', { as: 'vera' })).json).toMatchObject({
      by: 'paula',
      id: expect.stringMatching(/^notify@/) as string,
    });
    expect(codeOf(await set(policy, { 'if-match': seen }))).toEqual([412, 'E_API_CHANGED']);
    expect(await last()).toMatchObject({ actor: 'paula', action: 'policy', outcome: 'done' });
  });
  test('is checked as a file is', async () => {
    const answer = await set({ policy: 'schema: 1\nmode: nuke' }, { 'if-match': await tag() });
    expect(codeOf(answer)).toEqual([422, 'E_POLICY']);
    expect(answer.json['detail']).toContain('2:');
  });
});

describe('an attestation', () => {
  /** A VM whose host is silent, so that only people can say that it has stopped. */
  let vms = 0;
  async function silent(): Promise<{ vm: string; host: string; epoch: number }> {
    const [vm, host] = [`lost-${++vms}`, `gone-${vms}`];
    const peer = site.peer(host);
    peer.vm(vm);
    await peer.settled();
    peer.stop();
    await expect
      .poll(async () => (await site.ask(`/v1/hosts/${host}`, { as: 'vera' })).json['connected'], { timeout: 20_000 })
      .toBe(false);
    return { vm, host, epoch: 0 };
  }
  const proofs = async (vm: string): Promise<unknown[]> =>
    ((await site.ask('/v1/proofs?limit=1000', { as: 'vera' })).json['items'] as { vm: string }[]).filter(
      p => p.vm === vm,
    );
  const state = (who: Person, of: object): Promise<Said> =>
    send(who, '/v1/attestations', { ...of, statement: 'the cable is out' });
  const confirm = (who: Person, id: unknown): Promise<Said> =>
    send(who, `/v1/attestations/${String(id)}/confirmation`, { statement: 'so it is' });

  test('takes two: one alone proves nothing', async () => {
    const of = await silent();
    const stated = await state('fay', of);
    expect([stated.status, stated.json]).toMatchObject([201, { ...of, state: 'waiting', by: 'fay' }]);
    expect(stated.headers.location).toBe(`/v1/attestations/${String(stated.json['id'])}`);
    expect(await last()).toMatchObject({ actor: 'fay', action: 'attest', outcome: 'stated' });
    expect(codeOf(await confirm('fay', stated.json['id']))).toEqual([409, 'E_CONTROLLER_REFUSED']);
    expect(await proofs(of.vm)).toEqual([]);
    const confirmed = await confirm('finn', stated.json['id']);
    expect([confirmed.status, confirmed.json]).toMatchObject([200, { state: 'confirmed', confirmedBy: 'finn' }]);
    expect(await proofs(of.vm)).toMatchObject([
      {
        ...of,
        kind: 'attested',
        evidence: { by: 'fay and finn', statement: 'fay: the cable is out / finn: so it is' },
      },
    ]);
    expect(await last()).toMatchObject({ actor: 'finn', action: 'attest', outcome: 'done' });
  });
  test('is confirmed once, also by many at once, and survives a change of controllers', async () => {
    const of = await silent();
    const { json } = await state('finn', of);
    await site.rest();
    await site.work();
    const before = await count("input where kind = 'order'");
    const many = await Promise.all([1, 2, 3].map(() => confirm('fay', json['id'])));
    expect(many.map(m => m.status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
    expect(await count("input where kind = 'order'")).toBe(before + 1);
  });
  test('does not wait for ever', async () => {
    const of = await silent();
    const { json } = await state('fay', of);
    await site.store.query('update attestation set until = 1 where id = $1', [String(json['id'])]);
    expect(codeOf(await confirm('finn', json['id']))).toEqual([409, 'E_CONTROLLER_REFUSED']);
    expect(await proofs(of.vm)).toEqual([]);
    expect((await site.ask(`/v1/attestations/${String(json['id'])}`, { as: 'vera' })).json['state']).toBe('over');
  });
  test('of what the core would refuse waits for nobody', async () => {
    for (const of of [
      { vm: 'none', host: 'a', epoch: 0 },
      { vm: 'web', host: 'b', epoch: 1 },
    ])
      expect(codeOf(await state('fay', of))).toEqual([409, 'E_CONTROLLER_REFUSED']);
  });
  test('of no name is none', async () => {
    expect((await confirm('fay', 'att-none')).status).toBe(404);
  });
});

test('after all of it the audit is whole', async () => {
  const { entries, faults } = await verifyAudit(site.store.query);
  expect(entries).toBeGreaterThan(20);
  expect(faults).toEqual([]);
});
