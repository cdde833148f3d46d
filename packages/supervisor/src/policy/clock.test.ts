/** Clocks of hosts that are wrong, and that are set: no error is forgotten by it, and no VM stays down. */
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../policy/check.ts';
import { shippedPolicy } from '../policy/shipped.ts';
import { event } from '@syndrome/decode/events/event.ts';
import type { Effect } from './input.ts';
import type { Policy } from './policy.ts';
import type { Said } from './said.ts';
import { checkRun } from './testing/holds.ts';
import { goneProof, Scene } from './testing/scene.ts';

const MINE = parsePolicy(
  `schema: 1
name: mine
version: "1"
mode: act
rules:
  - {name: died, of: vm, when: {consequence: [died]}, do: restart-elsewhere}
  - {name: panicked, of: vm, when: {consequence: [panicked]}, do: restart-elsewhere, settle: 60s}
  - {name: each, of: vm, when: {errors: 1}, do: reboot}
  - {name: any, of: vm, when: {errors: 1}, do: tell}
`,
  'mine',
);

/** Three hosts with a clock of their own each, and VM v on a. */
class Hosts {
  readonly scene: Scene;
  readonly #off = new Map<string, number>();
  readonly #seq = new Map<string, number>();

  constructor(policy: Policy, off: Record<string, number> = {}) {
    this.scene = new Scene(policy);
    for (const host of ['a', 'b', 'c']) {
      this.#off.set(host, off[host] ?? 0);
      this.scene.send({ input: 'agent', at: this.scene.now, host, connected: true });
      this.say(host, { kind: 'source', source: 'agent', state: 'reading' });
      this.report(host);
    }
    this.vm('a', 'running', 0);
  }

  say(host: string, said: Said): Effect[] {
    const { scene } = this;
    const seq = (this.#seq.get(host) ?? 0) + 1;
    this.#seq.set(host, seq);
    const at = scene.now + (this.#off.get(host) ?? 0);
    return scene.send({ input: 'row', at: scene.now, row: { host, spool: `${host}-1`, seq, at, said } });
  }

  report(host: string): void {
    const more = { memoryBytes: 2 ** 36, freeBytes: 2 ** 35, cpuModels: [], storage: ['nfs:/vms'] };
    this.say(host, { kind: 'host', boot: `${host}-1`, arch: 'x86-64', kernel: '6.19.6', ...more });
  }

  vm(host: string, state: 'running' | 'gone', epoch: number): void {
    this.say(host, {
      kind: 'vm',
      vm: 'v',
      name: 'v',
      state,
      vmm: 'libvirt',
      definition: '<domain v>',
      disks: ['nfs:/vms'],
      memoryBytes: 2 ** 30,
      autostart: false,
      optedIn: true,
      epoch,
      ...(state === 'gone' ? { reason: 'killed' } : {}),
    });
  }

  set(host: string, off: number): void {
    this.#off.set(host, off);
  }

  page(host: string, pfn: bigint): void {
    this.say(host, {
      kind: 'event',
      source: 'kmsg',
      vm: 'v',
      event: event('host.sigbus-sent', { pfn, comm: 'qemu', pid: 1 }),
    });
  }

  dies(host: string, epoch: number): void {
    this.say(host, { kind: 'event', source: 'proc', vm: 'v', event: event('vmm.exit', { signal: 7 }) });
    this.vm(host, 'gone', epoch);
  }

  /** Everybody does what is asked. */
  obey(): void {
    for (let act = this.scene.acts()[0]; act !== undefined; act = this.scene.acts()[0]) {
      const { id, vm = '', epoch, kind, host } = act;
      const result = { kind: 'result', action: id, vm, epoch, state: 'confirmed' } as const;
      if (kind === 'stop' || kind === 'prove') this.say(host, { ...result, proof: goneProof(act) });
      else this.say(host, kind === 'start' ? { ...result, seen: { pid: '200', startTicks: '9' } } : result);
    }
  }

  /** Seconds until v runs elsewhere than on a host; undefined where it does not within a quarter of an hour. */
  leaves(host: string): number | undefined {
    for (let seconds = 0; seconds < 900; seconds++) {
      this.obey();
      if (this.home() !== host) return seconds;
      this.scene.pass(1);
    }
    return undefined;
  }

  home(): string | undefined {
    return this.scene.state.vms.get('v')?.home;
  }

  resets(): number {
    return this.scene.effects.filter(e => e.effect === 'act' && e.act.kind === 'reset').length;
  }
}

const HOUR = 3_600_000;

test.each([60_000, HOUR])(
  'a host whose clock was %d ms ahead and is set right unseen: a VM that dies there soon is started',
  ahead => {
    const hosts = new Hosts(MINE, { b: ahead, c: ahead });
    hosts.scene.pass(10);
    for (const host of ['b', 'c']) {
      hosts.report(host);
      hosts.set(host, 0);
    }
    // What its agent says next is later than what it said last.
    hosts.scene.pass(ahead / 1000 + 5);
    hosts.scene.order('ann', { order: 'restart', vm: 'v' });
    hosts.obey();
    const [home = ''] = [hosts.home()];
    expect(home).not.toBe('a');
    hosts.scene.pass(5);
    hosts.page(home, 7n);
    hosts.dies(home, 1);
    expect(hosts.leaves(home)).toBeLessThan(10);
    checkRun(hosts.scene);
  },
);

describe('a clock that was ahead is set back', () => {
  test('after a reset that is answered while the fleet is paused', () => {
    const hosts = new Hosts(MINE, { a: HOUR });
    hosts.page('a', 7n);
    const [reset] = hosts.scene.acts();
    hosts.scene.pass(1);
    hosts.scene.order('ann', { order: 'pause' });
    if (reset !== undefined)
      hosts.say('a', { kind: 'result', action: reset.id, vm: 'v', epoch: reset.epoch, state: 'confirmed' });
    hosts.scene.pass(5);
    hosts.set('a', 0);
    hosts.report('a');
    hosts.scene.order('ann', { order: 'resume' });
    hosts.scene.pass(20);
    hosts.page('a', 8n);
    hosts.dies('a', 0);
    expect(hosts.leaves('a')).toBeLessThan(10);
    checkRun(hosts.scene);
  });

  test.each([5, 100])('%d s after an error: a VM that dies of it is started elsewhere', seconds => {
    const hosts = new Hosts(shippedPolicy('protect'), { a: HOUR });
    hosts.page('a', 7n);
    hosts.scene.pass(seconds);
    hosts.set('a', 0);
    hosts.report('a');
    hosts.scene.pass(5);
    hosts.dies('a', 0);
    expect(hosts.leaves('a')).toBeLessThan(10);
    checkRun(hosts.scene);
  });

  test('after a reset: what it has answered asks for no other, and the VM is clean', () => {
    const hosts = new Hosts(MINE, { a: HOUR });
    hosts.page('a', 7n);
    hosts.say('a', {
      kind: 'event',
      source: 'qmp',
      vm: 'v',
      event: event('vmm.memory-failure', { recipient: 'guest', action: 'inject' }),
    });
    hosts.obey();
    hosts.scene.pass(30);
    hosts.set('a', 0);
    hosts.report('a');
    hosts.vm('a', 'running', 0);
    hosts.scene.pass(60);
    hosts.obey();
    expect(hosts.resets()).toBe(1);
    hosts.page('a', 9n);
    hosts.obey();
    expect(hosts.resets()).toBe(2);
  });
});

describe.each([HOUR, 0, -HOUR])('a clock that is %d ms off', off => {
  test('leaves a guest the time for its dump, and no more', () => {
    const hosts = new Hosts(MINE, { a: off });
    hosts.scene.pass(1);
    hosts.page('a', 7n);
    hosts.obey();
    hosts.scene.pass(70);
    hosts.page('a', 8n);
    hosts.say('a', { kind: 'event', source: 'qmp', vm: 'v', event: event('vmm.guest-panicked', { action: 'pause' }) });
    const seconds = hosts.leaves('a');
    expect(seconds).toBeGreaterThanOrEqual(58);
    expect(seconds).toBeLessThan(65);
  });

  test('hides no error of memory that was replaced', () => {
    const hosts = new Hosts(shippedPolicy('protect'), { a: off });
    hosts.page('a', 7n);
    hosts.scene.pass(10);
    hosts.scene.order('ann', { order: 'repaired', host: 'a' });
    hosts.scene.pass(10);
    const before = hosts.scene.effects.length;
    for (const pfn of [7n, 8n, 9n]) hosts.page('a', pfn);
    const told = hosts.scene.effects
      .slice(before)
      .filter(e => e.effect === 'notice' && e.notice.type === 'vm.memory.poisoned');
    expect(told).toHaveLength(3);
  });
});
