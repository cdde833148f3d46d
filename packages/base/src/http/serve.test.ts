import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newApp } from './app.ts';
import { HTTP_ERROR_CODES } from './error-codes.ts';
import { SECURITY_HEADERS } from './headers.ts';
import { Refusal } from './problem.ts';
import { type Place, serve, type Served } from './serve.ts';
import { type Answer, ask, say } from './testing/ask.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'http-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const running: { stop: AbortController; served: Served }[] = [];
const faults: unknown[] = [];
async function start(place: Place = { port: 0 }): Promise<Served & { stop: () => Promise<void> }> {
  const app = newApp(error => faults.push(error));
  app.get('/', c => c.text('here'));
  app.get('/fault', () => {
    throw new Error('the secret of the server');
  });
  app.get('/gone', () => {
    throw new Refusal(404, 'E_OF_A_ROOM', 'the file <b> has gone', { hint: 'Look again.' });
  });
  app.get('/never', () => new Promise<Response>(() => {}));
  const stop = new AbortController();
  const served = await serve(app, place, stop.signal);
  running.push({ stop, served });
  return {
    ...served,
    stop: () => {
      stop.abort();
      return served.ended;
    },
  };
}
afterEach(async () => {
  for (const { stop } of running) stop.abort();
  await Promise.all(running.splice(0).map(({ served }) => served.ended));
});
const portOf = async (): Promise<number> => (await start()).port ?? 0;
const codeOf = ({ body }: Answer): string => (JSON.parse(body) as { code: string }).code;

test('answers on loopback alone, with the headers of safety', async () => {
  const port = await portOf();
  const answer = await ask(port, '/');
  expect(answer).toMatchObject({ status: 200, body: 'here' });
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) expect(answer.headers[name.toLowerCase()]).toBe(value);
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
});

describe('a foreign host gets 421', () => {
  test.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '10.0.0.1',
    '127.0.0.2',
    'x@127.0.0.1',
    '127.0.0.1:99999999',
  ])('%s', async host => {
    const answer = await ask(await portOf(), '/', { headers: { host } });
    expect([421, 400]).toContain(answer.status);
    expect(codeOf(answer)).toBe(answer.status === 421 ? 'E_HTTP_HOST' : 'E_HTTP_REQUEST');
    expect(answer.headers['content-security-policy']).toBe(SECURITY_HEADERS['Content-Security-Policy']);
  });
  test('also where it stands in the target, beside a good header', async () => {
    const port = await portOf();
    const said = await say(port, 'GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
    expect(said).toMatch(/^HTTP\/1\.1 421 .*E_HTTP_HOST/s);
  });
  test.each(['127.0.0.1', 'localhost', '[::1]'])(
    'but %s is this machine, by whatever port it was led here',
    async name => {
      const port = await portOf();
      for (const host of [name, `${name}:${port}`, `${name}:8137`])
        expect((await ask(port, '/', { headers: { host } })).status).toBe(200);
    },
  );
});

describe('a page of another origin gets 403', () => {
  test.each<Record<string, string>>([
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { origin: 'https://127.0.0.1' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  ])('%o', async headers => {
    const answer = await ask(await portOf(), '/', { headers });
    expect(answer.status).toBe(403);
    expect(codeOf(answer)).toBe('E_HTTP_ORIGIN');
  });
  test.each<Record<string, string>>([
    { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ])('but not its own, nor who follows a link: %o', async headers => {
    const port = await portOf();
    expect((await ask(port, '/', { headers })).status).toBe(200);
    const origin = `http://127.0.0.1:${port}`;
    expect((await ask(port, '/', { headers: { host: `127.0.0.1:${port}`, origin } })).status).toBe(200);
  });
});

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])('%s is refused: it only reads', async method => {
  const answer = await ask(await portOf(), '/', { method });
  expect(answer.status).toBe(405);
  expect(answer.headers['allow']).toBe('GET, HEAD');
  expect(codeOf(answer)).toBe('E_HTTP_METHOD');
});
test('HEAD has no body', async () => {
  expect(await ask(await portOf(), '/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
});

describe('too much is refused', () => {
  test('a body', async () => {
    const port = await portOf();
    const answer = await ask(port, '/', { headers: { 'content-length': '5' }, body: 'hello' });
    expect([answer.status, codeOf(answer)]).toEqual([413, 'E_HTTP_BODY']);
    const said = await say(
      port,
      'GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    );
    expect(said).toMatch(/^HTTP\/1\.1 413 /);
  });
  test('a long address', async () => {
    const answer = await ask(await portOf(), `/?${'x'.repeat(5000)}`);
    expect([answer.status, codeOf(answer)]).toEqual([414, 'E_HTTP_REQUEST']);
  });
  test('headers beyond 16 KiB', async () => {
    const said = await say(await portOf(), `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(said).toMatch(/^HTTP\/1\.1 431 .*nosniff.*E_HTTP_REQUEST/s);
  });
  test('what is no HTTP', async () => {
    expect(await say(await portOf(), 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*E_HTTP_REQUEST/s);
  });
  test('a request without a host', async () => {
    expect(await say(await portOf(), 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('what is wrong is told as a problem (RFC 9457)', () => {
  test('to a program as JSON', async () => {
    const { status, headers, body } = await ask(await portOf(), '/gone');
    expect([status, headers['content-type']]).toEqual([404, 'application/problem+json']);
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'the file <b> has gone',
      code: 'E_OF_A_ROOM',
      hint: 'Look again.',
    });
  });
  test('to a browser that opens a page as one, in which nothing acts', async () => {
    const { headers, body } = await ask(await portOf(), '/gone', { headers: { accept: 'text/html,*/*' } });
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(body).toContain('the file &#60;b&#62; has gone');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  });
  test('an address with nothing at it', async () => {
    const answer = await ask(await portOf(), '/nothing');
    expect([answer.status, codeOf(answer)]).toEqual([404, 'E_HTTP_NONE']);
  });
  test('a fault of the server without what it was', async () => {
    const answer = await ask(await portOf(), '/fault');
    expect([answer.status, codeOf(answer)]).toEqual([500, 'E_HTTP_FAULT']);
    expect(answer.body).not.toContain('secret');
    expect(String(faults.at(-1))).toContain('the secret of the server');
  });
  test('every code is explained', () => {
    for (const code of ['E_HTTP_HOST', 'E_HTTP_BODY', 'E_HTTP_IN_USE', 'E_HTTP_TOKEN'])
      expect(Object.keys(HTTP_ERROR_CODES)).toContain(code);
  });
});

describe('the end', () => {
  test('is soon, whoever is still connected', { timeout: 20_000 }, async () => {
    const { port = 0, stop } = await start();
    const idle = connect(port, '127.0.0.1');
    const waiting = connect(port, '127.0.0.1');
    for (const socket of [idle, waiting]) socket.on('error', () => {});
    await Promise.all([once(idle, 'connect'), once(waiting, 'connect')]);
    waiting.write('GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const ends = [idle, waiting].map(socket => new Promise<void>(resolve => socket.on('close', () => resolve())));
    await stop();
    await Promise.all(ends);
    await expect(ask(port, '/')).rejects.toThrow('ECONNREFUSED');
  });
  test('leaves no socket', async () => {
    const path = join(dir, 'own', 'web.sock');
    const { stop } = await start({ socket: path });
    await stop();
    expect(existsSync(path)).toBe(false);
  });
  test('and not that of a server that came to its place', async () => {
    const path = join(dir, 'handed-on', 'web.sock');
    const first = await start({ socket: path });
    rmSync(path);
    await start({ socket: path });
    await first.stop();
    expect((await ask(path, '/')).status).toBe(200);
  });
});

test('a port that is in use is told', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await expect(start({ port })).rejects.toMatchObject({
    code: 'E_HTTP_IN_USE',
    message: `port ${port} of 127.0.0.1 is in use by another program`,
  });
  other.close();
});

describe('a unix socket', () => {
  const folder = (name: string, mode = 0o700): string => {
    const path = join(dir, name);
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode);
    return path;
  };
  test('is its user’s alone, in a folder that is made for it', async () => {
    const path = join(dir, 'made', 'deep', 'web.sock');
    await start({ socket: path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'made', 'deep')).mode & 0o777).toBe(0o700);
    expect(await ask(path, '/')).toMatchObject({ status: 200, body: 'here' });
    expect((await ask(path, '/', { headers: { host: 'evil.example' } })).status).toBe(421);
  });
  test.each([0o755, 0o750, 0o1777])('lies in no folder that others can get into: mode %o', async mode => {
    const at = folder(`open-${mode}`, mode);
    await expect(start({ socket: join(at, 's') })).rejects.toMatchObject({
      code: 'E_HTTP_SOCKET',
      message: expect.stringContaining('others can get into the folder') as string,
    });
  });
  test('takes the place of one that a killed server has left', async () => {
    const path = join(folder('left'), 's');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(statSync(path).isSocket()).toBe(true);
    await start({ socket: path });
    expect((await ask(path, '/')).status).toBe(200);
  });
  test('never that of a server that runs', async () => {
    const path = join(folder('taken'), 's');
    await start({ socket: path });
    await expect(start({ socket: path })).rejects.toMatchObject({ code: 'E_HTTP_IN_USE' });
    expect((await ask(path, '/')).status).toBe(200);
  });
  test.each(['file', 'link'])('never that of something else: %s', async what => {
    const path = join(folder(`else-${what}`), 's');
    if (what === 'file') writeFileSync(path, 'kept');
    else symlinkSync('/nowhere', path);
    await expect(start({ socket: path })).rejects.toMatchObject({
      code: 'E_HTTP_SOCKET',
      message: expect.stringContaining('something else lies there') as string,
    });
  });
  test('has a path that fits', async () => {
    await expect(start({ socket: join(folder('long'), 'x'.repeat(100)) })).rejects.toMatchObject({
      code: 'E_HTTP_SOCKET',
      message: expect.stringContaining('no more than 98 bytes') as string,
    });
  });
});
