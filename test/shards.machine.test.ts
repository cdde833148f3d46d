/**
 * Three controllers, each as on a machine of its own, share the shards of a site whose ledgers are in one PostgreSQL. Agents of other
 * machines find the one that works on theirs. One is killed with -9, or stands still for longer than its lease, and comes again.
 */
import { openPostgres } from '@syndrome/base/store/postgres.ts';
import { postgresMissing, PostgresServer } from '@syndrome/base/store/testing/postgres-server.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { ShardSite } from '@syndrome/supervisor/site/testing/shard-site.ts';
import { TestBrowser } from '@syndrome/web/testing/browser.ts';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Sandbox } from './program.ts';

const SHARDS = ['east', 'north', 'south', 'west'];
/** A lease runs out, and an agent hears nothing for so long that it looks for another controller. */
const HANDOVER_MS = 30_000;
const missing = postgresMissing();
const tests = TestBrowser.ofTests();
const sandbox = new Sandbox();
let server: PostgresServer;
let site: ShardSite;

beforeAll(async () => {
  if (missing !== undefined) return;
  server = await PostgresServer.make();
  site = await ShardSite.make(sandbox.dir, await server.database('fleet'), SHARDS, 3);
});
afterAll(async () => {
  await site?.stop();
  await server?.remove();
  sandbox.remove();
});

describe('three controllers and four shards', () => {
  beforeEach(context => skipWithout(context, 'postgres', missing));

  test('one works on all; with three each has its part, and each agent finds the one of its host', async () => {
    const [first, ...others] = site.controllers;
    SHARDS.forEach((shard, i) => site.startAgent(`${shard}-1`, i));
    first?.start();
    await site.shared(4, 0, 0);
    for (const controller of others) controller.start();
    await site.shared(2, 1, 1);
    const standby = await Promise.all(site.controllers.map(c => c.get('/shards/east/v1/hosts')));
    expect(standby.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 503, 503]);
    expect((await site.controllers[0]?.get('/v1/hosts'))?.status).toBe(404);
  });

  test('the page of a shard, at the controller that works on it, shows its host and no other; elsewhere it says why not', async () => {
    const works = await site.works();
    const visit = async (shard: string, works: boolean): Promise<Page> => {
      const at = (await site.works()).findIndex(of => of.includes(shard) === works);
      const { page, wrong } = await tests.browser.visit(
        `http://127.0.0.1:${site.controllers[at]?.apiPort}/shards/${shard}/`,
      );
      await page.fill('.token', site.token);
      await page.keyboard.press('Enter');
      if (works) await page.waitForSelector('.fleet >> text=live');
      // What it says of an answer that refuses is no fault of the page.
      expect(wrong.filter(text => !text.startsWith('Failed to load resource'))).toEqual([]);
      return page;
    };
    for (const [i, of] of works.entries()) {
      const [shard] = of;
      if (shard === undefined) throw new Error(`controller ${i} works on none`);
      const page = await visit(shard, true);
      const squares = await page.locator('.square').allInnerTexts();
      expect(squares.map(text => text.split('\n')[0])).toEqual([expect.stringContaining(`${shard}-1`)]);
    }
    const page = await visit('east', false);
    await page.waitForSelector('[role=alert] >> text=this controller does not work at the moment');
    expect(await page.locator('.square').count()).toBe(0);
  });

  test('what one that is killed with -9 worked on the others take over; it gets its part when it is here again', async () => {
    const works = await site.works();
    const busiest = site.controllers[works.findIndex(of => of.length === 2)];
    await busiest?.kill();
    const killed = performance.now();
    await site.shared(2, 2, 0);
    console.log(`both shards worked on, and their hosts connected, after ${Math.round(performance.now() - killed)} ms`);
    busiest?.start();
    await site.shared(2, 1, 1);
    expect(busiest?.log.match(/works now/g)?.length).toBeGreaterThan(0);
  });

  test('what one that stands still worked on the others take over within half a minute; it goes on, and has lost its leases', async () => {
    const works = await site.works();
    const busiest = site.controllers[works.findIndex(of => of.length === 2)];
    const before = busiest?.log.length;
    busiest?.stop();
    const stopped = performance.now();
    await site.shared(2, 2, 0);
    const took = performance.now() - stopped;
    console.log(`both shards worked on, and their hosts connected, ${Math.round(took)} ms after one stood still`);
    expect(took).toBeLessThan(HANDOVER_MS);
    busiest?.goOn();
    await site.shared(2, 1, 1);
    expect(busiest?.log.slice(before)).toMatch(/lease/);
  });

  test('each ledger has the rows of its own host, and of no other', async () => {
    const store = await openPostgres(server.url('fleet'));
    for (const shard of SHARDS) {
      const rows = await store.query(`select distinct host from shard_${shard}.input where kind = 'row'`);
      expect(rows).toEqual([{ host: `${shard}-1` }]);
      const [gaps] = await store.query(
        `select max("row") - count(*) as n from shard_${shard}.input where kind = 'row' and host = '${shard}-1'`,
      );
      expect(gaps).toEqual({ n: 0n });
    }
    await store.close();
  });
});
