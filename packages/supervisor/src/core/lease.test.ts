/** Whether a silent host was reset is asked of sanlock on another host. Each wall by itself: without it the answer would start a second copy. */
import { describe, expect, test } from 'vitest';
import type { Act } from './act.ts';
import type { Effect } from './input.ts';
import type { Policy } from './policy.ts';
import type { LeaseReport, Said, VmReport } from './said.ts';
import { withLease } from './lease.ts';
import type { Copy, Doing, Host, Vm } from './state.ts';
import { restore, snapshot } from './state.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, Scene } from './testing/scene.ts';

const LEASE: LeaseReport = {
  lockspace: 'LS',
  hostId: 1,
  generation: 4,
  owner: 'uuid.a',
  ioTimeout: 10,
  watchdog: { fireSeconds: 60, device: 'iTCO_wdt' },
};
/** What the host that asks has: its own lease, in the same lockspace. */
const ASKER: LeaseReport = { ...LEASE, hostId: 2, generation: 1, owner: 'uuid.b' };
/** 8 * 10 + 60 s, and one more. */
const DEAD = {
  lease: 'dead',
  lockspace: 'LS',
  hostId: '1',
  generation: '4',
  ownerName: 'uuid.a',
  ioTimeout: '10',
  unseenSeconds: '141',
  says: 'DEAD',
};

interface Setting {
  policy?: Partial<Policy['proofs']>;
  /** What a tells of itself, and what the asker does. */
  told?: LeaseReport[];
  asker?: LeaseReport[];
  vm?: Partial<VmReport>;
  /** Between the last word of a, when its connection ends, and the order, s. */
  silentFor?: number;
  /** Before a falls silent. */
  before?: (scene: Scene) => void;
}

/** a is silent, and its VM is to be started elsewhere; b is the only other host. */
function silent({ policy = {}, told = [LEASE], asker = [ASKER], vm = {}, silentFor = 200, before }: Setting = {}): {
  scene: Scene;
  asked: Act | undefined;
} {
  const rules = ACTS.rules.filter(({ name }) => name !== 'gone');
  const scene = new Scene({ ...ACTS, rules, proofs: { ...ACTS.proofs, sanlock: true, ...policy } });
  scene.host('a', { leases: structuredClone(told) });
  scene.host('b', { leases: asker });
  scene.vm('a', 'v', { autostart: false, ...vm });
  before?.(scene);
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  scene.pass(silentFor);
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.pass(2);
  return { scene, asked: scene.acts()[0] };
}

function answer(scene: Scene, asked: Act | undefined, evidence: Record<string, string> = DEAD): void {
  if (asked === undefined) throw new Error('nobody was asked');
  const proof = { kind: 'sanlock', vm: 'v', host: 'a', epoch: 0, at: scene.now, evidence } as const;
  scene.answer(asked, { proof });
  scene.pass(2);
}

const count = (effects: readonly Effect[], kind: Act['kind']): number =>
  effects.filter(e => e.effect === 'act' && e.act.kind === kind).length;
const starts = (scene: Scene): number => count(scene.effects, 'start');
const vmOf = (scene: Scene): Vm => scene.state.vms.get('v') ?? expect.fail('no VM');
const isHeld = (scene: Scene): boolean =>
  scene.effects.some(e => e.effect === 'notice' && e.notice.type === 'alert.unproven');

/** What we say of an answer ourselves, where several walls stand one behind the other. */
describe('each thing that is ours to say', () => {
  const said = (change: (scene: Scene, doing: Doing, copy: Copy) => void = () => undefined): Record<string, string> => {
    const { scene, asked } = silent();
    const doing = scene.state.acts.get(asked?.id ?? '') ?? expect.fail('nobody was asked');
    const copy = vmOf(scene).copies[0] ?? expect.fail('no copy');
    change(scene, doing, copy);
    const proof = { kind: 'sanlock', vm: 'v', host: 'a', epoch: 0, at: scene.now, evidence: DEAD } as const;
    return withLease(scene.state, copy, doing, proof).evidence;
  };
  const hostA = (scene: Scene): Host => scene.state.hosts.get('a') ?? expect.fail('no host');
  const good = {
    owner: 'as told',
    watchdog: 'armed',
    overdue: 'yes',
    agent: 'silent',
    copy: 'of its boot',
    autostart: 'off',
  };

  test('is good where nothing is wrong', () => expect(said()).toMatchObject(good));

  test.each<[string, (scene: Scene, doing: Doing, copy: Copy) => void, Partial<typeof good>]>([
    ['no watchdog', scene => delete hostA(scene).leases?.[0]?.watchdog, { watchdog: 'not armed', overdue: 'no' }],
    ['an owner that has not told its name', scene => delete hostA(scene).leases?.[0]?.owner, { owner: 'another' }],
    ['no leases', scene => delete hostA(scene).leases, { owner: 'another', watchdog: 'not armed', overdue: 'no' }],
    ['connected', scene => (hostA(scene).connected = true), { agent: 'heard' }],
    ['heard lately', scene => (hostA(scene).since = scene.now + 20_000), { agent: 'heard' }],
    ['not known when it was asked for', (_, doing) => delete doing.asked, { agent: 'heard' }],
    ['starting', (_, __, copy) => (copy.state = 'starting'), { copy: 'of another' }],
    ['never told', (_, __, copy) => delete copy.place, { copy: 'of another' }],
    ['no boot known', scene => delete hostA(scene).bootPlace, { copy: 'of another' }],
    ['started by its host', (_, __, copy) => (copy.autostart = true), { autostart: 'on' }],
  ])('%s', (_, change, wrong) => {
    // Without a watchdog nobody knows when its host should have been reset.
    const more = wrong.overdue === undefined ? {} : { agent: 'heard' };
    expect(said(change)).toMatchObject({ ...good, ...more, ...wrong });
  });

  test('a policy that asks for the lock of the disks does not ask for the lease', () => {
    const { scene, asked } = silent({ policy: { imageLock: 'one-kernel', sanlock: false } });
    expect(asked?.kind).toBe('ask-lock');
    scene.answer(asked ?? expect.fail('no act'), { state: 'unknown', reason: 'no local file' });
    scene.pass(1);
    expect(scene.acts()).toEqual([]);
  });
});

describe('the lease of a host on its host id', () => {
  test('is asked for by the host where the VM would be started, and proves that its owner was reset', () => {
    const { scene, asked } = silent();
    expect(asked).toMatchObject({
      kind: 'ask-lease',
      host: 'b',
      of: 'a',
      vm: 'v',
      epoch: 0,
      lease: { lockspace: 'LS', hostId: 1, fireSeconds: 60 },
    });
    expect(asked?.disks).toBeUndefined();
    answer(scene, asked);
    expect(starts(scene)).toBe(1);
    const proof = vmOf(scene).copies.find(c => c.host === 'a')?.proof;
    // All that it was decided on is kept, with what only we can say.
    expect(proof).toMatchObject({
      kind: 'sanlock',
      evidence: {
        ...DEAD,
        owner: 'as told',
        watchdog: 'armed',
        device: 'iTCO_wdt',
        overdue: 'yes',
        agent: 'silent',
        copy: 'of its boot',
        autostart: 'off',
        boot: 'a-boot-1',
      },
    });
    const decided = scene.effects.flatMap(e => (e.effect === 'decision' ? [e.decision] : []));
    expect(decided.find(({ rule }) => rule === 'core/stop-proof')).toMatchObject({
      host: 'a',
      inputs: { proof: 'sanlock', owner: 'as told', generation: '4', unseenSeconds: '141' },
      why: expect.stringContaining('the lease of its host on its host id has expired'),
    });
    // The same inputs give the same again.
    checkRun(scene);
    expect(restore(snapshot(scene.state))).toEqual(scene.state);
  });

  test.each<[string, Record<string, string>]>([
    ['is live', { ...DEAD, lease: 'live' }],
    ['has failed and is not dead yet', { ...DEAD, lease: 'fail' }],
    ['is free: it was given back, and nobody was reset for it', { ...DEAD, lease: 'free' }],
    ['is not said to be dead', { ...DEAD, lease: '' }],
    ['is of another generation: its owner has joined again', { ...DEAD, generation: '5' }],
    ['is of an older generation', { ...DEAD, generation: '3' }],
    ['is that of another host id', { ...DEAD, hostId: '3' }],
    ['is of another lockspace', { ...DEAD, lockspace: 'other' }],
    ['is of another lockspace of that name, where another host has that id', { ...DEAD, ownerName: 'uuid.z' }],
    ['does not say whose it is', { ...DEAD, ownerName: '' }],
    ['was not renewed for just so long', { ...DEAD, unseenSeconds: '140' }],
    ['was not renewed for a time that is no number', { ...DEAD, unseenSeconds: '1e9' }],
    ['was not renewed for a time that is not said', { ...DEAD, unseenSeconds: '' }],
    ['has another io_timeout than was told', { ...DEAD, ioTimeout: '20' }],
    ['has an io_timeout that is not said', { ...DEAD, ioTimeout: '' }],
    [
      'is another one, whatever the agent says of it',
      { ...DEAD, generation: '5', owner: 'as told', overdue: 'yes', agent: 'silent', copy: 'of its boot' },
    ],
  ])('that %s proves nothing: the VM is held', (_, evidence) => {
    const { scene, asked } = silent();
    answer(scene, asked, evidence);
    expect(starts(scene)).toBe(0);
    expect(isHeld(scene)).toBe(true);
    checkRun(scene);
  });

  test.each<[string, Setting]>([
    ['the policy does not count it', { policy: { sanlock: false } }],
    ['its owner has told of none', { told: [] }],
    ['its watchdog was not armed', { told: [{ ...LEASE, watchdog: undefined } as never] }],
    ['who would ask has not joined the lockspace', { asker: [{ ...ASKER, lockspace: 'other' }] }],
    ['who would ask has the same host id', { asker: [{ ...ASKER, hostId: 1 }] }],
    ['who would ask tells of none', { asker: [] }],
  ])('is not asked for where %s', (_, setting) => {
    const { scene, asked } = silent(setting);
    expect(asked).toBeUndefined();
    expect(starts(scene)).toBe(0);
    expect(isHeld(scene)).toBe(true);
  });

  test('proves nothing where its host would start the VM by itself when it is up again', () => {
    const { scene, asked } = silent({ vm: { autostart: true } });
    answer(scene, asked);
    expect(starts(scene)).toBe(0);
    expect(vmOf(scene).copies[0]?.proof).toBeUndefined();
  });

  /** While it was asked for, its owner said something else. */
  const meanwhile = (tell: (scene: Scene) => void): number => {
    const { scene, asked } = silent();
    tell(scene);
    scene.pass(1);
    answer(scene, asked);
    checkRun(scene);
    return starts(scene);
  };
  const late = (scene: Scene, said: Said): void => void scene.say('a', said);
  const hostOf = (more: object): Said =>
    ({
      kind: 'host',
      boot: 'a-boot-1',
      arch: 'x86-64',
      kernel: '6.19.6',
      memoryBytes: 2 ** 36,
      freeBytes: 2 ** 35,
      cpuModels: [],
      storage: ['nfs:/vms'],
      leases: [LEASE],
      ...more,
    }) as Said;

  test('proves nothing when its owner has told since that nothing would reset it, or that it has none', () => {
    expect(meanwhile(() => undefined)).toBe(1);
    expect(meanwhile(scene => late(scene, hostOf({ leases: [{ ...LEASE, watchdog: undefined }] })))).toBe(0);
    expect(meanwhile(scene => late(scene, hostOf({ leases: [] })))).toBe(0);
    expect(meanwhile(scene => late(scene, hostOf({ leases: undefined })))).toBe(0);
    expect(meanwhile(scene => late(scene, hostOf({ leases: [{ ...LEASE, generation: 5 }] })))).toBe(0);
  });

  test('proves nothing of a copy that was not seen since the host has booted, whatever was told of the boot before', () => {
    expect(meanwhile(scene => late(scene, hostOf({ boot: 'a-boot-2' })))).toBe(0);
  });

  test('proves nothing of a copy that was told after its agent began anew, of a boot that it had not told yet', () => {
    const begins = (scene: Scene): void => late(scene, { kind: 'source', source: 'agent', state: 'reading' });
    const again = (scene: Scene): void => void scene.vm('a', 'v', { autostart: false });
    const started = (before: readonly ((scene: Scene) => void)[]): number => {
      const { scene, asked } = silent({ before: s => before.forEach(say => say(s)) });
      if (asked !== undefined) answer(scene, asked);
      checkRun(scene);
      return starts(scene);
    };
    expect(started([begins, again])).toBe(0);
    // It tells its boot then: the same one.
    expect(started([begins, again, scene => late(scene, hostOf({}))])).toBe(1);
  });

  test('proves nothing while its owner is heard, or was heard when it should have been reset', () => {
    const { scene, asked } = silent();
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
    answer(scene, asked);
    expect(starts(scene)).toBe(0);
    // Its connection ended a second ago: nothing has reset it.
    const soon = silent({ silentFor: 1 });
    answer(soon.scene, soon.asked, { ...DEAD, unseenSeconds: '180' });
    expect(starts(soon.scene)).toBe(0);
    // Not renewed for 180 s, so that it was due 40 s ago; within 20 s it is noticed that its agent is away.
    for (const [silentFor, started] of [
      [20, 1],
      [19, 0],
    ] as const) {
      const by = silent({ silentFor });
      answer(by.scene, by.asked, { ...DEAD, unseenSeconds: '180' });
      expect(starts(by.scene), `${silentFor} s`).toBe(started);
    }
  });

  test('an answer that comes late says how it was when it was asked for, at the latest', () => {
    const { scene, asked } = silent({ silentFor: 1 });
    // Its owner was heard until a second before; by the time of the answer that is long ago.
    scene.pass(25);
    answer(scene, asked, { ...DEAD, unseenSeconds: '180' });
    expect(starts(scene)).toBe(0);
  });

  test('proves nothing of a copy whose start was ordered and never answered', () => {
    // The start was on its way when the host fell silent: it may have been carried out in a later boot, before anybody told of that.
    const { scene, asked } = silent({
      before: s => {
        s.order('ann', { order: 'restart', vm: 'v' });
        while (s.acts()[0]?.kind !== 'start') s.good(s.acts()[0] ?? expect.fail('no start'));
      },
    });
    expect(asked?.kind).not.toBe('ask-lease');
    const starting = new Scene({ ...ACTS, proofs: { ...ACTS.proofs, sanlock: true } });
    for (const [host, lease] of [
      ['a', ASKER],
      ['b', LEASE],
    ] as const)
      starting.host(host, { leases: [lease] });
    starting.vm('a', 'v', { autostart: false });
    starting.vm('b', 'v', { state: 'gone', autostart: false });
    starting.order('ann', { order: 'restart', vm: 'v' });
    while (starting.acts()[0]?.kind !== 'start') starting.good(starting.acts()[0] ?? expect.fail('no start'));
    starting.send({ input: 'agent', at: starting.now, host: 'b', connected: false });
    const before = starts(starting);
    for (let i = 0; i < 400 && starting.acts()[0]?.kind !== 'ask-lease'; i++) starting.pass(1);
    const look = starting.acts()[0];
    if (look?.kind === 'ask-lease') {
      const proof = { kind: 'sanlock', vm: 'v', host: 'b', epoch: 1, at: starting.now, evidence: DEAD } as const;
      starting.answer(look, { proof });
      starting.pass(2);
    }
    expect(starts(starting)).toBe(before);
    expect(scene.state.vms.size).toBe(1);
  });

  test('is not the word of the host that it is about, nor the outcome of another look', () => {
    const { scene, asked } = silent();
    const proof = { kind: 'sanlock', vm: 'v', host: 'a', epoch: 0, at: scene.now, evidence: DEAD } as const;
    const result = { kind: 'result', action: asked?.id ?? '', vm: 'v', epoch: 0, state: 'confirmed', proof } as const;
    scene.say('a', result);
    expect(starts(scene)).toBe(0);
    scene.say('b', { ...result, proof: { ...proof, kind: 'image-lock' } });
    expect(starts(scene)).toBe(0);
  });

  test('is asked for again while it is not dead yet, and the VM is started then', () => {
    const { scene, asked } = silent({ silentFor: 100 });
    if (asked === undefined) throw new Error('nobody was asked');
    scene.answer(asked, { state: 'failed', reason: 'sanlock says FAIL of it' });
    scene.pass(2);
    expect(isHeld(scene)).toBe(true);
    scene.pass(60);
    const again = scene.acts()[0];
    expect(again?.kind).toBe('ask-lease');
    answer(scene, again);
    expect(starts(scene)).toBe(1);
    checkRun(scene);
  });

  test('is asked for behind the lock of the disks, and before the power is switched off', () => {
    const { scene, asked } = silent({ policy: { imageLock: 'one-kernel' } });
    expect(asked?.kind).toBe('ask-lock');
    scene.answer(asked ?? expect.fail('no act'), { state: 'unknown', reason: 'no local file' });
    scene.pass(1);
    expect(scene.acts()[0]?.kind).toBe('ask-lease');
  });

  test('a copy that its host tells of in a later boot voids it', () => {
    const { scene, asked } = silent();
    answer(scene, asked);
    expect(vmOf(scene).copies.find(c => c.host === 'a')?.proof?.kind).toBe('sanlock');
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
    late(scene, { kind: 'source', source: 'agent', state: 'reading' });
    late(scene, hostOf({ boot: 'a-boot-2' }));
    scene.vm('a', 'v', { autostart: false, pid: 7 });
    expect(vmOf(scene).copies.find(c => c.host === 'a')?.proof).toBeUndefined();
  });
});
