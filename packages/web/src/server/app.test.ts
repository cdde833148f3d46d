import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OneTimeLinks } from '@syndrome/base/http/one-time-link.ts';
import { serve, type Served } from '@syndrome/base/http/serve.ts';
import { type Answer, ask } from '@syndrome/base/http/testing/ask.ts';
import type { Listing } from '../view/listing.ts';
import { GOOD } from '../view/testing/runs.ts';
import { OPENINGS } from '../served.ts';
import { webApp } from './app.ts';

const TEMPLATE =
  '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; script-src \'sha256-x\'">' +
  `<div id="app">${OPENINGS.page.file}</div>`;

let dir: string;
let served: Served;
let cookie = '';
let base = '';
const faults: unknown[] = [];
const stop = new AbortController();
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'web-')));
  mkdirSync(join(dir, 'traces'));
  copyFileSync(GOOD, join(dir, 'traces', 'good.ndjson'));
  const links = new OneTimeLinks();
  const app = webApp({
    roots: [{ name: 'traces', path: join(dir, 'traces') }],
    template: TEMPLATE,
    links,
    signal: stop.signal,
    onFault: error => faults.push(error),
  });
  served = await serve(app, { port: 0 }, stop.signal);
  base = links.folder;
  cookie = (await ask(served.port ?? 0, links.link())).headers['set-cookie']?.[0]?.split(';')[0] ?? '';
});
afterAll(async () => {
  stop.abort();
  await served.ended;
  rmSync(dir, { recursive: true, force: true });
});
const get = (path: string, options: Parameters<typeof ask>[2] = {}): Promise<Answer> =>
  ask(served.port ?? 0, `${base}${path}`, { ...options, headers: { cookie, ...options.headers } });

test('the page may ask its own server, and be in no frame', async () => {
  const { status, headers, body } = await get('');
  expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=UTF-8']);
  const policy = "default-src 'none'; script-src 'sha256-x'; connect-src 'self'";
  expect(headers['content-security-policy']).toBe(`${policy}; frame-ancestors 'none'`);
  expect(body).toContain(`content="${policy}"`);
  expect(body).toContain(`<div id="app" data-served>${OPENINGS.page.served}</div>`);
});

test('the list', async () => {
  const { files, folders } = JSON.parse((await get('api/list')).body) as Listing;
  expect(folders).toEqual([{ name: 'traces', path: join(dir, 'traces') }]);
  expect(files.map(({ name }) => name)).toEqual(['traces/good.ndjson']);
});

test('a file as it is on disk, which no browser takes for a page', async () => {
  const { headers, body } = await get('api/file?name=traces/good.ndjson');
  expect(body).toBe(readFileSync(GOOD, 'utf8'));
  expect(headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    'content-length': String(readFileSync(GOOD).length),
  });
  const head = await get('api/file?name=traces/good.ndjson', { method: 'HEAD' });
  expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', headers['content-length']]);
});

test.each(['api/file', 'api/follow'])('%s knows no file but those of the list', async path => {
  for (const name of [
    '../x',
    '/etc/passwd',
    '..%2f..%2fetc%2fpasswd',
    'traces%2f..%2f..%2fx',
    '',
    'traces/none.ndjson',
  ]) {
    const { status, body } = await get(`${path}?name=${name}`);
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([404, 'E_WEB_FILE']);
  }
  expect((await get(path)).status).toBe(404);
});

test('nobody gets anything without a session', async () => {
  for (const path of [
    '',
    'api/list',
    'api/list/events',
    'api/file?name=traces/good.ndjson',
    'api/follow?name=traces/good.ndjson',
  ])
    expect((await ask(served.port ?? 0, `${base}${path}`)).status).toBe(403);
});

test('a file that becomes shorter while it is sent breaks off, and is not taken for the whole of it', async () => {
  const path = join(dir, 'traces', 'shrinks.ndjson');
  writeFileSync(path, `{"type":"trace","version":99}\n${'x'.repeat(64 << 20)}`);
  const asked = request({
    host: '127.0.0.1',
    port: served.port,
    path: `${base}api/file?name=traces/shrinks.ndjson`,
    headers: { cookie },
  });
  asked.end();
  const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  response.once('data', () => truncateSync(path, 1000));
  const outcome = await new Promise(resolve => {
    response
      .on('error', resolve)
      .on('end', () => resolve('whole'))
      .resume();
  });
  expect(outcome).toMatchObject({ message: 'aborted' });
});

test('the list as events: only where it is another one', async () => {
  const read = async (headers: Record<string, string>, until: string): Promise<string> => {
    const asked = request({
      host: '127.0.0.1',
      port: served.port,
      path: `${base}api/list/events`,
      headers: { cookie, ...headers },
    });
    asked.end();
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += String(chunk);
      if (text.includes(until)) break;
    }
    return text;
  };
  const first = await read({}, 'event: list');
  expect(first).toContain('traces/good.ndjson');
  // Once every file was looked into, the list stays as it is.
  await expect
    .poll(
      async () =>
        (await get('api/list')).body.includes('"unread"') || (await get('api/list')).body.includes('"running"'),
      {
        timeout: 15_000,
      },
    )
    .toBe(false);
  const settled = await read({}, '"state":"pass"');
  const id = /^id: (\w+)$/m.exec(settled)?.[1] ?? '';
  const quiet = await read({ 'last-event-id': id }, 'event: beat');
  expect(quiet).not.toContain('event: list');
  expect(await read({ 'last-event-id': 'other' }, 'event: list')).toContain('traces/good.ndjson');
});

test('none of this was a fault of the server', () => {
  expect(faults).toEqual([]);
});
