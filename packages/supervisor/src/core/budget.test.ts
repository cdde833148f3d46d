/** How much is done at a time: every act on a VM counts, whatever has it done. */
import { describe, expect, test } from 'vitest';
import type { Policy } from './policy.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, goneProof, Scene } from './testing/scene.ts';

const open = (scene: Scene): string[] => scene.acts().map(a => `${a.kind} ${a.vm} ${a.host}`);
const alarms = (scene: Scene): string[] => [...scene.state.alerts].filter(([, a]) => a.standing).map(([key]) => key);

/** VMs v, w, … of host a that we have moved to b; c is there too. */
function moved(vms: readonly string[], policy: Partial<Policy> = {}): Scene {
  const scene = new Scene({ ...ACTS, ...policy });
  for (const id of ['a', 'b', 'c']) scene.host(id);
  for (const [i, vm] of vms.entries()) scene.vm('a', vm, { pid: 100 + i });
  scene.host('c', { freeBytes: 0 });
  for (const vm of vms) scene.order('ann', { order: 'restart', vm });
  scene.allGood();
  expect(vms.map(vm => scene.state.vms.get(vm)?.home)).toEqual(vms.map(() => 'b'));
  scene.host('c');
  return scene;
}

describe('a second copy of a VM that we have replaced', () => {
  test('is ended at once while another VM is moved, and counts: nothing is begun beside it', () => {
    const scene = moved(['v']);
    for (const [vm, pid] of [
      ['x', 300],
      ['y', 301],
    ] as const)
      scene.vm('c', vm, { pid });
    scene.order('ann', { order: 'restart', vm: 'x' });
    expect(open(scene)).toEqual(['autostart-off x c']);
    scene.vm('a', 'v', { epoch: 0 });
    expect(open(scene)).toEqual(['autostart-off x c', 'stop v a']);
    // x goes on; y is not begun although x ends before the second copy does.
    scene.order('ann', { order: 'restart', vm: 'y' });
    for (const kind of ['autostart-off', 'stop', 'start']) {
      const act = scene.acts().find(a => a.kind === kind && a.vm === 'x') ?? expect.fail(`no ${kind} of x`);
      scene.good(act);
    }
    expect(scene.state.vms.get('x')?.home).not.toBe('c');
    expect(open(scene)).toEqual(['stop v a']);
    scene.good(scene.acts()[0] ?? expect.fail('no stop'));
    scene.pass(1);
    scene.allGood();
    expect(scene.state.vms.get('y')?.home).not.toBe('c');
    checkRun(scene);
  });

  test.each([0, 1])('is ended also by an agent that has been told of the newer epoch, and tells epoch %i', epoch => {
    const scene = moved(['v']);
    // It knows epoch 1 by now, and refuses what is older.
    expect(scene.state.vms.get('v')?.copies.find(c => c.host === 'a')?.told).toBe(1);
    scene.vm('a', 'v', { epoch });
    const stop = scene.acts()[0] ?? expect.fail('no stop');
    expect(stop).toMatchObject({ kind: 'stop', host: 'a', epoch: 1 });
    scene.good(stop);
    scene.pass(20);
    expect(open(scene)).toEqual([]);
    expect(alarms(scene)).toEqual([]);
    checkRun(scene);
  });

  test('is ended in a storm too, one at a time, and not while the fleet is paused', () => {
    const scene = moved(['v', 'w'], { budget: { moves: 5, drainingPercent: 5, drainingAtLeast: 1 } });
    for (let i = 0; i < 5; i++) {
      scene.host(`h${i}`);
      scene.see(`h${i}`, 'kmsg', 'host.memory-failure', { pfn: 9n, page: 'x', result: 'Recovered' });
    }
    expect(alarms(scene)).toContain('breaker-open fleet');
    scene.order('ann', { order: 'pause' });
    for (const vm of ['v', 'w']) scene.vm('a', vm, { epoch: 0 });
    scene.pass(30);
    expect(open(scene)).toEqual([]);
    scene.order('ann', { order: 'resume' });
    expect(open(scene)).toEqual(['stop v a']);
    scene.pass(5);
    expect(open(scene)).toEqual(['stop v a']);
    scene.good(scene.acts()[0] ?? expect.fail('no stop'));
    scene.pass(1);
    expect(open(scene)).toEqual(['stop w a']);
    checkRun(scene);
  });
});

test('that an old host is told of the newer epoch counts, and takes its turn', () => {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b']) scene.host(id);
  for (const [vm, pid] of [
    ['v', 100],
    ['w', 101],
  ] as const)
    scene.vm('a', vm, { pid });
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.order('ann', { order: 'restart', vm: 'w' });
  const seen: string[] = [];
  for (let act = scene.acts()[0]; act !== undefined; act = scene.acts()[0]) {
    expect(scene.acts().length).toBe(1);
    seen.push(`${act.kind} ${act.vm} ${act.epoch}`);
    scene.good(act);
  }
  expect(seen).toEqual([
    'autostart-off v 0',
    'stop v 0',
    'start v 1',
    'autostart-off v 1',
    'autostart-off w 0',
    'stop w 0',
    'start w 1',
    'autostart-off w 1',
  ]);
  checkRun(scene);
});

test('pages are taken out of a guest one after the other, and while nothing else is under way', () => {
  const rules: Policy['rules'] = [
    { name: 'any', of: 'vm', when: { errors: 1 }, do: 'quarantine', drain: false, notice: 0, settle: 0 },
  ];
  const scene = new Scene({ ...ACTS, rules });
  for (const id of ['a', 'b']) scene.host(id);
  scene.vm('a', 'v', { vmm: 'reference' });
  scene.vm('a', 'w', { pid: 101 });
  scene.order('ann', { order: 'restart', vm: 'w' });
  for (const gpa of [0x1000n, 0x2000n, 0x3000n])
    scene.see(
      'a',
      'vmm',
      'vmm.sigbus',
      { codename: 'BUS_MCEERR_AO', lsb: 12, hva: 1n, gpa, action: 'x', quarantine: 'no' },
      { vm: 'v' },
    );
  expect(open(scene)).toEqual(['autostart-off w a']);
  const seen: string[] = [];
  for (let act = scene.acts()[0]; act !== undefined; act = scene.acts()[0]) {
    expect(scene.acts().length).toBe(1);
    if (act.kind === 'quarantine') seen.push(`${act.gpa}`);
    scene.good(act);
    scene.pass(1);
  }
  expect(seen).toEqual(['4096', '8192', '12288']);
  checkRun(scene);
});

test('a VM whose VMM does not answer about a page is moved at once', () => {
  const rules: Policy['rules'] = [
    { name: 'second', of: 'vm', when: { errors: 2 }, do: 'restart-elsewhere', drain: false, notice: 0, settle: 0 },
    { name: 'any', of: 'vm', when: { errors: 1 }, do: 'quarantine', drain: false, notice: 0, settle: 0 },
  ];
  const scene = new Scene({ ...ACTS, rules });
  for (const id of ['a', 'b']) scene.host(id);
  scene.vm('a', 'v', { vmm: 'reference' });
  for (const gpa of [0x1000n, 0x2000n])
    scene.see(
      'a',
      'vmm',
      'vmm.sigbus',
      { codename: 'BUS_MCEERR_AO', lsb: 12, hva: 1n, gpa, action: 'x', quarantine: 'no' },
      { vm: 'v' },
    );
  expect(open(scene)).toEqual(['quarantine v a', 'autostart-off v a']);
  checkRun(scene);
});

describe('a host is powered off', () => {
  const FENCES: Policy = { ...ACTS, proofs: { ...ACTS.proofs, fence: true } };
  /** A host that nobody can ask any more, with two VMs; b is there to take them. */
  function silent(policy: Policy = FENCES, w: { optedIn?: boolean } = {}): Scene {
    const scene = new Scene(policy);
    scene.send({ input: 'fences', at: scene.now, hosts: ['a', 'b'] });
    for (const id of ['a', 'b']) scene.host(id);
    scene.vm('a', 'v');
    scene.vm('a', 'w', { pid: 101, ...w });
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
    return scene;
  }

  test('one VM of it after the other, and nothing else meanwhile: all that runs there counts', () => {
    const scene = silent({ ...FENCES, budget: { ...ACTS.budget, moves: 2 } });
    scene.host('c');
    scene.vm('c', 'x', { pid: 300 });
    scene.pass(130);
    expect(open(scene)).toEqual(['fence v a']);
    scene.order('ann', { order: 'restart', vm: 'x' });
    scene.pass(2);
    expect(open(scene)).toEqual(['fence v a']);
    const fence = scene.acts()[0] ?? expect.fail('no fence');
    const proof = { ...goneProof(fence), kind: 'power-off' as const, evidence: { power: 'off' } };
    const result = { action: fence.id, vm: 'v', epoch: 0, state: 'confirmed' as const, proof };
    scene.send({ input: 'result', at: scene.now, host: 'a', result });
    expect(open(scene)).toContain('start v b');
    checkRun(scene);
  });

  test('not in a storm, and when it is over', () => {
    const scene = silent();
    scene.pass(130);
    const first = scene.acts()[0] ?? expect.fail('no fence');
    expect(open(scene)).toEqual(['fence v a']);
    const result = { action: first.id, vm: 'v', epoch: 0, state: 'failed' as const, reason: 'no answer' };
    for (let i = 0; i < 5; i++) {
      scene.host(`h${i}`);
      scene.see(`h${i}`, 'kmsg', 'host.memory-failure', { pfn: 9n, page: 'x', result: 'Recovered' });
    }
    scene.send({ input: 'result', at: scene.now, host: 'a', result });
    expect(scene.pass(300).filter(e => e.effect === 'act')).toEqual([]);
    scene.order('ann', { order: 'breaker-close' });
    scene.pass(2);
    expect(open(scene).map(act => act.split(' ')[0])).toEqual(['fence']);
  });

  test('never while what is not ours to act on may run there', () => {
    const scene = silent(FENCES, { optedIn: false });
    scene.pass(300);
    expect(open(scene)).toEqual([]);
    expect(alarms(scene)).toContain('unproven v');
    const held = scene.effects.findLast(e => e.effect === 'decision' && e.decision.rule === 'core/never-twice');
    expect(held?.effect === 'decision' && held.decision.why).toContain(
      'its host is not powered off (VM w may run there too, and is not to be acted on: its owner has not opted in)',
    );
  });
});
