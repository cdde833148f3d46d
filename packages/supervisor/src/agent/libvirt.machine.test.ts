/** Source and acts on two real libvirt hosts of this machine, with Debian's libvirt and QEMU. */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Act, ActKind, ActResult } from '../core/act.ts';
import type { Said, SeenEvent, SourceState, VmReport } from '../core/said.ts';
import { libvirtActuator } from './acts/libvirt.ts';
import type { Actuator } from './actuator.ts';
import { LibvirtVms } from './libvirt-vms.ts';
import { howGone } from './proc.ts';
import { libvirtSource } from './sources/libvirt.ts';
import { QemuLogSource } from './sources/qemu-log.ts';
import { guestLine } from './testing/guest-line.ts';
import {
  consoleOf,
  guestDefinition,
  guestParts,
  type LibvirtHost,
  type LibvirtHosts,
  libvirtHosts,
  noLibvirt,
  until,
  uuidOf,
} from './testing/libvirt-hosts.ts';
import { Vms } from './vms.ts';

const VM = uuidOf('t1');

/** An agent's half of a host: what its source said, and its acts. */
interface Watched {
  host: LibvirtHost;
  said: Said[];
  actuator: Actuator;
}

let hosts: LibvirtHosts | undefined;
const stopped = new AbortController();
const running: Promise<void>[] = [];
afterAll(async () => {
  stopped.abort();
  await Promise.all(running);
  await hosts?.down();
});

function watch(host: LibvirtHost, other: LibvirtHost, shared: string): Watched {
  const vms = new LibvirtVms({ socket: host.socket, sees: host.sees() }, new Vms());
  const said: Said[] = [];
  const source = libvirtSource({
    vms,
    epochOf: () => 7,
    lookMs: 100,
    reconnect: { firstMs: 100, longestMs: 500 },
    logsOf: (vm, name) => [new QemuLogSource(vm, join(host.folder, 'log/qemu', `${name}.log`), { vms: vms.host })],
  });
  running.push(
    source.run(
      s => void said.push(s),
      stopped.signal,
      () => {},
    ),
  );
  const peers = { [other.name]: { uri: other.uri, migrateUri: `unix:${shared}/to-${other.name}.sock`, unsafe: true } };
  return { host, said, actuator: libvirtActuator({ host: host.name, vms, peers }) };
}

let acts = 0;
function act(on: Watched, kind: ActKind, more: Partial<Act> = {}): Promise<ActResult> {
  const id = `act-${++acts}`;
  const what: Act = {
    id,
    kind,
    host: on.host.name,
    vm: VM,
    epoch: 7,
    incident: 'inc-1',
    deadline: Date.now() + 25_000,
    ...more,
  };
  return on.actuator.act(what, stopped.signal);
}

const reports = ({ said }: Watched): VmReport[] => said.filter(s => s.kind === 'vm');
const events = ({ said }: Watched): SeenEvent[] => said.filter(s => s.kind === 'event');
const states = ({ said }: Watched): SourceState[] =>
  said.filter((s): s is SourceState => s.kind === 'source' && s.source === 'libvirt');
const last = (on: Watched): VmReport | undefined => reports(on).at(-1);
const agentOf = (on: Watched): string => join(on.host.folder, 'run/vm/t1.agent');
const commandsOf = (result: ActResult): string[][] => JSON.parse(result.seen?.['commands'] ?? '[]') as string[][];

describe('two libvirt hosts', () => {
  let a!: Watched;
  let b!: Watched;
  let definition = '';

  beforeEach(context => skipWithout(context, 'libvirt', noLibvirt()));

  test('an act starts a VM, and its source tells what it is', async () => {
    hosts = await libvirtHosts();
    [a, b] = [watch(hosts.a, hosts.b, hosts.shared), watch(hosts.b, hosts.a, hosts.shared)];
    definition = await guestDefinition(hosts, 't1', await guestParts());
    const result = await act(a, 'start', { definition });
    expect(result).toMatchObject({
      state: 'confirmed',
      vm: VM,
      epoch: 7,
      seen: { state: 'running', libvirt: 'running (booted)' },
    });
    expect(commandsOf(result).map(argv => argv.slice(0, 5))).toEqual([
      ['virsh', '-q', '-c', a.host.uri, 'define'],
      ['virsh', '-q', '-c', a.host.uri, 'start'],
    ]);
    await until(() => last(a)?.state === 'running');
    const report = reports(a).find(r => r.definition !== undefined && r.pid !== undefined);
    expect(report).toMatchObject({
      name: 't1',
      vmm: 'libvirt',
      startTicks: result.seen?.['startTicks'],
      disks: [join(hosts.shared, 't1.raw')],
      memoryBytes: 192 * 2 ** 20,
      cpuModel: 'Skylake-Server',
      autostart: false,
      onCrash: 'preserve',
      optedIn: true,
      epoch: 7,
    });
    expect(String(report?.pid)).toBe(result.seen?.['pid']);
    expect(readFileSync(`/proc/${report?.pid}/cmdline`, 'latin1')).toContain(VM);
    await until(() => a.said.some(s => s.kind === 'source' && s.source === 'qemu-log' && s.state === 'reading'));
    expect((await act(a, 'start', { definition })).seen).toMatchObject({ pid: result.seen?.['pid'] });
  });

  test('a second copy does not start on the other host, and leaves nothing there', async () => {
    const result = await act(b, 'start', { definition });
    expect(result).toMatchObject({ state: 'failed', reason: expect.stringMatching(/lock/i) });
    expect(await b.host.virsh('list', '--all', '--name')).toBe('');
    expect(await act(b, 'prove')).toMatchObject({ state: 'confirmed' });
    expect(await act(a, 'prove')).toMatchObject({
      state: 'failed',
      reason: 'libvirt says running (booted)',
      seen: { state: 'running' },
    });
  });

  test('a machine check is an event with recipient, action and flags', async () => {
    await until(async () => (await consoleOf(a.host, 't1')).includes('ready'), 90_000);
    await a.host.virsh('qemu-monitor-command', 't1', '--hmp', 'mce 0 9 0xbd000000000000c0 5 0x300000 0x8c');
    await until(() => events(a).some(e => e.event.name === 'vmm.memory-failure'));
    expect(events(a).find(e => e.event.name === 'vmm.memory-failure')).toMatchObject({
      source: 'libvirt',
      vm: VM,
      event: { fields: { recipient: 'guest', action: 'inject', actionRequired: false, recursive: false } },
    });
  });

  test('libvirtd is killed and comes back: the gap is told, and everything again', async () => {
    const { pid, startTicks } = last(a) as VmReport;
    const before = a.said.length;
    await a.host.killLibvirtd();
    await until(() => states(a).at(-1)?.state === 'lost');
    expect(await act(a, 'stop', { deadline: Date.now() + 2000 })).toMatchObject({ state: 'unknown' });
    expect(howGone({ pid: pid as number, startTicks: startTicks as string })).toBeUndefined();
    await a.host.startDaemon('libvirtd');
    await until(() => states(a).at(-1)?.state === 'back');
    expect(states(a).at(-1)?.gapMs).toBeGreaterThan(0);
    const again = (): VmReport | undefined =>
      reports({ ...a, said: a.said.slice(before) }).find(r => r.definition !== undefined);
    await until(() => again() !== undefined);
    expect(again()).toMatchObject({ pid, startTicks, state: 'running' });
  });

  test('a clean VM is moved live, and answers on the other host', async () => {
    await guestLine(agentOf(a), 'insmod path=/modules/pvpanic.ko.xz');
    await guestLine(agentOf(a), 'insmod path=/modules/pvpanic-mmio.ko.xz');
    const { pid, startTicks } = last(a) as VmReport;
    expect(await act(a, 'migrate', { to: 'nowhere' })).toMatchObject({ state: 'refused' });
    const result = await act(a, 'migrate', { to: 'b' });
    expect(result).toMatchObject({ state: 'confirmed' });
    expect(howGone({ pid: pid as number, startTicks: startTicks as string })).toBeDefined();
    await until(() => last(b)?.state === 'running' && last(a)?.state === 'gone');
    expect(events(a)).toContainEqual(
      expect.objectContaining({
        event: { name: 'vmm.exit', fields: { expected: true } },
        raw: 'lifecycle stopped migrated',
      }),
    );
    expect(events(a).map(e => e.raw)).toContain('job-completed');
    // For a while both hosts list it; who counts copies has to read that one of them waits.
    expect(reports(b).map(r => r.state)).toContain('migrating-in');
    expect(reports(b).map(r => r.state)).not.toContain('migrating-out');
    expect(await guestLine(agentOf(b), 'hello')).toMatch(/ ok /);
    // Gone from here, and not stopped: no proof.
    expect(await act(a, 'prove')).toMatchObject({ state: 'refused' });
  });

  test('a panic is an event and a state, and a reset ends it', async () => {
    await b.host.virsh('qemu-monitor-command', 't1', '--hmp', 'mce 0 1 0xb200000000000000 0 0 0');
    await until(() => last(b)?.state === 'crashed');
    expect(last(b)?.reason).toBe('panicked');
    expect(events(b).map(e => e.event.name)).toContain('vmm.guest-panicked');
    expect(await act(b, 'reset')).toMatchObject({ state: 'confirmed', seen: { pid: String(last(b)?.pid) } });
    await until(() => last(b)?.state === 'running');
    expect(await act(b, 'pause')).toMatchObject({
      state: 'confirmed',
      seen: { state: 'paused', libvirt: 'paused (user)' },
    });
    await until(() => last(b)?.state === 'paused');
  });

  test('a VM that is terminated is proven gone, and stays so', async () => {
    await b.host.virsh('autostart', 't1');
    await until(() => last(b)?.autostart === true);
    const { pid, startTicks } = last(b) as VmReport;
    const result = await act(b, 'terminate');
    expect(result).toMatchObject({
      state: 'confirmed',
      proof: {
        kind: 'domain-destroyed',
        vm: VM,
        host: 'b',
        epoch: 7,
        evidence: { libvirt: 'shut off (destroyed)', pid: String(pid), startTicks, autostart: 'off' },
      },
    });
    expect(howGone({ pid: pid as number, startTicks: startTicks as string })).toBeDefined();
    const again = await act(b, 'stop');
    expect(again).toMatchObject({ state: 'confirmed', proof: { kind: 'domain-destroyed' } });
    expect(commandsOf(again)).toEqual([]);
  });

  test('it starts cold on the other host as a new process; killed there, it is gone and was not meant to be', async () => {
    // As it was told by the host that had it last: nothing else is left of a dead one.
    const told = reports(b).findLast(r => r.definition !== undefined)?.definition;
    const result = await act(a, 'start', { definition: told ?? '', epoch: 8 });
    expect(result).toMatchObject({ state: 'confirmed', epoch: 8 });
    await until(() => last(a)?.state === 'running');
    process.kill(Number(result.seen?.['pid']), 'SIGKILL');
    await until(() => last(a)?.state === 'shut-off');
    expect(events(a).at(-1)).toMatchObject({ event: { name: 'vmm.exit', fields: { expected: false } } });
    expect(await act(a, 'prove', { epoch: 8 })).toMatchObject({
      state: 'confirmed',
      proof: { epoch: 8, evidence: { pid: result.seen?.['pid'], libvirt: 'shut off (crashed)' } },
    });
  });
});
