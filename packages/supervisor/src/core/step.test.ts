import { describe, expect, test } from 'vitest';
import type { Effect } from './input.ts';
import { restore, snapshot } from './state.ts';
import { step } from './step.ts';
import { ACTS, goneProof, linesOf, Scene } from './testing/scene.ts';

function fleet(): Scene {
  const scene = new Scene(ACTS);
  scene.host('a');
  scene.host('b');
  scene.vm('a', 'v');
  return scene;
}

const kinds = (effects: readonly Effect[]): string[] => effects.flatMap(e => (e.effect === 'act' ? [e.act.kind] : []));
const notices = (effects: readonly Effect[]): string[] =>
  effects.flatMap(e => (e.effect === 'notice' ? [e.notice.type] : []));

function page(scene: Scene, pfn: bigint): Effect[] {
  scene.now += 30_000;
  return scene.see('a', 'kmsg', 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 100 }, { vm: 'v' });
}

describe('the third distinct page', () => {
  test('stops the VM with proof and starts it elsewhere in the next epoch', () => {
    const scene = fleet();
    expect(notices(page(scene, 1n))).toEqual(['vm.memory.poisoned']);
    page(scene, 2n);
    expect(kinds(scene.effects)).toEqual([]);
    page(scene, 3n);
    const done = scene.allGood();
    expect(done.map(a => `${a.kind} ${a.host} ${a.epoch}`)).toEqual([
      'autostart-off a 0',
      'stop a 0',
      'start b 1',
      // The old host learns that a newer epoch is out.
      'autostart-off a 1',
    ]);
    const vm = scene.state.vms.get('v');
    expect([vm?.home, vm?.epoch, vm?.move]).toEqual(['b', 1, undefined]);
    expect(notices(scene.effects)).toContain('vm.restarted');
    expect(linesOf(scene.effects, 0).length).toBeGreaterThan(10);
  });

  test('a repeat is no further error', () => {
    const scene = fleet();
    for (let i = 0; i < 5; i++) page(scene, 1n);
    expect(kinds(scene.effects)).toEqual([]);
  });

  test('a storm of one page wants nothing', () => {
    const scene = fleet();
    page(scene, 1n);
    const before = scene.effects.length;
    for (let i = 0; i < 2000; i++) {
      scene.now += 1;
      scene.see('a', 'kmsg', 'host.memory-failure-note', { pfn: 1n, message: 'already hardware poisoned' });
    }
    expect(scene.effects.length).toBe(before);
  });

  test('without a proof nothing is started, until a person attests exactly that copy', () => {
    const scene = fleet();
    for (const pfn of [1n, 2n, 3n]) page(scene, pfn);
    for (let act = scene.acts()[0]; act !== undefined; act = scene.acts()[0]) {
      if (act.kind === 'autostart-off') scene.answer(act, {});
      else scene.answer(act, { state: 'failed', reason: 'still there' });
    }
    expect(notices(scene.effects)).toContain('alert.unproven');
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
    scene.pass(300);
    expect(kinds(scene.effects)).not.toContain('start');
    scene.order('ann', { order: 'attest', vm: 'v', host: 'a', epoch: 7, statement: 'pulled the plug' });
    scene.order('ann', { order: 'attest', vm: 'v', host: 'b', epoch: 0, statement: 'pulled the plug' });
    expect(kinds(scene.effects)).not.toContain('start');
    scene.order('ann', { order: 'attest', vm: 'v', host: 'a', epoch: 0, statement: 'pulled the plug' });
    expect(kinds(scene.effects)).toContain('start');
  });

  test('a proof for another epoch or host does not count', () => {
    for (const wrong of [{ epoch: 1 }, { host: 'b' }, { vm: 'w' }]) {
      const scene = fleet();
      for (const pfn of [1n, 2n, 3n]) page(scene, pfn);
      scene.good(scene.acts()[0] ?? expect.fail('no act'));
      const stop = scene.acts()[0] ?? expect.fail('no stop');
      scene.answer(stop, { proof: { ...goneProof(stop), ...wrong } });
      expect(kinds(scene.effects)).not.toContain('start');
    }
  });
});

describe('a guest address', () => {
  const lose = (scene: Scene, host: string, gpa: bigint): string[] => {
    scene.now += 90_000;
    return notices(
      scene.see(
        host,
        'qemu-log',
        'vmm.sigbus-injected',
        { gpa, hva: 0x7f00_0000_1000n, code: 'BUS_MCEERR_AO' },
        { vm: 'v' },
      ),
    );
  };
  const told = ['vm.memory.poisoned'];

  test('that is met again in the same life of its VM is the same page', () => {
    const scene = fleet();
    expect(lose(scene, 'a', 0x1000n)).toEqual(told);
    expect(lose(scene, 'a', 0x1000n)).toEqual([]);
  });

  test('is of other memory when the VM was started on that host again: its owner is told', () => {
    const scene = fleet();
    expect(lose(scene, 'a', 0x1000n)).toEqual(told);
    for (const to of ['b', 'a']) {
      scene.now += 60_000;
      scene.order('ann', { order: 'restart', vm: 'v' });
      scene.allGood();
      expect(scene.state.vms.get('v')?.home).toBe(to);
    }
    expect(lose(scene, 'a', 0x1000n)).toEqual(told);
    expect(lose(scene, 'a', 0x1000n)).toEqual([]);
    expect([...(scene.state.hosts.get('a')?.pages.keys() ?? [])]).toEqual([
      'v/0x0000000000001000',
      'v/0x0000000000001000/2',
    ]);
  });

  test('is of other memory when somebody else has started the VM again', () => {
    const scene = fleet();
    expect(lose(scene, 'a', 0x1000n)).toEqual(told);
    scene.vm('a', 'v', { state: 'gone', reason: 'destroyed' });
    scene.vm('a', 'v', { pid: 300, startTicks: '77' });
    expect(lose(scene, 'a', 0x1000n)).toEqual(told);
  });

  test('that is told late of a VM that somebody else has started again is about the life before', () => {
    const scene = fleet();
    const when = scene.now + 1000;
    scene.now += 60_000;
    scene.vm('a', 'v', { state: 'gone', reason: 'destroyed' });
    scene.vm('a', 'v', { pid: 300, startTicks: '77' });
    scene.see(
      'a',
      'qemu-log',
      'vmm.sigbus-injected',
      { gpa: 0x1000n, hva: 0x7f00_0000_1000n, code: 'BUS_MCEERR_AO' },
      { vm: 'v', when },
    );
    expect(lose(scene, 'a', 0x1000n)).toEqual(told);
    expect([...(scene.state.hosts.get('a')?.pages.keys() ?? [])]).toEqual([
      'v/0x0000000000001000',
      'v/0x0000000000001000/2',
    ]);
  });

  test('that is told late is about the life before', () => {
    const scene = fleet();
    const when = scene.now + 1000;
    for (const to of ['b', 'a']) {
      scene.now += 60_000;
      scene.order('ann', { order: 'restart', vm: 'v' });
      scene.allGood();
      expect(scene.state.vms.get('v')?.home).toBe(to);
    }
    scene.see(
      'a',
      'qemu-log',
      'vmm.sigbus-injected',
      { gpa: 0x1000n, hva: 0x7f00_0000_1000n, code: 'BUS_MCEERR_AO' },
      { vm: 'v', when },
    );
    lose(scene, 'a', 0x1000n);
    const pages = [...(scene.state.hosts.get('a')?.pages.values() ?? [])];
    expect(pages.map(p => `${p.key} ${p.times.size}`)).toEqual(['v/0x0000000000001000 1', 'v/0x0000000000001000/2 1']);
    const incidents = [...scene.state.incidents.values()].filter(i => i.cause === 'page');
    expect(incidents.map(i => i.page)).toEqual(pages.map(p => p.key));
  });
});

test('the state goes through JSON in the middle', () => {
  const scene = fleet();
  for (const pfn of [1n, 2n, 3n]) page(scene, pfn);
  const copy = restore(snapshot(scene.state));
  expect(copy).toEqual(scene.state);
  const act = scene.acts()[0] ?? expect.fail('no act');
  const at = scene.now + 60_000;
  expect(step(copy, { input: 'tick', at })).toEqual(step(scene.state, { input: 'tick', at }));
  expect(act.kind).toBe('autostart-off');
});
