/** What an owner was told will be done, and is told when it is not. */
import { describe, expect, test } from 'vitest';
import type { Effect } from './input.ts';
import type { Policy, VmRule } from './policy.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, Scene } from './testing/scene.ts';

const third: VmRule = {
  name: 'third',
  of: 'vm',
  when: { errors: 3, within: 2_592_000_000 },
  do: 'restart-elsewhere',
  drain: false,
  notice: 600_000,
  settle: 0,
};
const NOTICES: Policy = { ...ACTS, rules: [third, ...ACTS.rules.filter(r => r.name !== 'third')] };

/** Two hosts, and a VM whose restart in ten minutes was told to its owner. */
function planned(): Scene {
  const scene = new Scene(NOTICES);
  scene.host('a');
  scene.host('b');
  scene.vm('a', 'v');
  for (const pfn of [1n, 2n, 3n])
    scene.see('a', 'kmsg', 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 100 }, { vm: 'v' });
  expect(told(scene.effects)).toEqual(['vm.restart.planned inc-3/planned/restart-elsewhere/0']);
  scene.pass(60);
  return scene;
}

const told = (effects: readonly Effect[]): string[] =>
  effects.flatMap(e =>
    e.effect === 'notice' && e.notice.type.startsWith('vm.re') ? [`${e.notice.type} ${e.notice.id}`] : [],
  );
const words = (effects: readonly Effect[]): string[] =>
  effects.flatMap(e => (e.effect === 'notice' && e.notice.type === 'vm.restart.withdrawn' ? [e.notice.summary] : []));

const WITHDRAWN = 'vm.restart.withdrawn inc-3/planned/restart-elsewhere/0/withdrawn';

describe('what was announced and is not done is told', () => {
  const CASES: Record<string, [happens: (scene: Scene) => void, because: string]> = {
    pause: [scene => scene.order('ann', { order: 'pause' }), 'the fleet is paused'],
    'another policy': [
      scene => scene.send({ input: 'policy', at: scene.now, by: 'ann', policy: { ...NOTICES, mode: 'notify' } }),
      'the policy has changed to test, which does not ask for it',
    ],
    'a storm': [
      scene => {
        for (let i = 0; i < 5; i++) {
          scene.host(`h${i}`);
          scene.see(`h${i}`, 'kmsg', 'host.memory-failure', { pfn: 9n, page: 'x', result: 'Recovered' });
        }
      },
      'many hosts have errors at once',
    ],
    'its owner opts out': [scene => scene.vm('a', 'v', { optedIn: false }), 'its owner has not opted in'],
    'its owner shuts it down': [
      scene => scene.vm('a', 'v', { state: 'gone', reason: 'shutdown' }),
      'it runs no more, and nothing says that it has failed',
    ],
    'a planned stop': [
      scene => {
        scene.order('ann', { order: 'planned-stop', vm: 'v' });
        scene.pass(1);
      },
      'it was stopped on purpose',
    ],
    'its host gets new memory': [
      scene => scene.order('ann', { order: 'repaired', host: 'a' }),
      'the memory of a was replaced',
    ],
    'a person has something else done with it': [
      scene => scene.order('ann', { order: 'terminate', vm: 'v' }),
      'something else is done with it instead',
    ],
  };

  test.each(Object.keys(CASES))('%s', name => {
    const [happens, because] = CASES[name] ?? expect.fail(name);
    const scene = planned();
    happens(scene);
    expect(told(scene.effects)).toContain(WITHDRAWN);
    expect(words(scene.effects)).toEqual([
      expect.stringMatching(`^VM v is not stopped and started again on another host, as was announced: .*${because}`),
    ]);
    checkRun(scene);
  });
});

test('it is told at once, also while another VM is acted on', () => {
  const scene = planned();
  scene.vm('a', 'w', { pid: 101 });
  scene.order('ann', { order: 'restart', vm: 'w' });
  expect(scene.acts().map(a => a.vm)).toEqual(['w']);
  scene.vm('a', 'v', { optedIn: false });
  expect(words(scene.effects)).toEqual([expect.stringContaining('its owner has not opted in')]);
});

test('what is planned again in the same moment was never withdrawn', () => {
  const scene = planned();
  scene.send({ input: 'policy', at: scene.now, by: 'ann', policy: { ...NOTICES, version: '2' } });
  expect(words(scene.effects)).toEqual([]);
  expect(scene.state.vms.get('v')?.move?.rung).toBe('restart-elsewhere');
  checkRun(scene);
});

test('what is planned again after it was withdrawn is announced again, under an id of its own', () => {
  const scene = planned();
  scene.order('ann', { order: 'pause' });
  scene.pass(700);
  scene.order('ann', { order: 'resume' });
  expect(told(scene.effects).slice(1)).toEqual([WITHDRAWN, 'vm.restart.planned inc-3/planned/restart-elsewhere/0/2']);
  scene.order('ann', { order: 'pause' });
  expect(told(scene.effects).at(-1)).toBe(`vm.restart.withdrawn inc-3/planned/restart-elsewhere/0/2/withdrawn`);
  checkRun(scene);
});

describe('what would be given up at once is neither planned nor told', () => {
  const lose = (scene: Scene, pfns: readonly bigint[]): void => {
    for (const pfn of pfns) scene.see('a', 'kmsg', 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 100 }, { vm: 'v' });
  };

  test.each([
    ['stopped on purpose', (scene: Scene) => void scene.order('ann', { order: 'planned-stop', vm: 'v' })],
    ['shut down', (scene: Scene) => void scene.vm('a', 'v', { state: 'gone', reason: 'shutdown' })],
  ])('a restart of a VM that was %s', (_, ends) => {
    const scene = new Scene(NOTICES);
    for (const id of ['a', 'b']) scene.host(id);
    scene.vm('a', 'v');
    lose(scene, [1n, 2n]);
    ends(scene);
    lose(scene, [3n]);
    scene.pass(5);
    expect(told(scene.effects)).toEqual([]);
    expect(scene.state.vms.get('v')?.move).toBeUndefined();
    checkRun(scene);
  });

  test('a migration of a VM of which another copy is not proven to have stopped', () => {
    const scene = new Scene(ACTS);
    for (const id of ['a', 'b', 'c']) scene.host(id);
    scene.vm('a', 'v');
    scene.vm('b', 'v');
    scene.send({ input: 'agent', at: scene.now, host: 'b', connected: false });
    expect(scene.state.vms.get('v')).toMatchObject({ home: 'a', copies: [{ host: 'a' }, { host: 'b' }] });
    scene.order('ann', { order: 'drain', host: 'a' });
    scene.pass(60);
    expect(told(scene.effects)).toEqual([]);
    expect(scene.acts()).toEqual([]);
    scene.order('ann', { order: 'attest', vm: 'v', host: 'b', epoch: 0, statement: 'I have looked: it is off.' });
    scene.pass(5);
    expect(told(scene.effects)).toEqual([expect.stringMatching(/^vm.restart.planned .*planned.migrate/)]);
    checkRun(scene);
  });
});

test('a reset that was announced and cannot be done is withdrawn, with what went wrong', () => {
  const resets = new Scene({ ...NOTICES, rules: [{ ...third, do: 'reboot', notice: 0 }] });
  resets.host('a');
  resets.vm('a', 'v');
  for (const pfn of [1n, 2n, 3n])
    resets.see('a', 'kmsg', 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 100 }, { vm: 'v' });
  resets.answer(resets.acts()[0] ?? expect.fail('no reset'), { state: 'failed', reason: 'no monitor' });
  expect(words(resets.effects)).toEqual([
    'VM v is not reset where it runs, as was announced: VM v could not be reset on a: no monitor.',
  ]);
});

describe('undrain', () => {
  test('keeps the VMs that wait to leave, tells their owners, and the host takes VMs again', () => {
    const scene = new Scene({ ...ACTS, budget: { moves: 1, drainingPercent: 5, drainingAtLeast: 1 } });
    for (const id of ['a', 'b']) scene.host(id);
    scene.vm('a', 'v');
    scene.vm('a', 'w', { pid: 101 });
    scene.order('ann', { order: 'drain', host: 'a' });
    expect(scene.acts().map(a => `${a.kind} ${a.vm}`)).toEqual(['autostart-off v']);
    scene.order('ann', { order: 'undrain', host: 'a', reason: 'the wrong host' });
    expect(scene.state.hosts.get('a')?.draining).toBeUndefined();
    expect(words(scene.effects)).toEqual([
      'VM w is not moved to another host while it runs, as was announced: a is not emptied any more.',
    ]);
    // What has begun is brought to its end, and nothing more is begun.
    scene.allGood();
    scene.pass(100);
    expect(['v', 'w'].map(id => scene.state.vms.get(id)?.home)).toEqual(['b', 'a']);
    const types = scene.effects.flatMap(e => (e.effect === 'notice' ? [e.notice.type] : []));
    expect(types).toContain('host.undrained');
    expect(types).not.toContain('host.drained');
    checkRun(scene);
  });

  test('of a host that does not drain, or of none, is refused', () => {
    const scene = new Scene(ACTS);
    scene.host('a');
    for (const host of ['a', 'nowhere']) {
      const effects = scene.order('ann', { order: 'undrain', host });
      expect(effects.map(e => (e.effect === 'decision' ? e.decision.inputs['refused'] : e.effect))).toEqual([true]);
    }
  });

  test('a rule does not close the host again for what it has seen already', () => {
    const scene = new Scene({
      ...ACTS,
      rules: [{ name: 'two', of: 'host', when: { errors: 2 }, do: 'drain' }],
    });
    scene.host('a');
    const page = (pfn: bigint): Effect[] =>
      scene.see('a', 'kmsg', 'host.memory-failure', { pfn, page: 'x', result: 'Recovered' });
    page(1n);
    page(2n);
    expect(scene.state.hosts.get('a')?.draining?.by).toBe('two');
    scene.order('ann', { order: 'undrain', host: 'a' });
    scene.pass(5);
    page(2n);
    expect(scene.state.hosts.get('a')?.draining).toBeUndefined();
    page(3n);
    expect(scene.state.hosts.get('a')?.draining?.by).toBe('two');
  });
});
