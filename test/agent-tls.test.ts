/** Agents of other machines at the port of a controller: each is the host that its certificate names, and no other. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Authority } from '@syndrome/base/disk/testing/certificates.ts';
import { listenTls } from '@syndrome/supervisor/controller/listen-tls.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { serveAgent } from '@syndrome/supervisor/site/serve-agent.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { readAgentSite, readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { messageLine, WIRE_VERSION } from '@syndrome/supervisor/wire/messages.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Sandbox } from './program.ts';

const sandbox = new Sandbox();
const authority = new Authority('site');
const end = new AbortController();
const running: Promise<void>[] = [];
const log: string[] = [];
let port = 0;
let admin = '';

const write = (name: string, text: string): string => {
  const file = join(sandbox.dir, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
};
/** Files of a certificate. */
function files(name: string, { cert, key }: { cert: string; key: string }, ca = authority.cert) {
  return { ca: write(`${name}.ca`, ca), cert: write(`${name}.crt`, cert), key: write(`${name}.key`, key) };
}
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return free;
}

/** Once good, and then called back. */
const stolen = authority.issue(['h10']);

beforeAll(async () => {
  port = await freePort();
  const crl = write('called-back.crl', authority.callBack(stolen));
  const agents = {
    address: '127.0.0.1',
    port,
    crl,
    ...files('controller', authority.issue(['controller'], 'localhost')),
  };
  const file = write('c.yaml', JSON.stringify({ folder: join(sandbox.dir, 'c'), agents }));
  const site = readSite(file);
  admin = readPlaces(file).sockets.admin;
  const nobody = (): void => undefined;
  running.push(serveController(site, end.signal, line => log.push(line), nobody));
});
afterAll(async () => {
  end.abort();
  await Promise.all(running);
  sandbox.remove();
});

const hosts = async (): Promise<string[]> =>
  ((await ask(admin, { ask: 'list', list: 'hosts' }).catch(() => [])) as { id: string; connected: boolean }[])
    .filter(host => host.connected)
    .map(host => host.id);

/** An agent as its file describes it; what it logs. */
function agent(host: string, tls: object, address = `localhost:${port}`): string[] {
  const said: string[] = [];
  const folder = join(sandbox.dir, `agent-${running.length}`);
  mkdirSync(folder, { mode: 0o700 });
  const config = { host, controller: { address, ...tls }, kmsg: false, trace: false, sysfs: false };
  const file = write(`agent-${running.length}.yaml`, JSON.stringify({ folder, agent: config }));
  running.push(serveAgent(readAgentSite(file), end.signal, line => said.push(line)));
  return said;
}

/** What the controller says to a hello of a host, over a connection with these files. */
async function hello(host: string, tls: { cert?: string; key?: string }): Promise<string> {
  const socket = connect({ host: 'localhost', port, ca: authority.cert, ...tls });
  let text = '';
  socket.on('error', error => (text += error.message));
  socket.setEncoding('utf8').on('data', chunk => (text += String(chunk)));
  socket.write(
    `${messageLine({ type: 'hello', version: WIRE_VERSION, host, spool: `${host}-spool`, agent: 'test' })}\n`,
  );
  const told = new Promise<void>(resolve => socket.on('data', () => resolve()).on('close', () => resolve()));
  await told;
  socket.destroy();
  return text;
}

test('an agent with a certificate of its host is here, and what it says is in the ledger', async () => {
  const said = agent('h1', files('h1', authority.issue(['h1'])));
  await expect.poll(hosts, { timeout: 20_000 }).toContain('h1');
  expect(said.join('\n')).toContain(`connected to localhost:${port}`);
});

describe('nobody else is:', () => {
  test('the agent of one host that says it is another', async () => {
    const { cert, key } = authority.issue(['h2']);
    expect(await hello('h3', { cert, key })).toMatch(/"type":"refused","code":"E_WIRE_IDENTITY".*that of h2.*not h3/);
    expect(await hello('h2', { cert, key })).toContain('"type":"welcome"');
    expect(await hosts()).not.toContain('h3');
  });
  test.each([
    ['without a certificate', () => ({})],
    ['with one of another authority', () => new Authority('site').issue(['h4'])],
    ['with one that is over', () => authority.issue(['h4'], undefined, -1000)],
    ['with one that was called back', () => stolen],
    ['with one of nobody', () => authority.issue([])],
    ['with one of two names', () => authority.issue(['h4', 'h5'])],
  ])('who comes %s', async (_, tls) => {
    for (const host of ['h4', 'h10']) expect(await hello(host, tls())).not.toContain('"type":"welcome"');
    expect(await hosts()).not.toContain('h4');
  });
});

test('an agent sends nothing to a controller of another authority, or of another name', async () => {
  const other = new Authority('site');
  const said = [
    agent('h6', files('h6', authority.issue(['h6']), other.cert)),
    agent('h7', files('h7', authority.issue(['h7'])), `127.0.0.1:${port}`),
  ];
  await expect
    .poll(() => said.every(lines => lines.some(l => l.includes('no connection'))), { timeout: 20_000 })
    .toBe(true);
  expect(said[0]?.join('\n')).toMatch(/certificate/i);
  expect(said[1]?.join('\n')).toMatch(/does not match certificate/i);
  expect(await hosts()).not.toContain('h6');
  expect(await hosts()).not.toContain('h7');
});

test('a key that others may read is told', async () => {
  const tls = files('h8', authority.issue(['h8']));
  const { chmodSync } = await import('node:fs');
  chmodSync(tls.key, 0o644);
  const said = agent('h8', tls);
  await expect.poll(() => said.join('\n'), { timeout: 20_000 }).toContain('may be read by others');
});

test('a new certificate of the controller is taken without a restart', async () => {
  const place = files('renewed', authority.issue(['old'], 'localhost'));
  const said: string[] = [];
  const names: string[] = [];
  const listening = await listenTls(
    { address: '127.0.0.1', port: 0, tls: place },
    (socket, name) => {
      names.push(name);
      socket.destroy();
    },
    line => said.push(line),
    20,
  );
  const shown = async (): Promise<unknown> => {
    const socket = connect({ host: 'localhost', port: listening.port, ca: authority.cert, ...authority.issue(['h9']) });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  expect(await shown()).toBe('old');
  files('renewed', authority.issue(['new'], 'localhost'));
  await expect.poll(shown, { timeout: 20_000 }).toBe('new');
  expect(said).toContain('the certificates for agents are new ones');
  await listening.close();
});
