import { expect, test } from 'vitest';
import { ACTS, Scene } from './testing/scene.ts';
import { checkRun } from './testing/holds.ts';

const whys = (scene: Scene, rule: string): string[] =>
  scene.effects.flatMap(e => (e.effect === 'decision' && e.decision.rule === rule ? [e.decision.why] : []));

test('a copy whose start is under way is not attested: it may come yet', () => {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b', 'c']) scene.host(id);
  scene.vm('a', 'v');
  scene.order('ann', { order: 'restart', vm: 'v' });
  for (const kind of ['autostart-off', 'stop']) {
    const act = scene.acts()[0] ?? expect.fail(`no ${kind}`);
    scene.good(act);
  }
  const start = scene.acts()[0] ?? expect.fail('no start');
  const attest = { order: 'attest', vm: 'v', host: start.host, epoch: start.epoch, statement: 'not there' } as const;
  scene.order('ann', attest);
  expect(whys(scene, 'order/attest')).toEqual([
    'The order attest by ann is refused: its start is under way, and may succeed yet: wait for its deadline.',
  ]);
  // Its host is away, and its answer comes when it is back: whatever was attested meanwhile, the VM runs there.
  scene.send({ input: 'agent', at: scene.now, host: start.host, connected: false });
  scene.pass(61);
  scene.order('ann', { order: 'pause' });
  scene.order('ann', attest);
  const copy = (): unknown => scene.state.vms.get('v')?.copies.find(c => c.host === start.host)?.proof?.kind;
  expect(copy()).toBe('attested');
  scene.pass(1);
  scene.good(start);
  expect(copy()).toBeUndefined();
  expect(whys(scene, 'core/proof-void')).toHaveLength(1);
  checkRun(scene);
});

test('a host that nobody knows is not repaired, and is none afterwards', () => {
  const scene = new Scene(ACTS);
  scene.host('a');
  scene.order('ann', { order: 'repaired', host: 'typo' });
  expect([...scene.state.hosts.keys()]).toEqual(['a']);
  expect(whys(scene, 'order/repaired')).toEqual(['The order repaired by ann is refused: no host typo is known.']);
  expect(scene.effects.filter(e => e.effect === 'notice')).toEqual([]);
});

test('an order that comes in the middle of something says that it has to come again', () => {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b']) scene.host(id);
  scene.vm('a', 'v');
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.order('bob', { order: 'terminate', vm: 'v' });
  expect(whys(scene, 'order/terminate').at(-1)).toContain('order it again');
});

const PFN = '0x0000000000012345';

test.each([
  ['soft-offline', {}],
  ['hard-offline', { hard: true }],
] as const)('a page is taken out of use by order: %s', (kind, more) => {
  const scene = new Scene(ACTS);
  scene.host('a');
  scene.see('a', 'kmsg', 'host.memory-failure', { pfn: 0x12345n, page: 'x', result: 'Recovered' });
  scene.host('a', { boot: 'a-2' });
  const isApplied = (): unknown => scene.state.hosts.get('a')?.pages.get(PFN)?.applied;
  expect(isApplied()).toBe(false);
  const [decision, act] = scene.order('ann', { order: 'offline', host: 'a', page: PFN, ...more });
  expect(decision?.effect === 'decision' && decision.decision.inputs).toMatchObject({
    act: kind,
    by: 'ann',
    page: PFN,
  });
  expect(act).toMatchObject({ act: { kind, host: 'a', pfn: 0x12345n, epoch: 0 } });
  scene.order('ann', { order: 'offline', host: 'a', page: '0x0000000000000001' });
  expect(whys(scene, 'order/offline').at(-1)).toContain('something else is being done');
  scene.good(scene.acts()[0] ?? expect.fail('no act'));
  expect(isApplied()).toBe(true);
  checkRun(scene);
});

test.each<[why: string, host: string, before: (scene: Scene) => void]>([
  ['no host b is known', 'b', () => undefined],
  ['the agent of a is not here', 'a', s => void s.send({ input: 'agent', at: s.now, host: 'a', connected: false })],
  ['the fleet is paused', 'a', s => void s.order('ann', { order: 'pause' })],
])('an order of a page is refused: %s', (why, host, before) => {
  const scene = new Scene(ACTS);
  scene.host('a');
  before(scene);
  scene.order('ann', { order: 'offline', host, page: PFN });
  expect(whys(scene, 'order/offline')).toEqual([`The order offline by ann is refused: ${why}.`]);
  expect(scene.acts()).toEqual([]);
});
