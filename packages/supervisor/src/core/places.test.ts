/** An agent that has lost what it had written down begins anew: it is heard, told again, and nothing is counted or told twice. */
import { event } from '@syndrome/decode/events/event.ts';
import { describe, expect, test } from 'vitest';
import type { Effect } from './input.ts';
import type { Said } from './said.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, goneProof, Scene } from './testing/scene.ts';

/** Rows of another spool of a host, whose clock may be off. */
class Spool {
  readonly #scene: Scene;
  readonly #host: string;
  readonly #name: string;
  readonly #off: number;
  #seq = 0;

  constructor(scene: Scene, host: string, name: string, off = 0) {
    [this.#scene, this.#host, this.#name, this.#off] = [scene, host, name, off];
  }

  say(said: Said, seq = ++this.#seq): Effect[] {
    const at = this.#scene.now + this.#off;
    return this.#scene.send({
      input: 'row',
      at: this.#scene.now,
      row: { host: this.#host, spool: this.#name, seq, at, said },
    });
  }

  begin(): void {
    this.say({ kind: 'source', source: 'agent', state: 'reading' });
  }
}

const vmReport = (more: Partial<Said & { kind: 'vm' }> = {}): Said => ({
  kind: 'vm',
  vm: 'v',
  name: 'v',
  state: 'running',
  vmm: 'libvirt',
  disks: ['nfs:/vms'],
  memoryBytes: 2 ** 30,
  autostart: false,
  optedIn: true,
  epoch: 0,
  ...more,
});
const hostReport = (boot: string): Said => ({
  kind: 'host',
  boot,
  arch: 'x86-64',
  kernel: '6.19.6',
  memoryBytes: 2 ** 36,
  freeBytes: 2 ** 35,
  cpuModels: [],
  storage: ['nfs:/vms'],
});

/** v was moved from a to b, in epoch 1. */
function moved(): Scene {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b']) {
    scene.host(id);
    scene.say(id, { kind: 'source', source: 'agent', state: 'reading' });
  }
  scene.vm('a', 'v');
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.allGood();
  expect(scene.state.vms.get('v')?.home).toBe('b');
  return scene;
}
const copyOn = (scene: Scene, host: string) => scene.state.vms.get('v')?.copies.find(c => c.host === host);
const acts = (effects: readonly Effect[]): string[] =>
  effects.flatMap(e => (e.effect === 'act' ? [`${e.act.kind} ${e.act.host} ${e.act.epoch}`] : []));

describe('an agent that begins anew', () => {
  test.each([0, -3_600_000, -86_400_000])('is heard although its clock was set by %i ms', off => {
    const scene = moved();
    scene.pass(5);
    const anew = new Spool(scene, 'b', 'b-2', off);
    anew.begin();
    anew.say(hostReport('b-boot-2'));
    anew.say(vmReport({ epoch: 1, state: 'paused' }));
    expect([scene.state.hosts.get('b')?.boot, copyOn(scene, 'b')?.state]).toEqual(['b-boot-2', 'paused']);
    // A row of before that comes late is older.
    scene.vm('b', 'v', { epoch: 1, state: 'running' });
    expect(copyOn(scene, 'b')?.state).toBe('paused');
  });

  test('is told again which epoch it has to refuse', () => {
    const scene = moved();
    expect(copyOn(scene, 'a')?.told).toBe(1);
    scene.pass(5);
    new Spool(scene, 'a', 'a-2').begin();
    expect(scene.acts().map(a => `${a.kind} ${a.host} ${a.epoch}`)).toEqual(['autostart-off a 1']);
    scene.allGood();
    expect(copyOn(scene, 'a')?.told).toBe(1);
    checkRun(scene);
  });

  test('is not asked for what it no longer knows of: that is unknown, and looked at', () => {
    const scene = new Scene(ACTS);
    for (const id of ['a', 'b']) scene.host(id);
    scene.vm('a', 'v');
    scene.order('ann', { order: 'restart', vm: 'v' });
    scene.good(scene.acts()[0] ?? expect.fail('no act'));
    const stop = scene.acts()[0] ?? expect.fail('no stop');
    const anew = new Spool(scene, 'a', 'a-2');
    anew.begin();
    expect(scene.state.acts.get(stop.id)?.state).toBe('unknown');
    expect(acts(scene.effects)).not.toContain('start b 1');
    scene.allGood();
    expect(scene.state.vms.get('v')?.home).toBe('b');
  });

  test('whichever of its rows comes first', () => {
    const scene = moved();
    scene.pass(5);
    const anew = new Spool(scene, 'b', 'b-2', -3_600_000);
    anew.say(vmReport({ epoch: 1, state: 'paused' }), 2);
    anew.say({ kind: 'source', source: 'agent', state: 'reading' }, 1);
    anew.say(vmReport({ epoch: 1, state: 'paused' }), 3);
    expect(copyOn(scene, 'b')?.state).toBe('paused');
  });
});

test('a spool that goes on under another name tells again what was told: its clock decides, nothing is lost', () => {
  const scene = moved();
  scene.pass(5);
  const renewed = new Spool(scene, 'a', 'a-2', -60_000);
  renewed.say(vmReport());
  // Written again too; it is not its first row.
  renewed.begin();
  renewed.say(vmReport());
  // From before the stop: its proof stands.
  expect(copyOn(scene, 'a')?.proof?.kind).toBe('process-gone');
  expect(scene.state.hosts.get('a')?.life).toBeUndefined();
  checkRun(scene);
});

describe('what a log that is read anew tells once more', () => {
  const told = (scene: Scene): string[] => scene.effects.flatMap(e => (e.effect === 'notice' ? [e.notice.id] : []));

  test('is not told to the owner again, and does not count again', () => {
    const scene = new Scene({
      ...ACTS,
      rules: [
        { name: 'row', of: 'host', when: { corrected: 10, correctedBy: 'host', within: 86_400_000 }, do: 'drain' },
        ...ACTS.rules,
      ],
    });
    for (const id of ['a', 'b']) scene.host(id);
    scene.vm('a', 'v');
    const first = scene.now;
    const errors: [Said, number][] = [];
    const see = (said: Said & { kind: 'event' }): void => {
      errors.push([{ ...said, when: scene.now }, scene.now]);
      scene.say('a', said);
      scene.now += 2000;
    };
    const failure = event('vmm.memory-failure', { recipient: 'guest', action: 'inject', actionRequired: false });
    see({ kind: 'event', source: 'qmp', vm: 'v', event: failure });
    for (let i = 0; i < 6; i++)
      see({ kind: 'event', source: 'kmsg', event: event('host.edac-corrected', { count: 1, message: 'x' }) });
    scene.pass(500);
    const before = told(scene);
    expect(before).toEqual(['inc-1/poisoned']);
    const anew = new Spool(scene, 'a', 'a-2');
    anew.begin();
    const incidents = scene.state.incidents.size;
    for (const [said] of errors) anew.say(said);
    anew.say(vmReport());
    scene.pass(2);
    expect([told(scene), scene.state.incidents.size]).toEqual([before, incidents]);
    expect(scene.state.hosts.get('a')?.draining).toBeUndefined();
    // What is new counts.
    for (let i = 0; i < 4; i++)
      anew.say({ kind: 'event', source: 'kmsg', event: event('host.edac-corrected', { count: 1, message: 'x' }) });
    expect(scene.state.hosts.get('a')?.draining?.by).toBe('row');
    expect(first).toBeLessThan(scene.now);
  });

  test('of memory that was replaced since says nothing', () => {
    const scene = new Scene(ACTS);
    for (const id of ['a', 'b']) scene.host(id);
    scene.vm('a', 'v');
    const when = scene.now;
    const page = event('host.sigbus-sent', { pfn: 1n, comm: 'qemu', pid: 100 });
    scene.say('a', { kind: 'event', source: 'kmsg', event: page, vm: 'v', when });
    scene.pass(60);
    scene.order('ann', { order: 'repaired', host: 'a' });
    const before = told(scene);
    const incidents = scene.state.incidents.size;
    const anew = new Spool(scene, 'a', 'a-2');
    anew.begin();
    anew.say({ kind: 'event', source: 'kmsg', event: page, vm: 'v', when });
    expect([told(scene), scene.state.incidents.size]).toEqual([before, incidents]);
  });
});

test("a person's word is placed by the clock of the host: what it says afterwards is newer, however slow that clock", () => {
  const scene = new Scene(ACTS);
  scene.host('b');
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
  const slow = new Spool(scene, 'a', 'a-1', -600_000);
  slow.begin();
  slow.say(hostReport('a-boot-1'));
  slow.say(vmReport());
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
  scene.pass(10);
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.order('ann', { order: 'attest', vm: 'v', host: 'a', epoch: 0, statement: 'pulled the plug' });
  expect(copyOn(scene, 'a')?.proof?.kind).toBe('attested');
  scene.pass(60);
  scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
  slow.say(vmReport());
  expect(copyOn(scene, 'a')?.proof).toBeUndefined();
  expect(goneProof({ vm: 'v', host: 'a', epoch: 0 }).kind).toBe('process-gone');
});

describe('a host whose clock is set back while its agent is here', () => {
  const BACK = -3_600_000;
  /** An agent whose clock a test sets. */
  function set(scene: Scene, host: string): { say: (said: Said) => Effect[]; set: (off: number) => void } {
    let [off, seq] = [0, 0];
    const row = (said: Said): Effect[] =>
      scene.send({
        input: 'row',
        at: scene.now,
        row: { host, spool: `${host}-1`, seq: ++seq, at: scene.now + off, said },
      });
    scene.send({ input: 'agent', at: scene.now, host, connected: true });
    row({ kind: 'source', source: 'agent', state: 'reading' });
    row(hostReport(`${host}-boot-1`));
    return { say: row, set: to => (off = to) };
  }

  test('is believed when it says that a copy runs that a person took for stopped', () => {
    const scene = new Scene(ACTS);
    scene.host('b');
    const a = set(scene, 'a');
    a.say(vmReport());
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: false });
    scene.pass(10);
    scene.order('ann', { order: 'attest', vm: 'v', host: 'a', epoch: 0, statement: 'pulled the plug' });
    scene.pass(60);
    scene.send({ input: 'agent', at: scene.now, host: 'a', connected: true });
    a.set(BACK);
    a.say(vmReport({ state: 'paused' }));
    expect(copyOn(scene, 'a')?.proof).toBeUndefined();
  });

  test('has its errors counted, and its word taken, by the time that it has now', () => {
    const scene = new Scene(ACTS);
    scene.host('a');
    const b = set(scene, 'b');
    scene.vm('a', 'v');
    scene.pass(60);
    b.set(BACK);
    b.say({ kind: 'source', source: 'kmsg', state: 'reading' });
    scene.order('ann', { order: 'restart', vm: 'v' });
    for (let act = scene.acts()[0]; act !== undefined; act = scene.acts()[0]) {
      const { id, vm = '', epoch } = act;
      const result = { kind: 'result', action: id, vm, epoch, state: 'confirmed' } as const;
      if (act.host === 'b') b.say({ ...result, seen: { pid: '200', startTicks: '9' } });
      else scene.good(act);
    }
    expect(scene.state.vms.get('v')?.home).toBe('b');
    b.say(vmReport({ epoch: 1 }));
    scene.pass(60);
    for (const pfn of [1n, 2n]) {
      b.say({
        kind: 'event',
        source: 'kmsg',
        vm: 'v',
        event: event('host.sigbus-sent', { pfn, comm: 'qemu', pid: 1 }),
      });
      scene.pass(90);
    }
    const found = scene.effects.findLast(e => e.effect === 'decision' && e.decision.vm === 'v');
    expect(found?.effect === 'decision' && found.decision.inputs['errors']).toBe(2);
    checkRun(scene);
  });
});
