/** `syndrome store` on the ledger of a site, in this process: looked through, brought up, carried to another file. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Peer, World } from '@syndrome/supervisor/controller/testing/peer.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ended, runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const sandbox = new Sandbox();
const file = join(sandbox.dir, 'site.yaml');
const inside = (name: string): string => join(sandbox.dir, name);
const store = (...args: string[]): Promise<Ended> => runInside(sandbox.env, ['store', ...args]);
const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { stdout, stderr } = await store(...args, '--json');
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, unknown>;
};

/** What an export said while the controller worked. */
let early: Ended;

/** A site that has seen two errors of a VM. */
beforeAll(async () => {
  writeFileSync(file, JSON.stringify({ site: 'home', folder: inside('state') }), { mode: 0o600 });
  const site = readSite(file);
  const end = new AbortController();
  const nobody = (): void => undefined;
  const served = serveController(site, end.signal, nobody, nobody);
  const peer = new Peer(new World(), 'h1', readPlaces(file).sockets.agents);
  peer.vm('web');
  for (const pfn of [1n, 2n]) peer.page('web', pfn);
  await peer.settled();
  early = await store('export', inside('early.ndjson'), '--config', file);
  peer.stop();
  end.abort();
  await served;
});
afterAll(() => sandbox.remove());

test('is not exported while a controller works on it', () => {
  expect([early.code, early.stderr]).toEqual([
    3,
    expect.stringMatching(/a controller works on this store.*E_STORE_BUSY/s),
  ]);
  expect(existsSync(inside('early.ndjson'))).toBe(false);
});

test('is looked through, as text and as JSON', async () => {
  const ledger = inside('state/ledger/ledger.sqlite');
  const { code, stdout } = await store('check', '--config', file, '--replay');
  expect(stdout).toMatch(/^.*ledger\.sqlite: SQLite 3\.\d+\.\d+, step 2 of 2 of the schema$/m);
  expect(stdout).toMatch(/^lease: epoch \d+, no controller works on it$/m);
  expect(stdout).toMatch(/^decided once more: the same \(\d+ inputs/m);
  expect(stdout).toMatch(/^well: nothing is damaged/m);
  expect(code).toBe(0);
  const found = await json('check', '--store', ledger, '--replay');
  expect(found).toMatchObject({ schemaVersion: 1, store: ledger, well: true, engine: 'sqlite', faults: [] });
  expect(found['replay']).not.toHaveProperty('differs');
});

test('goes to another file and is the same there; nothing is replaced', async () => {
  const done = await json('export', inside('out.ndjson'), '--config', file);
  expect(done).toMatchObject({
    file: inside('out.ndjson'),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
  });
  expect((statSync(inside('out.ndjson')).mode & 0o777).toString(8)).toBe('600');
  const again = await store('export', inside('out.ndjson'), '--config', file);
  expect([again.code, again.stderr]).toEqual([3, expect.stringContaining('E_STORE_EXISTS')]);
  const there = inside('other/ledger.sqlite');
  expect(await json('import', inside('out.ndjson'), '--store', there)).toMatchObject({ rows: done['rows'] });
  const [before, after] = [
    await json('check', '--config', file, '--replay'),
    await json('check', '--store', there, '--replay'),
  ];
  expect(after).toMatchObject({ replay: before['replay'], tables: before['tables'], well: true });
  const twice = await store('import', inside('out.ndjson'), '--store', there);
  expect([twice.code, twice.stderr]).toEqual([3, expect.stringMatching(/not empty.*E_STORE_EXISTS/)]);
});

test('an export that was cut is a wrong file, and nothing is imported', async () => {
  if (!existsSync(inside('out.ndjson'))) await json('export', inside('out.ndjson'), '--config', file);
  writeFileSync(inside('cut.ndjson'), readFileSync(inside('out.ndjson')).subarray(0, 3000));
  const { code, stderr } = await store('import', inside('cut.ndjson'), '--store', inside('third.sqlite'));
  expect([code, stderr]).toEqual([2, expect.stringMatching(/it was cut.*E_STORE_EXPORT/)]);
  // It is looked at before any store is made.
  expect(existsSync(inside('third.sqlite'))).toBe(false);
});

test('a schema is made, and a ledger that contradicts itself is told', async () => {
  const fresh = inside('fresh.sqlite');
  expect(await json('migrate', '--store', fresh)).toMatchObject({ gone: 2, schema: 2 });
  expect((await store('migrate', '--store', fresh)).stdout).toContain('0 steps were gone; it is at step 2');
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(fresh);
  db.exec(`insert into mark(seq, decisions, hash) values (7, 1, 'x')`);
  db.close();
  const { code, stdout } = await store('check', '--store', fresh);
  expect([code, stdout]).toEqual([1, expect.stringMatching(/^WRONG: mark: no such input as 7$/m)]);
});

test.each<[string[], RegExp]>([
  [['check'], /name a store.*E_STORE_NAMED/],
  [['check', '--store', 'x', '--config', 'y'], /name a store.*E_STORE_NAMED/],
  [['check', '--store', 'nowhere.sqlite'], /cannot read the ledger .*nowhere\.sqlite.*E_STORE_NAMED/],
  [['export', 'out', '--config', 'site.yaml', '--password-file', 'p'], /goes with --store.*E_STORE_NAMED/],
])('%j is refused', async (args, why) => {
  const { code, stderr } = await store(...args);
  expect([code, stderr]).toEqual([2, expect.stringMatching(why)]);
});

test('a password on the command line is refused, and not repeated', async () => {
  const { code, stderr } = await store('check', '--store', 'postgresql://u:hush@db/x');
  expect([code, stderr]).toEqual([3, expect.stringMatching(/has a password in it.*E_STORE_OPEN/)]);
  expect(stderr).not.toContain('hush');
});
