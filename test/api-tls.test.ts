/** The API for other machines: over TLS, by the names of its certificate, beside the socket of this machine. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request as plain } from 'node:http';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Authority } from '@syndrome/base/disk/testing/certificates.ts';
import { Certified } from '@syndrome/base/http/certified.ts';
import { ask } from '@syndrome/base/http/testing/ask.ts';
import { newToken } from '@syndrome/supervisor/rest/tokens.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Sandbox } from './program.ts';

const sandbox = new Sandbox();
const authority = new Authority('site');
const end = new AbortController();
const { token, sha256 } = newToken();
const write = (name: string, content: string): string => {
  writeFileSync(join(sandbox.dir, name), content, { mode: 0o600 });
  return join(sandbox.dir, name);
};
let port = 0;
let served: Promise<void>;

beforeAll(async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  ({ port } = free.address() as { port: number });
  free.close();
  await once(free, 'close');
  const { cert, key } = authority.issue(['controller'], 'c1.example');
  const tls = { address: '127.0.0.1', port, cert: write('cert.pem', cert), key: write('key.pem', key) };
  const site = {
    folder: join(sandbox.dir, 'c'),
    notify: [],
    api: { tls, tokens: [{ name: 'vera', roles: ['viewer'], sha256 }] },
  };
  const begun = Promise.withResolvers<void>();
  served = serveController(
    readSite(write('site.yaml', JSON.stringify(site))),
    end.signal,
    line => line.includes('this controller works now') && begun.resolve(),
    () => {},
  );
  await begun.promise;
});
afterAll(async () => {
  end.abort();
  await served;
  sandbox.remove();
});

interface Got {
  status: number | undefined;
  body: string;
  protocol: string;
}
async function get(headers: Record<string, string> = {}, ca = authority.cert, path = '/v1/me'): Promise<Got> {
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    ca,
    servername: 'c1.example',
    headers: { host: `c1.example:${port}`, authorization: `Bearer ${token}`, ...headers },
  }).end();
  const [response] = await once(asked, 'response');
  const protocol = String(response.socket.getProtocol());
  return { status: response.statusCode, body: await text(response), protocol };
}

test('whoever believes its authority asks it by its name; the socket of this machine stays', async () => {
  const { status, body, protocol } = await get();
  expect([status, protocol]).toEqual([200, 'TLSv1.3']);
  expect(JSON.parse(body)).toMatchObject({ name: 'vera', roles: ['viewer'] });
  expect((await get({ authorization: 'Bearer syn_x' })).status).toBe(401);
  const local = { headers: { authorization: `Bearer ${token}` } };
  expect((await ask(join(sandbox.dir, 'c/run/api.sock'), '/v1/me', local)).status).toBe(200);
});

test('it answers for no name that its certificate has not, and to no page of another origin', async () => {
  expect((await get({ host: `evil.example:${port}` })).status).toBe(421);
  expect((await get({ origin: `https://c1.example:${port}` })).status).toBe(200);
  expect((await get({ origin: `http://c1.example:${port}` })).status).toBe(403);
  expect((await get({ origin: 'https://evil.example' })).status).toBe(403);
  // The name of a certificate is none for who comes to this machine's own socket.
  const local = { headers: { authorization: `Bearer ${token}`, host: 'c1.example' } };
  expect((await ask(join(sandbox.dir, 'c/run/api.sock'), '/v1/me', local)).status).toBe(421);
});

test('another authority is not believed, and plain HTTP is none', async () => {
  await expect(get({}, new Authority('other').cert)).rejects.toThrow(/self-signed|unable to/);
  const asked = plain({ host: '127.0.0.1', port, path: '/livez' }).end();
  await expect(once(asked, 'response')).rejects.toThrow(/hang up|ECONNRESET/);
});

test('a key that others may read is refused before anything is begun; a new certificate is taken', () => {
  const { cert, key } = authority.issue(['controller'], 'c2.example');
  const files = { cert: write('c.pem', cert), key: write('k.pem', key) };
  const certified = new Certified(files);
  expect([certified.answersFor('c2.example'), certified.answersFor('c3.example'), certified.renew()]).toEqual([
    true,
    false,
    false,
  ]);
  const next = authority.issue(['controller'], 'c3.example');
  write('c.pem', next.cert);
  write('k.pem', next.key);
  expect([certified.renew(), certified.answersFor('c3.example')]).toEqual([true, true]);
  write('c.pem', 'nothing');
  expect(() => certified.renew()).toThrow(/cert: .*c\.pem/);
  expect(certified.answersFor('c3.example')).toBe(true);
  expect(() => new Certified({ cert: files.cert, key: join(sandbox.dir, 'none') })).toThrow(/key: /);
});
