/** The storage of a VM is asked from another host, where its own is silent. What the answer is worth depends on kernel and file system. */
import { describe, expect, test } from 'vitest';
import type { Act } from './act.ts';
import type { Policy } from './policy.ts';
import type { VmReport } from './said.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, Scene } from './testing/scene.ts';

const KERNEL = 'one-boot';

/** a is silent, and its VM is to be started elsewhere; b is the only other host. */
function silent(
  proofs: Policy['proofs']['imageLock'] | Partial<Policy['proofs']>,
  bootOfA = KERNEL,
  vm: Partial<VmReport> = {},
): { scene: Scene; asked: Act | undefined } {
  const more = typeof proofs === 'string' ? { imageLock: proofs } : proofs;
  const scene = new Scene({ ...ACTS, proofs: { ...ACTS.proofs, ...more } });
  scene.host('a', { boot: bootOfA });
  scene.host('b', { boot: KERNEL });
  scene.vm('a', 'v', vm);
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

  test.each([
    '<domain><disk><shareable/></disk></domain>',
    '{"argv":["qemu","-drive","file=/d,file.locking=off"]}',
    String.raw`{"argv":["qemu","-blockdev","{\"driver\":\"file\",\"locking\": \"off\"}"]}`,
    '<domain><qemu:arg value="{&quot;locking&quot;:&quot;off&quot;}"/></domain>',
    '{"argv":["qemu","-device","virtio-blk-pci,drive=d,share-rw=on"]}',
    '{"argv":["qemu","-device","virtio-blk-pci,share-rw"]}',
    '{"argv":["qemu","-drive","file=/d,force-share=on"]}',
  ])('is not asked for where a copy may hold none: %s', definition => {
    const { scene, asked } = silent('one-kernel', KERNEL, { definition });
    expect(asked).toBeUndefined();
    expect(starts(scene)).toBe(0);
  });

  test('is asked for where a definition says only that others may not write', () => {
    const definition = '{"argv":["qemu","-device","virtio-blk-pci,share-rw=off","-drive","file.locking=on"]}';
    expect(silent('one-kernel', KERNEL, { definition }).asked?.kind).toBe('ask-lock');
  });

  test.each([
    [['nfs:/vms'], 1],
    [['nfs:/vms', 'x'], 1],
    [['nfs:/others'], 0],
    [[], 0],
  ])('counts in storage that was tested: %j', (testedStorage, started) => {
    const { scene, asked } = silent({ imageLock: 'tested', testedStorage });
    answer(scene, asked, FREE);
    expect(starts(scene)).toBe(started);
  });

  test('proves nothing of a copy that was seen since, whatever the agent that looked has lost before', () => {
    const scene = new Scene({ ...ACTS, proofs: { ...ACTS.proofs, imageLock: 'one-kernel' } });
    scene.host('a', { boot: KERNEL });
    scene.host('b', { boot: KERNEL });
    scene.vm('a', 'v');
    // The agent of b begins anew: its rows are of a second life.
    let seq = 0;
    const anew = (said: Parameters<Scene['say']>[1], at = scene.now): void =>
      void scene.send({ input: 'row', at: scene.now, row: { host: 'b', spool: 'b-2', seq: ++seq, at, said } });
    anew({ kind: 'source', source: 'agent', state: 'reading' });
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
    scene.order('ann', { order: 'restart', vm: 'v' });
    scene.pass(2);
    const asked = scene.acts()[0] ?? expect.fail('nobody was asked');
    const looked = scene.now;
    scene.pass(2);
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
    scene.vm('a', 'v', { pid: 101 });
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
    const proof = { kind: 'image-lock', vm: 'v', host: 'a', epoch: 0, at: looked, evidence: FREE } as const;
    anew({ kind: 'result', action: asked.id, vm: 'v', epoch: 0, state: 'confirmed', proof }, looked);
    scene.pass(1);
    expect(starts(scene)).toBe(0);
    checkRun(scene);
  });

  test('is no act: others are begun meanwhile, and a pause leaves the VM as it was', () => {
    const { scene, asked } = silent('one-kernel');
    scene.host('c');
    scene.vm('c', 'w', { pid: 300 });
    scene.order('ann', { order: 'restart', vm: 'w' });
    scene.pass(1);
    expect(scene.acts().map(a => `${a.kind} ${a.vm}`)).toEqual(['ask-lock v', 'autostart-off w']);
    // Its answer is the leave to start v: that waits for its turn.
    answer(scene, asked, FREE);
    expect(starts(scene)).toBe(0);
    scene.allGood();
    scene.pass(2);
    scene.allGood();
    expect(['v', 'w'].map(id => scene.state.vms.get(id)?.home === 'a')).toEqual([false, false]);
    checkRun(scene);
  });

  test('that is told when nobody wants to know any more leaves the copy as its host has told it', () => {
    const policy: Policy = { ...ACTS, proofs: { ...ACTS.proofs, imageLock: 'one-kernel' } };
    const scene = new Scene(policy);
    scene.host('a', { boot: KERNEL });
    scene.host('b', { boot: KERNEL });
    scene.vm('a', 'v');
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
    // A rule empties it.
    scene.pass(122);
    const asked = scene.acts()[0] ?? expect.fail('nobody was asked');
    scene.order('ann', { order: 'pause' });
    answer(scene, asked, FREE);
    expect(scene.state.vms.get('v')?.copies[0]?.state).toBe('running');
    scene.order('ann', { order: 'resume' });
    scene.pass(2);
    answer(scene, scene.acts()[0], FREE);
    expect(starts(scene)).toBe(1);
  });
});
