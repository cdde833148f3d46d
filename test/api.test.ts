/** The API of a site as its file describes it, and `syndrome api` and `syndrome audit`, in this process. */
import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { ask } from '@syndrome/base/http/testing/ask.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Ended, runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const sandbox = new Sandbox();
const file = join(sandbox.dir, 'site.yaml');
const run = (...args: string[]): Promise<Ended> => runInside(sandbox.env, args);
const end = new AbortController();
const log: string[] = [];
let served: Promise<void>;
let token = '';

beforeAll(async () => {
  const made = JSON.parse((await run('api', 'token', 'ops', '--json')).stdout) as { token: string; sha256: string };
  ({ token } = made);
  const tokens = [{ name: 'ops', roles: ['operator'], sha256: made.sha256 }];
  writeFileSync(file, JSON.stringify({ folder: join(sandbox.dir, 'state'), api: { tokens } }), { mode: 0o600 });
  served = serveController(
    readSite(file),
    end.signal,
    line => log.push(line),
    () => undefined,
  );
  await vi.waitFor(
    async () => {
      if ((await get('/readyz')).status !== 200) throw new Error('it does not work yet');
    },
    { timeout: 20_000 },
  );
});
afterAll(async () => {
  end.abort();
  await served;
  sandbox.remove();
});

const get = (path: string, more: Parameters<typeof ask>[2] = {}) =>
  ask(join(sandbox.dir, 'state/run/api.sock'), path, {
    ...more,
    headers: { authorization: `Bearer ${token}`, ...more.headers },
  });

test('a token that was made is good where the site has its hash', async () => {
  expect(JSON.parse((await get('/v1/me')).body)).toEqual({ name: 'ops', roles: ['operator'] });
  expect(log.join('\n')).toMatch(/the API is at .*\/run\/api\.sock/);
  expect(log.join('\n')).not.toContain(token);
});
test('a token is made for a name that can stand in a file', async () => {
  expect(await run('api', 'token', 'a b')).toMatchObject({ code: 2, stdout: '' });
  const { stdout } = await run('api', 'token', 'ann');
  expect(stdout).toMatch(/syn_[\w-]{43}\n.*\{ name: ann, roles: \[viewer\], sha256: '[0-9a-f]{64}' \}\n$/);
});
test('the document is the one that is served', async () => {
  expect(JSON.parse((await run('api', 'document')).stdout)).toEqual(JSON.parse((await get('/openapi.json')).body));
});

describe('the audit', () => {
  const body = JSON.stringify({ order: 'pause', reason: 'a look' });
  beforeAll(async () => {
    const headers = { 'content-type': 'application/json', 'content-length': `${body.length}`, 'idempotency-key': 'k' };
    await get('/v1/orders', { method: 'POST', headers, body });
    await run('fleet', 'resume', '--config', file);
  });
  test('is listed: the site, the API, the command line', async () => {
    const { stdout } = await run('audit', 'list', '--config', file);
    expect(stdout).toMatch(/the file of the site {2}\(controller\) {2}policy/);
    expect(stdout).toMatch(/done +ops {2}\(api\) {2}pause .*a look/);
    expect(stdout).toMatch(/\(as stated\) {2}\(socket\) {2}resume/);
    const lines = (await run('audit', 'list', '--config', file, '--json')).stdout.trim().split('\n');
    expect(lines.map(line => (JSON.parse(line) as { number: number }).number)).toEqual([1, 2, 3, 4]);
  });
  test('is whole, and is found not to be once it was changed', async () => {
    const whole = await run('audit', 'verify', '--config', file);
    expect([whole.code, whole.stdout]).toEqual([
      0,
      expect.stringMatching(/^well: 4 entries.*\nthe last one: 4:[0-9a-f]{64}\n$/),
    ]);
    const noted = /the last one: (\S+)/.exec(whole.stdout)?.[1] ?? '';
    expect((await run('audit', 'verify', '--config', file, '--expect', noted)).code).toBe(0);
    expect((await run('audit', 'verify', '--config', file, '--expect', '4')).code).toBe(2);
    const other = await run('audit', 'verify', '--config', file, '--expect', `9${noted.slice(1)}`, '--json');
    expect([other.code, JSON.parse(other.stdout)]).toMatchObject([
      1,
      { well: false, faults: [expect.stringContaining('entry 9 is not there') as string] },
    ]);
    const database = new DatabaseSync(join(sandbox.dir, 'state/ledger/ledger.sqlite'));
    database.exec(`update audit set actor = 'eve' where number = 3`);
    database.close();
    const changed = await run('audit', 'verify', '--config', file);
    expect([changed.code, changed.stdout]).toEqual([
      1,
      expect.stringContaining('WRONG: entry 3 is not as it was written'),
    ]);
    expect((await run('store', 'check', '--config', file)).stdout).toContain('WRONG: audit: entry 3');
  });
});
