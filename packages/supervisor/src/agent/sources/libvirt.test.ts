/** The source against a peer that speaks libvirt's RPC and has domains that a test changes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeDomain } from '@syndrome/qemu/libvirt/calls.ts';
import { type Peer, peerServer } from '@syndrome/qemu/libvirt/testing/peer.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Said, VmReport } from '../../core/said.ts';
import { LibvirtVms } from '../libvirt-vms.ts';
import { addProcess, type Fake, serve, t1, VM } from '../testing/fake-libvirt.ts';
import { Vms } from '../vms.ts';
import { Emitted } from './emitted.ts';
import { libvirtSource } from './libvirt.ts';

describe('the libvirt source', () => {
  let proc: string;
  const cleanups: (() => unknown)[] = [];
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'proc-'));
    cleanups.push(() => rmSync(proc, { recursive: true }));
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function read(domains: Map<string, Fake>, options: Partial<Parameters<typeof libvirtSource>[0]> = {}) {
    const server = await peerServer();
    const said: Said[] = [];
    const waiting = new Set<() => void>();
    const vms = new LibvirtVms({ socket: server.path, proc }, new Vms());
    const reconnect = { firstMs: 10, longestMs: 20 };
    const source = libvirtSource({ vms, epochOf: () => 7, lookMs: 20, reconnect, ...options });
    const abort = new AbortController();
    const done = source.run(
      s => {
        said.push(s);
        for (const look of waiting) look();
      },
      abort.signal,
      () => {},
    );
    cleanups.push(async () => {
      abort.abort();
      await done;
      await server.close();
    });
    const accept = async (): Promise<Peer> => {
      const peer = await server.accept();
      serve(peer, domains);
      return peer;
    };
    const found = <T extends Said>(is: (s: Said) => s is T): Promise<T> =>
      new Promise(resolve => {
        const look = (): void => {
          const hit = said.find(is);
          if (hit === undefined) return;
          waiting.delete(look);
          resolve(hit);
        };
        waiting.add(look);
        look();
      });
    const report = (is: Partial<VmReport>): Promise<VmReport> =>
      found(
        (s): s is VmReport => s.kind === 'vm' && Object.entries(is).every(([k, v]) => s[k as keyof VmReport] === v),
      );
    return { said, accept, found, report, vms };
  }

  test('tells that it reads, every domain, and then only what changes', async () => {
    await addProcess(proc, 42);
    const domain = t1();
    const { said, accept, report } = await read(new Map([[VM, domain]]));
    const peer = await accept();
    const first = await report({ state: 'running' });
    expect(said[0]).toEqual({ kind: 'source', source: 'libvirt', state: 'reading' });
    expect(first).toMatchObject({
      vm: VM,
      pid: 42,
      startTicks: '4711',
      memoryBytes: 2 ** 20,
      optedIn: false,
      epoch: 7,
    });
    expect(first.definition).toContain(VM);
    domain.autostart = true;
    const second = await report({ autostart: true });
    expect(second.definition).toBeUndefined();
    domain.state = [6, 1];
    peer.event(318, w => (writeDomain(w, domain), w.int(8).int(0)));
    expect(await report({ state: 'crashed' })).toMatchObject({ reason: 'panicked', pid: 42 });
    expect(said.filter(s => s.kind === 'vm')).toHaveLength(3);
    expect(said.filter(s => s.kind === 'event')).toMatchObject([{ vm: VM, event: { name: 'vmm.guest-panicked' } }]);
  });

  test('after a gap everything is told again, with the gap', async () => {
    const domains = new Map([[VM, t1()]]);
    const { said, accept, found, report } = await read(domains);
    const peer = await accept();
    await report({ state: 'running' });
    domains.get(VM)!.state = [6, 1];
    peer.end();
    await accept();
    const back = await found((s): s is Extract<Said, { kind: 'source' }> => s.kind === 'source' && s.state === 'back');
    expect(back.gapMs).toBeGreaterThanOrEqual(0);
    expect((await report({ state: 'crashed' })).definition).toContain(VM);
    expect(said.filter(s => s.kind === 'source').map(s => s.state)).toEqual(['reading', 'lost', 'back']);
  });

  test.each([
    ['answers nothing', { answerMs: 50 }, /event-register/],
    ['answers no keepalive', { keepaliveMs: 20 }, /keepalive/],
  ])('a daemon that %s stalls', async (_what, options, reason) => {
    const { accept, found } = await read(new Map(), options);
    const peer = await accept();
    peer.lives = false;
    peer.answers = () => undefined;
    const first = await found((s): s is Extract<Said, { kind: 'source' }> => s.kind === 'source');
    expect(first).toMatchObject({ state: 'stalled', reason: expect.stringMatching(reason) });
  });

  test('a memory failure that came teaches the number of the event, and is not lost', async () => {
    const emitted = new Emitted('MEMORY_FAILURE');
    const { accept, found, report } = await read(new Map([[VM, t1()]]), { emitted: () => emitted });
    const peer = await accept();
    await report({ state: 'running' });
    const before = Date.now() * 1000;
    peer.event(423, w => (writeDomain(w, t1()), w.int(1).int(2).uint(0)));
    await found((s): s is Extract<Said, { kind: 'event' }> => s.kind === 'event');
    emitted.line(before, 11);
    emitted.line(before + 10e6, 11);
    expect(emitted.lost(before + 20e6)).toEqual([before + 10e6]);
  });

  test('a domain that libvirt has no more is gone only when its process is', async () => {
    await addProcess(proc, 42);
    const domains = new Map([[VM, t1()]]);
    const { accept, report } = await read(domains);
    await accept();
    await report({ state: 'running', reason: 'booted' });
    domains.clear();
    expect(await report({ reason: 'libvirt has it no more, but its process runs' })).toMatchObject({
      state: 'running',
      pid: 42,
    });
    rmSync(join(proc, '42'), { recursive: true });
    expect(await report({ state: 'gone' })).not.toHaveProperty('pid');
  });

  test('a domain that is shut off while its process runs is said to run', async () => {
    await addProcess(proc, 42);
    const { accept, report } = await read(new Map([[VM, { ...t1(), id: -1, state: [5, 2] }]]));
    await accept();
    expect((await report({ state: 'running' })).reason).toContain('shut off (destroyed), but its process runs');
  });

  test('what is paused for a migration comes or goes', async () => {
    await addProcess(proc, 42, '-incoming', 'defer');
    const domain: Fake = { ...t1(), state: [3, 2] };
    const { said, accept, report } = await read(new Map([[VM, domain]]));
    await accept();
    await report({ state: 'migrating-in' });
    domain.state = [1, 2];
    await report({ state: 'running', reason: 'migrated' });
    domain.state = [3, 2];
    await report({ state: 'migrating-out' });
    expect(said.filter(s => s.kind === 'vm').map(s => s.state)).toEqual(['migrating-in', 'running', 'migrating-out']);
  });

  test('a migration away is remembered, until another process of it is here', async () => {
    await addProcess(proc, 42);
    const domain = t1();
    const { accept, report, found, vms } = await read(new Map([[VM, domain]]));
    const peer = await accept();
    await report({ state: 'running', pid: 42 });
    expect(vms.host.ofPid(42)?.vm).toBe(VM);
    peer.event(318, w => (writeDomain(w, domain), w.int(5).int(3)));
    await found((s): s is Extract<Said, { kind: 'event' }> => s.kind === 'event' && s.event.name === 'vmm.exit');
    expect(vms.left(VM)).toBe(true);
    rmSync(join(proc, '42'), { recursive: true });
    await addProcess(proc, 43);
    await report({ pid: 43 });
    expect(vms.left(VM)).toBe(false);
  });

  test('the end of a domain is told by an agent that did not see it', async () => {
    const file = join(proc, 'copies.json');
    const server = await peerServer();
    cleanups.push(() => server.close());
    const place = { socket: server.path, proc };
    await addProcess(proc, 42);
    const agent = (domains: Map<string, Fake>): { said: Said[]; end: () => Promise<void> } => {
      const said: Said[] = [];
      const abort = new AbortController();
      const vms = new LibvirtVms(place, new Vms(file));
      const done = libvirtSource({ vms, epochOf: () => 7, lookMs: 10 }).run(
        s => said.push(s),
        abort.signal,
        () => {},
      );
      void server.accept().then(peer => serve(peer, domains));
      return { said, end: () => (abort.abort(), done) };
    };
    const first = agent(new Map([[VM, t1()]]));
    await vi.waitFor(() => expect(first.said.at(-1)).toMatchObject({ kind: 'vm', pid: 42 }));
    await first.end();
    rmSync(join(proc, '42'), { recursive: true });
    // Acts on it go to libvirt before that has said anything.
    expect(new Vms(file).find(VM)?.vmm).toBe('libvirt');
    const second = agent(new Map());
    await vi.waitFor(() => expect(second.said.at(-1)).toMatchObject({ kind: 'vm', vm: VM, state: 'gone' }));
    await second.end();
  });

  test.each([
    ['<metadata><s:vm xmlns:s="urn:syndrome:supervisor:1" act="yes"/></metadata>', { optedIn: true, owner: undefined }],
    [
      '<metadata><s:vm xmlns:s="urn:syndrome:supervisor:1" act="yes" owner="them"/></metadata>',
      { optedIn: true, owner: 'them' },
    ],
    [
      '<metadata><n:instance xmlns:n="http://openstack.org/xmlns/libvirt/nova/1.1"/></metadata>',
      { optedIn: false, owner: 'OpenStack' },
    ],
    ['<metadata><s:vm xmlns:s="urn:other" act="yes"/></metadata>', { optedIn: false, owner: undefined }],
    ['<devices><disk></devices>', { optedIn: false, owner: expect.stringContaining('cannot be read') as string }],
  ])('who may act: %s', async (inside, expected) => {
    const { accept, report } = await read(new Map([[VM, { ...t1(), inside }]]));
    await accept();
    const { optedIn, owner } = await report({ state: 'running' });
    expect({ optedIn, owner }).toEqual(expected);
  });
});
