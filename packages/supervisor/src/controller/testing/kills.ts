/**
 * Controllers, hosts and VMs that are moved while something is killed at random moments, and what has to be so when all is over: nothing
 * accepted is lost, nothing is done twice, everybody was told, and a replay decides the same.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '@syndrome/base/store/store.ts';
import { expect } from 'vitest';
import { replay } from '../replay.ts';
import { chance } from '../../sim/chance.ts';
import { Peer, World } from './peer.ts';
import { newStore } from './store.ts';

const HOSTS = ['a', 'b', 'c', 'd'];
/** VMs that get their third page for each kill. */
const VMS_A_KILL = 2;

/** Two controllers on one store, each a process. */
export class Controllers {
  readonly folder: string;
  readonly random: () => number;
  readonly children: ChildProcess[];
  /** Which of the two works, as far as it has said so. */
  working: ChildProcess | undefined;
  /** Those that have opened the store: they work or wait, and nothing but a kill ends them. */
  readonly begun = new Set<ChildProcess>();
  /** How often the answer to what was sent was lost. */
  unknown = 0;

  constructor(folder: string, random: () => number) {
    this.folder = folder;
    this.random = random;
    this.children = [this.start(), this.start()];
  }

  start(): ChildProcess {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'run.ts'), this.folder, '50'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout?.on('data', (data: Buffer) => {
      const lines = data.toString().split('\n');
      this.begun.add(child);
      this.unknown += lines.filter(line => line.includes('the connection was lost before')).length;
      if (lines.some(line => line.includes('works now'))) this.working = child;
    });
    return child;
  }

  async end(): Promise<void> {
    await Promise.all(
      this.children.map(async c => {
        if (c.exitCode !== null || c.signalCode !== null) return;
        c.kill('SIGKILL');
        await once(c, 'exit');
      }),
    );
  }
}

/** What somebody who strikes can do to the hosts. */
interface Hosts {
  /** Ends the connections of all of them. */
  drop: () => void;
  /** Each of them loses a page that no VM has. */
  losePages: () => void;
}

/**
 * @param strike kills something once, and has it back; called while errors come in and VMs are moved
 * @returns what there was, in a line
 */
export async function surviveKills(
  kills: number,
  strike: (of: Controllers, hosts: Hosts) => Promise<void>,
): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'crash-'));
  const random = chance(Number(process.env['SYNDROME_SEED'] ?? 1) || Date.now());
  const world = new World();
  const store = await newStore(dir);
  const controllers = new Controllers(dir, random);
  const peers = HOSTS.map(host => new Peer(world, host, join(dir, 'run/agents.sock')));
  try {
    let vms = 0;
    let pfn = 0n;
    for (let kill = 0; kill < kills; kill++) {
      for (let i = 0; i < VMS_A_KILL; i++) {
        const at = Math.floor(random() * HOSTS.length);
        const vm = `vm-${++vms}`;
        peers[at]?.vm(vm);
        for (let page = 0; page < 3; page++) peers[at]?.page(vm, ++pfn);
        await sleep(random() * 100);
      }
      if (random() < 0.2) peers[kill % HOSTS.length]?.drop();
      await strike(controllers, {
        drop: () => peers.forEach(peer => peer.drop()),
        losePages: () => peers.forEach(peer => peer.page(undefined, ++pfn)),
      });
    }
    const starts = (): string[] => [...world.effects.keys()].filter(id => id.includes('/start/'));
    await Promise.all(peers.map(p => p.until(() => starts().length >= vms)));
    await Promise.all(peers.map(p => p.settled()));
    await over(store);
    await Promise.all(peers.map(p => p.settled()));
    const list = listOf(store);

    const rows = peers.flatMap(p => p.spool.map((_, i) => `${p.host} ${i + 1}`));
    const ledger = await list(`select host || ' ' || "row" from input where kind = 'row'`);
    expect(ledger.toSorted()).toEqual(rows.toSorted());
    expect(peers.map(({ takenBack }) => takenBack)).toEqual(peers.map(() => 0));
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
    return (
      `${kills} kills, ${lease} owners, ${controllers.unknown} answers lost: ${rows.length} rows, 0 lost; ${world.effects.size} acts, ` +
      `${acts - world.received.size} sent again, 0 done twice; ${new Set(told).size} notices, ${told.length - new Set(told).size} told again; ` +
      `${replayed.decisions} decisions, the same in a replay`
    );
  } finally {
    for (const peer of peers) peer.stop();
    await controllers.end();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

const listOf =
  (store: Store) =>
  async (sql: string): Promise<string[]> =>
    (await store.query(sql)).map(row => String(Object.values(row)[0]));

/** Waits until nothing is under way any more. */
async function over(store: Store): Promise<void> {
  const open = `select id from outbox where state = 'waiting' union all select id from act where state in ('intent', 'sent')`;
  while ((await listOf(store)(open)).length > 0) await sleep(50);
}
