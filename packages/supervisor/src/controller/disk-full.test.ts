/** A disk that is full, for real: a small tmpfs. Skipped where this user may not mount one. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@syndrome/base/store/sqlite.ts';
import { expect, test } from 'vitest';
import { runController } from './controller.ts';
import { replay } from './replay.ts';
import { Peer, World } from './testing/peer.ts';
import { MOVES } from './testing/policy.ts';

test('a full disk: nothing is acknowledged that is not written, and all goes on when there is room', async context => {
  const dir = mkdtempSync(join(tmpdir(), 'full-'));
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'tmpfs', disk], { stdio: 'pipe' });
  } catch {
    rmSync(dir, { recursive: true });
    return context.skip('this user may not mount a file system');
  }
  const stop = new AbortController();
  const log: string[] = [];
  const peers: Peer[] = [];
  let ended = Promise.resolve();
  try {
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(20 << 20));
    const store = await openSqlite(join(disk, 'store.db'));
    ended = runController(
      {
        store,
        agentSocket: join(dir, 'run/agents.sock'),
        adminSocket: join(dir, 'run/admin.sock'),
        targets: ['one'],
        targetsOf: () => ['one'],
        deliver: async () => ({ ok: true }),
        policy: { policy: MOVES, by: 'configuration' },
        ttlMs: 3000,
        log: line => log.push(line),
      },
      stop.signal,
    );
    const world = new World();
    const [a, b] = ['a', 'b'].map(host => new Peer(world, host, join(dir, 'run/agents.sock')));
    if (a === undefined || b === undefined) throw new Error('no peers');
    peers.push(a, b);
    a.vm('v');
    for (const pfn of [1n, 2n]) a.page('v', pfn);
    await a.settled();
    while (!log.some(line => line.includes('nothing is accepted'))) {
      for (let i = 0; i < 20; i++) a.say({ kind: 'source', source: 'qmp', state: 'reading', reason: 'x'.repeat(4000) });
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    a.page('v', 3n);
    const { acked } = a;
    expect(acked).toBeLessThan(a.spool.length);
    const rows = async (): Promise<number> =>
      Number((await store.query(`select count(*) as n from input where kind = 'row' and host = 'a'`))[0]?.['n']);
    expect(await rows()).toBeGreaterThanOrEqual(acked);
    rmSync(ballast);
    await b.until(() => world.copies.get('v')?.has('b') ?? false);
    const done = `select count(*) as n from act where state = 'confirmed'`;
    while ((await store.query(done))[0]?.['n'] !== 4n) await new Promise(resolve => setTimeout(resolve, 10));
    await Promise.all([a.settled(), b.settled()]);
    expect(await rows()).toBe(a.spool.length);
    expect(world.copiesMax).toBe(1);
    expect(await replay(store.query)).not.toHaveProperty('differs');
    stop.abort();
    await ended;
    await store.close();
  } finally {
    for (const peer of peers) peer.stop();
    stop.abort();
    await ended.catch(() => {});
    execFileSync('umount', ['-l', disk]);
    rmSync(dir, { recursive: true, force: true });
  }
});
