/** A controller of two shards of which one cannot go on: the other one is worked on, and that one again once it can be. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Authority } from '@syndrome/base/disk/testing/certificates.ts';
import { ask as askHttp } from '@syndrome/base/http/testing/ask.ts';
import { openStore } from '@syndrome/base/store/open.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newToken } from '@syndrome/supervisor/rest/tokens.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';

const { token, sha256 } = newToken();
let folder = '';
let log: string[] = [];
let end = new AbortController();
let served: Promise<void>[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shards-'));
  mkdirSync(join(folder, 'ledger'), { mode: 0o700 });
  [log, end, served] = [[], new AbortController(), []];
});
afterEach(async () => {
  end.abort();
  await Promise.allSettled(served);
  rmSync(folder, { recursive: true });
});

function serve(more: object = {}): Promise<void> {
  const file = join(folder, `site${served.length}.yaml`);
  const api = { tokens: [{ name: 'test', roles: ['viewer'], sha256 }] };
  const shards = { north: { hosts: ['n-*'] }, south: { hosts: ['s-*'] } };
  writeFileSync(file, JSON.stringify({ folder, notify: [], shards, api, ...more }), { mode: 0o600 });
  const done = serveController(
    readSite(file),
    end.signal,
    line => log.push(line),
    () => {},
  );
  served.push(done);
  return done;
}
const get = async (path: string): Promise<{ status: number; body: string }> =>
  askHttp(join(folder, 'run/api.sock'), path, { headers: { authorization: `Bearer ${token}` } }).catch(() => ({
    status: 0,
    body: '',
  }));
const statusOf = async (shard: string): Promise<number> => (await get(`/shards/${shard}/readyz`)).status;
/** Resolves when it is so; looked at every few ms, within the time of the test. */
async function until(so: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await so())) await sleep(10);
}
const works = (shard: string) => async () => (await statusOf(shard)) === 200;
const failedOf = async (shard: string): Promise<number[]> => {
  const { body } = await get(`/shards/${shard}/metrics`);
  return ['failed', 'failures_total'].map(name =>
    Number(new RegExp(`^syndrome_controller_${name} (\\d+)$`, 'm').exec(body)?.[1]),
  );
};
const ledger = (shard: string): string => join(folder, `ledger/${shard}.sqlite`);

test('a ledger that cannot be opened is left alone and tried again; the other shard is worked on meanwhile', async () => {
  writeFileSync(ledger('south'), 'no ledger at all'.repeat(1000));
  void serve();
  await until(works('north'));
  await until(() => log.some(line => line.startsWith('south: this shard cannot go on, and is tried again in')));
  expect(await failedOf('north')).toEqual([0, 0]);
  expect((await failedOf('south'))[0]).toBe(1);
  const { status, body } = await get('/shards/south/v1/hosts');
  expect(status).toBe(503);
  expect(JSON.parse(body)).toMatchObject({ code: 'E_API_STANDBY', detail: expect.stringContaining('could not go on') });
  rmSync(ledger('south'));
  await until(works('south'));
  const [now, all] = await failedOf('south');
  expect([now, (all ?? 0) > 0]).toEqual([0, true]);
  expect(await statusOf('north')).toBe(200);
});

test('one whose store fails at a commit is worked on again, with all that it had, and the other was not touched by that', async () => {
  void serve();
  await until(works('north'));
  await until(works('south'));
  const admin = join(folder, 'run/north/admin.sock');
  const order = (reason: string): Promise<unknown> =>
    ask(admin, { ask: 'order', by: 'ann', order: { order: 'pause', reason } });
  await order('before');
  const north = await openStore({ at: ledger('north') });
  await north.query('alter table mark rename to away');
  await expect(order('in vain')).rejects.toMatchObject({ code: expect.stringMatching(/^E_(?:CONTROLLER|FLEET)_/) });
  await until(() => log.some(line => line.startsWith('north: this shard cannot go on')));
  await north.query('alter table away rename to mark');
  await until(works('north'));
  const [paused] = await north.query(`select body from audit where actor like 'ann%'`);
  expect(String(paused?.['body'])).toContain('before');
  await north.close();
  expect((await failedOf('north'))[1]).toBe(1);
  expect(await failedOf('south')).toEqual([0, 0]);
  expect(log.filter(line => line.startsWith('south: this controller works now'))).toHaveLength(1);
});

test('one that can go on with none of them ends, with what is wrong', async () => {
  for (const shard of ['north', 'south']) writeFileSync(ledger(shard), 'no ledger at all'.repeat(1000));
  await expect(serve()).rejects.toMatchObject({ code: expect.stringMatching(/^E_STORE_/) });
});

test('a controller whose port for agents another one has says so, works on nothing, and works once the port is free', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const authority = new Authority('site');
  const write = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const { cert, key } = authority.issue(['controller'], 'localhost');
  const files = { ca: write('ca', authority.cert), cert: write('cert', cert), key: write('key', key) };
  void serve({ agents: { address: '127.0.0.1', port, ...files } });
  await until(() => log.some(line => /EADDRINUSE.*waits until the port is free.*agents\.port/.test(line)));
  expect(log.some(line => line.includes('works now'))).toBe(false);
  other.close();
  await until(works('north'));
  await until(works('south'));
});
