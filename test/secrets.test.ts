/**
 * Secrets are planted where a site has them: tokens of its API, the secret of a webhook, the password of a fence agent and those of databases.
 * Then all is read that anybody else reads: the controller's log, answers, notices, metrics, the ledger and its audit.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '@syndrome/base/http/testing/ask.ts';
import { Peer, World } from '@syndrome/supervisor/controller/testing/peer.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ended, runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const sandbox = new Sandbox();
const at = (name: string): string => join(sandbox.dir, name);
const run = (...args: string[]): Promise<Ended> => runInside(sandbox.env, args);
const planted = {
  token: '',
  'token that is none': 'syn_Wr0ngWr0ngWr0ngWr0ngWr0ngWr0ngWr0ngWr0ngWr0',
  'secret of the webhook': Buffer.from('a secret of 32 bytes, in no log!').toString('base64'),
  'password of the fence agent': 'Fence-Geheim-1',
  'password of the database': 'Ledger-Geheim-2',
  'password in the URL of a database': 'Ledger-Geheim-3',
};
/** What was read, by where. */
const read: Record<string, string> = {};
const log: string[] = [];
const end = new AbortController();
let served: Promise<void>;
/** Answers with all that it was sent, as a careless or a hostile one does. */
const receiver = createServer((request: IncomingMessage, response) => {
  let body = '';
  request
    .setEncoding('utf8')
    .on('data', (text: string) => (body += text))
    .on('end', () => {
      received.push(`${JSON.stringify(request.headers)} ${body}`);
      response.writeHead(500, { 'x-echo': 'yes' }).end(received.at(-1));
    });
});
const received: string[] = [];

/** Resolves when it is so, within the time of the test; a socket may not be there yet. */
async function until(so: () => Promise<boolean>): Promise<void> {
  while (!(await so().catch(() => false))) await sleep(20);
}
const secretFile = (name: string, text: string): string => {
  writeFileSync(at(name), text, { mode: 0o600 });
  return at(name);
};
const site = (name: string, data: object): string => secretFile(name, JSON.stringify(data));
const get = async (path: string, token: string, more: Parameters<typeof ask>[2] = {}): Promise<string> => {
  const { status, headers, body } = await ask(at('state/run/api.sock'), path, {
    ...more,
    headers: { authorization: `Bearer ${token}`, ...more.headers },
  });
  return `${status} ${JSON.stringify(headers)} ${body}`;
};

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const made = JSON.parse((await run('api', 'token', 'ops', '--json')).stdout) as { token: string; sha256: string };
  planted.token = made.token;
  const webhook = {
    kind: 'webhook',
    name: 'ops',
    url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/x`,
    secretFiles: [secretFile('webhook.secret', `whsec_${planted['secret of the webhook']}`)],
    allow: ['127.0.0.0/8'],
  };
  const fence = { password: secretFile('bmc', planted['password of the fence agent']) };
  const file = site('site.yaml', {
    folder: at('state'),
    policy: 'notify',
    notify: [webhook, { kind: 'log', name: 'journal' }],
    fence: { a: { argv: ['/bin/cat'], options: {}, secretFiles: fence } },
    api: { tokens: [{ name: 'ops', roles: ['operator', 'viewer'], sha256: made.sha256 }] },
  });
  const tell = (line: string): unknown => log.push(line);
  served = serveController(readSite(file), end.signal, tell, tell);
  await until(async () => (await get('/readyz', planted.token)).startsWith('200 '));
  const peer = new Peer(new World(), 'a', at('state/run/agents.sock'));
  peer.vm('web');
  await peer.settled();
  peer.page('web', 0x10n);
  await until(async () => log.join('\n').includes('500'));

  for (const path of ['/v1/hosts', '/v1/incidents', '/v1/decisions', '/v1/me', '/metrics', '/openapi.json', '/nothing'])
    read[`the answer to ${path}`] = await get(path, planted.token);
  const wrong = planted['token that is none'];
  read['the answer to a token that is none'] = await get('/v1/hosts', wrong);
  read['the answer to a token in a URL'] = await get(`/v1/hosts?access_token=${planted.token}`, wrong);
  const body = JSON.stringify({ order: 'pause', reason: 'a look' });
  const headers = { 'content-type': 'application/json', 'content-length': `${body.length}`, 'idempotency-key': 'k' };
  read['the answer to an order'] = await get('/v1/orders', planted.token, { method: 'POST', headers, body });
  read['the audit'] = (await run('audit', 'list', '--config', file, '--json')).stdout;
  read['what is said when the site is checked'] = JSON.stringify(
    await run('controller', '--verbose', '--config', file, '--check'),
  );
  peer.stop();
  end.abort();
  await served;
  read['the file of the ledger'] = readFileSync(at('state/ledger/ledger.sqlite'), 'latin1');

  // A database that does not answer, by a password of its own file and by one in the URL.
  const nowhere = {
    url: 'postgres://syndrome@127.0.0.1:1/x',
    passwordFile: secretFile('db', planted['password of the database']),
  };
  const url = `postgres://syndrome:${planted['password in the URL of a database']}@127.0.0.1:1/x`;
  for (const [name, store] of [
    ['away', nowhere],
    ['url', url],
  ] as const) {
    const file = site(`${name}.yaml`, { folder: at(name), store });
    read[`what is said of the database (${name})`] = JSON.stringify([
      await run('controller', '--verbose', '--config', file, '--check'),
      await run('store', 'check', '--config', file),
    ]);
  }
  read['the log of the controller'] = log.join('\n');
  read['what the webhook was sent'] = received.join('\n');
}, 90_000);
afterAll(() => {
  receiver.close();
  sandbox.remove();
});

test('all that is looked at has something in it', () => {
  for (const [where, text] of Object.entries(read)) expect(text.length, where).toBeGreaterThan(20);
  expect(received.length).toBeGreaterThan(0);
  expect(read['the audit']).toContain('"ops"');
});

test.each(Object.keys(planted))('nobody reads the %s', name => {
  const secret = planted[name as keyof typeof planted];
  const forms = [
    secret,
    Buffer.from(secret).toString('base64'),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('hex'),
  ];
  const found = Object.entries(read).flatMap(([where, text]) =>
    forms.some(form => text.includes(form)) ? [where] : [],
  );
  expect(found).toEqual([]);
});
