/** Acts against a daemon and a virsh that a test makes do, or not do, what they are told. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerServer } from '@syndrome/qemu/libvirt/testing/peer.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Act, ActKind, ActResult, StopProof } from '../../core/act.ts';
import { NO_POLICY } from '../../core/policy.ts';
import { proofFault } from '../../core/proof.ts';
import { LibvirtVms } from '../libvirt-vms.ts';
import { addProcess, bareProc, type Fake, serve, t1, VM, xmlOf } from '../testing/fake-libvirt.ts';
import { Vms } from '../vms.ts';
import { libvirtActuator } from './libvirt.ts';

const PEERS = { b: { uri: 'qemu+ssh://b/system', migrateUri: 'tcp://10.0.0.2' } };

describe('an act on a domain', () => {
  let folder: string;
  let log: string;
  let virsh: string;
  let host: Vms;
  const cleanups: (() => unknown)[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'acts-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    [log, virsh] = [join(folder, 'log'), join(folder, 'virsh')];
    host = new Vms();
    virshDoes('');
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** A virsh that keeps its arguments, and then does this. */
  function virshDoes(script: string): void {
    writeFileSync(log, '');
    writeFileSync(virsh, `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\n${script}\n`);
    chmodSync(virsh, 0o755);
  }

  /** What virsh was told, its connection apart. */
  const told = (): string[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => line.replace(/^-q -c \S+ /, ''));

  /** @param after what virsh's last command makes of the domains: looked at each time libvirt is asked */
  async function act(
    kind: ActKind,
    domains: Map<string, Fake>,
    after: (told: readonly string[]) => void = () => {},
    more: Partial<Act> = {},
  ): Promise<ActResult> {
    const server = await peerServer();
    cleanups.push(() => server.close());
    void server.accept().then(peer => {
      serve(peer, domains);
      const { answers } = peer;
      peer.answers = (header, body) => (after(told()), answers(header, body));
    });
    const vms = new LibvirtVms({ socket: server.path, proc: folder }, host);
    const actuator = libvirtActuator({ host: 'a', vms, virsh: [virsh], peers: PEERS });
    const deadline = Date.now() + 10_000;
    const what: Act = { id: 'act-1', kind, host: 'a', vm: VM, epoch: 3, incident: 'inc-1', deadline, ...more };
    return actuator.act(what, new AbortController().signal);
  }

  const destroyed = (domain: Fake) => (commands: readonly string[]) => {
    if (!commands.some(c => c.startsWith('destroy'))) return;
    domain.state = [5, 2];
    rmSync(join(folder, '42'), { recursive: true, force: true });
  };

  test('stop: destroy, and the proof is the state and the process that is gone', async () => {
    await addProcess(folder, 42);
    const domain = t1();
    const result = await act('stop', new Map([[VM, domain]]), destroyed(domain));
    expect(told()).toEqual([`destroy ${VM}`]);
    // What the core takes for a proof.
    const proof = result.proof as StopProof;
    expect(proofFault(NO_POLICY, VM, { host: 'a', epoch: 3 }, proof)).toBeUndefined();
    expect(result).toMatchObject({
      action: 'act-1',
      state: 'confirmed',
      proof: {
        kind: 'domain-destroyed',
        vm: VM,
        host: 'a',
        epoch: 3,
        evidence: {
          libvirt: 'shut off (destroyed)',
          process: 'absent',
          domain: 'shut off',
          autostart: 'off',
          pid: '42',
          startTicks: '4711',
        },
      },
    });
    expect(JSON.parse(result.seen?.['commands'] ?? '')).toEqual([
      [virsh, '-q', '-c', expect.stringMatching(/^qemu\+unix:\/\/\/system\?socket=\//), 'destroy', VM],
    ]);
  });

  test.each([
    ['libvirt says shut off, and the process is there', 'exit 0', true],
    ['virsh says that it was done, and libvirt says that it runs', 'exit 0', false],
    ['virsh fails', 'echo "error: busy" >&2; exit 1', false],
  ])('no proof where %s', async (_, script, shutOff) => {
    virshDoes(script);
    await addProcess(folder, 42);
    const domain = t1();
    const after = (commands: readonly string[]): void => {
      if (shutOff && commands.length > 0) domain.state = [5, 2];
    };
    const result = await act('stop', new Map([[VM, domain]]), after, { deadline: Date.now() + 300 });
    expect(result.state).toBe('unknown');
    expect(result.proof).toBeUndefined();
    expect(result.reason).toContain(shutOff ? 'its process 42 is there' : 'libvirt says running');
  });

  test('a stop of what has stopped is proven and nothing is told; what has left is no proof', async () => {
    const domain: Fake = { ...t1(), id: -1, state: [5, 2] };
    expect(await act('stop', new Map([[VM, domain]]))).toMatchObject({ state: 'confirmed', proof: { host: 'a' } });
    expect(await act('prove', new Map([[VM, domain]]))).toMatchObject({ state: 'confirmed', proof: { epoch: 3 } });
    // Nothing is known of a copy (its file may be lost), and libvirt has no domain, or does not say why that is off.
    const vanished = await act('prove', new Map());
    expect(vanished).toMatchObject({ state: 'unknown', reason: expect.stringContaining('another host') });
    expect(vanished.proof).toBeUndefined();
    const forgotten = await act('prove', new Map([[VM, { ...domain, state: [5, 0] }]]));
    expect(forgotten).toMatchObject({ state: 'unknown', reason: expect.stringContaining('does not say why') });
    expect(forgotten.proof).toBeUndefined();
    // Its process was here, and neither that nor its domain is: so does one look that was moved away with its definition.
    await bareProc(folder);
    host.foundCopy(VM, { pid: 42, startTicks: '1', boot: 'boot-1', socket: '' });
    const moved = await act('prove', new Map());
    expect(moved).toMatchObject({ state: 'unknown', reason: expect.stringContaining('another host') });
    expect(moved.proof).toBeUndefined();
    expect(await act('stop', new Map([[VM, { ...domain, state: [5, 4] }]]))).toMatchObject({ state: 'refused' });
    host.foundCopy(VM, { pid: 42, startTicks: '1', boot: 'unknown', socket: '' });
    host.hasLeft(VM);
    expect(await act('prove', new Map())).toMatchObject({ state: 'refused' });
    expect(told()).toEqual([]);
  });

  test('a process with the UUID that nobody knows forbids a proof', async () => {
    await addProcess(folder, 77);
    expect(await act('prove', new Map())).toMatchObject({ state: 'failed', reason: 'its process 77 is there' });
  });

  test('terminate: autostart off comes first, and without it nothing is stopped', async () => {
    await addProcess(folder, 42);
    const domain = { ...t1(), autostart: true };
    const result = await act('terminate', new Map([[VM, domain]]), commands => {
      if (commands.some(c => c.startsWith('autostart'))) domain.autostart = false;
      destroyed(domain)(commands);
    });
    expect(told()).toEqual([`autostart --disable ${VM}`, `destroy ${VM}`]);
    expect(result.proof?.evidence['autostart']).toBe('off');
    virshDoes('echo "error: read-only file system" >&2; exit 1');
    const stays = { ...t1(), autostart: true };
    expect(await act('terminate', new Map([[VM, stays]]))).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('read-only file system') as string,
    });
    expect(told()).toEqual([`autostart --disable ${VM}`]);
  });

  test('start: define and start, and it counts when it is seen to run with a process', async () => {
    const domains = new Map<string, Fake>();
    const result = await act(
      'start',
      domains,
      commands => {
        if (commands.length === 1) domains.set(VM, { ...t1(), id: -1, state: [5, 0] });
        if (commands.length === 2) domains.set(VM, t1());
      },
      { definition: xmlOf(t1()), deadline: Date.now() + 300 },
    );
    expect(told().map(c => c.replace(/ \S+\.xml/, ' FILE'))).toEqual(['define FILE', `start ${VM}`]);
    expect(result).toMatchObject({ state: 'unknown', reason: 'it was started, and was not seen to run' });
    await addProcess(folder, 42);
    expect(await act('start', domains, undefined, { definition: xmlOf(t1()) })).toMatchObject({
      state: 'confirmed',
      seen: { pid: '42', startTicks: '4711', state: 'running', libvirt: 'running (booted)' },
    });
  });

  test('the end of an older copy is none of a start that was begun', async () => {
    await bareProc(folder);
    // Epoch 0 was here, and its end was seen.
    const socket = join(folder, 'sock');
    host.foundCopy(VM, { pid: 41, startTicks: '1', boot: 'boot-1', socket });
    const vms = new LibvirtVms({ socket, proc: folder }, host);
    vms.hasEnded(VM);
    expect(vms.sawEnd(VM)).toBe(true);
    vms.begins(VM, 2);
    expect([vms.sawEnd(VM), host.find(VM)?.copy]).toEqual([false, undefined]);
    // Somebody has moved it on, with its definition, before its process was looked at.
    const moved = await act('prove', new Map());
    expect(moved).toMatchObject({ state: 'unknown', reason: expect.stringContaining('another host') as string });
    expect(moved.proof).toBeUndefined();
    // libvirt says how it ended: with that, and without a process, its stop is proven; and not by the pid of the older one.
    const ended = await act('prove', new Map([[VM, { ...t1(), id: -1, state: [5, 5] }]]));
    expect(ended).toMatchObject({ state: 'confirmed', proof: { evidence: { process: 'absent' } } });
    expect(ended.proof?.evidence['pid']).toBeUndefined();
  });

  test('a start that cannot be written down is none', async () => {
    mkdirSync(join(folder, 'copies'));
    host = new Vms(join(folder, 'copies'));
    const domains = new Map([[VM, { ...t1(), id: -1, state: [5, 0] } satisfies Fake]]);
    expect(await act('start', domains, undefined, { definition: xmlOf(t1()) })).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('cannot write down') as string,
    });
    expect(told().some(c => c.startsWith('start'))).toBe(false);
  });

  test('a start that fails leaves no definition of ours', async () => {
    virshDoes(`case "$*" in *" start "*) echo "error: Lockspace resource is locked" >&2; exit 1 ;; esac`);
    const domains = new Map<string, Fake>();
    const after = (commands: readonly string[]): void => {
      if (commands.length === 1) domains.set(VM, { ...t1(), id: -1, state: [5, 0] });
    };
    const result = await act('start', domains, after, { definition: xmlOf(t1()) });
    expect(result).toMatchObject({ state: 'failed', reason: expect.stringContaining('is locked') as string });
    expect(told().at(-1)).toBe(`undefine --keep-nvram ${VM}`);
  });

  test('what cannot be is refused, and virsh is told nothing', async () => {
    const running = new Map([[VM, t1()]]);
    const definition = xmlOf({ ...t1(), uuid: '00000000-0000-4000-8000-000000000000' });
    expect(await act('soft-offline', running)).toMatchObject({ state: 'refused' });
    expect(await act('start', running)).toMatchObject({ state: 'refused' });
    expect(await act('start', running, undefined, { definition })).toMatchObject({ state: 'refused' });
    expect(await act('migrate', running, undefined, { to: 'constructor' })).toMatchObject({ state: 'refused' });
    expect(told()).toEqual([]);
  });

  test('migrate: it has ended when domain and process are gone from here', async () => {
    await addProcess(folder, 42);
    const domains = new Map([[VM, t1()]]);
    const moved = (commands: readonly string[]): void => {
      if (commands.length > 0) domains.clear();
    };
    const soon = { to: 'b', deadline: Date.now() + 500 };
    expect(await act('migrate', domains, moved, soon)).toMatchObject({
      state: 'unknown',
      reason: 'the move has begun, and this host still has the VM',
    });
    const options = '--live --p2p --persistent --undefinesource --abort-on-error';
    expect(told()).toEqual([`migrate ${options} ${VM} qemu+ssh://b/system --migrateuri tcp://10.0.0.2`]);
    virshDoes('');
    domains.set(VM, t1());
    const gone = (commands: readonly string[]): void => {
      moved(commands);
      if (commands.length > 0) rmSync(join(folder, '42'), { recursive: true, force: true });
    };
    expect(await act('migrate', domains, gone, { to: 'b' })).toMatchObject({ state: 'confirmed' });
    expect(await act('prove', domains)).toMatchObject({ state: 'refused' });
    // Who names where it arrived asks about this copy alone.
    expect(await act('prove', domains, undefined, { to: 'b' })).toMatchObject({
      state: 'confirmed',
      proof: { kind: 'domain-destroyed', evidence: { domain: 'undefined', process: 'absent', autostart: 'off' } },
    });
    virshDoes('echo "error: unsafe" >&2; exit 1');
    expect(await act('migrate', new Map([[VM, t1()]]), undefined, { to: 'b' })).toMatchObject({
      state: 'failed',
      reason: 'it was not moved, and runs here: error: unsafe',
    });
  });

  test('where libvirt does not answer nothing is known', async () => {
    const vms = new LibvirtVms({ socket: join(folder, 'none'), proc: folder }, host);
    const what: Act = {
      id: 'i',
      kind: 'stop',
      host: 'a',
      vm: VM,
      epoch: 3,
      incident: 'x',
      deadline: Date.now() + 1000,
    };
    const result = await libvirtActuator({ host: 'a', vms }).act(what, new AbortController().signal);
    expect(result).toMatchObject({ state: 'unknown', reason: expect.stringContaining('cannot connect') as string });
  });
});
