/** What happens to a VM while something is under way with it, or waits: nothing that is decided then is lost. */
import { describe, expect, test } from 'vitest';
import { parsePolicy } from './check.ts';
import { shippedPolicy } from './shipped.ts';
import type { Act } from '../core/act.ts';
import type { Policy } from '../core/policy.ts';
import { checkRun } from '../core/testing/holds.ts';
import { Scene } from '../core/testing/scene.ts';

const RULES = `schema: 1
name: mine
version: "1"
mode: act
rules:
  - {name: died, of: vm, when: {consequence: [died]}, do: restart-elsewhere}
  - {name: third, of: vm, when: {errors: 3}, do: restart-elsewhere}
  - {name: second, of: vm, when: {errors: 2}, do: reboot}
  - {name: first, of: vm, when: {errors: 1}, do: tell}
`;

function fleet(policy: Policy): Scene {
  const scene = new Scene(policy);
  for (const host of ['a', 'b']) scene.host(host);
  scene.vm('a', 'v', { autostart: false });
  return scene;
}

const poison = (scene: Scene, gpa: bigint): void =>
  void scene.see(
    'a',
    'qmp',
    'vmm.memory-failure',
    { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
    { vm: 'v', gpa },
  );
const panics = (scene: Scene): void =>
  void scene.see('a', 'qmp', 'vmm.guest-panicked', { action: 'pause' }, { vm: 'v' });
function dies(scene: Scene): void {
  scene.see('a', 'proc', 'vmm.exit', { signal: 7 }, { vm: 'v' });
  scene.vm('a', 'v', { state: 'gone', reason: 'killed' });
}

const first = (scene: Scene, kind: Act['kind']): Act => {
  const act = scene.acts()[0] ?? expect.fail(`no ${kind}`);
  expect(act.kind).toBe(kind);
  return act;
};

/** Everybody answers from now on. Seconds until the VM is ordered to start; undefined where it is not within half an hour. */
function startsAfter(scene: Scene): number | undefined {
  for (let seconds = 0; seconds < 1800; seconds++) {
    scene.allGood();
    if (scene.effects.some(e => e.effect === 'act' && e.act.kind === 'start')) return seconds;
    scene.pass(1);
  }
  return undefined;
}

const NOT_DONE = { state: 'failed', reason: 'its monitor cannot be asked now' } as const;

describe('while a move is under way', () => {
  test('a VM that dies during its reset is started elsewhere', () => {
    const scene = fleet(parsePolicy(RULES, 'mine'));
    for (const page of [1n, 2n]) poison(scene, page << 12n);
    const reset = first(scene, 'reset');
    scene.pass(1);
    dies(scene);
    scene.answer(reset, NOT_DONE);
    expect(startsAfter(scene)).toBeLessThan(5);
    checkRun(scene);
  });

  test('a third error during a reset is acted on when that is over', () => {
    const scene = fleet(parsePolicy(RULES, 'mine'));
    for (const page of [1n, 2n]) poison(scene, page << 12n);
    const reset = first(scene, 'reset');
    scene.pass(1);
    poison(scene, 3n << 12n);
    scene.good(reset);
    expect(startsAfter(scene)).toBeLessThan(5);
    checkRun(scene);
  });

  test.each(['it dies first', 'the answer comes first'])(
    'a QEMU that dies of its live migration is started: %s',
    order => {
      const scene = fleet(shippedPolicy('protect'));
      scene.order('ann', { order: 'drain', host: 'a' });
      const migrate = first(scene, 'migrate');
      scene.pass(2);
      poison(scene, 1n << 12n);
      const answer = (): void =>
        void scene.answer(migrate, { state: 'failed', reason: 'cannot read from its monitor' });
      if (order === 'the answer comes first') answer();
      dies(scene);
      if (order !== 'the answer comes first') answer();
      expect(startsAfter(scene)).toBeLessThan(5);
      checkRun(scene);
    },
  );

  test('a reset that fails again and again is not tried again for the same errors', () => {
    const scene = fleet(parsePolicy(RULES, 'mine'));
    for (const page of [1n, 2n]) poison(scene, page << 12n);
    scene.answer(first(scene, 'reset'), NOT_DONE);
    scene.pass(600);
    expect(scene.acts()).toEqual([]);
  });
});

describe('a VM that is down does not wait out the time that its owner was given while it ran', () => {
  const waiting = (): Scene => {
    const scene = fleet(shippedPolicy('protect'));
    for (const page of [1n, 2n, 3n]) poison(scene, page << 12n);
    scene.allGood();
    scene.pass(10);
    expect(scene.acts()).toEqual([]);
    return scene;
  };
  const notBefore = (scene: Scene): (number | undefined)[] =>
    scene.effects.flatMap(e =>
      e.effect === 'notice' && e.notice.type === 'vm.restart.planned' ? [e.notice.notBefore] : [],
    );

  test('it died: it is started at once', () => {
    const scene = waiting();
    const began = scene.now;
    dies(scene);
    expect(startsAfter(scene)).toBeLessThan(5);
    // Its owner hears of both: in five minutes, and then of none.
    expect(notBefore(scene).map(at => (at === undefined ? undefined : Math.round((at - began) / 10_000)))).toEqual([
      29,
      undefined,
    ]);
    expect(new Set(scene.effects.flatMap(e => (e.effect === 'notice' ? [e.notice.id] : []))).size).toBe(
      scene.effects.filter(e => e.effect === 'notice').length,
    );
    checkRun(scene);
  });

  test('it panicked: it has the time for its dump', () => {
    const scene = waiting();
    panics(scene);
    const seconds = startsAfter(scene);
    expect(seconds).toBeGreaterThanOrEqual(59);
    expect(seconds).toBeLessThan(65);
    checkRun(scene);
  });

  test('of two rules that want the same the sooner holds', () => {
    const scene = fleet(shippedPolicy('protect'));
    scene.see(
      'a',
      'qmp',
      'vmm.memory-failure',
      { recipient: 'hypervisor', action: 'ignore', actionRequired: false, recursive: false },
      { vm: 'v' },
    );
    scene.pass(1);
    for (const page of [1n, 2n, 3n]) poison(scene, page << 12n);
    expect(startsAfter(scene)).toBeLessThan(305);
  });
});

test('a reset has given fresh memory: one further error is no reason for another, and the VM is clean', () => {
  const scene = fleet(parsePolicy(RULES.replace(/.*name: third.*\n/, ''), 'mine'));
  for (const page of [1n, 2n]) poison(scene, page << 12n);
  scene.pass(1);
  scene.good(first(scene, 'reset'));
  scene.pass(700);
  scene.order('ann', { order: 'drain', host: 'a' });
  expect(scene.acts().map(a => a.kind)).toEqual(['migrate']);
  const other = fleet(parsePolicy(RULES.replace(/.*name: third.*\n/, ''), 'mine'));
  for (const page of [1n, 2n]) poison(other, page << 12n);
  other.pass(1);
  other.good(first(other, 'reset'));
  other.pass(700);
  poison(other, 3n << 12n);
  expect(other.acts()).toEqual([]);
  poison(other, 4n << 12n);
  expect(other.acts().map(a => a.kind)).toEqual(['reset']);
});

test('a live migration for which autostart cannot be switched off is not announced again and again', () => {
  const scene = fleet(shippedPolicy('protect'));
  scene.vm('a', 'v', { autostart: true });
  scene.order('ann', { order: 'drain', host: 'a' });
  for (let seconds = 0; seconds < 600; seconds++) {
    for (const act of scene.acts()) scene.answer(act, NOT_DONE);
    scene.pass(1);
  }
  const told = scene.effects.flatMap(e => (e.effect === 'notice' ? [e.notice.type] : []));
  expect(told).toEqual(['host.draining', 'vm.restart.planned', 'alert.action-failed', 'vm.restart.withdrawn']);
});

describe('between what is done and the answer that tells of it', () => {
  /** The reset or start is done at once, and its answer comes so many seconds later. */
  const LAGS = [0.2, 2, 30];
  const vmOf = (scene: Scene): string | undefined => scene.state.vms.get('v')?.home;

  test.each(LAGS)('a VM that is started and dies within %d s of lag is started again', lag => {
    const scene = fleet(parsePolicy(RULES, 'mine'));
    scene.host('c');
    for (const page of [1n, 2n, 3n]) poison(scene, page << 12n);
    for (let act = scene.acts()[0]; act !== undefined && act.kind !== 'start'; act = scene.acts()[0]) scene.good(act);
    const start = first(scene, 'start');
    const at = scene.now;
    scene.now = at + lag * 500;
    scene.see(
      start.host,
      'qmp',
      'vmm.memory-failure',
      { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
      { vm: 'v', gpa: 9n << 12n },
    );
    scene.now = at + lag * 700;
    scene.see(start.host, 'proc', 'vmm.exit', { signal: 7 }, { vm: 'v' });
    scene.now = at + lag * 1000;
    scene.answer(start, { state: 'confirmed', seen: { pid: '7', state: 'running' } });
    scene.vm(start.host, 'v', { state: 'gone', reason: 'killed', epoch: 1 });
    const before = scene.effects.length;
    for (let seconds = 0; seconds < 120; seconds++) {
      scene.allGood();
      scene.pass(1);
    }
    const starts = scene.effects.slice(before).filter(e => e.effect === 'act' && e.act.kind === 'start');
    expect(starts).toHaveLength(1);
    expect(vmOf(scene)).not.toBe(start.host);
    checkRun(scene);
  });

  test.each(LAGS)('an error behind a reset, told within %d s of lag, counts: the VM is not clean', lag => {
    const scene = fleet(parsePolicy(RULES.replace(/.*name: third.*\n/, ''), 'mine'));
    for (const page of [1n, 2n]) poison(scene, page << 12n);
    const reset = first(scene, 'reset');
    scene.pass(1);
    const done = scene.now;
    scene.now = done + lag * 500;
    poison(scene, 3n << 12n);
    // The agent has written the answer before that, and it comes behind it.
    const answered = { kind: 'result', action: reset.id, epoch: reset.epoch, vm: 'v', state: 'confirmed' } as const;
    scene.now = done + lag * 1000;
    scene.send({
      input: 'row',
      at: scene.now,
      row: { host: 'a', spool: 'a-1', seq: 9000, at: done, said: answered },
    });
    scene.order('ann', { order: 'drain', host: 'a' });
    expect(scene.acts().map(a => a.kind)).not.toContain('migrate');
  });
});

test('each error that asks for a reset has one', () => {
  const scene = fleet(
    parsePolicy(
      RULES.replace(/.*name: (third|second|first).*\n/g, '').concat(
        '  - {name: each, of: vm, when: {errors: 1}, do: reboot}\n',
      ),
      'mine',
    ),
  );
  for (let page = 1n; page <= 4n; page++) {
    poison(scene, page << 12n);
    scene.pass(1);
    scene.good(first(scene, 'reset'));
    scene.pass(60);
    expect(scene.acts()).toEqual([]);
  }
});

describe('no reset follows from the one before', () => {
  const EACH = RULES.replace(/.*name: (third|second|first).*\n/g, '');
  const resets = (scene: Scene): number =>
    scene.effects.filter(e => e.effect === 'act' && e.act.kind === 'reset').length;
  const answerAll = (scene: Scene, seconds: number): void => {
    for (let i = 0; i < seconds; i++) {
      for (const act of scene.acts()) scene.good(act);
      scene.pass(1);
      scene.vm('a', 'v', { autostart: false });
    }
  };

  test.each([0, 2, 10, 600])('an error that is dated %d s ahead of its answer', ahead => {
    const scene = fleet(parsePolicy(`${EACH}  - {name: each, of: vm, when: {errors: 1}, do: reboot}\n`, 'mine'));
    scene.see(
      'a',
      'qmp',
      'vmm.memory-failure',
      { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
      { vm: 'v', gpa: 0x1000n, when: scene.now + ahead * 1000 },
    );
    answerAll(scene, 120);
    expect(resets(scene)).toBe(1);
  });

  test.each(['recursive', 'hypervisor', 'consumed'] as const)('a rule that asks for what is not the case: %s', key => {
    const policy = parsePolicy(`${EACH}  - {name: each, of: vm, when: {errors: 1}, do: reboot}\n`, 'mine');
    for (const rung of ['reboot', 'restart-elsewhere'] as const) {
      const rules = policy.rules.map(r =>
        r.of === 'vm' && r.name === 'each' ? { ...r, when: { [key]: false }, do: rung } : r,
      );
      const scene = fleet({ ...policy, rules });
      scene.host('c');
      poison(scene, 0x1000n);
      answerAll(scene, 120);
      expect(
        scene.effects.filter(e => e.effect === 'act' && /reset|start$/.test(e.act.kind)).length,
      ).toBeLessThanOrEqual(1);
    }
  });
});

describe('what a reset has answered asks for no other', () => {
  const EACH = parsePolicy(
    `${RULES.replace(/.*name: (third|second|first).*\n/g, '')}  - {name: panic, of: vm, when: {consequence: [panicked]}, do: restart-elsewhere}
  - {name: each, of: vm, when: {errors: 1}, do: reboot}\n`,
    'mine',
  );
  const kinds = (scene: Scene): string[] =>
    scene.effects.flatMap(e =>
      e.effect === 'act' && ['reset', 'stop', 'start'].includes(e.act.kind) ? [e.act.kind] : [],
    );
  const sigbus = (scene: Scene, pfn: bigint, at = scene.now): void =>
    void scene.see('a', 'kmsg', 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 100 }, { vm: 'v', when: at });
  const unlocated = (scene: Scene, at = scene.now): void =>
    void scene.see(
      'a',
      'qmp',
      'vmm.memory-failure',
      { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
      { vm: 'v', when: at },
    );
  /** Reset by a first error, and its answer is here. */
  const reset = (met: (scene: Scene) => void): Scene => {
    const scene = fleet(EACH);
    met(scene);
    scene.pass(1);
    scene.good(first(scene, 'reset'));
    return scene;
  };

  test.each<[string, (scene: Scene) => void, (scene: Scene) => void]>([
    ['the same page by its frame', s => sigbus(s, 5n), s => sigbus(s, 5n)],
    ['the guest page, then its frame', s => poison(s, 0x1000n), s => sigbus(s, 5n)],
    ['its frame, then the guest page', s => sigbus(s, 5n), s => poison(s, 0x1000n)],
    ['no address, then its page', s => unlocated(s), s => sigbus(s, 5n)],
    ['no address, then none again', s => unlocated(s), s => unlocated(s)],
    ['its page, then no address', s => sigbus(s, 5n), s => unlocated(s)],
  ])('a late witness: %s', (_, before, after) => {
    const scene = reset(before);
    for (let i = 0; i < 3; i++) {
      scene.pass(2);
      after(scene);
    }
    scene.pass(60);
    expect(kinds(scene)).toEqual(['reset']);
    // Whether it is bad now is another question.
    scene.order('ann', { order: 'drain', host: 'a' });
    expect(scene.acts().map(a => a.kind)).not.toContain('migrate');
    checkRun(scene);
  });

  test.each<[string, (scene: Scene) => void, (scene: Scene) => void]>([
    ['another frame', s => sigbus(s, 5n), s => sigbus(s, 6n)],
    ['another guest page', s => poison(s, 0x1000n), s => poison(s, 0x2000n)],
    ['a page, near an error whose page was known', s => (unlocated(s), sigbus(s, 5n)), s => sigbus(s, 6n)],
  ])('another error seconds later has another: %s', (_, before, after) => {
    const scene = reset(before);
    scene.pass(3);
    after(scene);
    scene.pass(1);
    expect(kinds(scene)).toEqual(['reset', 'reset']);
  });

  test('one without an address asks again after a minute, and so does a page of memory that was replaced', () => {
    const scene = reset(s => unlocated(s));
    scene.pass(70);
    unlocated(scene);
    expect(kinds(scene)).toEqual(['reset', 'reset']);
    const other = reset(s => sigbus(s, 5n));
    other.order('ann', { order: 'repaired', host: 'a' });
    other.pass(5);
    sigbus(other, 5n);
    expect(kinds(other)).toEqual(['reset', 'reset']);
  });

  test.each([0, 2, 20, 600])(
    'a VM that dies behind a reset of an error dated %d s ahead is started elsewhere',
    ahead => {
      const scene = reset(s => sigbus(s, 5n, s.now + ahead * 1000));
      scene.pass(30);
      sigbus(scene, 6n);
      scene.pass(1);
      scene.good(first(scene, 'reset'));
      scene.pass(30);
      sigbus(scene, 7n);
      dies(scene);
      scene.allGood();
      scene.pass(5);
      scene.allGood();
      expect(scene.state.vms.get('v')?.home).toBe('b');
      checkRun(scene);
    },
  );

  test.each([-100, 0, 100, 5000])(
    'the reboot that libvirt tells %d ms from the answer is ours, and no panic',
    async ms => {
      const scene = fleet(EACH);
      sigbus(scene, 5n);
      const act = first(scene, 'reset');
      scene.pass(1);
      const reboots = (): void => void scene.see('a', 'libvirt', 'vmm.reset', {}, { vm: 'v' });
      if (ms < 0) reboots();
      scene.now += Math.abs(ms);
      scene.good(act);
      if (ms >= 0) {
        scene.now += ms;
        reboots();
      }
      for (let i = 0; i < 60; i++) {
        scene.allGood();
        scene.pass(1);
      }
      expect(kinds(scene)).toEqual(['reset']);
      expect(
        scene.effects.flatMap(e => (e.effect === 'decision' && e.decision.rule === 'core/consequence' ? [e] : [])),
      ).toEqual([]);
      // A panic behind it is one.
      panics(scene);
      for (let i = 0; i < 90; i++) {
        scene.allGood();
        scene.pass(1);
      }
      expect(scene.state.vms.get('v')?.home).toBe('b');
    },
  );

  test('a panic that is dated ahead of the reset that it asked for asks for one', () => {
    const scene = fleet(
      parsePolicy(
        `${RULES.replace(/.*name: (third|second|first).*\n/g, '')}  - {name: panic, of: vm, when: {consequence: [panicked]}, do: reboot}\n`,
        'mine',
      ),
    );
    sigbus(scene, 5n);
    scene.see('a', 'qmp', 'vmm.guest-panicked', { action: 'pause' }, { vm: 'v', when: scene.now + 60_000 });
    for (let i = 0; i < 300; i++) {
      scene.allGood();
      scene.pass(1);
    }
    expect(kinds(scene)).toEqual(['reset']);
  });
});

test('the end of a copy on its old host, told late, ends nothing on the new one', () => {
  const scene = fleet(parsePolicy(RULES, 'mine'));
  for (const page of [1n, 2n, 3n]) poison(scene, page << 12n);
  for (let i = 0; i < 20; i++) {
    scene.allGood();
    scene.pass(1);
  }
  expect(scene.state.vms.get('v')?.home).toBe('b');
  scene.host('c');
  scene.vm('b', 'v', { autostart: false, epoch: 1 });
  scene.pass(5);
  scene.see('b', 'kmsg', 'host.sigbus-sent', { pfn: 9n, comm: 'qemu', pid: 200 }, { vm: 'v' });
  scene.pass(5);
  // What was left of it, or what came back when its host booted, is stopped.
  const before = scene.effects.length;
  scene.see('a', 'proc', 'vmm.exit', {}, { vm: 'v' });
  scene.pass(60);
  expect(scene.effects.slice(before).filter(e => e.effect !== 'decision')).toEqual([]);
  expect(scene.state.vms.get('v')?.home).toBe('b');
  checkRun(scene);
});

test('what became of a VM on its old host is no end on the new one, whose clock is behind', () => {
  const scene = fleet(shippedPolicy('protect'));
  scene.host('c');
  poison(scene, 0x1000n);
  dies(scene);
  expect(startsAfter(scene)).toBeLessThan(5);
  scene.allGood();
  const home = scene.state.vms.get('v')?.home ?? '';
  expect(home).not.toBe('a');
  scene.pass(30);
  scene.see(
    home,
    'qmp',
    'vmm.memory-failure',
    { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
    { vm: 'v', gpa: 0x2000n, when: scene.now - 60_000 },
  );
  scene.pass(120);
  expect(scene.state.vms.get('v')?.home).toBe(home);
  expect(scene.effects.filter(e => e.effect === 'act' && e.act.kind === 'start')).toHaveLength(1);
});
