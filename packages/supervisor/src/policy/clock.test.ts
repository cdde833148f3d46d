/** Clocks of hosts that are wrong, and that are set: no error is forgotten by it, and no VM stays down. */
import { describe, expect, test } from 'vitest';
import { parsePolicy } from './check.ts';
import { shippedPolicy } from './shipped.ts';
import type { Policy } from '../core/policy.ts';
import { checkRun } from '../core/testing/holds.ts';
import { Scene } from '../core/testing/scene.ts';

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

/** Three hosts, and VM v on a. */
class Hosts extends Scene {
  constructor(policy: Policy, ahead: Record<string, number> = {}) {
    super(policy);
    for (const host of ['a', 'b', 'c']) {
      this.ahead.set(host, ahead[host] ?? 0);
      this.host(host);
    }
    this.vm('a', 'v', { autostart: false });
  }

  /** The clock of a host is set to be right, and its agent says something. */
  setRight(host: string): void {
    this.ahead.set(host, 0);
    this.host(host);
  }

  page(host: string, pfn: bigint): void {
    this.see(host, 'kmsg', 'host.sigbus-sent', { pfn, comm: 'qemu', pid: 1 }, { vm: 'v' });
  }

  dies(host: string, epoch: number): void {
    this.see(host, 'proc', 'vmm.exit', { signal: 7 }, { vm: 'v' });
    this.vm(host, 'v', { autostart: false, state: 'gone', reason: 'killed', epoch });
  }

  /** Seconds until v runs elsewhere than on a host; undefined where it does not within a quarter of an hour. */
  leaves(host: string): number | undefined {
    for (let seconds = 0; seconds < 900; seconds++) {
      this.allGood();
      if (this.home() !== host) return seconds;
      this.pass(1);
    }
    return undefined;
  }

  home(): string | undefined {
    return this.state.vms.get('v')?.home;
  }

  resets(): number {
    return this.effects.filter(e => e.effect === 'act' && e.act.kind === 'reset').length;
  }
}

const HOUR = 3_600_000;

test.each([60_000, HOUR])(
  'a host whose clock was %d ms ahead and is set right unseen: a VM that dies there soon is started',
  ahead => {
    const hosts = new Hosts(MINE, { b: ahead, c: ahead });
    hosts.pass(10);
    for (const host of ['b', 'c']) {
      hosts.host(host);
      hosts.ahead.set(host, 0);
    }
    // What its agent says next is later than what it said last.
    hosts.pass(ahead / 1000 + 5);
    hosts.order('ann', { order: 'restart', vm: 'v' });
    hosts.allGood();
    const [home = ''] = [hosts.home()];
    expect(home).not.toBe('a');
    hosts.pass(5);
    hosts.page(home, 7n);
    hosts.dies(home, 1);
    expect(hosts.leaves(home)).toBeLessThan(10);
    checkRun(hosts);
  },
);

describe('a clock that was ahead is set back', () => {
  test('after a reset that is answered while the fleet is paused', () => {
    const hosts = new Hosts(MINE, { a: HOUR });
    hosts.page('a', 7n);
    const [reset] = hosts.acts();
    hosts.pass(1);
    hosts.order('ann', { order: 'pause' });
    if (reset !== undefined) hosts.good(reset);
    hosts.pass(5);
    hosts.setRight('a');
    hosts.order('ann', { order: 'resume' });
    hosts.pass(20);
    hosts.page('a', 8n);
    hosts.dies('a', 0);
    expect(hosts.leaves('a')).toBeLessThan(10);
    checkRun(hosts);
  });

  test.each([5, 100])('%d s after an error: a VM that dies of it is started elsewhere', seconds => {
    const hosts = new Hosts(shippedPolicy('protect'), { a: HOUR });
    hosts.page('a', 7n);
    hosts.pass(seconds);
    hosts.setRight('a');
    hosts.pass(5);
    hosts.dies('a', 0);
    expect(hosts.leaves('a')).toBeLessThan(10);
    checkRun(hosts);
  });

  test('after a reset: what it has answered asks for no other, and the VM is clean', () => {
    const hosts = new Hosts(MINE, { a: HOUR });
    hosts.page('a', 7n);
    hosts.see('a', 'qmp', 'vmm.memory-failure', { recipient: 'guest', action: 'inject' }, { vm: 'v' });
    hosts.allGood();
    hosts.pass(30);
    hosts.setRight('a');
    hosts.vm('a', 'v', { autostart: false });
    hosts.pass(60);
    hosts.allGood();
    expect(hosts.resets()).toBe(1);
    hosts.page('a', 9n);
    hosts.allGood();
    expect(hosts.resets()).toBe(2);
  });
});

test('a clock that is set back while a reset is under way: the reboot that libvirt tells of it is no panic', () => {
  const hosts = new Hosts(MINE, { a: HOUR });
  hosts.page('a', 7n);
  const [reset] = hosts.acts();
  hosts.pass(1);
  hosts.setRight('a');
  hosts.pass(1);
  if (reset !== undefined) hosts.good(reset);
  hosts.see('a', 'libvirt', 'vmm.reset', { guest: true }, { vm: 'v' });
  hosts.pass(90);
  hosts.allGood();
  expect([hosts.home(), hosts.resets()]).toEqual(['a', 1]);
  checkRun(hosts);
});

describe.each([HOUR, 0, -HOUR])('a clock that is %d ms off', off => {
  test('leaves a guest the time for its dump, and no more', () => {
    const hosts = new Hosts(MINE, { a: off });
    hosts.pass(1);
    hosts.page('a', 7n);
    hosts.allGood();
    hosts.pass(70);
    hosts.page('a', 8n);
    hosts.see('a', 'qmp', 'vmm.guest-panicked', { action: 'pause' }, { vm: 'v' });
    const seconds = hosts.leaves('a');
    expect(seconds).toBeGreaterThanOrEqual(58);
    expect(seconds).toBeLessThan(65);
  });

  test('hides no error of memory that was replaced', () => {
    const hosts = new Hosts(shippedPolicy('protect'), { a: off });
    hosts.page('a', 7n);
    hosts.pass(10);
    hosts.order('ann', { order: 'repaired', host: 'a' });
    hosts.pass(10);
    const before = hosts.effects.length;
    for (const pfn of [7n, 8n, 9n]) hosts.page('a', pfn);
    const told = hosts.effects
      .slice(before)
      .filter(e => e.effect === 'notice' && e.notice.type === 'vm.memory.poisoned');
    expect(told).toHaveLength(3);
  });
});
