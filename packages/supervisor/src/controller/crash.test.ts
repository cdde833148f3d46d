/**
 * Controllers are killed with -9 at random moments while errors come in and VMs are moved. `SYNDROME_KILLS=300` kills more often
 * than 20 times.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { replay } from './replay.ts';
import { chance } from './testing/chance.ts';
import { Peer, World } from './testing/peer.ts';
import { newStore } from './testing/store.ts';

const KILLS = Number(process.env['SYNDROME_KILLS'] ?? 20);
const HOSTS = ['a', 'b', 'c', 'd'];
/** VMs that get their third page for each kill. */
const VMS_A_KILL = 2;

test(
  `${KILLS} times kill -9: nothing accepted is lost, nothing is done twice`,
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'crash-'));
    const random = chance(Number(process.env['SYNDROME_SEED'] ?? 1) || Date.now());
    const world = new World();
    /** Which of the two works, as far as it has said so. */
    let working: ChildProcess | undefined;
    const started = (): ChildProcess => {
      const script = join(import.meta.dirname, 'testing/run.ts');
      const child = spawn(process.execPath, [script, dir, '50'], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout?.on('data', (said: Buffer) => {
        if (said.includes('works now')) working = child;
      });
      return child;
    };
    const store = await newStore(dir);
    const children = [started(), started()];
    const peers = HOSTS.map(host => new Peer(world, host, join(dir, 'run/agents.sock')));
    try {
      let vms = 0;
      let pfn = 0n;
      for (let kill = 0; kill < KILLS; kill++) {
        for (let i = 0; i < VMS_A_KILL; i++) {
          const at = Math.floor(random() * HOSTS.length);
          const vm = `vm-${++vms}`;
          peers[at]?.vm(vm);
          for (let page = 0; page < 3; page++) peers[at]?.page(vm, ++pfn);
          await sleep(random() * 100);
        }
        if (random() < 0.2) peers[kill % HOSTS.length]?.drop();
        // Mostly the one that works, at any moment of its work; else one that waits, or starts.
        const aimed = random() < 0.8;
        while (aimed && working === undefined) await sleep(5);
        await sleep(random() * 100);
        const which = aimed ? children.findIndex(child => child === working) : Math.floor(random() * 2);
        const victim = children[which];
        if (victim === undefined) throw new Error('no controller');
        if (victim === working) working = undefined;
        victim.kill('SIGKILL');
        if (victim.exitCode === null && victim.signalCode === null) await once(victim, 'exit');
        expect(victim.exitCode, 'a controller has ended by itself').toBeNull();
        children[which] = started();
      }
      const starts = (): string[] => [...world.effects.keys()].filter(id => id.includes('/start/'));
      await Promise.all(peers.map(p => p.until(() => starts().length >= vms)));
      await Promise.all(peers.map(p => p.settled()));
      const list = async (sql: string): Promise<string[]> =>
        (await store.query(sql)).map(row => String(Object.values(row)[0]));
      const open = `select id from outbox where state = 'waiting' union all select id from act where state in ('intent', 'sent')`;
      while ((await list(open)).length > 0) await sleep(50);
      await Promise.all(peers.map(p => p.settled()));

      const rows = peers.flatMap(p => p.spool.map((_, i) => `${p.host} ${i + 1}`));
      const ledger = await list(`select host || ' ' || "row" from input where kind = 'row'`);
      expect(ledger.toSorted()).toEqual(rows.toSorted());
      expect([starts().length, world.copiesMax]).toEqual([vms, 1]);
      expect([...world.copies.values()].map(copies => [...copies.values()])).toEqual(
        Array.from({ length: vms }, () => [1]),
      );
      expect(Math.max(...world.effects.values())).toBe(1);
      expect((await list('select id from act')).toSorted()).toEqual([...world.received.keys()].toSorted());
      const told = readFileSync(join(dir, 'told'), 'utf8').trim().split('\n');
      expect([...new Set(told)].toSorted()).toEqual((await list('select id from outbox')).toSorted());
      const replayed = await replay(store.query);
      expect(replayed).not.toHaveProperty('differs');
      const [lease] = await list('select epoch from lease');
      const acts = [...world.received.values()].reduce((sum, n) => sum + n, 0);
      console.log(
        `${KILLS} kills, ${lease} owners: ${rows.length} rows, 0 lost; ${world.effects.size} acts, ${acts - world.received.size} sent again, 0 done twice; ` +
          `${new Set(told).size} notices, ${told.length - new Set(told).size} told again; ${replayed.decisions} decisions, the same in a replay`,
      );
    } finally {
      for (const peer of peers) peer.stop();
      await store.close();
      await Promise.all(
        children.map(async c => {
          if (c.exitCode !== null || c.signalCode !== null) return;
          c.kill('SIGKILL');
          await once(c, 'exit');
        }),
      );
      rmSync(dir, { recursive: true, force: true });
    }
  },
  60_000 + KILLS * 5000,
);
