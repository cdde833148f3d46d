import { describe, expect, test } from 'vitest';
import type { Decision, Effect } from './input.ts';
import { countVm } from './ledger.ts';
import type { Notice } from './notice.ts';
import type { Policy } from './policy.ts';
import { proofFault } from './proof.ts';
import type { StopProof } from './act.ts';
import { checkRun } from './testing/holds.ts';
import { ACTS, Scene, START } from './testing/scene.ts';

function fleet(policy: Partial<Policy> = {}, vm: Parameters<Scene['vm']>[2] = {}): Scene {
  const scene = new Scene({ ...ACTS, ...policy });
  scene.host('a');
  scene.host('b');
  scene.vm('a', 'v', vm);
  return scene;
}

const acts = (effects: readonly Effect[]): string[] =>
  effects.flatMap(e => (e.effect === 'act' ? [`${e.act.kind} ${e.act.host} ${e.act.epoch}`] : []));
const notices = (effects: readonly Effect[]): Notice[] =>
  effects.flatMap(e => (e.effect === 'notice' ? [e.notice] : []));
const decisions = (effects: readonly Effect[]): Decision[] =>
  effects.flatMap(e => (e.effect === 'decision' ? [e.decision] : []));
const types = (effects: readonly Effect[]): string[] => notices(effects).map(n => n.type);

const memoryFailure = (
  scene: Scene,
  more: { actionRequired?: boolean; recursive?: boolean; recipient?: string } = {},
): Effect[] =>
  scene.see(
    'a',
    'qmp',
    'vmm.memory-failure',
    { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false, ...more },
    { vm: 'v' },
  );
const sigbus = (scene: Scene, pfn: bigint, vm = 'v'): Effect[] =>
  scene.see('a', 'kmsg', 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 100 }, { vm });

function errors(scene: Scene, vm = 'v'): number {
  const [of, host] = [scene.state.vms.get(vm), scene.state.hosts.get('a')];
  return of === undefined || host === undefined ? -1 : countVm(of, host, 0).errors;
}

const incidents = (scene: Scene): string[] =>
  [...scene.state.incidents.values()].filter(i => i.state !== 'absorbed').map(i => `${i.cause} ${i.vm ?? ''}`);

describe('witnesses of one error are one incident', () => {
  const witnesses: ((scene: Scene) => void)[] = [
    scene => memoryFailure(scene),
    scene => sigbus(scene, 0x123n),
    scene =>
      scene.see('a', 'tracefs', 'host.memory-failure', { pfn: 0x123n, page: 'dirty LRU page', result: 'Recovered' }),
    scene =>
      scene.see(
        'a',
        'qemu-log',
        'vmm.sigbus-injected',
        { hva: 0x7f00n, gpa: 0x5678n, code: 'BUS_MCEERR_AR' },
        { vm: 'v' },
      ),
  ];
  const orders = [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [2, 0, 3, 1],
    [1, 3, 0, 2],
    [0, 3, 1, 2],
    [2, 3, 0, 1],
  ];

  test.each([0, 1, 2])(
    'its address is told also where it is known behind the end of the VM: told as number %i',
    late => {
      const scene = fleet();
      memoryFailure(scene);
      const ends = [
        (): unknown => scene.see('a', 'qmp', 'vmm.guest-panicked', { action: 'pause' }, { vm: 'v' }),
        (): unknown => scene.vm('a', 'v', { state: 'gone', reason: 'killed' }),
      ];
      for (const [i, end] of ends.entries()) {
        scene.now += 1000;
        if (i === late) witnesses[3]?.(scene);
        end();
      }
      scene.now += 1000;
      if (late === 2) witnesses[3]?.(scene);
      scene.pass(1);
      const told = notices(scene.effects).filter(n => n.type.startsWith('vm.memory.'));
      expect(told.filter(n => n.lost?.gpa === 0x5000n)[0]?.type).toBe('vm.memory.located');
      // Not once more behind that.
      expect(told.filter(n => n.type === 'vm.memory.located')).toHaveLength(1);
    },
  );

  test.each(orders)('in the order %i %i %i %i', (...order) => {
    const scene = fleet();
    for (const i of order) {
      scene.now += 2000;
      witnesses[i]?.(scene);
    }
    expect(errors(scene)).toBe(1);
    expect(incidents(scene)).toEqual(['page v']);
    const notices = scene.effects.flatMap(e => (e.effect === 'notice' ? [e.notice] : []));
    // Told once that it is lost, and once more where, if that was not known then.
    expect(notices.map(n => n.type)).toEqual(
      notices[0]?.lost?.gpa === undefined ? ['vm.memory.poisoned', 'vm.memory.located'] : ['vm.memory.poisoned'],
    );
    expect(notices.findIndex(n => n.lost?.gpa === 0x5000n)).toBe(notices.length - 1);
    const incident = [...scene.state.incidents.values()].find(i => i.state === 'open');
    expect([...(incident?.witnesses.keys() ?? [])].toSorted()).toEqual([
      'kmsg host.sigbus-sent',
      'qemu-log vmm.sigbus-injected',
      'qmp vmm.memory-failure',
      'tracefs host.memory-failure',
    ]);
  });

  test('what comes a minute apart is two', () => {
    const scene = fleet();
    memoryFailure(scene);
    scene.now += 60_000;
    sigbus(scene, 0x123n);
    expect(errors(scene)).toBe(2);
  });
});

describe('errors without an address', () => {
  test('count at most once a minute and VM', () => {
    const scene = fleet();
    const counts: number[] = [];
    for (const seconds of [0, 20, 20, 25, 60]) {
      scene.now += seconds * 1000;
      memoryFailure(scene);
      counts.push(errors(scene));
    }
    expect(counts).toEqual([1, 1, 1, 2, 3]);
  });

  test('are absorbed by the page that is joined later, and told once', () => {
    const scene = fleet();
    expect(types(memoryFailure(scene))).toEqual(['vm.memory.poisoned']);
    expect(incidents(scene)).toEqual(['unlocated v']);
    scene.now += 4000;
    expect(types(sigbus(scene, 0x1n))).toEqual([]);
    expect(incidents(scene)).toEqual(['page v']);
    expect(errors(scene)).toBe(1);
  });

  test('an ARM abort without an address counts as one, and one with an address as its page', () => {
    const sea = {
      vcpu: 0,
      el: 1,
      pc: 0n,
      flags: 0n,
      esr: 0x96000010n,
      gpaSource: 'none',
      action: 'inject',
      quarantine: 'none',
    };
    const scene = fleet();
    scene.see('a', 'vmm', 'vmm.arm-sea', sea, { vm: 'v' });
    expect(incidents(scene)).toEqual(['unlocated v']);
    scene.now += 90_000;
    for (let i = 0; i < 3; i++) scene.see('a', 'vmm', 'vmm.arm-sea', { ...sea, gpa: 0x40001000n }, { vm: 'v' });
    expect(errors(scene)).toBe(2);
  });
});

describe('what follows an error', () => {
  test('a panic five minutes later by the AMD poll is the same incident, and the kernel bug is named', () => {
    const scene = fleet();
    memoryFailure(scene, { actionRequired: false });
    scene.pass(300);
    scene.see(
      'a',
      'qemu-log',
      'guest.msr-error',
      { access: 'WRMSR', msr: 0xc0002098n, unchecked: true, symbol: 'amd_clear_bank' },
      { vm: 'v' },
    );
    scene.see('a', 'qmp', 'vmm.guest-panicked', { action: 'pause' }, { vm: 'v' });
    expect(incidents(scene)).toEqual(['unlocated v']);
    const [incident] = scene.state.incidents.values();
    expect(incident?.consequence).toBe('panicked');
    expect(incident?.remarks.join()).toContain('known bug of Linux 6.19 up to 6.19.9');
    expect(acts(scene.effects)).toEqual(['autostart-off a 0']);
    const [poisoned, panicked] = notices(scene.effects);
    expect([poisoned?.id, panicked?.id, panicked?.severity]).toEqual(['inc-1/poisoned', 'inc-1/panicked', 'critical']);
  });

  test('the panic may be told before the error', () => {
    const scene = fleet();
    scene.now += 60_000;
    scene.see('a', 'qmp', 'vmm.guest-panicked', { action: 'pause' }, { vm: 'v' });
    expect(incidents(scene)).toEqual([]);
    scene.see(
      'a',
      'qmp',
      'vmm.memory-failure',
      { recipient: 'guest', action: 'inject' },
      { vm: 'v', when: scene.now - 30_000 },
    );
    expect([...scene.state.incidents.values()].map(i => i.consequence)).toEqual(['panicked']);
  });

  test('a reboot within seconds is a panic that nobody told; an ordered reset is none', () => {
    const scene = fleet();
    memoryFailure(scene);
    scene.now += 3000;
    scene.see('a', 'qmp', 'vmm.reset', { guest: true, reason: 'guest-reset' }, { vm: 'v' });
    const told = decisions(scene.effects).find(d => d.rule === 'died');
    expect(told?.inputs).toMatchObject({ consequence: 'panicked', untold: true });

    const ordered = fleet();
    memoryFailure(ordered);
    ordered.see('a', 'qmp', 'vmm.reset', { guest: false, reason: 'host-qmp-system-reset' }, { vm: 'v' });
    expect([...ordered.state.incidents.values()].map(i => i.consequence)).toEqual([undefined]);
  });

  test('a panic with no error before it, or eight minutes after one, is none of ours', () => {
    for (const error of [false, true]) {
      const scene = fleet();
      if (error) memoryFailure(scene);
      scene.pass(480);
      scene.see('a', 'qmp', 'vmm.guest-panicked', { action: 'pause' }, { vm: 'v' });
      expect(acts(scene.effects)).toEqual([]);
    }
  });
});

describe('who is believed', () => {
  test('a layer is told by its own sources alone, and a guest by none', () => {
    const scene = fleet();
    const failed = { pfn: 7n, page: 'slab', result: 'Failed' };
    for (const source of ['qmp', 'libvirt', 'qemu-log', 'vmm', 'drill'] as const)
      scene.see('a', source, 'host.memory-failure', failed, { vm: 'v' });
    for (const source of ['kmsg', 'tracefs', 'drill'] as const)
      scene.see(
        'a',
        source,
        'vmm.arm-sea',
        { vcpu: 0, el: 1, pc: 0n, flags: 0n, esr: 0n, gpa: 4096n, gpaSource: 'x', action: 'x', quarantine: 'x' },
        { vm: 'v' },
      );
    for (const source of ['kmsg', 'qmp', 'qemu-log', 'vmm'] as const)
      scene.see('a', source, 'guest.memory-failure', failed, { vm: 'v' });
    expect(scene.state.hosts.get('a')?.pages.size).toBe(0);
    expect(incidents(scene)).toEqual([]);
    scene.see('a', 'tracefs', 'host.memory-failure', failed);
    expect(scene.state.hosts.get('a')?.suspect).toContain('slab');
  });

  test("a drill's injector is a witness for VMs whose owners opted in", () => {
    for (const optedIn of [true, false]) {
      const scene = fleet({}, { optedIn });
      scene.see('a', 'drill', 'lab.injected', { kind: 'mce', addr: 0x3000n }, { vm: 'v' });
      expect(errors(scene)).toBe(optedIn ? 1 : 0);
    }
  });
});

describe('pause, budget, deadline', () => {
  test('nothing is done while the fleet is paused, and what is wanted after it is judged then', () => {
    const scene = fleet();
    scene.order('ann', { order: 'pause', reason: 'change window' });
    for (const pfn of [1n, 2n, 3n]) sigbus(scene, pfn);
    scene.pass(100);
    expect(acts(scene.effects)).toEqual([]);
    expect(decisions(scene.effects).find(d => d.rule === 'third')?.rung).toBe('hold');
    scene.order('ann', { order: 'resume' });
    expect(acts(scene.effects)).toEqual(['autostart-off a 0']);
    checkRun(scene);
  });

  test('one VM at a time', () => {
    const scene = fleet();
    scene.vm('a', 'w', { pid: 101 });
    for (const pfn of [1n, 2n, 3n]) sigbus(scene, pfn);
    for (const pfn of [11n, 12n, 13n]) sigbus(scene, pfn, 'w');
    expect(scene.acts().map(a => a.vm)).toEqual(['v']);
    scene.allGood();
    expect(['v', 'w'].map(id => scene.state.vms.get(id)?.home)).toEqual(['b', 'b']);
    checkRun(scene);
  });

  test('an act whose deadline is over is unknown, and is looked at', () => {
    const scene = fleet();
    for (const pfn of [1n, 2n, 3n]) sigbus(scene, pfn);
    scene.good(scene.acts()[0] ?? expect.fail('no act'));
    expect(acts(scene.pass(31))).toEqual(['prove a 0']);
    expect([...scene.state.acts.values()].map(a => `${a.kind} ${a.state}`)).toEqual([
      'autostart-off confirmed',
      'stop unknown',
      'prove intent',
    ]);
  });

  test('a mode that does not act does not act', () => {
    for (const mode of ['observe', 'notify'] as const) {
      const scene = fleet({ mode });
      for (const pfn of [1n, 2n, 3n]) sigbus(scene, pfn);
      expect(acts(scene.effects)).toEqual([]);
      expect(types(scene.effects).length).toBe(mode === 'observe' ? 0 : 3);
      expect(decisions(scene.effects).map(d => d.rule)).toContain('third');
    }
  });
});

describe('after a reboot of its host', () => {
  test('a bad page is in use again: the host takes no VM until it is offline', () => {
    const scene = new Scene({ ...ACTS, reoffline: true, budget: { ...ACTS.budget, moves: 2 } });
    scene.host('a');
    scene.host('b');
    for (const pfn of [1n, 2n])
      scene.see('b', 'kmsg', 'host.memory-failure', { pfn, page: 'free buddy page', result: 'Recovered' });
    scene.host('b', { boot: 'b-2' });
    expect(types(scene.effects)).toContain('alert.unapplied-pages');
    scene.vm('a', 'v');
    scene.order('ann', { order: 'restart', vm: 'v' });
    for (
      let act = scene.acts().find(a => a.kind !== 're-offline');
      act !== undefined;
      act = scene.acts().find(a => a.kind !== 're-offline')
    )
      scene.good(act);
    expect(types(scene.effects)).toContain('alert.no-target');
    // One at a time; the second confirms the host.
    expect(scene.acts().map(a => `${a.kind} ${a.pfn}`)).toEqual(['re-offline 1']);
    scene.good(scene.acts()[0] ?? expect.fail('no act'));
    scene.good(scene.acts()[0] ?? expect.fail('no act'));
    scene.allGood();
    expect(scene.state.vms.get('v')?.home).toBe('b');
  });

  test('it is not taken out of use unless the policy says so', () => {
    const scene = fleet();
    sigbus(scene, 1n);
    scene.host('a', { boot: 'a-2' });
    expect(acts(scene.effects)).toEqual([]);
    scene.host('a', { boot: 'a-2', unapplied: [] });
    expect(scene.state.hosts.get('a')?.pages.get('0x0000000000000001')?.applied).toBe(true);
  });
});

test('corrected errors of one row empty the host: clean VMs live, the others anew', () => {
  const scene = fleet({
    rules: [
      { name: 'row', of: 'host', when: { corrected: 50, correctedBy: 'row', within: 86_400_000 }, do: 'evacuate' },
    ],
    budget: { moves: 2, drainingPercent: 5, drainingAtLeast: 1 },
  });
  scene.vm('a', 'w', { pid: 101 });
  sigbus(scene, 9n, 'w');
  const where = { dimm: 'A1', bank: '3', row: '77' };
  for (let i = 0; i < 49; i++) scene.see('a', 'kmsg', 'host.edac-corrected', { count: 1, message: 'x' }, { where });
  expect(acts(scene.effects)).toEqual([]);
  scene.see('a', 'kmsg', 'host.edac-corrected', { count: 1, message: 'x' }, { where });
  const done = scene.allGood().map(a => `${a.kind} ${a.vm} ${a.host}`);
  expect(done).toContain('migrate v a');
  expect(done).not.toContain('migrate w a');
  expect(done).toContain('start w b');
  checkRun(scene);
});

test('a VM that QEMU does not migrate, since it knows of poison that nobody told, is started anew elsewhere', () => {
  const scene = fleet({}, { autostart: false });
  scene.order('ann', { order: 'drain', host: 'a' });
  const [asked] = scene.acts();
  expect(asked).toMatchObject({ kind: 'migrate', vm: 'v', to: 'b' });
  const reason = "QEMU refuses it: Can't migrate this vm with hardware poisoned memory";
  scene.answer(asked ?? expect.fail('no act'), { state: 'refused', reason, seen: { memory: 'poisoned' } });
  scene.pass(1);
  expect(scene.acts().map(a => a.kind)).toEqual(['autostart-off']);
  // Nothing has to be proven of a copy that was never there.
  expect(scene.allGood().map(a => `${a.kind} ${a.host}`)).toEqual([
    'autostart-off a',
    'stop a',
    'start b',
    'autostart-off a',
  ]);
  const why = decisions(scene.effects).map(d => d.why);
  expect(why.find(w => w.includes(reason))).toContain('could not be migrated to b');
  expect(scene.state.vms.get('v')).toMatchObject({ home: 'b', epoch: 1 });
  checkRun(scene);
});

test('a migration that is refused for another reason leaves the VM where it is, and nothing unproven', () => {
  const scene = fleet({}, { autostart: false });
  scene.order('ann', { order: 'drain', host: 'a' });
  const [asked] = scene.acts();
  scene.answer(asked ?? expect.fail('no act'), { state: 'refused', reason: 'no address is configured for b' });
  scene.pass(120);
  expect(scene.acts()).toEqual([]);
  expect(scene.state.vms.get('v')).toMatchObject({ home: 'a', epoch: 0 });
  expect(types(scene.effects)).not.toContain('alert.unproven');
  checkRun(scene);
});

test('a weak page is moved by the kernel of its host, once', () => {
  const scene = fleet({
    rules: [{ name: 'weak', of: 'page', when: { corrected: 3, within: 86_400_000 }, do: 'soft-offline' }],
  });
  for (let i = 0; i < 5; i++) scene.see('a', 'kmsg', 'host.edac-corrected', { count: 1, message: 'x', addr: 0x5000n });
  expect(scene.effects.flatMap(e => (e.effect === 'act' ? [`${e.act.kind} ${e.act.pfn}`] : []))).toEqual([
    'soft-offline 5',
  ]);
});

test('a VMM that can takes the page out of its guest, by the address that another witness told', () => {
  const scene = fleet(
    { rules: [{ name: 'any', of: 'vm', when: { errors: 1 }, do: 'quarantine', drain: false, notice: 0, settle: 0 }] },
    { vmm: 'reference' },
  );
  sigbus(scene, 1n);
  expect(acts(scene.effects)).toEqual([]);
  scene.see(
    'a',
    'vmm',
    'vmm.sigbus',
    { codename: 'BUS_MCEERR_AO', lsb: 12, hva: 1n, gpa: 0x40002000n, action: 'x', quarantine: 'no' },
    { vm: 'v' },
  );
  expect(scene.effects.flatMap(e => (e.effect === 'act' ? [[e.act.kind, e.act.gpa]] : []))).toEqual([
    ['quarantine', 0x40002000n],
  ]);
});

test('two VMs that share a page are both told, and neither is moved live', () => {
  const scene = fleet();
  scene.vm('a', 'w', { pid: 101 });
  sigbus(scene, 1n, 'v');
  sigbus(scene, 1n, 'w');
  expect(notices(scene.effects).map(n => n.vm)).toEqual(['v', 'w']);
  scene.order('ann', { order: 'drain', host: 'a' });
  scene.allGood();
  expect(acts(scene.effects).filter(a => a.startsWith('migrate'))).toEqual([]);
  checkRun(scene);
});

test('terminate stops a VM with proof, and it stays stopped', () => {
  const scene = fleet();
  scene.order('ann', { order: 'terminate', vm: 'v' });
  expect(scene.allGood().map(a => a.kind)).toEqual(['autostart-off', 'terminate']);
  scene.pass(500);
  expect(types(scene.effects)).toContain('vm.terminated');
  expect(acts(scene.effects).length).toBe(2);
});

test('a stop that was announced is no failure, also when the VM is reported to run before it comes', () => {
  const end = (scene: Scene): void => {
    scene.see('a', 'qmp', 'vmm.exit', { code: 1 }, { vm: 'v' });
    scene.vm('a', 'v', { state: 'gone', reason: 'failed' });
  };
  const scene = fleet();
  sigbus(scene, 1n);
  scene.order('ann', { order: 'planned-stop', vm: 'v' });
  scene.vm('a', 'v');
  end(scene);
  scene.pass(100);
  expect(acts(scene.effects)).toEqual([]);
  // It was started again: what happens to it then counts.
  scene.vm('a', 'v', { pid: 7 });
  sigbus(scene, 2n);
  end(scene);
  expect(acts(scene.effects)).toEqual(['autostart-off a 0']);
});

test('two copies that others started are told after the time of a live migration', () => {
  const scene = fleet();
  scene.vm('b', 'v');
  scene.pass(9);
  expect(types(scene.effects)).toEqual([]);
  scene.pass(2);
  expect(types(scene.effects)).toEqual(['alert.second-copy']);
  scene.vm('a', 'v', { state: 'gone' });
  expect(scene.state.vms.get('v')?.home).toBe('b');
});

test('a policy of the same name that says something else is another one in every decision', () => {
  const ids = [ACTS, { ...ACTS, reoffline: true }].map(policy => {
    const scene = new Scene(policy);
    return decisions(scene.effects)[0]?.policy;
  });
  expect(ids[0]).toMatch(/^test@1#[0-9a-f]{12}$/);
  expect(ids[0]).not.toBe(ids[1]);
});

describe('the table of proofs', () => {
  const copy = { host: 'a', epoch: 3 };
  const { proofs } = ACTS;
  const fault = (
    kind: StopProof['kind'],
    evidence: Record<string, string>,
    more: Partial<Policy['proofs']> = {},
    of: Partial<StopProof> = {},
  ) =>
    proofFault({ ...ACTS, proofs: { ...proofs, ...more } }, 'v', copy, {
      kind,
      vm: 'v',
      host: 'a',
      epoch: 3,
      at: START,
      evidence,
      ...of,
    });
  const gone = { process: 'absent', autostart: 'off' };
  const reset = {
    lease: 'dead',
    owner: 'as told',
    watchdog: 'armed',
    overdue: 'yes',
    agent: 'silent',
    copy: 'of its boot',
    autostart: 'off',
  };

  test.each([
    ['process-gone', gone, {}],
    ['process-gone', { process: 'zombie', autostart: 'off' }, {}],
    ['process-gone', { process: 'other-start-time', autostart: 'off' }, {}],
    ['domain-destroyed', { ...gone, domain: 'shut off' }, {}],
    ['power-off', { power: 'off' }, {}],
    ['image-lock', { lock: 'free', kernel: 'shared', fs: 'ext4' }, { imageLock: 'one-kernel' }],
    ['sanlock', reset, { sanlock: true }],
    ['attested', {}, {}],
  ] as const)('%s counts with %o under %o', (kind, evidence, more) => {
    expect(fault(kind, evidence, more as Partial<Policy['proofs']>)).toBeUndefined();
  });

  test.each([
    ['process-gone', { process: 'absent' }, {}],
    ['process-gone', { process: 'absent', autostart: 'on' }, {}],
    ['process-gone', { process: 'running', autostart: 'off' }, {}],
    ['domain-destroyed', { domain: 'shut off', autostart: 'off' }, {}],
    ['domain-destroyed', { ...gone, domain: 'paused' }, {}],
    ['power-off', { command: 'ok' }, {}],
    ['image-lock', { lock: 'free', kernel: 'shared', fs: 'ext4' }, {}],
    ['image-lock', { lock: 'free' }, { imageLock: 'one-kernel' }],
    ['image-lock', { lock: 'free', kernel: 'another', fs: 'ext4' }, { imageLock: 'one-kernel' }],
    ['image-lock', { lock: 'free', kernel: 'shared', fs: 'nfs' }, { imageLock: 'one-kernel' }],
    ['image-lock', { lock: 'held', kernel: 'shared', fs: 'ext4' }, { imageLock: 'one-kernel' }],
    [
      'image-lock',
      { lock: 'free', kernel: 'another', fs: 'nfs', storage: 'nfs' },
      { imageLock: 'tested', testedStorage: ['nfs'] },
    ],
    ['image-lock', { lock: 'free', storage: 'ceph' }, { imageLock: 'tested', testedStorage: ['nfs'] }],
    ['sanlock', reset, {}],
    ['sanlock', { ...reset, lease: 'free' }, { sanlock: true }],
    ['sanlock', { ...reset, owner: 'another' }, { sanlock: true }],
    ['sanlock', { ...reset, watchdog: 'not armed' }, { sanlock: true }],
    ['sanlock', { ...reset, overdue: 'no' }, { sanlock: true }],
    ['sanlock', { ...reset, agent: 'heard' }, { sanlock: true }],
    ['sanlock', { ...reset, copy: 'of another' }, { sanlock: true }],
    ['sanlock', { ...reset, autostart: 'on' }, { sanlock: true }],
    ['sanlock', { lease: 'dead' }, { sanlock: true }],
  ] as const)('%s does not count with %o under %o', (kind, evidence, more) => {
    expect(fault(kind, evidence, more as Partial<Policy['proofs']>)).toBeTypeOf('string');
  });

  test.each([{ epoch: 2 }, { epoch: 4 }, { host: 'b' }, { vm: 'w' }])('a proof for %o is for another copy', of => {
    expect(fault('process-gone', gone, {}, of)).toContain('not for v on a, epoch 3');
  });
});
