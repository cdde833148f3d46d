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
/** What a disk that lies has not written yet, ms: what its cache holds back. */
const LIE_MS = 2_000;

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
  /** The highest number of a row that this process of it has found on its disk, or has sent. */
  known: number;
  /** Its disk is full: it writes nothing down, and so neither reads nor does anything. A reader of it reads nothing. */
  full: boolean;
  deaf: boolean;
  /** VMs that have changed while it could not write that down: its disk was full, or its host was down. */
  unsaid: Set<VmId>;
  /** What its kernel has handled since the boot. */
  handled: Set<bigint>;
  /** What was written lately, newest last: a disk that lies loses it with its power. */
  late: { at: Time; undo: () => void }[];
  /** VMs whose process has ended and whose PID another process has now. */
  reused: Set<VmId>;
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
  /** The time of the controller, as agents have heard it: deadlines are of it. */
  heard(): Time;
  /** A fence agent beside the controller has answered. */
  fenced(host: HostId, result: ActResult): void;
  /** A host has gone down, so that its connection ends. */
  down(host: HostId): void;
  /** An agent has written a row. */
  spooled?(host: HostId): unknown;
  /** Its kernel has handled an error, and nobody has read what it said. */
  unread?(host: HostId): void;
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
        known: 0,
        full: false,
        deaf: false,
        unsaid: new Set(),
        handled: new Set(),
        late: [],
        reused: new Set(),
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

  /** Of five hosts the last is an Arm server: its QEMU says nothing of errors of its guest's memory. */
  isArm(id: HostId): boolean {
    return (this.#nth.get(id) ?? 0) % 5 === 4;
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
    if (agent.full) return;
    agent.seq++;
    const at = this.#port.now() + agent.off;
    agent.unsent.push({ host: id, spool: `${id}-${agent.life}`, seq: agent.seq, at, said });
    this.#wrote(agent, () => {
      agent.unsent = agent.unsent.filter(row => row.seq < agent.seq);
      agent.seq--;
    });
    this.#port.spooled?.(id);
  }

  /** What is undone where its disk has lied. */
  #wrote(agent: Agent, undo: () => void): void {
    const at = this.#port.now();
    agent.late.push({ at, undo });
    if ((agent.late[0]?.at ?? at) < at - LIE_MS) agent.late = agent.late.filter(one => one.at >= at - LIE_MS);
  }

  /** Whether its agent has read it, and written it down. */
  event(id: HostId, source: SourceName, seen: LogEvent, { vm, count }: { vm?: VmId; count?: number } = {}): boolean {
    const { full, deaf } = this.agent(id);
    if (full || deaf) return false;
    const more = { ...(vm === undefined ? {} : { vm }), ...(count === undefined ? {} : { count }) };
    this.spool(id, { kind: 'event', source, event: seen, ...more });
    return true;
  }

  /** The kernel of a host handles an error of a page, and counts it; an agent tells what is counted when that changes. */
  error(id: HostId, pfn: bigint, tell: () => boolean): void {
    const { handled } = this.agent(id);
    const isNew = !handled.has(pfn);
    handled.add(pfn);
    if (!tell() && isNew) this.#port.unread?.(id);
    if (isNew) this.#hostReport(id);
  }

  /** A VM loses a page of its memory. @param count repeats that its agent has put together */
  page(vm: VmId, pfn: bigint, count = 1): void {
    const seen = event('host.sigbus-sent', { pfn, comm: 'qemu', pid: 1 });
    for (const id of this.at(vm)) this.error(id, pfn, () => this.event(id, 'kmsg', seen, { vm, count }));
  }

  /** Nothing is written down, or nothing read, for a time; then it is said that there was a gap. */
  gap(id: HostId, what: 'full' | 'deaf', ms: number): { end: () => void } | undefined {
    const agent = this.agent(id);
    if (!agent.up || agent.full || agent.deaf) return undefined;
    const { boot, life } = agent;
    this.spool(id, { kind: 'source', source: 'kmsg', state: what === 'full' ? 'spool-full' : 'stalled' });
    agent[what] = true;
    return {
      end: () => {
        agent[what] = false;
        // An agent that began anew since has said so.
        if (!agent.up || agent.boot !== boot || agent.life !== life) return;
        this.spool(id, { kind: 'source', source: 'kmsg', state: 'back', gapMs: ms });
        this.#reports(id);
      },
    };
  }

  /** The process of an agent ends and begins anew, on what it has written. @param reused PIDs of VMs that have ended have others now */
  restart(id: HostId, reused: boolean): void {
    const agent = this.agent(id);
    if (reused) for (const vm of agent.autostart.keys()) if (!this.runs(vm, id)) agent.reused.add(vm);
    this.#beginAgain(id);
  }

  #beginAgain(id: HostId): void {
    const agent = this.agent(id);
    agent.full = agent.deaf = false;
    agent.known = agent.seq;
    this.spool(id, { kind: 'source', source: 'agent', state: 'reading' });
    this.#reports(id);
  }

  #reports(id: HostId): void {
    this.#hostReport(id);
    const { autostart, unsaid } = this.agent(id);
    for (const vm of new Set([...autostart.keys(), ...this.on(id), ...unsaid])) this.#vmReport(id, vm);
    unsaid.clear();
  }

  /** The controller has rows of its spool that are not on its disk: it goes on under another name, with what is not confirmed. */
  renew(id: HostId): void {
    const agent = this.agent(id);
    agent.life++;
    agent.unsent = agent.unsent.map((row, i) => ({ ...row, spool: `${id}-${agent.life}`, seq: i + 1 }));
    agent.seq = agent.unsent.length;
    agent.known = 0;
    agent.late = [];
  }

  /** The VMM of a VM is killed by an error. */
  die(vm: VmId): void {
    for (const id of this.at(vm)) {
      this.event(id, 'qmp', event('vmm.exit', { signal: 7 }), { vm });
      this.end(id, vm, 'failed');
      return;
    }
  }

  begin(id: HostId, vm: VmId): void {
    this.#at.get(vm)?.add(id);
    this.#on.get(id)?.add(vm);
    this.#left.delete(`${vm}/${id}`);
    this.agent(id).reused.delete(vm);
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
    agent.late = [];
    for (const lost of [agent.epochs, agent.ended, agent.answers]) lost.clear();
    this.#beginAgain(id);
  }

  /**
   * A host loses its power, and so do its VMs.
   * @param lies its disk had not written what it said to have written
   * @returns rows that are lost by that
   */
  crash(id: HostId, lies = false): number {
    const agent = this.agent(id);
    if (!agent.up) return 0;
    const { seq } = agent;
    if (lies) for (const { at, undo } of agent.late.toReversed()) if (at >= this.#port.now() - LIE_MS) undo();
    agent.late = [];
    for (const vm of this.on(id)) {
      this.#at.get(vm)?.delete(id);
      agent.unsaid.add(vm);
    }
    this.#on.get(id)?.clear();
    agent.up = false;
    agent.connected = false;
    agent.downAt = this.#port.now();
    this.#port.down(id);
    return seq - agent.seq;
  }

  /** A host that is down boots. @param underWay acts that were sent and are not carried out yet */
  boot(id: HostId, underWay: Iterable<Act>): void {
    const agent = this.agent(id);
    if (agent.up) return;
    agent.up = true;
    delete agent.downAt;
    agent.boot++;
    agent.handled.clear();
    agent.reused.clear();
    agent.full = agent.deaf = false;
    agent.known = agent.seq;
    for (const act of underWay) if (act.kind === 'start') this.#raced.add(act.id);
    this.spool(id, { kind: 'source', source: 'agent', state: 'reading' });
    this.#hostReport(id);
    for (const [vm, auto] of agent.autostart) {
      // What it starts by itself fails where the storage says that another copy has the disks.
      if (auto && this.at(vm).size === 0) this.begin(id, vm);
      else this.#vmReport(id, vm);
    }
    for (const vm of agent.unsaid) if (!agent.autostart.has(vm)) this.#vmReport(id, vm);
    agent.unsaid.clear();
  }

  /** What an agent does with an act. */
  obey(act: Act, fate: Fate): void {
    const agent = this.agent(act.host);
    // What cannot be written down is not done.
    if (agent.full) return;
    const answer = agent.answers.get(act.id) ?? this.#perform(act, agent, fate === 'stuck');
    if (!agent.answers.has(act.id)) this.#wrote(agent, () => agent.answers.delete(act.id));
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
    if (act.deadline <= this.#port.heard()) return { ...base, state: 'refused', reason: 'its deadline is over' };
    if (act.kind === 'ask-lease') return this.#askLease(act, base, stuck);
    if (this.#flaws.epoch !== true) {
      if (act.epoch < (agent.epochs.get(vm) ?? 0)) return { ...base, state: 'refused', reason: 'an older epoch' };
      if (act.kind === 'start' && act.epoch <= (agent.ended.get(vm) ?? -1))
        return { ...base, state: 'refused', reason: 'its end was looked for' };
    }
    const looks = act.kind === 'stop' || act.kind === 'terminate' || act.kind === 'prove';
    const [epoch, ended] = [agent.epochs.get(vm), agent.ended.get(vm)];
    agent.epochs.set(vm, Math.max(act.epoch, epoch ?? 0));
    if (looks) agent.ended.set(vm, act.epoch);
    this.#wrote(agent, () => {
      agent.epochs.set(vm, epoch ?? 0);
      agent.ended.set(vm, ended ?? -1);
    });
    if (act.kind === 're-offline' && act.pfn !== undefined) {
      if (stuck) return { ...base, state: 'failed' };
      agent.handled.add(act.pfn);
      return { ...base, state: 'confirmed' };
    }
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
    const process = agent.reused.has(vm) ? 'other-start-time' : 'absent';
    const evidence = { process, autostart: agent.autostart.get(vm) === true ? 'on' : 'off' };
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
    const { boot, handled } = this.agent(id);
    this.spool(id, {
      kind: 'host',
      boot: `${id}-${boot}`,
      arch: this.isArm(id) ? 'arm64' : 'x86-64',
      kernel: '6.19.6',
      memoryBytes: 64 * 2 ** 30,
      freeBytes: 32 * 2 ** 30,
      cpuModels: [],
      storage: ['nfs:/vms'],
      counters: { 'node0.memory_failure.total': handled.size, HardwareCorrupted: handled.size * 4096 },
      // Each boot joins anew.
      leases: [{ ...this.#leaseOf(id), generation: boot }],
    });
  }

  #vmReport(id: HostId, vm: VmId, reason?: string): void {
    const agent = this.agent(id);
    if (agent.full) agent.unsaid.add(vm);
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
