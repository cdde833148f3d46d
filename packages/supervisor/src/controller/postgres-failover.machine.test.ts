/**
 * Two PostgreSQL with synchronous replication: the one that writes is killed with -9 at random moments and never comes back as it was, the
 * other one takes its place. `SYNDROME_KILLS=300` fails over 60 times, and not 4.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresServer, postgresMissing } from '@syndrome/base/store/testing/postgres-server.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { surviveKills } from './testing/kills.ts';

const FAILOVERS = Math.ceil(Number(process.env['SYNDROME_KILLS'] ?? 20) / 5);
/** A commit is answered when the other one has it on its disk too. */
const QUORUM = 'synchronous_standby_names=*';
const missing = postgresMissing();
let [primary, standby]: [PostgresServer?, PostgresServer?] = [];
beforeAll(async () => {
  if (missing !== undefined) return;
  // Until there is a standby no commit with a quorum is answered.
  primary = await PostgresServer.make();
  standby = await PostgresServer.standbyOf(primary, QUORUM);
  await primary.stop();
  await primary.start(QUORUM);
  process.env['SYNDROME_TEST_POSTGRES'] = primary.url('{}', { others: [standby] });
});
beforeEach(context => skipWithout(context, 'postgres', missing));
afterAll(async () => {
  delete process.env['SYNDROME_TEST_POSTGRES'];
  await primary?.remove();
  await standby?.remove();
});

test(
  `${FAILOVERS} times another primary: nothing acknowledged is lost, nothing is done twice, no controller ends`,
  async () => {
    const told = await surviveKills(FAILOVERS, async (of, { drop, losePages }) => {
      const [old, next] = [primary, standby];
      if (old === undefined || next === undefined) throw new Error('no servers');
      while (of.working === undefined || of.begun.size < 2) await sleep(5);
      await sleep(of.random() * 150);
      // What the primary has written alone, and nobody was told of, is lost with it.
      const alone = of.random() < 0.5;
      if (alone) await next.kill9();
      for (let i = 0; i < 5; i++) {
        losePages();
        await sleep(of.random() * 100);
      }
      await old.kill9();
      drop();
      if (alone) await next.start(QUORUM);
      next.promote();
      await old.follow(next, QUORUM);
      [primary, standby] = [next, old];
      for (const child of of.children)
        expect([child.exitCode, child.signalCode], 'a controller has ended by itself').toEqual([null, null]);
    });
    console.log(told);
  },
  60_000 + FAILOVERS * 60_000,
);
