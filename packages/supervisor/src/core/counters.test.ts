/** What the kernel has counted against what was told: too few bad pages are in use again, too many errors were read by nobody (I2). */
import { describe, expect, test } from 'vitest';
import { checkRun } from './testing/holds.ts';
import { ACTS, Scene } from './testing/scene.ts';

/** The counters of a host with two nodes after so many errors, as its agent names them. */
const counted = (errors: number): { counters: Record<string, number> } => ({
  counters: {
    'node0.memory_failure.total': Math.floor(errors / 2),
    'node0.memory_failure.recovered': Math.floor(errors / 2),
    'node1.memory_failure.total': Math.ceil(errors / 2),
    HardwareCorrupted: errors * 4096,
    'mc0.ce_count': 17,
  },
});
const standing = (scene: Scene): string[] => [...scene.state.alerts].filter(([, a]) => a.standing).map(([key]) => key);
const lost = (scene: Scene, pfn: bigint): void =>
  void scene.see('a', 'kmsg', 'host.memory-failure', { pfn, page: 'dirty LRU page', result: 'Recovered' });
const applied = (scene: Scene): boolean[] =>
  [...(scene.state.hosts.get('a')?.pages.values() ?? [])].map(p => p.applied);

function fleet(): Scene {
  const scene = new Scene({ ...ACTS, reoffline: true });
  scene.host('a', counted(0));
  scene.host('b');
  return scene;
}

describe('fewer bad pages than the ledger', () => {
  test('after a boot: what was said to be out of use again is not, and the host takes no VM', () => {
    const scene = fleet();
    for (const pfn of [1n, 2n]) lost(scene, pfn);
    scene.host('a', counted(2));
    scene.pass(120);
    expect(applied(scene)).toEqual([true, true]);
    scene.host('a', { boot: 'a-2', ...counted(0) });
    for (let act = scene.acts()[0]; act !== undefined; act = scene.acts()[0]) {
      expect(act.kind).toBe('re-offline');
      scene.good(act);
    }
    // Of the two that were confirmed its kernel counts one.
    scene.host('a', { boot: 'a-2', ...counted(1) });
    expect(applied(scene)).toEqual([true, true]);
    scene.pass(70);
    expect(applied(scene)).toEqual([false, false]);
    expect(standing(scene)).toEqual(['unapplied-pages a']);
    const decision = scene.effects.find(e => e.effect === 'decision' && e.decision.rule === 'core/counters');
    expect(decision).toMatchObject({ decision: { inputs: { kernel: 1, ledger: 2, doubted: 2 } } });
    scene.vm('b', 'v');
    scene.order('ann', { order: 'restart', vm: 'v' });
    scene.allGood();
    expect(standing(scene)).toContain('no-target v');
    checkRun(scene);
  });

  test('not of a page that its kernel is only about to count, nor of one that only a VMM has told', () => {
    const scene = fleet();
    scene.pass(100);
    lost(scene, 1n);
    scene.vm('a', 'v');
    scene.see(
      'a',
      'vmm',
      'vmm.quarantine-hit',
      { vcpu: 0, gpa: 0x5000n, action: 'x', exit: 'x' },
      { vm: 'v', pfn: 9n },
    );
    scene.pass(50);
    expect(applied(scene)).toEqual([true, true]);
    scene.host('a', counted(1));
    scene.pass(200);
    expect(applied(scene)).toEqual([true, true]);
    expect(standing(scene)).toEqual([]);
  });

  test('not while nobody reads the counters, nor where there are none', () => {
    const scene = fleet();
    lost(scene, 1n);
    scene.say('a', { kind: 'source', source: 'sysfs', state: 'stalled' });
    scene.pass(200);
    expect(applied(scene)).toEqual([true]);
    const bare = new Scene(ACTS);
    bare.host('a', { counters: {} });
    lost(bare, 1n);
    bare.pass(200);
    expect(applied(bare)).toEqual([true]);
    // On arm64 the size of a page is not known: the meminfo of such a host counts in its own.
    const arm = new Scene(ACTS);
    arm.host('a', { arch: 'arm64', counters: { HardwareCorrupted: 65_536 } });
    arm.pass(200);
    expect(standing(arm)).toEqual([]);
  });

  test('the counter of meminfo tells of a page that was given back', () => {
    const scene = fleet();
    lost(scene, 1n);
    scene.host('a', { counters: { ...counted(1).counters, HardwareCorrupted: 0 } });
    scene.pass(200);
    expect(applied(scene)).toEqual([false]);
  });
});

describe('more errors than anybody has told', () => {
  test('are none where the clock was set back since the boot: an error without an address was told all the same', () => {
    const scene = new Scene(ACTS);
    scene.ahead.set('a', 3_600_000);
    scene.host('a', counted(0));
    scene.vm('a', 'v');
    scene.ahead.set('a', 0);
    scene.host('a', counted(0));
    scene.pass(60);
    scene.see('a', 'qmp', 'vmm.memory-failure', { recipient: 'guest', action: 'inject' }, { vm: 'v' });
    scene.host('a', counted(1));
    scene.pass(200);
    expect(standing(scene)).toEqual([]);
  });

  test('are an alert once all readers had their time, and it ends when they are told', () => {
    const scene = fleet();
    scene.pass(60);
    scene.host('a', counted(2));
    lost(scene, 1n);
    scene.pass(50);
    expect(standing(scene)).toEqual([]);
    scene.pass(20);
    expect(standing(scene)).toEqual(['unseen-errors a']);
    const notice = scene.effects.find(e => e.effect === 'notice' && e.notice.type === 'alert.unseen-errors');
    expect(notice).toMatchObject({
      notice: {
        host: 'a',
        summary: expect.stringContaining('handled 2 memory errors since its boot, and 1 of them were told') as unknown,
      },
    });
    lost(scene, 2n);
    scene.pass(2);
    expect(standing(scene)).toEqual([]);
    checkRun(scene);
  });

  test('a page that was told late, or an error without an address, is told', () => {
    const scene = fleet();
    scene.vm('a', 'v');
    scene.pass(60);
    scene.host('a', counted(2));
    scene.pass(30);
    lost(scene, 1n);
    scene.see('a', 'qmp', 'vmm.memory-failure', { recipient: 'guest', action: 'inject' }, { vm: 'v' });
    scene.pass(200);
    expect(standing(scene)).toEqual([]);
  });

  test('count against the host when a target is chosen', () => {
    const scene = fleet();
    scene.host('c');
    scene.host('a', { ...counted(1), freeBytes: 60 * 2 ** 30 });
    scene.pass(130);
    scene.vm('b', 'v');
    scene.order('ann', { order: 'restart', vm: 'v' });
    scene.allGood();
    expect(scene.state.vms.get('v')?.home).toBe('c');
  });

  test('a boot begins the count anew', () => {
    const scene = fleet();
    scene.host('a', counted(3));
    scene.pass(130);
    expect(standing(scene)).toEqual(['unseen-errors a']);
    scene.host('a', { boot: 'a-2', ...counted(0) });
    expect(standing(scene)).toEqual([]);
  });
});

describe('where a kernel counts only what is out of use', () => {
  const out = (pages: number): { counters: Record<string, number> } => ({
    counters: { HardwareCorrupted: pages * 4096 },
  });
  const offline = (scene: Scene, page: string): void => {
    scene.order('ann', { order: 'offline', host: 'a', page });
    scene.allGood();
  };

  test('a page that we had moved before is no error', () => {
    const scene = fleet();
    scene.host('a', out(0));
    offline(scene, '0x0000000000000005');
    scene.host('a', out(1));
    scene.pass(200);
    expect(standing(scene)).toEqual([]);
  });

  test('one of a boot before hides no error of this one', () => {
    const scene = fleet();
    scene.host('a', out(0));
    for (const page of ['0x0000000000000005', '0x0000000000000006']) offline(scene, page);
    scene.pass(100);
    scene.host('a', { boot: 'a-2', ...out(0) });
    scene.pass(100);
    scene.host('a', { boot: 'a-2', ...out(1) });
    scene.pass(200);
    expect(standing(scene)).toContain('unseen-errors a');
  });
});
