/** The storage of a VM is asked from another host, where its own is silent. What the answer is worth depends on kernel and file system. */
import { describe, expect, test } from 'vitest';
import type { Act } from './act.ts';
import { ACTS, Scene } from './testing/scene.ts';

const KERNEL = 'one-boot';

/** a is silent, and its VM is to be started elsewhere; b is the only other host. */
function silent(imageLock: 'never' | 'one-kernel', bootOfA = KERNEL): { scene: Scene; asked: Act | undefined } {
  const scene = new Scene({ ...ACTS, proofs: { ...ACTS.proofs, imageLock } });
  scene.host('a', { boot: bootOfA });
  scene.host('b', { boot: KERNEL });
  scene.vm('a', 'v');
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.pass(2);
  return { scene, asked: scene.acts()[0] };
}

function answer(scene: Scene, asked: Act | undefined, evidence: Record<string, string>): void {
  if (asked === undefined) throw new Error('nobody was asked');
  const proof = { kind: 'image-lock', vm: 'v', host: 'a', epoch: 0, at: scene.now, evidence } as const;
  scene.answer(asked, { proof });
  scene.pass(2);
}

const starts = (scene: Scene): number => scene.effects.filter(e => e.effect === 'act' && e.act.kind === 'start').length;
const FREE = { lock: 'free', fs: 'ext4', boot: KERNEL };

describe("QEMU's image lock", () => {
  test('is asked for by the host where the VM would be started, and is a proof on one kernel', () => {
    const { scene, asked } = silent('one-kernel');
    expect(asked).toMatchObject({ kind: 'ask-lock', host: 'b', of: 'a', vm: 'v', epoch: 0, disks: ['nfs:/vms'] });
    answer(scene, asked, FREE);
    expect(starts(scene)).toBe(1);
    expect(scene.effects.some(e => e.effect === 'decision' && e.decision.inputs['kernel'] === 'shared')).toBe(true);
  });

  test.each<[string, Record<string, string>, string?]>([
    ['that is held', { ...FREE, lock: 'held' }],
    ['on a network file system', { ...FREE, fs: 'nfs' }],
    ['on a file system that is not known', { ...FREE, fs: '0x1' }],
    ['of another kernel', FREE, 'another-boot'],
    ['of another kernel, whatever the agent says of it', { ...FREE, kernel: 'shared' }, 'another-boot'],
    ['without a boot', { lock: 'free', fs: 'ext4', kernel: 'shared' }],
  ])('%s proves nothing: the VM is held', (_, evidence, bootOfA) => {
    const { scene, asked } = silent('one-kernel', bootOfA);
    answer(scene, asked, evidence);
    expect(starts(scene)).toBe(0);
    expect(scene.effects.some(e => e.effect === 'notice' && e.notice.type === 'alert.unproven')).toBe(true);
  });

  test('is not asked for where the policy does not count it', () => {
    const { scene, asked } = silent('never');
    expect(asked).toBeUndefined();
    expect(starts(scene)).toBe(0);
  });
});
