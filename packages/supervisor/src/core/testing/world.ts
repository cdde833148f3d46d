/**
 * @module A small world around the core, with a truth of its own: hosts that die and boot, agents that answer late, twice or not
 * at all, rows that come in any order, a controller that is killed. The core sees only what agents say; the truth is looked at
 * after each thing that happens.
 */
import fc from 'fast-check';
import { event } from '@syndrome/decode/events/event.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import type { Act, ActResult, StopProof } from '../act.ts';
import type { Effect, Order } from '../input.ts';
import type { LeaseReport, Row, Said } from '../said.ts';
import { consequenceOf } from '../incident.ts';
import { isPlannedStop } from '../ledger.ts';
import { restore, snapshot } from '../state.ts';
import { holds } from './holds.ts';
import { Scene } from './scene.ts';
import type { Policy } from '../policy.ts';

export const HOSTS = ['a', 'b', 'c', 'd'];
export const VMS = ['u', 'v', 'w'];

/** Something that happens. */
type Happening =
  | { do: 'page'; vm: string; pfn: number }
  | { do: 'unlocated'; vm: string }
  | { do: 'die' | 'panic' | 'guest-text' | 'guest-off'; vm: string }
  | { do: 'kernel-fails'; host: string; pfn: number }
  | { do: 'rows'; host: string; most: number; order: number; again: boolean }
  | { do: 'act'; nth: number; fate: 'done' | 'lost' | 'stuck' | 'lost-answer' }
  | { do: 'agent' | 'crash' | 'boot' | 'lose'; host: string }
  | { do: 'set-clock'; host: string; by: number }
  | { do: 'time'; seconds: number }
  /** Everybody answers for a while. */
  | { do: 'flow'; rounds: number }
  | { do: 'restart-controller' }
  | { do: 'order'; order: Order }
  /** A person who has looked says that no copy of it runs there. */
  | { do: 'attest'; vm: string; host: string };

const vm = fc.constantFrom(...VMS);
const host = fc.constantFrom(...HOSTS);

const order: fc.Arbitrary<Order> = fc.oneof(
  fc.record({ order: fc.constant('pause' as const) }),
  fc.record({ order: fc.constant('resume' as const) }),
  fc.record({ order: fc.constant('drain' as const), host }),
  fc.record({ order: fc.constant('undrain' as const), host }),
  fc.record({ order: fc.constant('repaired' as const), host }),
  fc.record({ order: fc.constant('restart' as const), vm }),
  fc.record({ order: fc.constant('terminate' as const), vm }),
  fc.record({ order: fc.constant('planned-stop' as const), vm }),
  fc.record({ order: fc.constant('breaker-close' as const) }),
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('page' as const), vm, pfn: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unlocated' as const), vm }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'panic' as const, 'guest-text' as const), vm }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('guest-off' as const), vm }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kernel-fails' as const), host, pfn: fc.nat(5) }) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('rows' as const),
      host,
      most: fc.integer({ min: 1, max: 20 }),
      order: fc.nat(9),
      again: fc.boolean(),
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('act' as const),
      nth: fc.nat(2),
      fate: fc.oneof(
        { weight: 6, arbitrary: fc.constant('done' as const) },
        { weight: 1, arbitrary: fc.constantFrom('lost' as const, 'stuck' as const, 'lost-answer' as const) },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('agent' as const, 'crash' as const, 'boot' as const), host }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), host }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('set-clock' as const), host, by: fc.constantFrom(-3600, -60, 60, 3600) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('time' as const), seconds: fc.constantFrom(1, 5, 20, 70, 400) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart-controller' as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('flow' as const), rounds: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('order' as const), order }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('attest' as const), vm, host }) },
);

/** A history of the world. */
export const history: fc.Arbitrary<Happening[]> = fc.array(happening, { minLength: 20, maxLength: 90 });

/** As sanlock is set up by default: a host is reset 8 * 10 + 60 s behind the last renewal of its lease. */
const LEASE = { lockspace: 'LS', ioTimeout: 10, watchdog: { fireSeconds: 60, device: 'iTCO_wdt' } };
const RESET_MS = 140_000;

interface Agent {
  up: boolean;
  /** Since when its host is down, and its lease is not renewed. */
  downAt?: number;
  connected: boolean;
  boot: number;
  /** How often it began anew, with another spool; by how much its host's clock is off, ms. */
  life: number;
  off: number;
  seq: number;
  /** Rows that were written and are not told yet. */
  unsent: Row[];
  /** By VM: highest epoch that it persisted, and whether the host would start it at boot. */
  epochs: Map<string, number>;
  /** The epoch whose end was looked for: no copy of it begins any more. */
  ended: Map<string, number>;
  autostart: Map<string, boolean>;
  answers: Map<string, ActResult>;
}

/** The lease of a host; d's watchdog is not armed for it. */
function leaseOf(id: string): Omit<LeaseReport, 'generation'> {
  const { watchdog, ...lease } = LEASE;
  return {
    ...lease,
    hostId: HOSTS.indexOf(id) + 1,
    owner: `uuid.${id}`,
    ...(id === 'd' ? { unarmed: 'no watchdog' } : { watchdog }),
  };
}

export class World {
  readonly scene: Scene;
  /** The truth: processes by `VM/host`. */
  readonly runs = new Set<string>();
  readonly #agents = new Map<string, Agent>();
  /** Acts on their way to an agent. */
  #orders: Act[] = [];
  #moved = new Set<string>();
  /** Starts that were on their way when the old host was switched on again: the lock of the storage is the last wall then. */
  #raced = new Set<string>();
  /** `vm/host` that a VM has left alive: that it is gone from there proves nothing to who does not know where it is. */
  #left = new Set<string>();

  constructor(policy: Policy) {
    this.scene = new Scene(policy);
    for (const id of HOSTS)
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
    for (const id of HOSTS) {
      this.#connect(id);
      this.#hostReport(id);
    }
    for (const [i, id] of VMS.entries()) {
      const home = HOSTS[i % 2] ?? 'a';
      this.runs.add(`${id}/${home}`);
      // One is started by nobody but us.
      this.#agent(home).autostart.set(id, id !== 'w');
      this.#vmReport(home, id);
    }
    for (const id of HOSTS) this.#rows(id, 99, 0, false);
    this.#send(this.scene.send({ input: 'fences', at: this.scene.now, hosts: HOSTS }));
  }

  #agent(id: string): Agent {
    const agent = this.#agents.get(id);
    if (agent === undefined) throw new Error(`no host ${id}`);
    return agent;
  }

  #send(effects: Effect[]): void {
    for (const e of effects) if (e.effect === 'act') this.#orders.push(e.act);
  }

  #connect(id: string): void {
    const agent = this.#agent(id);
    agent.connected = agent.up;
    this.#send(this.scene.send({ input: 'agent', at: this.scene.now, host: id, connected: agent.connected }));
  }

  #spool(id: string, said: Said): void {
    const agent = this.#agent(id);
    agent.seq++;
    const at = this.scene.now + agent.off;
    agent.unsent.push({ host: id, spool: `${id}-${agent.life}`, seq: agent.seq, at, said });
  }

  #hostReport(id: string): void {
    this.#spool(id, {
      kind: 'host',
      boot: `${id}-${this.#agent(id).boot}`,
      arch: 'x86-64',
      kernel: '6.19.6',
      memoryBytes: 64 * 2 ** 30,
      freeBytes: 32 * 2 ** 30,
      cpuModels: [],
      storage: ['nfs:/vms'],
      // Each boot joins anew. One host has no watchdog for it.
      leases: [{ ...leaseOf(id), generation: this.#agent(id).boot }],
    });
  }

  #vmReport(id: string, of: string, reason?: string): void {
    const agent = this.#agent(id);
    this.#spool(id, {
      kind: 'vm',
      vm: of,
      name: of,
      state: this.runs.has(`${of}/${id}`) ? 'running' : 'gone',
      ...(reason === undefined ? {} : { reason }),
      vmm: 'libvirt',
      definition: `<domain ${of}>`,
      disks: ['nfs:/vms'],
      memoryBytes: 2 ** 30,
      autostart: agent.autostart.get(of) ?? false,
      optedIn: true,
      epoch: agent.epochs.get(of) ?? 0,
    });
  }

  #rows(id: string, most: number, order: number, again: boolean): void {
    const agent = this.#agent(id);
    if (!agent.connected) return;
    for (let i = 0; i < most && agent.unsent.length > 0; i++) {
      // What an agent says first is sent first.
      const nth = agent.unsent[0]?.seq === 1 ? 0 : (i * order) % agent.unsent.length;
      const [row] = agent.unsent.splice(nth, 1);
      if (row === undefined) continue;
      for (let n = again ? 2 : 1; n > 0; n--) this.#send(this.scene.send({ input: 'row', at: this.scene.now, row }));
    }
  }

  /** A host on which the VM runs. */
  #at(of: string): string | undefined {
    return HOSTS.find(id => this.runs.has(`${of}/${id}`));
  }

  #event(id: string, of: string, source: 'kmsg' | 'qmp', seen: LogEvent): void {
    this.#spool(id, { kind: 'event', source, event: seen, vm: of });
  }

  /** What an agent does with an act. */
  #obey(act: Act, fate: 'done' | 'stuck' | 'lost-answer'): void {
    const agent = this.#agent(act.host);
    const old = agent.answers.get(act.id);
    const answer = old ?? this.#perform(act, agent, fate === 'stuck');
    agent.answers.set(act.id, answer);
    if (fate !== 'lost-answer') this.#spool(act.host, { kind: 'result', ...answer });
  }

  /** A fence agent switches a host off, and reads that it is; not one whose agent is here. */
  #fence(act: Act, fate: 'done' | 'stuck' | 'lost-answer'): void {
    const { scene } = this;
    const { host, vm: of = '', epoch } = act;
    const base = { action: act.id, vm: of, epoch };
    const tell = (result: ActResult): void => this.#send(scene.send({ input: 'result', at: scene.now, host, result }));
    if (this.#agent(host).connected) return tell({ ...base, state: 'refused', reason: 'its agent is here' });
    if (fate === 'stuck') return tell({ ...base, state: 'failed', reason: 'the power reads on' });
    this.#crash(host);
    scene.now += 1000;
    if (fate === 'lost-answer') return;
    const evidence = { power: 'off' };
    const proof: StopProof = { kind: 'power-off', vm: of, host, epoch, at: scene.now, evidence };
    tell({ ...base, state: 'confirmed', proof });
  }

  #perform(act: Act, agent: Agent, stuck: boolean): ActResult {
    const of = act.vm ?? '';
    const here = `${of}/${act.host}`;
    const base = { action: act.id, vm: of, epoch: act.epoch };
    // By the controller's time, whatever the clock of its host says.
    if (act.deadline <= this.scene.now) return { ...base, state: 'refused', reason: 'its deadline is over' };
    if (act.kind === 'ask-lease') return this.#lease(act, base, stuck);
    if (act.epoch < (agent.epochs.get(of) ?? 0)) return { ...base, state: 'refused', reason: 'an older epoch' };
    if (act.kind === 'start' && act.epoch <= (agent.ended.get(of) ?? -1))
      return { ...base, state: 'refused', reason: 'its end was looked for' };
    agent.epochs.set(of, act.epoch);
    if (act.kind === 'stop' || act.kind === 'terminate' || act.kind === 'prove') agent.ended.set(of, act.epoch);
    if (act.kind === 'autostart-off') {
      if (stuck) return { ...base, state: 'failed' };
      agent.autostart.set(of, false);
      return { ...base, state: 'confirmed' };
    }
    if ((act.kind === 'stop' || act.kind === 'terminate') && !stuck) this.#end(act.host, of);
    if (act.kind === 'reset') {
      const runs = this.runs.has(here) && !stuck;
      return runs ? { ...base, state: 'confirmed' } : { ...base, state: 'failed', reason: 'it cannot be asked' };
    }
    if (act.kind === 'stop' || act.kind === 'terminate' || act.kind === 'prove') {
      const runs = this.runs.has(here);
      if (!runs && act.to === undefined && this.#left.has(here))
        return { ...base, state: 'refused', reason: 'it left alive' };
      const proof: StopProof = {
        kind: 'process-gone',
        vm: of,
        host: act.host,
        epoch: act.epoch,
        at: this.scene.now,
        evidence: { process: 'absent', autostart: agent.autostart.get(of) === true ? 'on' : 'off' },
      };
      return runs ? { ...base, state: 'failed', seen: { state: 'running' } } : { ...base, state: 'confirmed', proof };
    }
    if (act.kind === 'start') {
      if (this.#raced.has(act.id) && this.#at(of) !== undefined)
        return { ...base, state: 'failed', reason: 'its disks are locked' };
      if (stuck) return { ...base, state: 'confirmed' };
      this.#begin(act.host, of);
      return { ...base, state: 'confirmed', seen: { pid: '1' } };
    }
    if (act.kind === 'migrate' && act.to !== undefined && this.runs.has(here) && this.#agent(act.to).up) {
      this.#moved.add(of);
      this.#left.add(here);
      this.#begin(act.to, of);
      if (stuck) return { ...base, state: 'unknown' };
      this.#end(act.host, of);
      this.#moved.delete(of);
      return { ...base, state: 'confirmed' };
    }
    return { ...base, state: 'failed', reason: 'it cannot be done' };
  }

  /** sanlock's own daemon of another host is asked for the lease of one. */
  #lease(act: Act, base: Pick<ActResult, 'action' | 'epoch'>, stuck: boolean): ActResult {
    const { of = '', vm = '', epoch } = act;
    const { up, downAt = this.scene.now, boot } = this.#agent(of);
    const unseen = up ? 0 : this.scene.now - downAt;
    if (stuck || unseen <= RESET_MS) return { ...base, state: 'failed', reason: 'it is not dead' };
    const { lockspace, hostId, owner = '', ioTimeout } = leaseOf(of);
    const evidence = {
      lease: 'dead',
      lockspace,
      hostId: String(hostId),
      generation: String(boot),
      ownerName: owner,
      ioTimeout: String(ioTimeout),
      unseenSeconds: String(Math.floor(unseen / 1000)),
    };
    const proof: StopProof = { kind: 'sanlock', vm, host: of, epoch, at: this.scene.now, evidence };
    return { ...base, state: 'confirmed', proof };
  }

  #begin(id: string, of: string): void {
    this.runs.add(`${of}/${id}`);
    this.#left.delete(`${of}/${id}`);
    this.#vmReport(id, of);
    this.#check();
  }

  #end(id: string, of: string, reason?: string): void {
    if (!this.runs.delete(`${of}/${id}`)) return;
    if (this.#agent(id).up) this.#vmReport(id, of, reason);
  }

  /** I4: at no time do two copies of a VM run, but while a live migration that was stuck is not cleared up. */
  #check(): void {
    for (const of of VMS) {
      const at = HOSTS.filter(id => this.runs.has(`${of}/${id}`));
      if (!this.#moved.has(of)) holds(at.length <= 1, `I4: ${of} runs on ${at.join(' and ')}`);
      else if (at.length < 2) this.#moved.delete(of);
    }
  }

  /** The disk of an agent is lost: what it had written down, and what it was asked. It begins anew. */
  #lose(id: string): void {
    const agent = this.#agent(id);
    if (!agent.up) return;
    agent.life++;
    agent.seq = 0;
    agent.unsent = [];
    for (const lost of [agent.epochs, agent.ended, agent.answers]) lost.clear();
    this.#orders = this.#orders.filter(act => act.host !== id || act.kind === 'fence');
    this.#spool(id, { kind: 'source', source: 'agent', state: 'reading' });
    this.#hostReport(id);
    for (const of of agent.autostart.keys()) this.#vmReport(id, of);
  }

  #crash(id: string): void {
    const agent = this.#agent(id);
    if (!agent.up) return;
    for (const of of VMS) this.runs.delete(`${of}/${id}`);
    agent.up = false;
    agent.downAt = this.scene.now;
    this.#connect(id);
  }

  #boot(id: string): void {
    const agent = this.#agent(id);
    if (agent.up) return;
    agent.up = true;
    delete agent.downAt;
    agent.boot++;
    this.scene.now += 1000;
    for (const act of this.#orders) if (act.kind === 'start') this.#raced.add(act.id);
    this.#hostReport(id);
    for (const [of, auto] of agent.autostart) {
      // What it starts by itself fails where the storage says that another copy has the disks.
      if (auto && this.#at(of) === undefined) this.#begin(id, of);
      else this.#vmReport(id, of);
    }
    this.#connect(id);
  }

  /** Something happens. */
  happen(h: Happening): void {
    const { scene } = this;
    if (h.do === 'rows') this.#rows(h.host, h.most, h.order, h.again);
    else if (h.do === 'time') this.#send(scene.pass(Math.min(h.seconds, 5)).concat(this.#jump(h.seconds - 5)));
    else if (h.do === 'flow') for (let i = 0; i < h.rounds; i++) this.#flow(1);
    else if (h.do === 'restart-controller') scene.state = restore(snapshot(scene.state));
    else if (h.do === 'order') this.#send(scene.order('ann', h.order));
    else if (h.do === 'attest') this.#attest(h.vm, h.host);
    else if (h.do === 'act') this.#actHappens(h.nth, h.fate);
    else if (h.do === 'agent') {
      if (this.#agent(h.host).connected) {
        this.#agent(h.host).connected = false;
        this.#send(scene.send({ input: 'agent', at: scene.now, host: h.host, connected: false }));
      } else this.#connect(h.host);
    } else if (h.do === 'lose') this.#lose(h.host);
    else if (h.do === 'set-clock') this.#agent(h.host).off += h.by * 1000;
    else if (h.do === 'crash') this.#crash(h.host);
    else if (h.do === 'boot') this.#boot(h.host);
    else if (h.do === 'kernel-fails') {
      if (this.#agent(h.host).up)
        this.#spool(h.host, {
          kind: 'event',
          source: 'kmsg',
          event: event('host.memory-failure', {
            pfn: BigInt(h.pfn + 64),
            page: 'reserved kernel page',
            result: 'Ignored',
          }),
        });
    } else if ('vm' in h) this.#inVm(h);
    this.#check();
  }

  /** What is attested is true: nothing runs there now. It may be started there all the same, where that was ordered. */
  #attest(of: string, id: string): void {
    const copy = this.scene.state.vms.get(of)?.copies.find(c => c.host === id);
    if (copy === undefined || this.runs.has(`${of}/${id}`)) return;
    const statement = 'I have looked: it does not run there.';
    this.#send(this.scene.order('bob', { order: 'attest', vm: of, host: id, epoch: copy.epoch, statement }));
  }

  /** Owed to nobody: VMs that have died of an error, run nowhere, and of which nobody is told. */
  forgotten(): string[] {
    const { state } = this.scene;
    return VMS.filter(id => {
      const vm = state.vms.get(id);
      if (vm === undefined || this.#at(id) !== undefined || isPlannedStop(vm, state.now)) return false;
      if (consequenceOf(state, vm)?.what !== 'died') return false;
      return ![...state.alerts].some(([key, { standing }]) => standing && key.endsWith(` ${id}`));
    });
  }

  #jump(seconds: number): Effect[] {
    if (seconds <= 0) return [];
    this.scene.now += seconds * 1000;
    return this.scene.send({ input: 'tick', at: this.scene.now });
  }

  #inVm(h: Happening & { vm: string }): void {
    const id = this.#at(h.vm);
    if (id === undefined) return;
    if (h.do === 'page')
      this.#event(id, h.vm, 'kmsg', event('host.sigbus-sent', { pfn: BigInt(h.pfn), comm: 'qemu', pid: 1 }));
    if (h.do === 'unlocated')
      this.#event(
        id,
        h.vm,
        'qmp',
        event('vmm.memory-failure', { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false }),
      );
    if (h.do === 'panic') this.#event(id, h.vm, 'qmp', event('vmm.guest-panicked', { action: 'pause' }));
    if (h.do === 'guest-text') {
      this.#event(id, h.vm, 'qmp', event('guest.memory-failure', { pfn: 1n, page: 'x', result: 'Failed' }));
      this.#event(id, h.vm, 'kmsg', event('guest.panic', { message: 'Memory failure: host is broken, move all VMs' }));
    }
    if (h.do === 'die') {
      this.#event(id, h.vm, 'qmp', event('vmm.exit', { signal: 7 }));
      this.#end(id, h.vm, 'failed');
    }
    if (h.do === 'guest-off') this.#end(id, h.vm, 'shutdown');
  }

  #actHappens(nth: number, fate: 'done' | 'lost' | 'stuck' | 'lost-answer'): void {
    const act = this.#orders[nth % Math.max(1, this.#orders.length)];
    if (act === undefined) return;
    if (act.kind === 'fence') {
      this.#orders = this.#orders.filter(o => o !== act);
      if (fate !== 'lost') this.#fence(act, fate);
      return;
    }
    const agent = this.#agent(act.host);
    if (!agent.connected) return;
    this.#orders = this.#orders.filter(o => o !== act);
    if (fate !== 'lost') this.#obey(act, fate);
  }

  /** All that was broken is mended: everybody answers, and what waits is done. */
  heal(): void {
    this.#send(this.scene.order('ann', { order: 'resume' }));
    this.#send(this.scene.order('ann', { order: 'breaker-close' }));
    for (const id of HOSTS) {
      this.#boot(id);
      this.#connect(id);
    }
    for (let i = 0; i < 400; i++) this.#flow(30);
  }

  #flow(seconds: number): void {
    // Until nothing more comes of what is done: no deadline is over meanwhile.
    for (let round = 0; round === 0 || (this.#orders.length > 0 && round < 50); round++) {
      for (const act of this.#orders.splice(0)) {
        if (act.kind === 'fence') this.#fence(act, 'done');
        else if (this.#agent(act.host).connected) this.#obey(act, 'done');
      }
      for (const id of HOSTS) this.#rows(id, 999, 0, false);
    }
    this.#send(this.#jump(seconds));
    this.#check();
  }
}
