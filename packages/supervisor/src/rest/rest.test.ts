/** The API of a controller: what it shows, whom it answers, and that it says what its document says. */
import fc from 'fast-check';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyAudit } from '../controller/audit.ts';
import { bodyFor } from './testing/bodies.ts';
import { OPERATIONS, undeclared } from './testing/declared.ts';
import { EVERYBODY, type Person, type Said, TestSite } from './testing/site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await TestSite.start();
  await site.story();
});
afterAll(() => site.stop());

type Items = { id: string; [name: string]: unknown }[];
const items = ({ json }: Said): Items => json['items'] as Items;
const codeOf = ({ json }: Said): unknown => json['code'];

describe('who may ask', () => {
  test.each(['/livez', '/readyz', '/openapi.json'])('anybody who can connect: %s', async path => {
    expect((await site.ask(path)).status).toBe(200);
  });
  test.each([
    ['none', {}],
    ['of nobody', { authorization: 'Bearer syn_0000' }],
    ['of another kind', { authorization: 'Basic dmVyYTp4' }],
    ['that is long', { authorization: `Bearer ${'x'.repeat(5000)}` }],
  ])('a token is needed, not one %s', async (_, headers) => {
    const answer = await site.ask('/v1/hosts', { headers });
    expect([answer.status, codeOf(answer)]).toEqual([401, 'E_API_TOKEN']);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="syndrome"/);
  });
  test('there is no page where none was given', async () => {
    expect((await site.ask('/')).status).toBe(404);
  });
  test('every token reads', async () => {
    for (const as of EVERYBODY) expect((await site.ask('/v1/hosts', { as })).status, as).toBe(200);
  });
  test('a token says whose it is', async () => {
    expect((await site.ask('/v1/me', { as: 'finn' })).json).toEqual({ name: 'finn', roles: ['fencer', 'operator'] });
  });
  test('no page of another origin, and no other host, whatever the token', async () => {
    const evil = await site.ask('/v1/hosts', { as: 'vera', headers: { origin: 'http://evil.example' } });
    expect([evil.status, codeOf(evil)]).toEqual([403, 'E_HTTP_ORIGIN']);
    const host = await site.ask('/v1/hosts', { as: 'vera', headers: { host: 'evil.example' } });
    expect([host.status, codeOf(host)]).toEqual([421, 'E_HTTP_HOST']);
  });
  test('no token comes into the log, or into an answer', async () => {
    await site.ask('/v1/hosts', { headers: { authorization: 'Bearer syn_secret-of-somebody' } });
    await site.ask('/v1/hosts/none', { as: 'vera' });
    const said = site.log.join('\n');
    for (const secret of [...Object.values(site.tokens), 'syn_secret-of-somebody']) expect(said).not.toContain(secret);
  });
});

describe('what is shown', () => {
  const get = (path: string): Promise<Said> => site.ask(path, { as: 'vera' });
  test('hosts, VMs, pages, incidents, acts, proofs of what has happened', async () => {
    expect(items(await get('/v1/hosts')).map(({ id, connected }) => [id, connected])).toEqual([
      ['a', true],
      ['b', true],
    ]);
    expect((await get('/v1/hosts/a')).json).toMatchObject({ id: 'a', pages: 3, connected: true });
    expect((await get('/v1/vms/web')).json).toMatchObject({ id: 'web', home: 'b', epoch: 1 });
    expect(items(await get('/v1/pages')).map(({ host, pfn, vms }) => [host, pfn, vms])).toEqual(
      ['10', '11', '12'].map(n => ['a', `0x00000000000000${n}`, ['web']]),
    );
    const incidents = items(await get('/v1/incidents'));
    expect(incidents.map(i => i['cause'])).toContain('page');
    expect(items(await get('/v1/acts')).map(act => [act['kind'], act['state']])).toContainEqual(['start', 'confirmed']);
    expect(items(await get('/v1/proofs'))).toMatchObject([{ kind: 'process-gone', vm: 'web', host: 'a', epoch: 0 }]);
    const why = (await get(`/v1/incidents/${incidents[0]?.id}`)).json;
    expect(why['incident']).toMatchObject({ id: incidents[0]?.id, host: 'a' });
    expect((why['decisions'] as { rule: string }[]).length).toBeGreaterThan(0);
    expect((await get('/v1/policy')).json).toMatchObject({ id: expect.stringMatching(/^moves@1#/) as string });
    expect((await get('/v1/status')).json).toMatchObject({ hosts: 2, connected: 2, vms: 1 });
  });
  test('the definition of a VM is nobody’s business', async () => {
    for (const path of ['/v1/vms', '/v1/acts', '/v1/decisions'])
      expect((await get(path)).body).not.toContain('<domain');
  });
  test('what is not there is a problem', async () => {
    for (const path of ['/v1/hosts/none', '/v1/vms/none', '/v1/incidents/none', '/v1/incidents/a']) {
      const answer = await get(path);
      expect([answer.status, answer.headers['content-type']], path).toEqual([404, 'application/problem+json']);
    }
  });
  test.each(['/v1/hosts?limt=3', '/v1/hosts?limit=0', '/v1/hosts?limit=1&limit=2', '/v1/decisions?order=up'])(
    'a parameter that is wrong is told: %s',
    async path => {
      const answer = await get(path);
      expect([answer.status, codeOf(answer)]).toEqual([400, 'E_API_PARAMETER']);
    },
  );
  test('who has an answer gets it no second time', async () => {
    const { headers } = await get('/v1/pages');
    const again = await site.ask('/v1/pages', { as: 'vera', headers: { 'if-none-match': `"x", W/${headers.etag}` } });
    expect([again.status, again.body]).toEqual([304, '']);
    const other = await site.ask('/v1/pages?limit=1', { as: 'vera', headers: { 'if-none-match': headers.etag ?? '' } });
    expect(other.status).toBe(200);
  });
});

describe('pages of lists', () => {
  const lists = OPERATIONS.filter(o => o.parameters.some(p => p.name === 'limit'));
  test('there are such lists', () => expect(lists.length).toBeGreaterThan(8));
  test.each(
    lists.flatMap(o =>
      (o.parameters.some(p => p.name === 'order') ? ['asc', 'desc'] : ['']).map(order => [o.path, order] as const),
    ),
  )('%s %s: page by page it is what it is at once', async (path, order) => {
    const more = order === '' ? '' : `&order=${order}`;
    const all = items(await site.ask(`${path}?limit=1000${more}`, { as: 'vera' }));
    const paged: Items = [];
    for (let after = ''; ; ) {
      const { json } = await site.ask(`${path}?limit=1${more}${after}`, { as: 'vera' });
      expect((json['items'] as Items).length).toBeLessThan(2);
      paged.push(...(json['items'] as Items));
      if (json['next'] === undefined) break;
      after = `&after=${encodeURIComponent(json['next'] as string)}`;
    }
    expect(paged).toEqual(all);
  });
  test('newest first is oldest first, turned round', async () => {
    const up = items(await site.ask('/v1/decisions?limit=1000', { as: 'vera' }));
    const down = items(await site.ask('/v1/decisions?limit=1000&order=desc', { as: 'vera' }));
    expect(up.length).toBeGreaterThan(3);
    expect(down.toReversed()).toEqual(up);
  });
  test('a cursor of another list, of another order, or of nobody is refused', async () => {
    const next = (await site.ask('/v1/hosts?limit=1', { as: 'vera' })).json['next'] as string;
    expect(next).toBeTypeOf('string');
    const wrong = [`/v1/pages?after=${next}`, '/v1/hosts?after=bm8', '/v1/hosts?after=%F0%9F%98%80'];
    for (const path of wrong) {
      const answer = await site.ask(path, { as: 'vera' });
      expect([answer.status, codeOf(answer)], path).toEqual([400, 'E_API_CURSOR']);
    }
  });
});

const DECISION = /^id: (\d+)\nevent: decision\n/gm;
/** Reads events of a stream until there are so many of a kind. */
function events(
  path: string,
  headers: Record<string, string>,
  kind: RegExp,
  wanted: number,
): Promise<{ ids: number[]; text: string }> {
  return new Promise((resolve, reject) => {
    const all = { authorization: `Bearer ${site.tokens.vera}`, ...headers };
    const asked = request(
      { socketPath: site.socket, host: 'localhost', path, headers: all, agent: false },
      response => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          const ids = [...text.matchAll(kind)].map(m => Number(m[1]));
          if (ids.length < wanted) return;
          asked.destroy();
          resolve({ ids, text });
        });
        response.on('error', () => {});
      },
    );
    asked.on('error', reject).end();
  });
}

describe('the decisions as they are made', () => {
  let pfn = 0x1000n;
  /** Something is decided of a VM of a host. */
  const trouble = async (host: string): Promise<void> => {
    const peer = site.peer(host);
    peer.vm(`of-${host}`);
    peer.page(`of-${host}`, pfn++);
    await peer.settled();
  };
  const last = async (): Promise<number> =>
    (items(await site.ask('/v1/decisions?order=desc&limit=1', { as: 'vera' }))[0]?.['number'] as number | undefined) ??
    0;
  test('from the beginning, and from behind the last that is known: none is missing, none comes twice', async () => {
    const n = await last();
    expect(n).toBeGreaterThan(3);
    const from = (first: number): number[] => Array.from({ length: n - first + 1 }, (_, i) => first + i);
    expect((await events('/v1/events?after=0', {}, DECISION, n)).ids).toEqual(from(1));
    expect((await events('/v1/events', { 'last-event-id': '2' }, DECISION, n - 2)).ids).toEqual(from(3));
    expect((await events('/v1/events?after=0', { 'last-event-id': '2' }, DECISION, n - 2)).ids).toEqual(from(3));
  });
  test('a new one comes at once', async () => {
    const n = await last();
    const coming = events('/v1/events', { 'last-event-id': String(n) }, DECISION, 1);
    await trouble('c');
    expect((await coming).ids[0]).toBe(n + 1);
  });
  test('who knows of more than there is is told to begin anew', async () => {
    const n = await last();
    const { text } = await events('/v1/events', { 'last-event-id': '999999' }, /^id: \d+\nevent: reset\n/gm, 1);
    expect(text).toContain(`id: ${n}\nevent: reset\ndata: {"decisions":${n}}\n`);
  });
  test('a last one that is no number is refused', async () => {
    const answer = await site.ask('/v1/events', { as: 'vera', headers: { 'last-event-id': 'x' } });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'E_API_PARAMETER']);
  });
});

describe('the document', () => {
  test('is what the server gives, and names each route once', async () => {
    const { json } = await site.ask('/openapi.json');
    expect(json['openapi']).toBe('3.1.1');
    const ids = OPERATIONS.map(o => o.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(json['paths'] as object).length).toBeGreaterThan(10);
  });

  /** A value that a schema may want, or not. */
  const valueFor = (schema: Readonly<Record<string, unknown>>): fc.Arbitrary<string> =>
    fc.oneof(
      fc.constantFrom('web', 'a', 'b', 'inc-1', 'none', ...((schema['enum'] as string[] | undefined) ?? [])),
      fc.integer({ min: -2, max: 1100 }).map(String),
      fc.boolean().map(String),
      fc.string({ unit: 'binary', maxLength: 20 }).filter(text => text.isWellFormed()),
    );
  const anybody = fc.constantFrom<Person | undefined>(undefined, ...EVERYBODY);
  const parameter = (where: string, o: (typeof OPERATIONS)[number]) => o.parameters.filter(p => p.in === where);
  const sometimes = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(value, { nil: undefined, freq: 3 });

  test.each(OPERATIONS.map(o => [`${o.method} ${o.path}`, o] as const))(
    '%s answers what it declares, whatever is asked',
    async (_, operation) => {
      const some = (list: Readonly<typeof operation.parameters>) =>
        fc.record(Object.fromEntries(list.map(p => [p.name, sometimes(valueFor(p.schema))])));
      const seen = new Set<number>();
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            path: fc.record(Object.fromEntries(parameter('path', operation).map(p => [p.name, valueFor(p.schema)]))),
            query: some(parameter('query', operation)),
            known: sometimes(fc.constantFrom('"x"', '*', 'W/"y", "z"')),
            as: anybody,
            key: sometimes(fc.stringMatching(/^[!-~]{1,12}$/)),
            body: bodyFor(operation.body),
            type: fc.constantFrom('application/json', 'application/json', 'application/json', 'text/plain'),
          }),
          async ({ path, query, known, as, key, body, type }) => {
            const at = operation.path.replaceAll(/\{(\w+)\}/g, (__, name: string) =>
              encodeURIComponent(path[name] ?? ''),
            );
            const search = Object.entries(query).flatMap(([name, value]) =>
              value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
            );
            // A stream that is asked well has no end.
            const method = operation.path === '/v1/events' ? 'HEAD' : operation.method;
            const answer = await site.ask(`${at}?${search.join('&')}`, {
              as,
              method,
              ...(operation.body === undefined ? {} : { body }),
              headers: {
                ...(known === undefined ? {} : { 'if-none-match': known, 'if-match': known }),
                ...(key === undefined ? {} : { 'idempotency-key': key }),
                ...(operation.body === undefined ? {} : { 'content-type': type }),
              },
            });
            seen.add(answer.status);
            if (method !== 'HEAD') expect(undeclared(operation, answer)).toBeUndefined();
            expect(Object.keys(operation.responses)).toContain(String(answer.status));
            expect(answer.status).toBeLessThan(500);
          },
        ),
        { numRuns: operation.body === undefined ? 50 : 150 },
      );
      expect(seen.size).toBeGreaterThan(1);
    },
  );
  test('and afterwards the audit is whole', async () => {
    expect((await verifyAudit(site.store.query)).faults).toEqual([]);
  });
});

test('while no controller works everything that needs one says so, and goes on afterwards', async () => {
  await site.rest();
  for (const path of ['/readyz', '/v1/hosts', '/v1/events']) {
    const answer = await site.ask(path, { as: 'vera' });
    expect([answer.status, codeOf(answer), answer.headers['retry-after']], path).toEqual([503, 'E_API_STANDBY', '2']);
  }
  expect((await site.ask('/livez')).status).toBe(200);
  await site.work();
  expect((await site.ask('/v1/pages', { as: 'vera' })).status).toBe(200);
});
