/**
 * Controllers are killed with -9 at random moments while errors come in and VMs are moved. `SYNDROME_KILLS=300` kills more often
 * than 20 times.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Controllers, surviveKills } from './testing/kills.ts';

const KILLS = Number(process.env['SYNDROME_KILLS'] ?? 20);

/** Mostly the one that works, at any moment of its work; else one that waits, or starts. */
async function strike(of: Controllers): Promise<void> {
  const { random, children } = of;
  const aimed = random() < 0.8;
  while (aimed && of.working === undefined) await sleep(5);
  await sleep(random() * 100);
  const which = aimed ? children.findIndex(child => child === of.working) : Math.floor(random() * 2);
  const victim = children[which];
  if (victim === undefined) throw new Error('no controller');
  if (victim === of.working) of.working = undefined;
  victim.kill('SIGKILL');
  if (victim.exitCode === null && victim.signalCode === null) await once(victim, 'exit');
  expect(victim.exitCode, 'a controller has ended by itself').toBeNull();
  children[which] = of.start();
}

test(
  `${KILLS} times kill -9: nothing accepted is lost, nothing is done twice`,
  async () => {
    console.log(await surviveKills(KILLS, strike));
  },
  60_000 + KILLS * 5000,
);
