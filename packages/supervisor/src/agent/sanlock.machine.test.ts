/** Leases of real sanlock daemons, live, dead and free, read by the commands that an agent uses; and that without a watchdog none of them is a proof. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Act, ActResult } from '../core/act.ts';
import { leaseToAsk } from '../core/lease.ts';
import type { LeaseReport } from '../core/said.ts';
import { ACTS, Scene } from '../core/testing/scene.ts';
import { askLease } from './acts/lease.ts';
import { leaseReports, leasesSeen, sanlockStatus } from './sanlock.ts';
import { until } from './testing/libvirt-hosts.ts';
import { noSanlock, type SanlockHost, sanlockHosts } from './testing/sanlock-hosts.ts';

let folder: string;
let hosts: SanlockHost[] = [];
const never = new AbortController().signal;
const missing = noSanlock();

const ask = (of: SanlockHost): Promise<ActResult> => {
  const deadline = Date.now() + 30_000;
  const lease = { lockspace: 'LS1', hostId: 1, fireSeconds: 60 };
  const act: Act = {
    id: 'l',
    kind: 'ask-lease',
    host: 'b',
    of: 'a',
    vm: 'v',
    epoch: 0,
    incident: 'i',
    deadline,
    lease,
  };
  return askLease(act, of.place, never);
};
const says = async (of: SanlockHost): Promise<string | undefined> =>
  (await leasesSeen('LS1', of.place, never)).words.get(1)?.word;
const told = async (of: SanlockHost): Promise<LeaseReport[]> =>
  (await leaseReports(['LS1'], of.place, never)) ?? expect.fail('its daemon does not answer');

/** Both have joined, and each has seen the other. */
async function joined(): Promise<[a: SanlockHost, b: SanlockHost]> {
  const [a, b] = await sanlockHosts(folder);
  hosts = [a, b];
  await Promise.all([a.join(), b.join()]);
  await until(async () => (await says(b)) === 'LIVE' && (await says(a)) === 'LIVE');
  return [a, b];
}

/** What the core makes of it: is the lease asked for, and is the VM started elsewhere if the answer is a proof to its sender? */
function decided(of: { a: LeaseReport[]; b: LeaseReport[] }, { proof }: ActResult): { asked: boolean; fault: string } {
  const rules = ACTS.rules.filter(({ name }) => name !== 'gone');
  const scene = new Scene({ ...ACTS, rules, proofs: { ...ACTS.proofs, sanlock: true } });
  // Told as armed at first, so that it is asked for; then as it is.
  const armed = of.a.map(lease => ({ ...lease, watchdog: { fireSeconds: 60, device: 'none' } }));
  scene.host('a', { leases: armed });
  scene.host('b', { leases: of.b });
  scene.vm('a', 'v', { autostart: false });
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  scene.pass(300);
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.pass(1);
  const act = scene.acts()[0] ?? expect.fail('nobody was asked');
  expect(act.kind).toBe('ask-lease');
  scene.say('a', {
    kind: 'host',
    boot: 'a-boot-1',
    arch: 'x86-64',
    kernel: '6.19.6',
    memoryBytes: 2 ** 36,
    freeBytes: 2 ** 35,
    cpuModels: [],
    storage: ['nfs:/vms'],
    leases: of.a,
  });
  scene.answer(act, proof === undefined ? { state: 'unknown' } : { proof });
  expect(scene.acts().filter(({ kind }) => kind === 'start')).toEqual([]);
  const { state } = scene;
  const asked = leaseToAsk(state.policy, state.hosts.get('a'), state.hosts.get('b')) !== undefined;
  return { asked, fault: state.acts.get(act.id)?.reason ?? '' };
}

describe('the lease of a host', () => {
  beforeEach(context => {
    skipWithout(context, 'sanlock', missing);
    folder = mkdtempSync(join(tmpdir(), 'san-'));
  });
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.kill();
    if (missing === undefined) rmSync(folder, { recursive: true, force: true });
  });

  test('that is live is none that has expired, and one that is given back neither', async () => {
    const [a, b] = await joined();
    const [own] = await told(a);
    expect(own).toEqual({
      lockspace: 'LS1',
      hostId: 1,
      generation: 1,
      owner: 'a',
      ioTimeout: 2,
      unarmed: expect.stringContaining('use_watchdog=0'),
    });
    expect(await ask(b)).toMatchObject({
      state: 'failed',
      reason: 'sanlock says LIVE of it',
      seen: { generation: '1', ownerName: 'a' },
    });
    // Who is asked for itself has nothing to say.
    expect(await ask(a)).toMatchObject({ state: 'unknown', reason: expect.stringContaining("this host's own") });
    await a.client('set_config', '-s', 'LS1', '-u', '1');
    expect((await sanlockStatus(a.place, never))?.lockspaces.get('LS1')).toMatchObject({
      isUsed: true,
      isRenewed: true,
    });
    await a.client('set_config', '-s', 'LS1', '-u', '0');
    await a.leave();
    expect(await told(a)).toEqual([]);
    await until(async () => (await leasesSeen('LS1', b.place, never)).hosts.get(1)?.timestamp === 0);
    const free = await ask(b);
    expect(free).toMatchObject({ state: 'unknown', reason: expect.stringContaining('given back') });
    expect(free.proof).toBeUndefined();
    // It joins again: another generation.
    await a.join();
    expect((await told(a))[0]?.generation).toBe(2);
  });

  test('whose daemon is away nobody tells of', async () => {
    const [a, b] = await joined();
    await a.kill();
    expect(await leaseReports(['LS1'], a.place, never)).toBeUndefined();
    expect((await told(b)).map(({ hostId }) => hostId)).toEqual([2]);
  });

  // Dead takes 76 s.
  test.runIf(process.env['SYNDROME_LONG_SEARCH'] === '1')(
    'that is dead is no proof without a watchdog, however long it is dead',
    async () => {
      const [a, b] = await joined();
      const leases = { a: await told(a), b: await told(b) };
      await a.kill();
      const words: string[] = [];
      await until(async () => {
        const word = (await says(b)) ?? '';
        if (words.at(-1) !== word) words.push(word);
        // Sanlock's daemon counts from its last look, this reader to it: both say so in the end.
        return word === 'DEAD' && (await ask(b)).proof !== undefined;
      }, 150_000);
      expect(words).toEqual(['LIVE', 'FAIL', 'DEAD']);
      const dead = await ask(b);
      expect(dead).toMatchObject({
        state: 'confirmed',
        proof: { evidence: { lease: 'dead', generation: '1', ownerName: 'a', ioTimeout: '2' } },
      });
      expect(Number(dead.proof?.evidence['unseenSeconds'])).toBeGreaterThan(76);
      expect(decided(leases, dead)).toEqual({
        asked: false,
        fault: 'watchdog is "not armed", and would have to be armed',
      });
    },
  );
});
