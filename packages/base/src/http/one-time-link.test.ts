import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newApp } from './app.ts';
import { OneTimeLinks } from './one-time-link.ts';
import { serve, type Served } from './serve.ts';
import { type Answer, ask } from './testing/ask.ts';

let port = 0;
let links: OneTimeLinks;
let used = 0;
let served: Served;
let stop: AbortController;
beforeEach(async () => {
  used = 0;
  links = new OneTimeLinks(() => used++);
  const app = newApp(error => {
    throw error;
  });
  app.use(links.check);
  app.get(links.folder, c => c.text('the page'));
  stop = new AbortController();
  served = await serve(app, { port: 0 }, stop.signal);
  port = served.port ?? 0;
});
afterEach(async () => {
  stop.abort();
  await served.ended;
});

const cookieOf = ({ headers }: Answer): string => headers['set-cookie']?.[0]?.split(';')[0] ?? '';
const codeOf = ({ body }: Answer): string => (JSON.parse(body) as { code: string }).code;

test('a link is exchanged once for a cookie, and the address has no token then', async () => {
  const link = links.link();
  expect(link).toMatch(/^\/[\w-]{12}\/\?token=[\w-]{43}$/);
  const first = await ask(port, link);
  expect(first.status).toBe(200);
  expect(first.body).toContain(`content="0; url=${links.folder}"`);
  expect(first.body).not.toContain('token');
  expect(first.headers['set-cookie']).toEqual([
    expect.stringMatching(new RegExp(`^syndrome=[\\w-]{43}; Path=${links.folder}; HttpOnly; SameSite=Strict$`)),
  ]);
  expect(first.headers['cache-control']).toBe('no-store');
  const page = await ask(port, links.folder, { headers: { cookie: cookieOf(first) } });
  expect(page).toMatchObject({ status: 200, body: 'the page' });
  expect(used).toBe(1);
});

describe('another user of the machine', () => {
  test('gets nothing without a link', async () => {
    for (const path of ['/', links.folder, `${links.folder}api/list`, '/other']) {
      const answer = await ask(port, path);
      expect([answer.status, codeOf(answer), answer.headers['set-cookie']]).toEqual([403, 'E_HTTP_SESSION', undefined]);
    }
  });
  test('gets nothing by a link that was used', async () => {
    const link = links.link();
    await ask(port, link);
    const again = await ask(port, link);
    expect([again.status, codeOf(again), again.headers['set-cookie']]).toEqual([403, 'E_HTTP_TOKEN', undefined]);
    expect(again.body).toContain('the link was used before');
    expect(used).toBe(1);
  });
  test.each(['', 'x', 'A'.repeat(43)])('gets nothing by a guess: %j', async token => {
    links.link();
    const answer = await ask(port, `${links.folder}?token=${token}`);
    expect([answer.status, codeOf(answer)]).toEqual([403, 'E_HTTP_TOKEN']);
    for (const cookie of ['syndrome=', `syndrome=${token}`, `other=x; syndrome=${token}`])
      expect((await ask(port, links.folder, { headers: { cookie } })).status).toBe(403);
  });
  test('cannot put a cookie of his own in the place of ours', async () => {
    const cookie = cookieOf(await ask(port, links.link()));
    for (const both of [`${cookie}; syndrome=x`, `syndrome=x; ${cookie}`])
      expect((await ask(port, links.folder, { headers: { cookie: both } })).status).toBe(200);
  });
});

test('who has a session may use a link again: nothing is given away', async () => {
  const link = links.link();
  const cookie = cookieOf(await ask(port, link));
  const again = await ask(port, link, { headers: { cookie } });
  expect([again.status, again.headers['set-cookie']]).toEqual([200, undefined]);
});

test('a newer link ends the one before it', async () => {
  const old = links.link();
  const link = links.link();
  expect((await ask(port, old)).status).toBe(403);
  expect((await ask(port, link)).status).toBe(200);
});

test('whoever only looks ahead does not use it up', async () => {
  const link = links.link();
  expect((await ask(port, link, { method: 'HEAD' })).status).toBe(503);
  expect((await ask(port, link, { headers: { 'sec-purpose': 'prefetch;prerender' } })).status).toBe(503);
  expect((await ask(port, link)).status).toBe(200);
});
