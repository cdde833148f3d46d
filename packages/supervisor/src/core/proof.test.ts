/** How long a proof stands: one of a moment until too much time has passed, each until its host tells of a copy that runs. */
import { describe, expect, test } from 'vitest';
import type { Act } from './act.ts';
import type { Policy } from './policy.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, goneProof, Scene } from './testing/scene.ts';

const FENCES: Policy = { ...ACTS, proofs: { ...ACTS.proofs, fence: true } };

const open = (scene: Scene): string[] => scene.acts().map(a => `${a.kind} ${a.vm} ${a.host}`);
const rules = (scene: Scene): string[] =>
  scene.effects.flatMap(e => (e.effect === 'decision' ? [e.decision.rule] : []));

function powerOff(scene: Scene, fence: Act | undefined): void {
  if (fence?.kind !== 'fence') throw new Error(`${fence?.kind ?? 'nothing'} is no fence`);
  const proof = { ...goneProof(fence, scene.now), kind: 'power-off' as const, evidence: { power: 'off' } };
  const result = { action: fence.id, vm: 'v', epoch: fence.epoch, state: 'confirmed' as const, proof };
  scene.send({ input: 'result', at: scene.now, host: fence.host, result });
}

/** a is silent and was switched off, and b has no room for v any more. */
function held(autostart = true): Scene {
  const scene = new Scene(FENCES);
  scene.send({ input: 'fences', at: scene.now, hosts: ['a'] });
  for (const id of ['a', 'b']) {
    scene.host(id);
    scene.say(id, { kind: 'source', source: 'agent', state: 'reading' });
  }
  scene.vm('a', 'v', { autostart });
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  scene.pass(130);
  scene.host('b', { freeBytes: 0 });
  powerOff(scene, scene.acts()[0]);
  expect(open(scene)).toEqual([]);
  return scene;
}

describe('that a host was off', () => {
  test('is a proof for as long as nobody can have switched it on unseen', () => {
    const scene = held();
    scene.pass(200);
    scene.host('b');
    expect(open(scene)).toEqual(['start v b']);
    checkRun(scene);
  });

  test('is read anew before a start that had to wait, since it starts the VM by itself when it is on', () => {
    const scene = held();
    scene.pass(400);
    scene.host('b');
    expect(open(scene)).toEqual(['fence v a']);
    expect(rules(scene)).toContain('core/proof-aged');
    powerOff(scene, scene.acts()[0]);
    expect(open(scene)).toEqual(['start v b']);
    checkRun(scene);
  });

  test('is read anew after a pause, too', () => {
    const scene = held();
    scene.order('ann', { order: 'pause' });
    scene.pass(3600);
    scene.host('b');
    scene.order('ann', { order: 'resume' });
    scene.pass(1);
    expect(open(scene)).toEqual(['fence v a']);
  });

  test('is asked of the agent where that is here again', () => {
    const scene = held();
    scene.pass(400);
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
    scene.host('b');
    expect(open(scene)).toEqual(['autostart-off v a']);
    scene.allGood();
    expect(scene.state.vms.get('v')?.home).toBe('b');
    checkRun(scene);
  });

  test('is asked of the agent at once, where that was here again for a moment', () => {
    const scene = held();
    scene.pass(10);
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
    scene.host('b');
    expect(open(scene)).toEqual(['fence v a']);
  });

  test('stands where that host does not start the VM by itself', () => {
    const scene = held(false);
    scene.pass(4000);
    scene.host('b');
    expect(open(scene)).toEqual(['start v b']);
  });
});

describe('a host that boots with its clock set back', () => {
  /** v was switched off with a and runs on b; a boots, its clock is off by so much, and has started v again by itself. */
  function back(off: number, vmFirst: boolean): Scene {
    const scene = held();
    scene.host('b');
    scene.allGood();
    expect(scene.state.vms.get('v')?.home).toBe('b');
    scene.pass(60);
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
    // A clock that is off writes rows of that time.
    const now = scene.now;
    const row = (seq: number, said: Parameters<Scene['say']>[1]): void =>
      void scene.send({ input: 'row', at: now, row: { host: 'a', spool: 'a-1', seq, at: now + off, said } });
    row(4, { kind: 'source', source: 'agent', state: 'reading' });
    const told = [
      (seq: number): void =>
        row(seq, {
          kind: 'host',
          boot: 'a-boot-2',
          arch: 'x86-64',
          kernel: '6.19.6',
          memoryBytes: 2 ** 36,
          freeBytes: 2 ** 35,
          cpuModels: [],
          storage: ['nfs:/vms'],
        }),
      (seq: number): void =>
        row(seq, {
          kind: 'vm',
          vm: 'v',
          name: 'v',
          state: 'running',
          vmm: 'libvirt',
          disks: ['nfs:/vms'],
          memoryBytes: 2 ** 30,
          autostart: true,
          optedIn: true,
          epoch: 0,
        }),
    ];
    if (vmFirst) told.reverse();
    for (const [i, say] of told.entries()) say(5 + i);
    return scene;
  }

  test.each([
    [0, false],
    [-3_600_000, false],
    [-3_600_000, true],
    [-1.5e12, false],
    [-1.5e12, true],
  ])('by %i ms is believed that it runs the old copy, VM told first: %s', (off, vmFirst) => {
    const scene = back(off, vmFirst);
    expect(rules(scene)).toContain('core/proof-void');
    scene.pass(1);
    expect(open(scene)).toContain('stop v a');
  });
});

test("a person's word is not enough either for a VM whose host is here again, and starts it by itself", () => {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b']) scene.host(id);
  scene.vm('a', 'v');
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  scene.host('b', { freeBytes: 0 });
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.order('ann', { order: 'attest', vm: 'v', host: 'a', epoch: 0, statement: 'pulled the plug' });
  // It holds for as long as that host is away.
  scene.pass(4000);
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
  scene.host('b');
  expect(open(scene)).toEqual(['autostart-off v a']);
  scene.allGood();
  expect(scene.state.vms.get('v')?.home).toBe('b');
  checkRun(scene);
});

test('what a VM has met since it arrived counts, however long the end of its source was not proven: it is moved live no more', () => {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b', 'c']) scene.host(id);
  scene.vm('a', 'v', { autostart: false });
  scene.order('ann', { order: 'drain', host: 'a' });
  const move = scene.acts()[0] ?? expect.fail('no migration');
  expect(move.kind).toBe('migrate');
  const to = move.to ?? '';
  scene.answer(move, {});
  scene.vm(to, 'v', { pid: 200, autostart: false });
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  scene.pass(20);
  scene.see(to, 'kmsg', 'host.sigbus-sent', { pfn: 7n, comm: 'qemu', pid: 200 }, { vm: 'v' });
  scene.pass(60);
  scene.order('ann', { order: 'attest', vm: 'v', host: 'a', epoch: 0, statement: 'pulled the plug' });
  scene.pass(1);
  expect(scene.state.vms.get('v')?.home).toBe(to);
  scene.order('ann', { order: 'drain', host: to });
  scene.pass(1);
  expect(open(scene)).toEqual([`autostart-off v ${to}`]);
  checkRun(scene);
});

test('what a host wrote before it was switched off, and tells later, undoes no proof', () => {
  const scene = new Scene(FENCES);
  scene.send({ input: 'fences', at: scene.now, hosts: ['a'] });
  for (const id of ['a', 'b']) {
    scene.host(id);
    scene.say(id, { kind: 'source', source: 'agent', state: 'reading' });
  }
  scene.vm('a', 'v');
  const then = scene.now;
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  scene.pass(130);
  powerOff(scene, scene.acts()[0]);
  scene.allGood();
  scene.pass(60);
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
  const said = { kind: 'vm', vm: 'v', name: 'v', state: 'paused', vmm: 'libvirt' } as const;
  const more = { disks: ['nfs:/vms'], memoryBytes: 2 ** 30, autostart: true, optedIn: true, epoch: 0 };
  scene.send({
    input: 'row',
    at: scene.now,
    row: { host: 'a', spool: 'a-1', seq: 4, at: then + 1000, said: { ...said, ...more } },
  });
  expect(rules(scene)).not.toContain('core/proof-void');
});
