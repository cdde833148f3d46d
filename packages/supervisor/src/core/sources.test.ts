/** A host is healthy as far as it is seen: where VMs go needs sources that read. */
import { describe, expect, test } from 'vitest';
import type { Decision } from './input.ts';
import type { SourceState } from './said.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, Scene } from './testing/scene.ts';

/** A VM on a, and two hosts that it may go to. */
function fleet(): Scene {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b', 'c']) scene.host(id);
  scene.vm('a', 'v');
  return scene;
}

const source = (scene: Scene, host: string, name: SourceState['source'], state: SourceState['state']): void =>
  void scene.say(host, { kind: 'source', source: name, state });

/** Where the VM was started, and the decision behind it. */
function moved(scene: Scene): { to: string | undefined; start: Decision | undefined } {
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.allGood();
  const start = scene.effects.findLast(e => e.effect === 'decision' && e.decision.inputs['act'] === 'start');
  return {
    to: scene.state.vms.get('v')?.home,
    start: start?.effect === 'decision' ? start.decision : undefined,
  };
}

describe('a host is no target while a source of it is not read', () => {
  test.each([
    ['kmsg', 'stalled'],
    ['kmsg', 'lost'],
    ['kmsg', 'spool-full'],
    ['tracefs', 'lost'],
    ['sysfs', 'stalled'],
    ['libvirt', 'lost'],
    ['qmp', 'stalled'],
    ['agent', 'spool-full'],
  ] as const)('%s is %s', (name, state) => {
    const scene = fleet();
    source(scene, 'c', 'kmsg', 'reading');
    source(scene, 'b', 'kmsg', 'reading');
    source(scene, 'b', name, state);
    const { to, start } = moved(scene);
    expect(to).toBe('c');
    expect(start?.inputs['not b']).toBe(`its errors would not be seen: source ${name} is ${state}`);
    expect(start?.inputs['target']).toMatch(/^healthy, /);
    checkRun(scene);
  });

  test.each([
    ['drill', 'lost'],
    ['qmp', 'lost'],
  ] as const)('that %s is %s hides no error of a VM that comes', (name, state) => {
    const scene = fleet();
    for (const host of ['b', 'c']) source(scene, host, 'kmsg', 'reading');
    source(scene, 'b', name, state);
    expect(moved(scene).to).toBe('b');
  });
});

test('it is one again when the source is back, and what waited for it goes there', () => {
  const scene = new Scene(ACTS);
  for (const id of ['a', 'b']) scene.host(id);
  scene.vm('a', 'v');
  source(scene, 'b', 'kmsg', 'stalled');
  scene.order('ann', { order: 'restart', vm: 'v' });
  scene.pass(3);
  expect(scene.acts()).toEqual([]);
  source(scene, 'b', 'kmsg', 'back');
  expect(scene.allGood().map(a => `${a.kind} ${a.host}`)).toContain('start b');
});

test('a host whose kernel is heard comes before one whose VMMs alone are', () => {
  const scene = fleet();
  source(scene, 'c', 'tracefs', 'reading');
  const { to, start } = moved(scene);
  expect([to, start?.inputs['target']]).toEqual(['c', expect.stringMatching(/^healthy, /)]);
  const deaf = fleet();
  expect(moved(deaf).start?.inputs['target']).toMatch(/^healthy as far as its VMMs tell, nobody reads its kernel/);
});

test('a kernel log that is lost is an alert, and one that is not read any more by a new agent is forgotten', () => {
  const scene = fleet();
  source(scene, 'b', 'kmsg', 'lost');
  source(scene, 'b', 'libvirt', 'lost');
  const standing = (): string[] => [...scene.state.alerts].filter(([, a]) => a.standing).map(([key]) => key);
  expect(standing()).toEqual(['source-stalled b kmsg']);
  source(scene, 'b', 'agent', 'reading');
  expect(standing()).toEqual([]);
  expect([...(scene.state.hosts.get('b')?.sources.keys() ?? [])]).toEqual(['agent']);
});

const standingAlerts = (scene: Scene): string[] =>
  [...scene.state.alerts].filter(([, a]) => a.standing).map(([key]) => key);

test('a source that stays lost is an alert after half a minute, until it is read; a monitor whose VM ended is none', () => {
  const scene = fleet();
  for (const name of ['libvirt', 'sysfs', 'qmp', 'drill'] as const) source(scene, 'b', name, 'lost');
  for (const vm of ['v', 'mistyped']) scene.say('a', { kind: 'source', source: 'qmp', vm, state: 'lost' });
  scene.pass(29);
  expect(standingAlerts(scene)).toEqual([]);
  scene.pass(2);
  expect(standingAlerts(scene)).toEqual([
    'source-stalled a qmp v',
    'source-stalled a qmp mistyped',
    'source-stalled b libvirt',
    'source-stalled b sysfs',
    'source-stalled b qmp',
  ]);
  scene.vm('a', 'v', { state: 'shut-off' });
  for (const name of ['libvirt', 'qmp'] as const) source(scene, 'b', name, 'back');
  scene.say('a', { kind: 'source', source: 'qmp', vm: 'mistyped', state: 'ended' });
  scene.pass(1);
  expect(standingAlerts(scene)).toEqual(['source-stalled b sysfs']);
  expect([...(scene.state.hosts.get('a')?.sources.keys() ?? [])]).toEqual(['qmp v']);
  checkRun(scene);
});

test('a clock that is ahead is an alert, until it is set', () => {
  const scene = fleet();
  /** A row of b that is written so many seconds after now. */
  const row = (seq: number, ahead: number): void =>
    void scene.send({
      input: 'row',
      at: scene.now,
      row: {
        host: 'b',
        spool: 'b-1',
        seq,
        at: scene.now + ahead * 1000,
        said: { kind: 'source', source: 'kmsg', state: 'reading' },
      },
    });
  row(100, 9);
  expect(standingAlerts(scene)).toEqual([]);
  row(101, 61);
  expect(standingAlerts(scene)).toEqual(['clock-ahead b']);
  expect(scene.effects.findLast(e => e.effect === 'notice')?.notice.summary).toContain('61 s ahead');
  scene.pass(5);
  // What is only old says nothing against it.
  row(101, -20);
  expect(standingAlerts(scene)).toEqual(['clock-ahead b']);
  row(102, 0);
  expect(standingAlerts(scene)).toEqual([]);
});

test('a clock that was set right between two rows, without going back, is noticed within two windows', () => {
  const scene = fleet();
  let seq = 100;
  const row = (ahead: number): void =>
    void scene.send({
      input: 'row',
      at: scene.now,
      row: {
        host: 'b',
        spool: 'b-1',
        seq: seq++,
        at: scene.now + ahead * 1000,
        said: { kind: 'source', source: 'kmsg', state: 'reading' },
      },
    });
  row(15);
  expect(standingAlerts(scene)).toEqual(['clock-ahead b']);
  for (let minute = 0; minute < 11; minute++) {
    scene.pass(60);
    row(0);
  }
  expect(standingAlerts(scene)).toEqual([]);
  expect(scene.state.hosts.get('b')?.behind).toBe(0);
});
