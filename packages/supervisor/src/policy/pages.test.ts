/** What the shipped policies do with pages of hosts that weaken. */
import { describe, expect, test } from 'vitest';
import { checkRun } from '../core/testing/holds.ts';
import { Scene } from '../core/testing/scene.ts';
import { shippedPolicy } from './shipped.ts';

describe('pages of hosts are within the budget', () => {
  const weaken = (scene: Scene, host: string, pfn: bigint): void =>
    void scene.see(host, 'kmsg', 'host.edac-corrected', { count: 60, message: 'memory read error', addr: pfn << 12n });
  const weak = (): Scene => {
    const scene = new Scene(shippedPolicy('protect'));
    for (const host of ['a', 'b', 'c']) scene.host(host);
    for (const host of ['a', 'b', 'c']) for (const pfn of [1n, 2n, 3n]) weaken(scene, host, pfn);
    return scene;
  };
  const offline = (scene: Scene): string[] => scene.acts().map(a => `${a.kind} ${a.host} ${a.pfn}`);

  test('one at a time, and all in the end', () => {
    const scene = weak();
    const done: string[] = [];
    for (let act = scene.acts()[0]; act !== undefined; act = scene.acts()[0]) {
      expect(offline(scene)).toHaveLength(1);
      done.push(...offline(scene));
      scene.good(act);
    }
    expect(done.toSorted()).toEqual(['a', 'b', 'c'].flatMap(h => [1, 2, 3].map(pfn => `soft-offline ${h} ${pfn}`)));
    checkRun(scene);
  });

  test('one that fails is told, until the memory is replaced; the next has its turn', () => {
    const scene = weak();
    const [act] = scene.acts();
    scene.answer(act ?? expect.fail('no act'), { state: 'failed', reason: 'EBUSY' });
    const told = scene.effects.findLast(e => e.effect === 'notice');
    expect(told?.effect === 'notice' && told.notice.summary).toBe(
      'Page 0x0000000000000001 of a is not taken out of use: EBUSY.',
    );
    expect(offline(scene)).toHaveLength(1);
    const key = 'action-failed a page 0x0000000000000001';
    expect(scene.state.alerts.get(key)?.standing).toBe(true);
    scene.order('ann', { order: 'repaired', host: 'a' });
    expect(scene.state.alerts.get(key)?.standing).toBe(false);
  });

  test('a page rule that tells tells the owners, once a day for a host', () => {
    const scene = new Scene(shippedPolicy('notify'));
    scene.host('a');
    scene.vm('a', 'v');
    const told = (): number =>
      scene.effects.filter(e => e.effect === 'notice' && e.notice.type === 'vm.memory.predicted').length;
    weaken(scene, 'a', 1n);
    weaken(scene, 'a', 2n);
    expect(told()).toBe(1);
    scene.pass(5);
    scene.order('ann', { order: 'repaired', host: 'a' });
    scene.pass(5);
    weaken(scene, 'a', 1n);
    expect(told()).toBe(2);
  });
});

test('a VM that has died is started before pages are taken out of use, however many wait', () => {
  const scene = new Scene({ ...shippedPolicy('protect'), reoffline: true });
  for (const host of ['a', 'b']) scene.host(host);
  scene.vm('a', 'v', { autostart: false });
  for (let pfn = 1n; pfn <= 20n; pfn++)
    scene.see('b', 'kmsg', 'host.edac-corrected', { count: 60, message: 'memory read error', addr: pfn << 12n });
  scene.host('c');
  expect(scene.acts().map(a => a.kind)).toEqual(['soft-offline']);
  scene.see(
    'a',
    'qmp',
    'vmm.memory-failure',
    { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
    { vm: 'v', gpa: 0x1000n },
  );
  scene.see('a', 'proc', 'vmm.exit', { signal: 7 }, { vm: 'v' });
  scene.vm('a', 'v', { state: 'gone', reason: 'killed', autostart: false });
  // Nobody answers for pages, so that each takes its whole deadline.
  const isStarted = (): boolean => scene.effects.some(e => e.effect === 'act' && e.act.kind === 'start');
  let seconds = 0;
  for (; !isStarted() && seconds < 600; seconds++) {
    for (const act of scene.acts()) if (act.kind !== 'soft-offline') scene.good(act);
    scene.pass(1);
  }
  expect(seconds).toBeLessThan(70);
});

test('the alert of a page that could not be taken away ends when it is', () => {
  const scene = new Scene(shippedPolicy('protect'));
  scene.host('a');
  const order = (): void => void scene.order('ann', { order: 'offline', host: 'a', page: '0x0000000000000007' });
  const isStanding = (): unknown => scene.state.alerts.get('action-failed a page 0x0000000000000007')?.standing;
  order();
  scene.answer(scene.acts()[0] ?? expect.fail('no act'), { state: 'refused', reason: 'not allowed' });
  expect(isStanding()).toBe(true);
  order();
  scene.good(scene.acts()[0] ?? expect.fail('no act'));
  expect(isStanding()).toBe(false);
});

describe('a page that is not taken out of use again after a boot', () => {
  const KEY = '0x0000000000000007';
  const booted = (): Scene => {
    const scene = new Scene({ ...shippedPolicy('protect'), reoffline: true });
    scene.host('a');
    scene.see('a', 'kmsg', 'host.memory-failure', { pfn: 7n, page: 'dirty LRU page', result: 'Recovered' });
    scene.host('a', { boot: 'a-2' });
    return scene;
  };
  const asked = (scene: Scene): number =>
    scene.effects.filter(e => e.effect === 'act' && e.act.kind === 're-offline').length;
  const told = (scene: Scene): number =>
    scene.effects.filter(e => e.effect === 'notice' && e.notice.type === 'alert.action-failed').length;
  const isStanding = (scene: Scene): unknown => scene.state.alerts.get(`action-failed a page ${KEY}`)?.standing;
  const answerAll = (scene: Scene, seconds: number, answer: Parameters<Scene['answer']>[1]): void => {
    for (let i = 0; i < seconds; i++) {
      for (const act of scene.acts()) scene.answer(act, answer);
      scene.pass(1);
    }
  };
  const BUSY = { state: 'failed', reason: 'the kernel took it, and the page is in use' } as const;

  test('is asked for again, is told meanwhile, and the alert ends with it', () => {
    const scene = booted();
    answerAll(scene, 30, BUSY);
    expect([asked(scene), told(scene), isStanding(scene)]).toEqual([1, 1, true]);
    answerAll(scene, 40, BUSY);
    expect([asked(scene), told(scene)]).toEqual([2, 1]);
    answerAll(scene, 130, {});
    expect([asked(scene), isStanding(scene)]).toEqual([3, false]);
    answerAll(scene, 3600, {});
    expect(asked(scene)).toBe(3);
  });

  test('is asked for a few times in a boot, and anew in the next', () => {
    const scene = booted();
    answerAll(scene, 7200, BUSY);
    expect([asked(scene), told(scene), isStanding(scene)]).toEqual([6, 1, true]);
    scene.host('a', { boot: 'a-3' });
    answerAll(scene, 5, {});
    expect([asked(scene), isStanding(scene)]).toEqual([7, false]);
  });

  test('where nobody answers, and where its agent may not', () => {
    const scene = booted();
    scene.pass(150);
    expect([asked(scene), isStanding(scene)]).toEqual([2, true]);
    const other = booted();
    answerAll(other, 7200, { state: 'refused', reason: 'the configuration of this agent does not allow it' });
    expect([asked(other), isStanding(other)]).toEqual([1, true]);
  });

  test('and is bad again by itself: it is out of use', () => {
    const scene = booted();
    answerAll(scene, 5, BUSY);
    scene.see('a', 'kmsg', 'host.memory-failure', { pfn: 7n, page: 'dirty LRU page', result: 'Recovered' });
    scene.pass(1);
    expect(isStanding(scene)).toBe(false);
  });
});
