/** A libvirt daemon as far as the agent asks it, whose domains a test changes, and a /proc with their processes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Domain, readDomain, writeDomain } from '@syndrome/qemu/libvirt/calls.ts';
import type { Peer } from '@syndrome/qemu/libvirt/testing/peer.ts';
import { XdrReader, XdrWriter } from '@syndrome/qemu/libvirt/xdr.ts';

export const VM = '83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7';

export interface Fake extends Domain {
  /** As numbers of virDomainState and its reasons. */
  state: [state: number, reason: number];
  autostart: boolean;
  /** More of its definition. */
  inside: string;
}

/** A domain that runs. */
export const t1 = (): Fake => ({ name: 't1', uuid: VM, id: 3, state: [1, 1], autostart: false, inside: '' });

export const xmlOf = ({ name, uuid, inside }: Fake): string =>
  `<domain type="kvm"><name>${name}</name><uuid>${uuid}</uuid><memory unit="MiB">1</memory>${inside}</domain>`;

/** Answers a peer's calls from the domains. */
export function serve(peer: Peer, domains: ReadonlyMap<string, Fake>): void {
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
    const digits =
      procedure === 24 ? Buffer.from(r.opaque(16)).toString('hex') : readDomain(r).uuid.replaceAll('-', '');
    const domain = [...domains.values()].find(d => d.uuid.replaceAll('-', '') === digits);
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

/** What every /proc has: without them nothing is believed of it. */
export async function bareProc(proc: string): Promise<void> {
  await mkdir(join(proc, 'self'), { recursive: true });
  await mkdir(join(proc, 'sys/kernel/random'), { recursive: true });
  await writeFile(join(proc, 'sys/kernel/random/boot_id'), 'boot-1\n');
}

/** Puts a process of the VM into a /proc; started at tick 4711. */
export async function addProcess(proc: string, pid: number, ...more: string[]): Promise<void> {
  const rest = ['S', ...Array.from({ length: 18 }, () => '0'), '4711', '0'].join(' ');
  await bareProc(proc);
  await mkdir(join(proc, String(pid)), { recursive: true });
  await writeFile(join(proc, String(pid), 'stat'), `${pid} (qemu-system-x86) ${rest}\n`);
  await writeFile(join(proc, String(pid), 'cmdline'), ['qemu', '-uuid', VM, ...more, ''].join('\0'));
}
