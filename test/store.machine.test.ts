/** A site moves from its file to a PostgreSQL and back, with what it has decided and with agents that go on where they were. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresServer, postgresMissing } from '@syndrome/base/store/testing/postgres-server.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { Peer, World } from '@syndrome/supervisor/controller/testing/peer.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const missing = postgresMissing();
const sandbox = new Sandbox();
const file = join(sandbox.dir, 'site.yaml');
let server: PostgresServer | undefined;
beforeAll(async () => {
  if (missing === undefined) server = await PostgresServer.make();
});
beforeEach(context => skipWithout(context, 'postgres', missing));
afterAll(async () => {
  await server?.remove();
  sandbox.remove();
});

const run = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await runInside(sandbox.env, [...args, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
};

test('a site moves to a PostgreSQL and back', async () => {
  const world = new World();
  const log: string[] = [];
  let peer: Peer | undefined;
  let pages = 0n;
  /** A controller of the site, for as long as it takes to see two more pages. */
  const works = async (store: object): Promise<void> => {
    writeFileSync(file, JSON.stringify({ site: 'home', folder: join(sandbox.dir, 'state'), ...store }), {
      mode: 0o600,
    });
    const site = readSite(file);
    const end = new AbortController();
    const served = serveController(
      site,
      end.signal,
      line => log.push(line),
      () => undefined,
    );
    if (peer === undefined) {
      peer = new Peer(world, 'h1', readPlaces(file).sockets.agents);
      peer.vm('web');
    }
    for (let i = 0; i < 2; i++) peer.page('web', ++pages);
    await peer.settled();
    end.abort();
    await served;
  };
  const replay = async (): Promise<Record<string, unknown>> => {
    const found = await run('store', 'check', '--config', file, '--replay');
    expect(found).toMatchObject({ well: true, faults: [] });
    expect(found['replay']).not.toHaveProperty('differs');
    return found;
  };
  try {
    await works({});
    const first = await replay();
    expect(first).toMatchObject({ engine: 'sqlite' });
    const url = await (server ?? expect.fail('no server')).database('site');
    await run('store', 'export', join(sandbox.dir, '1.ndjson'), '--config', file);
    await run('store', 'import', join(sandbox.dir, '1.ndjson'), '--store', url);
    expect(await run('fleet', 'replay', '--ledger', url)).toMatchObject({ same: true, ...(first['replay'] as object) });
    await works({ store: url });
    const second = await replay();
    expect(second).toMatchObject({ engine: 'postgresql', version: expect.stringMatching(/^\d\d\./) as unknown });
    expect(second['tables']).toMatchObject({ snapshot: expect.any(Number) as unknown });
    mkdirSync(join(sandbox.dir, 'back'), { mode: 0o700 });
    const back = join(sandbox.dir, 'back/ledger.sqlite');
    await run('store', 'export', join(sandbox.dir, '2.ndjson'), '--config', file);
    await run('store', 'import', join(sandbox.dir, '2.ndjson'), '--store', back);
    expect(await run('fleet', 'replay', '--ledger', back)).toMatchObject({
      same: true,
      ...(second['replay'] as object),
    });
    await works({ store: back });
    const third = await replay();
    expect(third).toMatchObject({ engine: 'sqlite', tables: { spool: 1 } });
    const rows = await run('fleet', 'replay', '--ledger', back);
    expect(rows['inputs']).toBeGreaterThan(Number((second['replay'] as { inputs: number }).inputs));
    // Each row of the agent once, whichever store was the one.
    const { DatabaseSync } = await import('node:sqlite');
    const ledger = new DatabaseSync(back, { readOnly: true });
    const list = ledger.prepare(`select "row" as n from input where kind = 'row' order by seq`).all();
    ledger.close();
    expect(list.map(row => row['n'])).toEqual(peer?.spool.map((_, i) => i + 1));
    expect(log.filter(line => line.includes('works now')).length).toBe(3);
  } finally {
    peer?.stop();
  }
});

test('a controller that is started before the server of its store waits for it, and says so once', async () => {
  const own = await PostgresServer.make();
  const end = new AbortController();
  const log: string[] = [];
  let served: Promise<void> | undefined;
  try {
    const url = await own.database('early');
    await own.stop();
    writeFileSync(file, JSON.stringify({ site: 'early', folder: join(sandbox.dir, 'early'), store: url }), {
      mode: 0o600,
    });
    const say = (line: string): void => void log.push(line);
    served = serveController(readSite(file), end.signal, say, () => undefined);
    await expect.poll(() => log.join('\n'), { timeout: 30_000 }).toContain('nothing is done until this is over');
    await own.start();
    await expect.poll(() => log.join('\n'), { timeout: 60_000 }).toContain('this controller works now');
    expect(log.length - new Set(log).size).toBe(0);
  } finally {
    end.abort();
    await served;
    await own.remove();
  }
});

test('a controller whose store is not there can be told to stop', async () => {
  const url = `postgresql://syndrome@/none?host=${encodeURIComponent(join(sandbox.dir, 'nowhere'))}`;
  writeFileSync(file, JSON.stringify({ site: 'none', folder: join(sandbox.dir, 'none'), store: url }), { mode: 0o600 });
  const end = new AbortController();
  const log: string[] = [];
  const served = serveController(
    readSite(file),
    end.signal,
    line => void log.push(line),
    () => undefined,
  );
  await expect.poll(() => log.length, { timeout: 30_000 }).toBe(1);
  end.abort();
  await served;
});
