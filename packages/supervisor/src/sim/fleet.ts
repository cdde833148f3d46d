/**
 * @module Hosts, VMs and agents as they truly are, in a simulation: hosts that die and boot, agents that write before they speak and
 * carry out an act once. The core sees only what its agents say; whoever drives this carries their rows, and brings them acts.
 */
import { event, type LogEvent } from '@syndrome/decode/events/event.ts';
import type { Act, ActResult, StopProof } from '../core/act.ts';
import type { HostId, Time, VmId } from '../core/ids.ts';
import type { LeaseReport, Row, Said, SourceName } from '../core/said.ts';

/** As sanlock is set up by default: a host is reset 8 * 10 + 60 s behind the last renewal of its lease (sanlock(8), "delta leases"). */
const LEASE = { lockspace: 'LS', ioTimeout: 10, watchdog: { fireSeconds: 60, device: 'iTCO_wdt' } };
export const RESET_MS = 140_000;

/** How an act ends. */
export type Fate = 'done' | 'stuck' | 'lost-answer';

/** What a fleet is made without, to see whether that is noticed. */
export interface FleetFlaws {
  /** Agents do what they are told in an epoch that is over. */
  epoch?: boolean;
}

interface Agent {
  /** Its host runs, and nobody has cut the agent off. */
  up: boolean;
  connected: boolean;
  /** Since when its host is down, and its lease is not renewed. */
  downAt?: Time;
  boot: number;
  /** How often it began anew, with another spool; by how much its host's clock is off, ms. */
  life: number;
  off: number;
  seq: number;
  /** Rows that are written and not known to be durable elsewhere. */
  unsent: Row[];
  /** By VM: highest epoch that it persisted, and whether the host would start it at boot. */
  epochs: Map<VmId, number>;
  /** The epoch whose end was looked for: no copy of it begins any more. */
  ended: Map<VmId, number>;
  autostart: Map<VmId, boolean>;
  answers: Map<string, ActResult>;
}

/** What a fleet tells to whoever drives it. */
interface FleetPort {
  now(): Time;
  /** A fence agent beside the controller has answered. */
  fenced(host: HostId, result: ActResult): void;
  /** A host has gone down, so that its connection ends. */
  down(host: HostId): void;
  /** An agent has written a row. */
  spooled?(host: HostId): unknown;
}

export class Fleet {
  readonly hosts: readonly HostId[];
  readonly vms: readonly VmId[];
  readonly #port: FleetPort;
  readonly #flaws: FleetFlaws;
  readonly #agents = new Map<HostId, Agent>();
  readonly #nth = new Map<HostId, number>();
  /** The truth: where each VM runs. */
  readonly #at = new Map<VmId, Set<HostId>>();
  /** VMs on a host, by the same truth. */
  readonly #on = new Map<HostId, Set<VmId>>();
  readonly #moved = new Set<VmId>();
  /** Starts that were on their way when the old host was switched on again: the lock of the storage is the last wall then. */
  readonly #raced = new Set<string>();
  /** `vm/host` that a VM has left alive: that it is gone from there proves nothing to who does not know where it is. */
  readonly #left = new Set<string>();

  /** @param home where a VM runs at first, and whether its host starts it by itself */
  constructor(
    hosts: readonly HostId[],
    homes: readonly (readonly [vm: VmId, host: HostId, autostart: boolean])[],
    port: FleetPort,
    flaws: FleetFlaws = {},
  ) {
    this.hosts = hosts;
    this.vms = homes.map(([vm]) => vm);
    this.#port = port;
    this.#flaws = flaws;
    for (const [nth, id] of hosts.entries()) {
      this.#nth.set(id, nth);
      this.#on.set(id, new Set());
      this.#agents.set(id, {
        up: true,
        connected: true,
        boot: 1,
        life: 1,
        off: 0,
        seq: 0,
        unsent: [],
        epochs: new Map(),
        ended: new Map(),
        autostart: new Map(),
        answers: new Map(),
      });
      this.#hostReport(id);
    }
    for (const [vm, host, autostart] of homes) {
      this.#at.set(vm, new Set([host]));
      this.#on.get(host)?.add(vm);
      this.agent(host).autostart.set(vm, autostart);
      this.#vmReport(host, vm);
    }
  }

  agent(id: HostId): Agent {
    const agent = this.#agents.get(id);
    if (agent === undefined) throw new RangeError(`no host ${id}`);
    return agent;
  }

  /** Hosts on which a VM runs, in truth. */
  at(vm: VmId): ReadonlySet<HostId> {
    return this.#at.get(vm) ?? new Set();
  }

  runs(vm: VmId, host: HostId): boolean {
    return this.at(vm).has(host);
  }

  /** VMs that run on a host, in truth. */
  on(host: HostId): ReadonlySet<VmId> {
    return this.#on.get(host) ?? new Set();
  }

  /** I4: whether two copies run, but while a live migration that was stuck is not cleared up. */
  isDoubled(vm: VmId): boolean {
    const copies = this.at(vm).size;
    if (copies < 2) this.#moved.delete(vm);
    return copies > 1 && !this.#moved.has(vm);
  }

  /** Its agent writes something down. */
  spool(id: HostId, said: Said): void {
    const agent = this.agent(id);
    agent.seq++;
    const at = this.#port.now() + agent.off;
    agent.unsent.push({ host: id, spool: `${id}-${agent.life}`, seq: agent.seq, at, said });
    this.#port.spooled?.(id);
  }

  event(id: HostId, source: SourceName, seen: LogEvent, vm?: VmId): void {
    this.spool(id, { kind: 'event', source, event: seen, ...(vm === undefined ? {} : { vm }) });
  }

  /** A VM loses a page of its memory. */
  page(vm: VmId, pfn: bigint): void {
    for (const id of this.at(vm)) this.event(id, 'kmsg', event('host.sigbus-sent', { pfn, comm: 'qemu', pid: 1 }), vm);
  }

  /** The VMM of a VM is killed by an error. */
  die(vm: VmId): void {
    for (const id of this.at(vm)) {
      this.event(id, 'qmp', event('vmm.exit', { signal: 7 }), vm);
      this.end(id, vm, 'failed');
      return;
    }
  }

  begin(id: HostId, vm: VmId): void {
    this.#at.get(vm)?.add(id);
    this.#on.get(id)?.add(vm);
    this.#left.delete(`${vm}/${id}`);
    this.#vmReport(id, vm);
  }

  end(id: HostId, vm: VmId, reason?: string): void {
    if (this.#at.get(vm)?.delete(id) !== true) return;
    this.#on.get(id)?.delete(vm);
    if (this.agent(id).up) this.#vmReport(id, vm, reason);
  }

  /** The disk of an agent is lost: what it had written down, and what it was asked. It begins anew. */
  lose(id: HostId): void {
    const agent = this.agent(id);
    agent.life++;
    agent.seq = 0;
    agent.unsent = [];
    for (const lost of [agent.epochs, agent.ended, agent.answers]) lost.clear();
    this.spool(id, { kind: 'source', source: 'agent', state: 'reading' });
    this.#hostReport(id);
    for (const vm of agent.autostart.keys()) this.#vmReport(id, vm);
  }

  /** A host loses its power, and so do its VMs. */
  crash(id: HostId): void {
    const agent = this.agent(id);
    if (!agent.up) return;
    for (const vm of this.on(id)) this.#at.get(vm)?.delete(id);
    this.#on.get(id)?.clear();
    agent.up = false;
    agent.connected = false;
    agent.downAt = this.#port.now();
    this.#port.down(id);
  }

  /** A host that is down boots. @param underWay acts that were sent and are not carried out yet */
  boot(id: HostId, underWay: Iterable<Act>): void {
    const agent = this.agent(id);
    if (agent.up) return;
    agent.up = true;
    delete agent.downAt;
    agent.boot++;
    for (const act of underWay) if (act.kind === 'start') this.#raced.add(act.id);
    this.#hostReport(id);
    for (const [vm, auto] of agent.autostart) {
      // What it starts by itself fails where the storage says that another copy has the disks.
      if (auto && this.at(vm).size === 0) this.begin(id, vm);
      else this.#vmReport(id, vm);
    }
  }

  /** What an agent does with an act. */
  obey(act: Act, fate: Fate): void {
    const agent = this.agent(act.host);
    const answer = agent.answers.get(act.id) ?? this.#perform(act, agent, fate === 'stuck');
    agent.answers.set(act.id, answer);
    if (fate !== 'lost-answer') this.spool(act.host, { kind: 'result', ...answer });
  }

  /** A fence agent switches a host off, and reads that it is; not one whose agent is here. */
  fence(act: Act, fate: Fate): void {
    const { host, vm = '', epoch } = act;
    const base = { action: act.id, vm, epoch };
    const { connected } = this.agent(host);
    if (connected) return this.#port.fenced(host, { ...base, state: 'refused', reason: 'its agent is here' });
    if (fate === 'stuck') return this.#port.fenced(host, { ...base, state: 'failed', reason: 'the power reads on' });
    this.crash(host);
    if (fate === 'lost-answer') return;
    const at = this.#port.now();
    const proof: StopProof = { kind: 'power-off', vm, host, epoch, at, evidence: { power: 'off' } };
    this.#port.fenced(host, { ...base, state: 'confirmed', proof });
  }

  #perform(act: Act, agent: Agent, stuck: boolean): ActResult {
    const vm = act.vm ?? '';
    const base = { action: act.id, vm, epoch: act.epoch };
    // By the controller's time, whatever the clock of its host says.
    if (act.deadline <= this.#port.now()) return { ...base, state: 'refused', reason: 'its deadline is over' };
    if (act.kind === 'ask-lease') return this.#askLease(act, base, stuck);
    if (this.#flaws.epoch !== true) {
      if (act.epoch < (agent.epochs.get(vm) ?? 0)) return { ...base, state: 'refused', reason: 'an older epoch' };
      if (act.kind === 'start' && act.epoch <= (agent.ended.get(vm) ?? -1))
        return { ...base, state: 'refused', reason: 'its end was looked for' };
    }
    agent.epochs.set(vm, Math.max(act.epoch, agent.epochs.get(vm) ?? 0));
    const looks = act.kind === 'stop' || act.kind === 'terminate' || act.kind === 'prove';
    if (looks) agent.ended.set(vm, act.epoch);
    if (act.kind === 'autostart-off') {
      if (stuck) return { ...base, state: 'failed' };
      agent.autostart.set(vm, false);
      return { ...base, state: 'confirmed' };
    }
    if ((act.kind === 'stop' || act.kind === 'terminate') && !stuck) this.end(act.host, vm);
    const runs = this.runs(vm, act.host);
    if (act.kind === 'reset')
      return runs && !stuck
        ? { ...base, state: 'confirmed' }
        : { ...base, state: 'failed', reason: 'it cannot be asked' };
    if (looks) return this.#gone(act, base, agent, runs);
    if (act.kind === 'start') return this.#start(act, base, vm, stuck);
    if (act.kind === 'migrate') return this.#migrate(act, base, vm, stuck);
    return { ...base, state: 'failed', reason: 'it cannot be done' };
  }

  #gone(act: Act, base: Pick<ActResult, 'action' | 'epoch'>, agent: Agent, runs: boolean): ActResult {
    const { vm = '', host, epoch } = act;
    if (!runs && act.to === undefined && this.#left.has(`${vm}/${host}`))
      return { ...base, vm, state: 'refused', reason: 'it left alive' };
    if (runs) return { ...base, vm, state: 'failed', seen: { state: 'running' } };
    const evidence = { process: 'absent', autostart: agent.autostart.get(vm) === true ? 'on' : 'off' };
    const proof: StopProof = { kind: 'process-gone', vm, host, epoch, at: this.#port.now(), evidence };
    return { ...base, vm, state: 'confirmed', proof };
  }

  #start(act: Act, base: Pick<ActResult, 'action' | 'epoch'>, vm: VmId, stuck: boolean): ActResult {
    if (this.#raced.has(act.id) && this.at(vm).size > 0)
      return { ...base, vm, state: 'failed', reason: 'its disks are locked' };
    if (!stuck) this.begin(act.host, vm);
    return { ...base, vm, state: 'confirmed', ...(stuck ? {} : { seen: { pid: '1' } }) };
  }

  #migrate(act: Act, base: Pick<ActResult, 'action' | 'epoch'>, vm: VmId, stuck: boolean): ActResult {
    if (act.to === undefined || !this.runs(vm, act.host) || !this.agent(act.to).up)
      return { ...base, vm, state: 'failed', reason: 'it cannot be done' };
    this.#moved.add(vm);
    this.#left.add(`${vm}/${act.host}`);
    this.begin(act.to, vm);
    if (stuck) return { ...base, vm, state: 'unknown' };
    this.end(act.host, vm);
    this.#moved.delete(vm);
    return { ...base, vm, state: 'confirmed' };
  }

  /** sanlock's own daemon of another host is asked for the lease of one. */
  #askLease(act: Act, base: Pick<ActResult, 'action' | 'epoch'>, stuck: boolean): ActResult {
    const { of = '', vm = '', epoch } = act;
    const now = this.#port.now();
    const { up, downAt = now, boot } = this.agent(of);
    const unseen = up ? 0 : now - downAt;
    if (stuck || unseen <= RESET_MS) return { ...base, vm, state: 'failed', reason: 'it is not dead' };
    const { lockspace, hostId, owner = '', ioTimeout } = this.#leaseOf(of);
    const evidence = {
      lease: 'dead',
      lockspace,
      hostId: String(hostId),
      generation: String(boot),
      ownerName: owner,
      ioTimeout: String(ioTimeout),
      unseenSeconds: String(Math.floor(unseen / 1000)),
    };
    const proof: StopProof = { kind: 'sanlock', vm, host: of, epoch, at: now, evidence };
    return { ...base, vm, state: 'confirmed', proof };
  }

  /** The lease of a host; the watchdog of every fourth is not armed for it. */
  #leaseOf(id: HostId): Omit<LeaseReport, 'generation'> {
    const { watchdog, ...lease } = LEASE;
    const nth = this.#nth.get(id) ?? 0;
    return {
      ...lease,
      hostId: nth + 1,
      owner: `uuid.${id}`,
      ...(nth % 4 === 3 ? { unarmed: 'no watchdog' } : { watchdog }),
    };
  }

  #hostReport(id: HostId): void {
    const { boot } = this.agent(id);
    this.spool(id, {
      kind: 'host',
      boot: `${id}-${boot}`,
      arch: 'x86-64',
      kernel: '6.19.6',
      memoryBytes: 64 * 2 ** 30,
      freeBytes: 32 * 2 ** 30,
      cpuModels: [],
      storage: ['nfs:/vms'],
      // Each boot joins anew.
      leases: [{ ...this.#leaseOf(id), generation: boot }],
    });
  }

  #vmReport(id: HostId, vm: VmId, reason?: string): void {
    const agent = this.agent(id);
    this.spool(id, {
      kind: 'vm',
      vm,
      name: vm,
      state: this.runs(vm, id) ? 'running' : 'gone',
      ...(reason === undefined ? {} : { reason }),
      vmm: 'libvirt',
      definition: `<domain ${vm}>`,
      disks: ['nfs:/vms'],
      memoryBytes: 2 ** 30,
      autostart: agent.autostart.get(vm) ?? false,
      optedIn: true,
      epoch: agent.epochs.get(vm) ?? 0,
    });
  }
}
