/** From one kind of proof to the next, in a bounded time: nothing that does not answer, or answers nothing that counts, is the end of it. */
import { describe, expect, test } from 'vitest';
import type { Act } from './act.ts';
import type { Policy } from './policy.ts';
import type { LeaseReport } from './said.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, goneProof, linesOf, Scene } from './testing/scene.ts';

const LEASE: LeaseReport = {
  lockspace: 'LS',
  hostId: 1,
  generation: 4,
  owner: 'uuid.a',
  ioTimeout: 10,
  watchdog: { fireSeconds: 60, device: 'iTCO_wdt' },
};
const POLICY: Policy = {
  ...ACTS,
  rules: [{ name: 'gone', of: 'host', when: { silent: 300_000 }, do: 'evacuate' }],
  proofs: { imageLock: 'one-kernel', testedStorage: [], sanlock: true, fence: true },
};
const { prove, fence } = POLICY.deadlines;
/** Of the core's clock, which ticks once a second, for each kind. */
const TICKS_MS = 3 * 2000;

/** a is silent for so long that its VM is to leave it; b would take it. @returns when it began to look for a proof */
function begin(): { scene: Scene; began: number } {
  const scene = new Scene(POLICY);
  scene.send({ input: 'fences', at: scene.now, hosts: ['a'] });
  scene.host('a', { leases: [LEASE] });
  scene.host('b', { leases: [{ ...LEASE, hostId: 2, owner: 'uuid.b' }] });
  scene.vm('a', 'v', { autostart: false });
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  for (let i = 0; i < 400 && scene.acts().length === 0; i++) scene.pass(1);
  return { scene, began: scene.now };
}
const wanted = (scene: Scene): Act[] => scene.effects.flatMap(e => (e.effect === 'act' ? [e.act] : []));
const isUnproven = (scene: Scene): boolean => scene.state.alerts.get('unproven v')?.standing === true;
const untilUnproven = (scene: Scene): void => {
  for (let i = 0; i < 600 && !isUnproven(scene); i++) scene.pass(1);
};

/** What becomes of a question that is no proof: nobody answers, it is answered with nothing, the host lives. */
const NOTHING: readonly (readonly [string, (scene: Scene, act: Act) => void])[] = [
  ['nobody answers', () => undefined],
  ['nothing can be said', (scene, act) => answer(scene, act, { state: 'unknown', reason: 'it cannot be read' })],
  ['it says that the copy may live', (scene, act) => answer(scene, act, { state: 'failed', reason: 'it is held' })],
  ['it lies: done, without a proof', (scene, act) => answer(scene, act, { state: 'confirmed' })],
];
function answer(scene: Scene, act: Act, result: { state: 'unknown' | 'failed' | 'confirmed'; reason?: string }): void {
  if (act.kind !== 'fence') return void scene.answer(act, result);
  const { id: action, epoch, host } = act;
  scene.send({ input: 'result', at: scene.now, host, result: { action, vm: 'v', epoch, ...result } });
}

describe('where its host is silent', () => {
  test.each(NOTHING)('and %s, each kind of proof is asked for once, then a person is', (_, become) => {
    const { scene, began } = begin();
    for (let asked = 0; asked < 3; asked++) {
      const act = wanted(scene)[asked];
      if (act !== undefined) become(scene, act);
      for (let i = 0; i < 100 && wanted(scene).length === asked + 1 && !isUnproven(scene); i++) scene.pass(1);
    }
    untilUnproven(scene);
    expect(wanted(scene).map(({ kind, host }) => `${kind} ${host}`)).toEqual(['ask-lock b', 'ask-lease b', 'fence a']);
    expect(isUnproven(scene)).toBe(true);
    // The deadline of each, and no more.
    expect(scene.now - began).toBeLessThanOrEqual(2 * prove + fence + TICKS_MS);
    expect(wanted(scene).some(({ kind }) => kind === 'start')).toBe(false);
    checkRun(scene);
  });

  test('and all of it has failed, it is tried again by itself, and an attestation ends it at any time', () => {
    const { scene } = begin();
    untilUnproven(scene);
    const first = wanted(scene).length;
    scene.pass(600);
    // From the first kind on.
    expect(wanted(scene)[first]?.kind).toBe('ask-lock');
    expect(wanted(scene).length).toBeGreaterThanOrEqual(2 * first);
    expect(isUnproven(scene)).toBe(true);
    scene.order('ann', { order: 'attest', vm: 'v', host: 'a', epoch: 0, statement: 'I have looked: it is off.' });
    scene.allGood();
    expect(scene.state.vms.get('v')?.home).toBe('b');
    expect(isUnproven(scene)).toBe(false);
    checkRun(scene);
  });

  test('a proof of a later kind counts as one of the first', () => {
    const { scene } = begin();
    for (let i = 0; i < 100 && wanted(scene).at(-1)?.kind !== 'fence'; i++) scene.pass(1);
    const act = wanted(scene).at(-1);
    if (act?.kind !== 'fence') throw new Error(linesOf(scene.effects, scene.now).join('\n'));
    const proof = { ...goneProof(act, scene.now), kind: 'power-off' as const, evidence: { power: 'off' } };
    const { id: action, epoch, host } = act;
    scene.send({ input: 'result', at: scene.now, host, result: { action, vm: 'v', epoch, state: 'confirmed', proof } });
    scene.allGood();
    expect(scene.state.vms.get('v')?.home).toBe('b');
    expect(isUnproven(scene)).toBe(false);
    checkRun(scene);
  });
});
