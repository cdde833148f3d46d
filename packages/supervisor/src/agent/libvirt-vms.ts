/** @module The VMs of one libvirt: how they are asked for, and which process is which. Source and acts share one of these. */
import { dirname, join } from 'node:path';
import { readFileSync } from 'node:fs';
import type { Domain } from '@syndrome/qemu/libvirt/calls.ts';
import { XML_FLAGS } from '@syndrome/qemu/libvirt/calls.ts';
import type { LibvirtClient } from '@syndrome/qemu/libvirt/client.ts';
import { LibvirtCallError } from '@syndrome/qemu/libvirt/errors.ts';
import type { DomainState } from '@syndrome/qemu/libvirt/states.ts';
import type { Epoch, VmId } from '../core/ids.ts';
import type { ProcessGone } from '../core/act.ts';
import { bootId, pids, type ProcessFacts, processFacts, type ProcessId } from './proc.ts';
import { type Copy, type Vms, howGoneCopy } from './vms.ts';

interface LibvirtPlace {
  /** Of the daemon: /run/libvirt/libvirt-sock (root's), $XDG_RUNTIME_DIR/libvirt/libvirt-sock (a user's), virtqemud-sock. */
  socket: string;
  /** Default `qemu:///system`; `qemu:///session` for a user's own daemon. */
  uri?: string;
  /** Default /proc. */
  proc?: string;
  /** Which processes are of this host; all, but where two hosts share one kernel. */
  sees?: (pid: number) => boolean;
}

/** A domain as libvirt has it at this moment. */
export interface DomainNow extends DomainState {
  domain: Domain;
  active: boolean;
  autostart: boolean;
  persistent: boolean;
}

/** How no process of a VM is left; or the process that is there. */
type Gone = { gone: true; how: ProcessGone; last?: ProcessId } | { gone: false; process: ProcessId };

export class LibvirtVms {
  readonly place: LibvirtPlace;
  /** All VMs of the host: what is found here is what a line of the kernel is joined to. */
  readonly host: Vms;

  constructor(place: LibvirtPlace, host: Vms) {
    this.place = place;
    this.host = host;
  }

  /** The URI by which `virsh` finds the same daemon. */
  get connection(): string {
    const { socket, uri = 'qemu:///system' } = this.place;
    return `${uri.replace(/^qemu:/, 'qemu+unix:')}?socket=${encodeURI(socket)}`;
  }

  /** The copies whose end was seen to be one: a process each, by pid and start. */
  readonly #ended = new Map<VmId, string>();
  readonly #idOf = (vm: VmId): string => {
    const { copy, begun } = this.host.find(vm) ?? {};
    if (begun !== undefined) return `epoch ${begun.epoch}`;
    return copy === undefined ? '' : `${copy.pid}/${copy.startTicks}`;
  };

  /** Its last process here did not go to another host: libvirt told of its end, or we brought it about. */
  hasEnded(vm: VmId): void {
    this.#ended.set(vm, this.#idOf(vm));
  }

  /** It is about to be started: what is known of an older process says nothing of the one to come. @throws where that cannot be written down */
  begins(vm: VmId, epoch: Epoch): void {
    this.host.begins(vm, { epoch, socket: this.place.socket, boot: bootId(this.place.proc) });
  }

  /** Whether the end of its last process here was seen. */
  sawEnd(vm: VmId): boolean {
    return this.#ended.get(vm) === this.#idOf(vm);
  }

  /** Whether its last process here went to another host. */
  left(vm: VmId): boolean {
    return this.host.find(vm)?.copy?.left === true;
  }

  /** Copies that this libvirt had or has, also before this agent was started. */
  copies(): [VmId, Copy][] {
    return this.host.copiesOf('libvirt').filter(([, copy]) => copy.socket === this.place.socket);
  }

  /** State, reason and what starts it again; undefined for a domain that libvirt does not have. */
  async now(client: LibvirtClient, vm: VmId): Promise<DomainNow | undefined> {
    try {
      const domain = await client.call('domain-lookup-by-uuid', { uuid: vm });
      const state = await client.call('domain-get-state', { domain });
      const persistent = await client.call('domain-is-persistent', { domain });
      // What is not persistent is not there to be started again.
      const autostart = persistent && (await client.call('domain-get-autostart', { domain }));
      return { domain, ...state, active: isActive(state), autostart, persistent };
    } catch (error) {
      if (error instanceof LibvirtCallError && error.class === 'no-domain') return undefined;
      throw error;
    }
  }

  /** The definition as another libvirt can start it; it may hold passwords. */
  xml(client: LibvirtClient, { domain, active }: DomainNow): Promise<string> {
    const flags = XML_FLAGS.migratable + (active ? 0 : XML_FLAGS.inactive);
    return client.call('domain-get-xml-desc', { domain, flags });
  }

  /** All processes that have a UUID among their arguments, by it: one pass of /proc, for who asks of many domains. */
  processes(): ReadonlyMap<VmId, ProcessFacts> {
    const { proc, sees = () => true } = this.place;
    const found = new Map<VmId, ProcessFacts>();
    for (const pid of pids(proc)) {
      const facts = processFacts(pid, proc);
      const uuid = facts === undefined ? undefined : uuidOf(facts);
      if (facts !== undefined && uuid !== undefined && !found.has(uuid) && sees(pid)) found.set(uuid, facts);
    }
    return found;
  }

  /**
   * The process of a domain: by libvirt's pid file, checked against its own arguments, else by those of every process.
   * @param all those of this moment, where many domains are asked for
   */
  process(vm: VmId, name: string, all = () => this.processes()): ProcessFacts | undefined {
    const found = this.#byPidFile(vm, name) ?? this.#still(vm, all().get(vm)?.pid);
    const { copy } = this.host.of(vm, 'libvirt');
    if (found !== undefined && !(copy?.pid === found.pid && copy.startTicks === found.startTicks)) {
      const { pid, startTicks } = found;
      this.host.foundCopy(vm, { pid, startTicks, boot: bootId(this.place.proc), socket: this.place.socket });
    }
    return found;
  }

  /** Whether a process of the VM is left: the one that was last seen, and any other that has its UUID. */
  gone(vm: VmId): Gone {
    const other = this.processes().get(vm);
    if (other !== undefined) return { gone: false, process: { pid: other.pid, startTicks: other.startTicks } };
    const last = this.host.find(vm)?.copy;
    if (last === undefined) return { gone: true, how: 'absent' };
    const how = howGoneCopy(last, this.place.proc);
    return how === undefined ? { gone: false, process: last } : { gone: true, how, last };
  }

  #byPidFile(vm: VmId, name: string): ProcessFacts | undefined {
    if (name.includes('/')) return undefined;
    const folder = dirname(this.place.socket);
    for (const path of [join(folder, 'qemu', `${name}.pid`), join(folder, 'qemu', 'run', `${name}.pid`)]) {
      const facts = this.#still(vm, pidIn(path));
      if (facts !== undefined) return facts;
    }
    return undefined;
  }

  /** What a process is at this moment, if it is that of the VM. */
  #still(vm: VmId, pid: number | undefined): ProcessFacts | undefined {
    const facts = pid === undefined ? undefined : processFacts(pid, this.place.proc);
    return facts !== undefined && uuidOf(facts) === vm ? facts : undefined;
  }
}

/** Whether a domain in this state has, or may have, a process. */
function isActive({ state }: DomainState): boolean {
  return state !== 'shut off' && state !== 'no state';
}

/** The UUID among the arguments of a QEMU; a zombie has none any more, and counts as gone. */
function uuidOf({ argv, state }: ProcessFacts): VmId | undefined {
  const at = argv.indexOf('-uuid');
  return at < 0 || state === 'Z' || state === 'X' ? undefined : argv[at + 1]?.toLowerCase();
}

function pidIn(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'latin1').trim();
    return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
