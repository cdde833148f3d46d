/** @module How much may be done at a time. What decides about VMs can also kill them. */
import type { ActKind } from './act.ts';
import type { HostId, VmId } from './ids.ts';
import { isAlive } from './ledger.ts';
import { lookup } from './lookup.ts';
import { unprovenCopies } from './proof.ts';
import type { Host, State, Vm } from './state.ts';

/** Only an owner who wants it, and nobody else who would restart it: else the VM is observed. Undefined where we may act. */
export function handsOff(vm: Vm): string | undefined {
  if (!vm.optedIn) return 'its owner has not opted in';
  if (vm.owner !== undefined) return `${vm.owner} takes care of it`;
  if (vm.onCrash?.includes('restart') === true) return `its host restarts it by itself (on_crash ${vm.onCrash})`;
  return undefined;
}

/** To look is no act. */
const LOOKS: ReadonlySet<ActKind> = new Set(['prove', 'check', 'ask-lock', 'ask-lease']);

/**
 * VMs that are acted on now, each once: by a move from its first act to its last, or by any act of its own, but a look.
 * What waits for a proof or a target holds nobody up. Whoever's host is powered off is acted on too.
 */
function touchedVms(s: State): Set<VmId> {
  const touched = new Set<VmId>();
  const { working } = lookup(s);
  for (const id of working) {
    const move = s.vms.get(id)?.move;
    if (move?.begun === true && move.step === 'working') touched.add(id);
    else working.delete(id);
  }
  for (const id of s.flying) {
    const doing = s.acts.get(id);
    if (doing === undefined || LOOKS.has(doing.kind)) continue;
    if (doing.vm !== undefined) touched.add(doing.vm);
    if (doing.kind === 'fence') for (const vm of mayRunOn(s, doing.host)) touched.add(vm.id);
  }
  return touched;
}

/** VMs that may run on a host, for all that is known. */
function mayRunOn(s: State, host: HostId): Vm[] {
  return lookup(s)
    .copiesOn(host)
    .filter(vm => unprovenCopies(vm).some(c => c.host === host && isAlive(c.state)));
}

/** Acts on pages of hosts, which are of no VM. */
const pageActs = (s: State): number => s.flying.filter(id => s.acts.get(id)?.vm === undefined).length;

/** Whether one more VM, or page of a host, may be acted on. */
export function mayBegin(s: State): boolean {
  return touchedVms(s).size + pageActs(s) < s.policy.budget.moves;
}

/** Whether an act of its own may be begun on a VM: within the budget, and not beside another one. What may not waits its turn. */
export function mayAct(s: State, vm: Vm): boolean {
  return !isActedOn(s, vm) && mayBegin(s);
}

/** Whether an act on a VM is under way, of whatever kind but a look, or those that do not matter to the asker. */
export function isActedOn(s: State, vm: Vm, but: readonly ActKind[] = []): boolean {
  return s.flying.some(id => {
    const doing = s.acts.get(id);
    return doing?.vm === vm.id && !LOOKS.has(doing.kind) && !but.includes(doing.kind);
  });
}

/**
 * The stop of a copy that runs beside its replacement waits for no move and for no storm, because both write to one disk. It counts,
 * so that nothing else is begun beside it, it is held by a pause like all acts, and there is never more than one.
 */
export function mayStopDouble(s: State): boolean {
  return !s.flying.some(id => s.acts.get(id)?.urgent === true);
}

/** Why a host may never be powered off: it ends whatever runs there, also what is not ours to act on. Undefined where it may. */
export function neverFence(s: State, host: HostId): string | undefined {
  for (const vm of mayRunOn(s, host)) {
    const off = handsOff(vm);
    if (off !== undefined) return `VM ${vm.id} may run there too, and is not to be acted on: ${off}`;
  }
  return undefined;
}

/**
 * Whether a host may be powered off now: not in a storm unless a person has ordered it, no second one at a time, and all that
 * may run there counts: it fits into the budget, or it is alone.
 */
export function mayFence(s: State, host: HostId, ordered: boolean): boolean {
  if (s.breaker.open !== undefined && !ordered) return false;
  if (s.flying.some(id => s.acts.get(id)?.kind === 'fence')) return false;
  const there = mayRunOn(s, host).map(vm => vm.id);
  const all = new Set([...touchedVms(s), ...there]);
  return all.size + pageActs(s) <= Math.max(s.policy.budget.moves, there.length);
}

/** Has a VM looked at again when something may be begun: what is wanted of it had to wait. */
export function waitTurn(s: State, vm: Vm): void {
  if (s.held?.includes(vm.id) !== true) s.held = [...(s.held ?? []), vm.id];
}

/** The same of a host, of whose pages something is wanted. */
export function waitHostTurn(s: State, host: HostId): void {
  if (s.heldHosts?.includes(host) !== true) s.heldHosts = [...(s.heldHosts ?? []), host];
}

/** The VM that has waited longest, where something may be begun now; a host where no VM waits. */
export function nextTurn(s: State): { vm?: VmId; host?: HostId } {
  const { held = [], heldHosts = [] } = s;
  const [vm] = held;
  const [host] = heldHosts;
  if ((vm ?? host) === undefined || !mayBegin(s)) return {};
  if (vm !== undefined) {
    s.held = held.slice(1);
    return { vm };
  }
  s.heldHosts = heldHosts.slice(1);
  return host === undefined ? {} : { host };
}

/** Whether a rule may close one more host. */
export function mayDrain(s: State, host: Host): boolean {
  if (host.draining !== undefined) return true;
  const { drainingPercent, drainingAtLeast } = s.policy.budget;
  const limit = Math.max(drainingAtLeast, Math.floor((s.hosts.size * drainingPercent) / 100));
  return lookup(s).draining.size < limit;
}
