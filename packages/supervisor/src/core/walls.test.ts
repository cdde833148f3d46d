/** Each wall by itself: several stand one behind the other, so that a scene still holds when one of them is gone. */
import { describe, expect, test } from 'vitest';
import { ACT_KINDS, PROOF_KINDS } from './act.ts';
import type { Act, ActKind, ProofKind } from './act.ts';
import type { Effect } from './input.ts';
import { isProven, mayStart, senderFault, unprovenCopies } from './proof.ts';
import type { Teller } from './proof.ts';
import type { Row, Said } from './said.ts';
import type { Copy, Vm } from './state.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, goneProof, Scene } from './testing/scene.ts';
import { event } from '@syndrome/decode/events/event.ts';
import { countVm, homeCopy, vmById } from './ledger.ts';
import { newState } from './state.ts';
import { findingOf } from './witness.ts';

const copyOf = (more: Partial<Copy> = {}): Copy => ({
  host: 'a',
  epoch: 1,
  state: 'gone',
  ran: true,
  since: 0,
  autostart: false,
  told: 1,
  proof: goneProof({ vm: 'v', host: 'a', epoch: 1 }),
  ...more,
});
const vmOf = (...copies: Copy[]): Vm => ({ ...vmById(newState(), 'v'), copies });

describe('a start', () => {
  test('may be when each copy that ever ran is proven, and needs no proof for one that never did', () => {
    expect(mayStart(vmOf(copyOf()))).toBe(true);
    const { proof: _, ...bare } = copyOf({ host: 'b' });
    expect(mayStart(vmOf(copyOf(), { ...bare, ran: false, state: 'shut-off' }))).toBe(true);
    expect(mayStart(vmOf(copyOf(), bare))).toBe(false);
  });

  test.each(['gone', 'shut-off', 'crashed', 'paused', 'running', 'starting'] as const)(
    'may not be for a report of %s alone',
    state => {
      const { proof: _, ...bare } = copyOf({ state });
      expect(unprovenCopies(vmOf(bare)).length).toBe(1);
    },
  );

  test('may not be with the proof of another epoch, host or VM', () => {
    expect(isProven(vmOf(), copyOf())).toBe(true);
    expect(isProven(vmOf(), copyOf({ epoch: 2 }))).toBe(false);
    expect(isProven(vmOf(), copyOf({ host: 'b' }))).toBe(false);
    expect(isProven({ ...vmOf(), id: 'w' }, copyOf())).toBe(false);
  });
});

/** A scene with the VM about to be stopped, and rows that can be held back. */
function stopping(): { scene: Scene; stop: Act; row: (seq: number, said: Said) => Effect[] } {
  const scene = new Scene(ACTS);
  scene.host('a');
  scene.host('b');
  scene.vm('a', 'v');
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.good(scene.acts()[0] ?? expect.fail('no act'));
  const stop = scene.acts()[0] ?? expect.fail('no stop');
  const row = (seq: number, said: Said): Effect[] => {
    const at = scene.now;
    const of: Row = { host: 'a', spool: 'a-1', seq, at, said };
    return scene.send({ input: 'row', at, row: of });
  };
  return { scene, stop, row };
}

const kinds = (effects: readonly Effect[]): string[] => effects.flatMap(e => (e.effect === 'act' ? [e.act.kind] : []));
const report = (state: 'running' | 'gone'): Said => ({
  kind: 'vm',
  vm: 'v',
  name: 'v',
  state,
  vmm: 'libvirt',
  disks: ['nfs:/vms'],
  memoryBytes: 2 ** 30,
  autostart: false,
  optedIn: true,
  epoch: 0,
});
const stopped = (stop: Act): Said => ({
  kind: 'result',
  action: stop.id,
  vm: 'v',
  epoch: stop.epoch,
  state: 'confirmed',
  proof: goneProof(stop),
});

describe('rows that come late', () => {
  test('a report from before the stop does not void its proof', () => {
    const { scene, stop, row } = stopping();
    expect(kinds(row(20, stopped(stop)))).toEqual(['start']);
    row(19, report('running'));
    expect(scene.state.vms.get('v')?.copies.find(c => c.host === 'a')?.proof?.kind).toBe('process-gone');
    row(21, report('running'));
    expect(scene.state.vms.get('v')?.copies.find(c => c.host === 'a')?.proof).toBeUndefined();
  });

  test('a proof from before a report that it runs is none', () => {
    const { scene, stop, row } = stopping();
    row(21, report('running'));
    expect(kinds(row(20, stopped(stop)))).toEqual(['prove']);
    expect([...scene.state.acts.values()].find(a => a.id === stop.id)?.reason).toBe('it was seen to run since');
  });

  test('an older report does not undo a newer one', () => {
    const { scene, row } = stopping();
    row(21, report('gone'));
    row(20, { ...report('running'), optedIn: false } as Said);
    const vm = scene.state.vms.get('v');
    expect([vm?.optedIn, vm?.copies.find(c => c.host === 'a')?.state]).toEqual([true, 'gone']);
  });

  test('an answer of another host, of another epoch, or to what nobody asked is none', () => {
    const { scene, stop, row } = stopping();
    const answer = stopped(stop) as Said & { kind: 'result' };
    scene.say('b', answer);
    row(20, { ...answer, epoch: 5 });
    row(21, { ...answer, action: 'inc-9/stop/a/v/0' });
    expect(scene.state.acts.get(stop.id)?.state).toBe('intent');
    expect(kinds(scene.effects)).not.toContain('start');
  });

  test('an agent cannot attest', () => {
    const { scene, stop, row } = stopping();
    row(20, { ...stopped(stop), proof: { ...goneProof(stop), kind: 'attested', evidence: { by: 'ann' } } } as Said);
    expect(kinds(scene.effects)).not.toContain('start');
  });
});

describe('whose word a proof is', () => {
  /** Written down once more: of each kind the one who may give it, and after which acts. */
  const MAY: Record<ProofKind, [Teller, ActKind[]]> = {
    'process-gone': ['agent', ['stop', 'prove', 'terminate']],
    'domain-destroyed': ['agent', ['stop', 'prove', 'terminate']],
    'image-lock': ['agent', ['ask-lock']],
    sanlock: ['agent', ['ask-lease']],
    'power-off': ['fence-agent', ['fence']],
    attested: ['person', []],
  };

  test.each(PROOF_KINDS)('%s', kind => {
    const [teller, acts] = MAY[kind];
    for (const from of ['agent', 'fence-agent', 'person'] as const)
      for (const act of ACT_KINDS)
        expect(senderFault(kind, from, act) === undefined, `${from} after ${act}`).toBe(
          from === teller && acts.includes(act),
        );
  });

  /** Evidence that would count, were it the sender's to give. */
  const EVIDENCE = {
    power: 'off',
    process: 'absent',
    autostart: 'off',
    domain: 'undefined',
    lock: 'free',
    lease: 'dead',
    watchdog: 'armed',
  };
  const refusals = (scene: Scene): string[] =>
    scene.effects.flatMap(e =>
      e.effect === 'decision' && e.decision.rule === 'core/answer-refused' ? [e.decision.why] : [],
    );

  test.each(['power-off', 'attested'] as const)('an agent that sends %s is refused, and that is noted', kind => {
    const { scene, stop, row } = stopping();
    row(20, { ...stopped(stop), proof: { ...goneProof(stop), kind, evidence: EVIDENCE } } as Said);
    expect(kinds(scene.effects)).not.toContain('start');
    expect(refusals(scene)).toEqual([expect.stringContaining(`a proof of kind ${kind} is given by`)]);
    checkRun(scene);
  });

  test('a fence agent does not answer for an agent, however good its proof', () => {
    const { scene, stop } = stopping();
    const { kind: _, ...result } = stopped(stop) as Said & { kind: 'result' };
    for (const proof of [goneProof(stop), { ...goneProof(stop), kind: 'power-off' as const, evidence: EVIDENCE }])
      scene.send({ input: 'result', at: scene.now, host: 'a', result: { ...result, proof } });
    expect(scene.state.acts.get(stop.id)?.state).toBe('intent');
    expect(kinds(scene.effects)).not.toContain('start');
    expect(refusals(scene)).toEqual([expect.stringContaining('that is answered by the agent alone')]);
  });

  test('a proof that another host sends is refused, and noted once however often it comes', () => {
    const { scene, stop } = stopping();
    for (let i = 0; i < 5; i++) scene.say('b', stopped(stop));
    expect(scene.state.acts.get(stop.id)?.state).toBe('intent');
    expect(refusals(scene)).toEqual([expect.stringContaining('it is a that was asked')]);
    // Who was asked is still heard.
    scene.good(stop);
    expect(kinds(scene.effects)).toContain('start');
    checkRun(scene);
  });
});

test('while the fleet is paused no page is taken out of use and no second copy is stopped', () => {
  const scene = new Scene({ ...ACTS, reoffline: true });
  scene.host('a');
  scene.host('b');
  scene.vm('a', 'v');
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.allGood();
  scene.see('a', 'kmsg', 'host.memory-failure', { pfn: 1n, page: 'x', result: 'Recovered' });
  scene.order('ann', { order: 'pause' });
  const before = kinds(scene.effects).length;
  scene.host('a', { boot: 'a-2' });
  scene.vm('a', 'v', { epoch: 0 });
  scene.pass(100);
  expect(kinds(scene.effects).length).toBe(before);
  scene.order('ann', { order: 'resume' });
  expect(kinds(scene.effects).slice(before)).toEqual(['stop']);
  scene.allGood();
  expect(kinds(scene.effects).slice(before)).toContain('re-offline');
});

test('a start that an agent has refused never ran, unless its host says that the VM runs', () => {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b', 'c']) scene.host(id);
  scene.vm('a', 'v');
  scene.order('ann', { order: 'restart', vm: 'v' });
  for (const kind of ['autostart-off', 'stop', 'start']) {
    const act = scene.acts()[0] ?? expect.fail(`no ${kind}`);
    expect(act.kind).toBe(kind);
    if (kind === 'start') scene.answer(act, { state: 'refused', reason: 'no such storage' });
    else scene.good(act);
  }
  expect(scene.acts().map(a => `${a.kind} ${a.host} ${a.epoch}`)).toEqual(['start c 2']);
  scene.vm('b', 'v', { epoch: 1 });
  expect(unprovenCopies(scene.state.vms.get('v') ?? expect.fail('no VM')).map(c => c.host)).toEqual(['b', 'c']);
});

test('a VM that runs is not stopped while there is nowhere to start it, and is moved once there is', () => {
  const scene = new Scene(ACTS);
  scene.host('a');
  scene.vm('a', 'v');
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.pass(5);
  expect(scene.acts()).toEqual([]);
  expect(scene.state.vms.get('v')?.copies[0]?.state).toBe('running');
  expect([...scene.state.alerts].filter(([, { standing }]) => standing).map(([key]) => key)).toEqual(['no-target v']);
  scene.host('b');
  scene.pass(5);
  expect(scene.acts().map(act => act.kind)).toEqual(['autostart-off']);
  expect([...scene.state.alerts.values()].some(({ standing }) => standing)).toBe(false);
});

test.each([-600_000, 600_000])('errors after a restart count on a host whose clock is off by %i ms', off => {
  const scene = new Scene(ACTS);
  scene.host('a');
  scene.vm('a', 'v');
  const say = (seq: number, said: Said): Effect[] =>
    scene.send({ input: 'row', at: scene.now, row: { host: 'b', spool: 'b-1', seq, at: scene.now + off, said } });
  scene.send({ input: 'agent', at: scene.now, host: 'b', connected: true });
  const facts = { boot: 'b-boot-1', arch: 'x86-64', kernel: '6.19.6', cpuModels: [], storage: ['nfs:/vms'] } as const;
  say(1, {
    kind: 'host',
    ...facts,
    cpuModels: [],
    storage: [...facts.storage],
    memoryBytes: 2 ** 36,
    freeBytes: 2 ** 35,
  });
  scene.order('ann', { order: 'restart', vm: 'v' });
  for (let left = 4; left > 0 && scene.acts().length > 0; left--) {
    const act = scene.acts()[0] ?? expect.fail('no act');
    if (act.kind !== 'start') {
      scene.good(act);
      continue;
    }
    say(2, {
      kind: 'result',
      action: act.id,
      vm: 'v',
      epoch: act.epoch,
      state: 'confirmed',
      seen: { pid: '7', state: 'running' },
    });
  }
  scene.pass(5);
  const bad = event('vmm.sigbus-injected', { hva: 0n, gpa: 0x5000n, code: 'BUS_MCEERR_AO' });
  say(3, { kind: 'event', source: 'qemu-log', vm: 'v', when: scene.now + off, event: bad });
  const vm = scene.state.vms.get('v') ?? expect.fail('no VM');
  const home = homeCopy(vm) ?? expect.fail('no copy');
  expect(home.host).toBe('b');
  expect(countVm(vm, scene.state.hosts.get('b') ?? expect.fail('no host'), home.since).errors).toBe(1);
});

test.each([
  ['BUS_MCEERR_AR', 'page'],
  ['BUS_MCEERR_AO', 'page'],
  ['BUS_ADRERR', 'nothing'],
  ['code 99', 'nothing'],
])('SIGBUS with %s of a VMM is %s', (codename, is) => {
  const bad = event('vmm.sigbus', {
    codename,
    lsb: 12,
    hva: 0x7000n,
    gpa: 0x5000n,
    action: 'none',
    quarantine: 'none',
  });
  expect(findingOf({ kind: 'event', source: 'vmm', vm: 'v', event: bad }).is).toBe(is);
});

test('a copy that ends before the answer of its start is dead when its agent tells the end behind it', () => {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b', 'c']) scene.host(id);
  scene.vm('a', 'v');
  scene.order('ann', { order: 'restart', vm: 'v' });
  while (scene.acts()[0]?.kind !== 'start') scene.good(scene.acts()[0] ?? expect.fail('no start'));
  const start = scene.acts()[0] ?? expect.fail('no start');
  const ends = (): void => {
    scene.see(start.host, 'proc', 'vmm.exit', {}, { vm: 'v' });
    scene.vm(start.host, 'v', { state: 'gone', reason: 'absent', epoch: 1, pid: 200 });
  };
  ends();
  scene.good(start);
  const home = (): Copy | undefined => homeCopy(scene.state.vms.get('v') ?? expect.fail('no VM'));
  // The end that came first is that of whatever was there before.
  expect([home()?.host, home()?.state]).toEqual([start.host, 'running']);
  scene.allGood();
  ends();
  expect(home()?.state).toBe('gone');
  expect(scene.state.vms.get('v')?.after).toMatchObject([{ what: 'died', host: start.host }]);
  checkRun(scene);
});
