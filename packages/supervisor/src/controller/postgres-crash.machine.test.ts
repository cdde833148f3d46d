/**
 * The server is killed with -9 at random moments while errors come in and VMs are moved, and comes back. `SYNDROME_KILLS=300` kills more
 * often than 20 times.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresServer, postgresMissing } from '@syndrome/base/store/testing/postgres-server.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { surviveKills } from './testing/kills.ts';

const KILLS = Number(process.env['SYNDROME_KILLS'] ?? 20);
const missing = postgresMissing();
let server: PostgresServer | undefined;
beforeAll(async () => {
  if (missing !== undefined) return;
  server = await PostgresServer.make();
  process.env['SYNDROME_TEST_POSTGRES'] = server.url('{}');
});
beforeEach(context => skipWithout(context, 'postgres', missing));
afterAll(async () => {
  delete process.env['SYNDROME_TEST_POSTGRES'];
  await server?.remove();
});

test(
  `${KILLS} times kill -9 of a PostgreSQL: nothing acknowledged is lost, nothing is done twice, no controller ends`,
  async () => {
    const told = await surviveKills(KILLS, async (of, { drop }) => {
      // Somebody works, so that it is hit in its work.
      while (of.working === undefined || of.begun.size < 2) await sleep(5);
      await sleep(of.random() * 150);
      await server?.kill9();
      // They come again while nobody knows what is written.
      drop();
      await sleep(of.random() * 100);
      await server?.start();
      for (const child of of.children)
        expect([child.exitCode, child.signalCode], 'a controller has ended by itself').toEqual([null, null]);
    });
    console.log(told);
  },
  60_000 + KILLS * 30_000,
);
