/** A host is asked for the files of a VM before the VM is stopped for it. */
import { describe, expect, test } from 'vitest';
import { ACTS, Scene } from './testing/scene.ts';

const NEEDS = ['/usr/bin/qemu-system-x86_64', '/boot/vmlinuz'];
const MISSING = '/boot/vmlinuz is not there';

function ordered(...others: string[]): Scene {
  const scene = new Scene(ACTS);
  for (const host of ['a', ...others]) scene.host(host, { freeBytes: host === 'b' ? 2 ** 36 : 2 ** 35 });
  scene.vm('a', 'v', { needs: NEEDS });
  scene.order('ann', { order: 'restart', vm: 'v' });
  return scene;
}
const alarms = (scene: Scene): string[] =>
  scene.effects.flatMap(e => (e.effect === 'notice' && e.notice.type.startsWith('alert.') ? [e.notice.summary] : []));

describe('the files of a VM', () => {
  test('are asked for before anything is done, and then it goes its way', () => {
    const scene = ordered('b');
    const [check] = scene.acts();
    expect(check).toMatchObject({ kind: 'check', host: 'b', vm: 'v', needs: NEEDS });
    expect(scene.state.vms.get('v')?.move?.begun).toBe(false);
    expect(scene.allGood().map(({ kind, host }) => `${kind} ${host}`)).toEqual([
      'check b',
      'autostart-off a',
      'stop a',
      'start b',
      'autostart-off a',
    ]);
  });

  test('that are missing on one host: the next one is asked', () => {
    const scene = ordered('b', 'c');
    const [check] = scene.acts();
    if (check === undefined) throw new Error('nothing is asked');
    scene.answer(check, { state: 'failed', reason: MISSING });
    expect(scene.allGood().map(({ kind, host }) => `${kind} ${host}`)).toEqual([
      'check c',
      'autostart-off a',
      'stop a',
      'start c',
      'autostart-off a',
    ]);
    expect(
      scene.effects.some(e => e.effect === 'decision' && String(e.decision.inputs['not b']).includes(MISSING)),
    ).toBe(true);
  });

  test('that no host has: nothing is stopped, it is told once, and asked again after a while', () => {
    const scene = ordered('b');
    const [check] = scene.acts();
    if (check === undefined) throw new Error('nothing is asked');
    scene.answer(check, { state: 'failed', reason: MISSING });
    scene.pass(50);
    expect(scene.acts()).toEqual([]);
    expect(alarms(scene)).toEqual([expect.stringContaining(`b: ${MISSING}`)]);
    scene.pass(20);
    const [again] = scene.acts();
    expect(again).toMatchObject({ kind: 'check', host: 'b' });
    if (again === undefined) return;
    scene.answer(again, { state: 'failed', reason: MISSING });
    scene.pass(5);
    expect(alarms(scene)).toHaveLength(1);
    scene.pass(60);
    expect(scene.allGood().map(({ kind }) => kind)).toEqual([
      'check',
      'autostart-off',
      'stop',
      'start',
      'autostart-off',
    ]);
  });

  test('of which a host does not speak are taken for missing', () => {
    const scene = ordered('b');
    scene.pass(20);
    expect(alarms(scene)).toEqual([expect.stringContaining('b: ')]);
    expect(scene.acts()).toEqual([]);
  });
});
