/** The source against a peer that speaks libvirt's RPC and has domains that a test changes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Domain, readDomain, writeDomain } from '@syndrome/qemu/libvirt/calls.ts';
import { type Peer, peerServer } from '@syndrome/qemu/libvirt/testing/peer.ts';
import { XdrReader, XdrWriter } from '@syndrome/qemu/libvirt/xdr.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Said, VmReport } from '../../core/said.ts';
import { LibvirtVms } from '../libvirt-vms.ts';
import { libvirtSource } from './libvirt.ts';

const VM = '83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7';

interface Fake extends Domain {
  state: [state: number, reason: number];
  autostart: boolean;
  inside: string;
}
const t1 = (): Fake => ({ name: 't1', uuid: VM, id: 3, state: [1, 1], autostart: false, inside: '' });
const xmlOf = ({ name, uuid, inside }: Fake): string =>
  `<domain type="kvm"><name>${name}</name><uuid>${uuid}</uuid><memory unit="MiB">1</memory>${inside}</domain>`;

/** A daemon as far as the source asks it. */
function serve(peer: Peer, domains: Map<string, Fake>): void {
  peer.answers = ({ procedure }, body) => {
    const r = new XdrReader(body);
    const w = new XdrWriter();
    if (procedure === 316) return w.int(1).bytes();
    if (procedure === 273) {
      const all = [...domains.values()];
      return w
        .array(all, d => writeDomain(w, d))
        .uint(all.length)
        .bytes();
    }
    const bytes = procedure === 24 ? Buffer.from(r.opaque(16)).toString('hex') : readDomain(r).uuid.replaceAll('-', '');
    const domain = [...domains.values()].find(d => d.uuid.replaceAll('-', '') === bytes);
    if (domain === undefined) return { number: 42, text: 'Domain not found' };
    if (procedure === 24) writeDomain(w, domain);
    else if (procedure === 212) w.int(domain.state[0]).int(domain.state[1]);
    else if (procedure === 14) w.string(xmlOf(domain));
    else if (procedure === 15) w.int(domain.autostart ? 1 : 0);
    else if (procedure === 151) w.int(1);
    else throw new Error(`procedure ${procedure}`);
    return w.bytes();
  };
}

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

  async function addProcess(pid: number, ...more: string[]): Promise<void> {
    const rest = ['S', ...Array.from({ length: 18 }, () => '0'), '4711', '0'].join(' ');
    await mkdir(join(proc, String(pid)), { recursive: true });
    await writeFile(join(proc, String(pid), 'stat'), `${pid} (qemu-system-x86) ${rest}\n`);
    await writeFile(join(proc, String(pid), 'cmdline'), ['qemu', '-uuid', VM, ...more, ''].join('\0'));
  }

  async function read(domains: Map<string, Fake>) {
    const server = await peerServer();
    const said: Said[] = [];
    const waiting = new Set<() => void>();
    const vms = new LibvirtVms({ socket: server.path, proc });
    const source = libvirtSource({ vms, epochOf: () => 7, lookMs: 20, reconnect: { firstMs: 10, longestMs: 20 } });
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
    await addProcess(42);
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

  test('a domain that libvirt has no more is gone only when its process is', async () => {
    await addProcess(42);
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
    await addProcess(42);
    const { accept, report } = await read(new Map([[VM, { ...t1(), id: -1, state: [5, 2] }]]));
    await accept();
    expect((await report({ state: 'running' })).reason).toContain('shut off (destroyed), but its process runs');
  });

  test('what is paused for a migration comes or goes', async () => {
    await addProcess(42, '-incoming', 'defer');
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

  test('a migration away is remembered, until it starts here again', async () => {
    const domain = t1();
    const { accept, report, found, vms } = await read(new Map([[VM, domain]]));
    const peer = await accept();
    await report({ state: 'running' });
    peer.event(318, w => (writeDomain(w, domain), w.int(5).int(3)));
    await found((s): s is Extract<Said, { kind: 'event' }> => s.kind === 'event' && s.event.name === 'vmm.exit');
    expect(vms.left(VM)).toBe(true);
    peer.event(318, w => (writeDomain(w, domain), w.int(2).int(0)));
    await found((s): s is Extract<Said, { kind: 'event' }> => s.kind === 'event' && s.event.name === 'vmm.start');
    expect(vms.left(VM)).toBe(false);
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
