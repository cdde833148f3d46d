/**
 * @module What steps look up in a state: VMs and incidents by host, and the hosts at which time itself brings something. It is made of the state
 * and is no part of it: a state that has none gets it at its first step, and decides the same. So what one host says costs no more in a large fleet.
 */
import type { HostId, Time, VmId } from './ids.ts';
import { Ranking } from './ranking.ts';
import type { Copy, Host, Incident, Move, State, Vm } from './state.ts';

/** What a tick has to look at, by host. `due.ts` keeps it. */
interface Watched {
  /** Those of which something may have changed since a tick has looked at them. */
  changed: Set<HostId>;
  /** Those of which it is not noted yet what comes of time alone. */
  unnoted: Set<HostId>;
  /** Those that every tick looks at, as long as they are as they are. */
  always: Set<HostId>;
  /** When time itself brings something at a host; of most there is nothing. */
  dues: Map<HostId, Time>;
}

class Lookup {
  readonly #state: State;
  readonly #copies = new Map<HostId, Set<VmId>>();
  readonly #met = new Map<HostId, Set<VmId>>();
  readonly #ofVm = new Map<VmId, Set<Incident>>();
  readonly #ofHost = new Map<HostId, Set<Incident>>();
  readonly #open = new Set<Incident>();
  #order: { hosts: Map<HostId, number>; vms: Map<VmId, number> } = { hosts: new Map(), vms: new Map() };
  /** VMs of which a copy may run that should not. */
  readonly doubled = new Set<VmId>();
  readonly draining = new Set<HostId>();
  /** Moves that have begun, and those of them that are worked on; some are over already. */
  readonly begun = new Set<VmId>();
  readonly working = new Set<VmId>();
  /** Moves of which it is not known whether they are wanted still. */
  readonly doubtful: Set<VmId>;
  /** Before that time none of the moves that wait may begin. */
  readyAt = 0;
  /** Before that time none of the open incidents has been quiet for long enough to be closed. */
  quietFrom = 0;
  /** Where each VM that is acted on stands among those of the state. */
  readonly #moving = new Map<VmId, number>();
  #planned = 0;
  readonly watched: Watched;
  /** Hosts in the order in which VMs are placed, and those that have to be looked at anew before that is true. `target.ts` keeps both. */
  readonly ranking = new Ranking();
  readonly unranked: Set<HostId>;
  /** VMs that are on their way to a host; some are there already. */
  readonly bound = new Set<VmId>();

  constructor(state: State) {
    this.#state = state;
    const hosts = [...state.hosts.keys()];
    this.doubtful = new Set(state.moving);
    for (const id of state.moving) {
      this.planned(id);
      const move = state.vms.get(id)?.move;
      if (move?.to !== undefined) this.bound.add(id);
      if (move?.begun === true) this.begun.add(id);
      if (move?.begun === true && move.step === 'working') this.working.add(id);
    }
    this.unranked = new Set(hosts);
    this.watched = { changed: new Set(hosts), unnoted: new Set(hosts), always: new Set(), dues: new Map() };
    for (const { id, draining } of state.hosts.values()) if (draining !== undefined) this.draining.add(id);
    for (const vm of state.vms.values()) {
      for (const { host, doubled } of vm.copies) {
        this.copy(host, vm.id);
        if (doubled !== undefined) this.doubled.add(vm.id);
      }
      for (const host of vm.met.keys()) this.meets(host, vm.id);
    }
    for (const incident of state.incidents.values()) this.incident(incident);
  }

  /** A VM has a copy on a host. */
  copy(host: HostId, vm: VmId): void {
    setOf(this.#copies, host).add(vm);
  }

  /** A VM has met an error without an address on a host. */
  meets(host: HostId, vm: VmId): void {
    setOf(this.#met, host).add(vm);
  }

  /** A move is planned. @returns whether none was */
  planned(vm: VmId): boolean {
    this.doubtful.add(vm);
    this.readyAt = 0;
    this.quietFrom = 0;
    if (this.#moving.has(vm)) return false;
    this.#moving.set(vm, this.#planned++);
    return true;
  }

  /** There is no move of a VM any more. */
  unplanned(vm: VmId): void {
    this.#moving.delete(vm);
    this.quietFrom = 0;
  }

  /** Those that have moves, in the order in which these were planned. */
  moving(vms: Iterable<VmId>): VmId[] {
    const nth = this.#moving;
    return [...new Set(vms)].filter(id => nth.has(id)).toSorted((a, b) => (nth.get(a) ?? 0) - (nth.get(b) ?? 0));
  }

  /** An incident is opened, opened again, or known to be of a VM. */
  incident(incident: Incident): void {
    if (incident.state === 'open') this.#open.add(incident);
    this.quietFrom = 0;
    this.unranked.add(incident.host);
    setOf(this.#ofHost, incident.host).add(incident);
    if (incident.vm !== undefined) setOf(this.#ofVm, incident.vm).add(incident);
    for (const vm of incident.also ?? []) setOf(this.#ofVm, vm).add(incident);
  }

  /** An incident is not kept any more. */
  forget(incident: Incident): void {
    this.unranked.add(incident.host);
    this.#ofHost.get(incident.host)?.delete(incident);
    for (const vm of [...(incident.vm === undefined ? [] : [incident.vm]), ...(incident.also ?? [])])
      this.#ofVm.get(vm)?.delete(incident);
  }

  /** Something of a host may have changed: the next tick looks at it. */
  touch(host: HostId): void {
    this.watched.changed.add(host);
    this.watched.unnoted.add(host);
    this.unranked.add(host);
  }

  /** VMs that have a copy on a host, in the order of the state. */
  copiesOn(host: HostId): Vm[] {
    return this.#inOrder(this.#copies.get(host), this.#state.vms, 'vms');
  }

  /** VMs that have met an error without an address on a host, in the order of the state. */
  metOn(host: HostId): Vm[] {
    return this.#inOrder(this.#met.get(host), this.#state.vms, 'vms');
  }

  /** Incidents of a VM, or of a page that it shares, in the order in which they were opened. */
  incidentsOf(vm: VmId): Incident[] {
    return byNumber(this.#ofVm.get(vm) ?? []);
  }

  /** Those of a host. */
  incidentsAt(host: HostId): Incident[] {
    return byNumber(this.#ofHost.get(host) ?? []);
  }

  /** An incident is not open any more. */
  ended(incident: Incident): void {
    this.#open.delete(incident);
  }

  /** Those that are open, in no order. */
  openIncidents(): ReadonlySet<Incident> {
    return this.#open;
  }

  /** Hosts in the order of the state. */
  hosts(ids: ReadonlySet<HostId>): Host[] {
    return this.#inOrder(ids, this.#state.hosts, 'hosts');
  }

  #inOrder<T>(ids: ReadonlySet<string> | undefined, all: ReadonlyMap<string, T>, of: 'hosts' | 'vms'): T[] {
    if (ids === undefined || ids.size === 0) return [];
    const found = (id: string): T[] => {
      const one = all.get(id);
      return one === undefined ? [] : [one];
    };
    if (ids.size === 1) return [...ids].flatMap(found);
    // Nothing is ever taken out of a state's hosts and VMs.
    if (this.#order[of].size !== all.size) this.#order[of] = new Map([...all.keys()].map((id, nth) => [id, nth]));
    const order = this.#order[of];
    return [...ids].toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)).flatMap(found);
  }
}

function setOf<K, V>(sets: Map<K, Set<V>>, key: K): Set<V> {
  const known = sets.get(key);
  if (known !== undefined) return known;
  const made = new Set<V>();
  sets.set(key, made);
  return made;
}

const numberOf = ({ id }: Incident): number => Number(id.slice('inc-'.length));

/** Incidents in the order in which they were opened, which is that of the state. */
export const byNumber = (of: Iterable<Incident>): Incident[] => [...of].toSorted((a, b) => numberOf(a) - numberOf(b));

/** Beside the state, and not in it: neither a snapshot nor a comparison sees it. */
const LOOKUP = Symbol('lookup');

/** What is looked up in a state; made where it has none. */
export function lookup(state: State): Lookup {
  const known = (state as { [LOOKUP]?: Lookup })[LOOKUP];
  if (known !== undefined) return known;
  const made = new Lookup(state);
  Object.defineProperty(state, LOOKUP, { value: made, enumerable: false, configurable: true });
  return made;
}

/** It is made anew when it is asked for next: a step has ended in the middle, and nobody knows what has changed. */
export function forgetLookup(state: State): void {
  delete (state as { [LOOKUP]?: Lookup })[LOOKUP];
}

/** Gives a VM a copy, in the place of that which it had on the same host. */
export function putCopy(state: State, vm: Vm, copy: Copy): void {
  vm.copies = [...vm.copies.filter(c => c.host !== copy.host), copy].toSorted((a, b) => (a.host < b.host ? -1 : 1));
  lookup(state).copy(copy.host, vm.id);
}

/** A VM gets a host to which it is on its way. */
export function bindMove(state: State, vm: Vm, move: Move, to: HostId): void {
  move.to = to;
  lookup(state).bound.add(vm.id);
}

/** A move has begun: it is brought to its end. */
export function beginMove(state: State, vm: Vm, move: Move): void {
  move.begun = true;
  lookup(state).begun.add(vm.id);
}

/** A host is closed to new VMs, or takes them again. */
export function setDraining(state: State, host: Host, draining: Host['draining']): void {
  const { draining: all, unranked } = lookup(state);
  unranked.add(host.id);
  if (draining === undefined) {
    delete host.draining;
    all.delete(host.id);
  } else {
    host.draining = draining;
    all.add(host.id);
  }
}
