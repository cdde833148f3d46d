/** @module What a person orders. Each is a decision with a name behind it. */
import { want } from './acts.ts';
import { tellPlanned } from './announce.ts';
import { closeBreaker, dropWaiting, judgeAll } from './breaker.ts';
import { handsOff, mayBegin } from './budget.ts';
import { closeIncident, openIncident } from './incident.ts';
import type { Order } from './input.ts';
import { giveUpMove, planMove } from './move.ts';
import { isAlive, pageOfHost } from './ledger.ts';
import { lookup, setDraining } from './lookup.ts';
import { hostNow } from './clock.ts';
import { placeBeside } from './places.ts';
import { proofFault, setProof } from './proof.ts';
import type { Rung } from './policy.ts';
import type { StopProof } from './act.ts';
import { calm, decide, tellOnce } from './turn.ts';
import type { Turn, Why } from './turn.ts';
import type { Copy, Doing } from './state.ts';
import type { VmId } from './ids.ts';
import { evacuate } from './judge.ts';
import { nameOf } from './words.ts';

type Of<K extends Order['order']> = Order & { order: K };

/** Carries an order out. One that cannot be is a decision too, which says why. */
export function takeOrder(t: Turn, by: string, order: Order): void {
  switch (order.order) {
    case 'pause':
      t.s.paused ??= { at: t.now, by, reason: order.reason ?? '' };
      dropWaiting(t, 'the fleet is paused');
      return said(t, by, order, {
        rung: 'hold',
        why: `${by} has paused the fleet: nothing is done until it is resumed.`,
      });
    case 'resume':
      delete t.s.paused;
      said(t, by, order, { rung: 'observe', why: `${by} has resumed the fleet. All is judged as it is now.` });
      return judgeAll(t, 'nothing asks for it any more');
    case 'breaker-close':
      return closeBreaker(t, by, `${by} has said so`);
    case 'drain':
      return drainHost(t, by, order);
    case 'undrain':
      return undrain(t, by, order);
    case 'repaired':
      return repaired(t, by, order);
    case 'offline':
      return offline(t, by, order);
    case 'restart':
      return move(t, by, order, 'restart-elsewhere');
    case 'terminate':
      return move(t, by, order, 'terminate');
    case 'planned-stop': {
      const vm = t.s.vms.get(order.vm);
      if (vm === undefined) return refused(t, by, order, `no VM ${order.vm} is known`);
      vm.plannedStop = t.now;
      lookup(t.s).doubtful.add(vm.id);
      return said(t, by, order, {
        vm: vm.id,
        rung: 'observe',
        why: `${by} stops VM ${nameOf(vm)}: that it ends is no failure.`,
      });
    }
    case 'close': {
      const incident = t.s.incidents.get(order.incident);
      if (incident === undefined) return refused(t, by, order, `no incident ${order.incident} is known`);
      return closeIncident(
        t,
        incident,
        'order/close',
        `${by} has closed it${order.reason === undefined ? '' : `: ${order.reason.slice(0, 200)}`}.`,
      );
    }
    case 'attest':
      return attest(t, by, order);
  }
}

function said(t: Turn, by: string, order: Order, { rung, why, ...subject }: Omit<Why, 'rule' | 'inputs'>): void {
  decide(t, { ...subject, rule: `order/${order.order}`, rung, inputs: { by }, why });
}

function refused(t: Turn, by: string, order: Order, why: string): void {
  decide(t, {
    rule: `order/${order.order}`,
    rung: 'hold',
    inputs: { by, refused: true },
    why: `The order ${order.order} by ${by} is refused: ${why}.`,
  });
}

function drainHost(t: Turn, by: string, order: Of<'drain'>): void {
  const host = t.s.hosts.get(order.host);
  if (host === undefined) return refused(t, by, order, `no host ${order.host} is known`);
  setDraining(t.s, host, { at: t.now, by: `order by ${by}`, evacuate: true });
  const { incident } = openIncident(t, `host ${host.id}`, { host: host.id, cause: 'host' }, t.now);
  said(t, by, order, {
    incident: incident.id,
    host: host.id,
    rung: 'evacuate',
    why: `${by} drains ${host.id}: it takes no VM any more, and those on it leave it.`,
  });
  tellOnce(t, incident, `draining/${host.id}/${t.now}`, {
    type: 'host.draining',
    severity: 'warning',
    host: host.id,
    summary: `${host.id} takes no VM any more, and those on it leave it.`,
  });
  evacuate(t, host);
}

/** A host takes VMs again. A rule closes it again when it sees something new, or when all is judged anew. */
function undrain(t: Turn, by: string, order: Of<'undrain'>): void {
  const host = t.s.hosts.get(order.host);
  if (host === undefined) return refused(t, by, order, `no host ${order.host} is known`);
  const { draining } = host;
  if (draining === undefined) return refused(t, by, order, `${host.id} is not draining`);
  setDraining(t.s, host, undefined);
  calm(t, 'budget-spent', host.id);
  const { incident } = openIncident(t, `host ${host.id}`, { host: host.id, cause: 'host' }, t.now);
  said(t, by, order, {
    incident: incident.id,
    host: host.id,
    rung: 'observe',
    why: `${by} ends the draining of ${host.id} (${draining.by}): it takes VMs again, and those that wait to leave it stay.`,
  });
  tellOnce(t, incident, `undrained/${host.id}/${t.now}`, {
    type: 'host.undrained',
    severity: 'info',
    host: host.id,
    summary: `${host.id} takes VMs again.`,
  });
  for (const id of t.s.moving) {
    const vm = t.s.vms.get(id);
    // What has begun is brought to its end; what a person ordered of the VM itself, or its own errors ask for, is not of the host.
    if (vm?.move === undefined || vm.move.begun || vm.home !== host.id || vm.move.rule !== draining.by) continue;
    if (t.s.incidents.get(vm.move.incident)?.cause === 'host') giveUpMove(t, vm, `${host.id} is not emptied any more`);
  }
  // A VM that could not leave because as many hosts drained as may can do so now.
  for (const other of t.s.hosts.values()) t.hosts.add(other.id);
}

function repaired(t: Turn, by: string, order: Of<'repaired'>): void {
  const host = t.s.hosts.get(order.host);
  if (host === undefined) return refused(t, by, order, `no host ${order.host} is known`);
  // What its pages say is dated by its own clock.
  host.repairedAt = hostNow(t, host.id);
  for (const vm of lookup(t.s).copiesOn(host.id))
    for (const copy of vm.copies) if (copy.host === host.id) delete copy.answered;
  for (const page of host.pages.values()) {
    page.repaired = true;
    t.s.byKey.delete(`page ${host.id} ${page.key}`);
  }
  host.corrected.clear();
  // What is foretold of the new memory is no repeat.
  for (const name of t.s.byKey.keys()) if (name.startsWith(`predicted ${host.id} `)) t.s.byKey.delete(name);
  for (const key of t.s.alerts.keys())
    if (key.startsWith(`action-failed ${host.id} page `)) calm(t, 'action-failed', key.slice('action-failed '.length));
  delete host.suspect;
  setDraining(t.s, host, undefined);
  delete host.decided;
  calm(t, 'budget-spent', host.id);
  for (const incident of lookup(t.s).incidentsAt(host.id))
    closeIncident(t, incident, 'order/repaired', `The memory of ${host.id} was replaced.`);
  said(t, by, order, {
    host: host.id,
    rung: 'observe',
    why: `${by} has repaired ${host.id}: its bad pages are history.`,
  });
  tellOnce(
    t,
    openIncident(t, `host ${host.id}`, { host: host.id, cause: 'host' }, t.now).incident,
    `repaired/${t.now}`,
    {
      type: 'host.repaired',
      severity: 'info',
      host: host.id,
      summary: `${host.id} was repaired and takes VMs again.`,
    },
  );
  judgeAll(t, `the memory of ${host.id} was replaced`);
}

/** A page that a person knows to be bad, from another tool or another host of the same board. */
function offline(t: Turn, by: string, order: Of<'offline'>): void {
  const host = t.s.hosts.get(order.host);
  if (host === undefined) return refused(t, by, order, `no host ${order.host} is known`);
  if (!host.connected) return refused(t, by, order, `the agent of ${host.id} is not here`);
  if (t.s.paused !== undefined) return refused(t, by, order, 'the fleet is paused');
  if (!mayBegin(t.s))
    return refused(t, by, order, 'something else is being done, and no more may be at a time: order it again');
  const page = host.pages.get(order.page) ?? pageOfHost(order.page);
  const { incident } = openIncident(t, `host ${host.id}`, { host: host.id, cause: 'host' }, t.now);
  const hard = order.hard === true;
  want(t, {
    kind: hard ? 'hard-offline' : 'soft-offline',
    host: host.id,
    page,
    epoch: 0,
    incident: incident.id,
    rule: 'order/offline',
    rung: 'quarantine',
    inputs: { by, page: order.page },
    why: `${by} has page ${order.page} of ${host.id} taken out of use${hard ? ', whoever uses it' : ''}.`,
  });
}

function move(t: Turn, by: string, order: Of<'restart'> | Of<'terminate'>, rung: Rung): void {
  const vm = t.s.vms.get(order.vm);
  if (vm === undefined) return refused(t, by, order, `no VM ${order.vm} is known`);
  const off = handsOff(vm);
  if (off !== undefined) return refused(t, by, order, `${nameOf(vm)} is only observed: ${off}`);
  const { incident } = openIncident(t, `order ${vm.id}`, { host: vm.home ?? '', cause: 'order', vm: vm.id }, t.now);
  said(t, by, order, { incident: incident.id, vm: vm.id, rung, why: `${by} orders ${rung} of VM ${nameOf(vm)}.` });
  delete vm.plannedStop;
  // One that is stuck is begun anew.
  if (vm.move !== undefined && vm.move.begun && vm.move.rung === rung && vm.move.step !== 'working') {
    vm.move.tried.clear();
    vm.move.failed = [];
    vm.move.again = 0;
    vm.move.rounds = 0;
    vm.move.step = 'no-target';
    calm(t, 'action-failed', vm.id);
    return;
  }
  if (planMove(t, vm, { rung, rule: `order/${order.order}`, incident: incident.id, by, wait: t.now }))
    tellPlanned(t, vm, rung, incident, t.now);
  else
    said(t, by, order, {
      vm: vm.id,
      rung: 'hold',
      why: `Something is under way with VM ${nameOf(vm)}, which is brought to its end: order it again then, if it is still wanted.`,
    });
}

/** Whether an act may still make the copy run. */
const isComing = ({ kind, host, to, epoch }: Doing, copy: Copy): boolean =>
  epoch === copy.epoch && ((kind === 'start' && host === copy.host) || (kind === 'migrate' && to === copy.host));

/** Whoever can be asked is asked: an agent that is here and sees the copy is believed before a person is. */
function seenAlive(t: Turn, vm: VmId, copy: Copy): string | undefined {
  const coming = t.s.flying.map(id => t.s.acts.get(id)).find(doing => doing?.vm === vm && isComing(doing, copy));
  if (coming !== undefined) return `its ${coming.kind} is under way, and may succeed yet: wait for its deadline`;
  if (t.s.hosts.get(copy.host)?.connected !== true || !isAlive(copy.state) || copy.state === 'starting')
    return undefined;
  return `the agent of ${copy.host} is here and sees it ${copy.state}: stop it, or take the agent's answer`;
}

/** A person says that a copy has stopped. Host and epoch have to be exactly those of the copy. */
function attest(t: Turn, by: string, order: Of<'attest'>): void {
  const vm = t.s.vms.get(order.vm);
  const copy = vm?.copies.find(c => c.host === order.host);
  if (vm === undefined || copy === undefined)
    return refused(t, by, order, `no copy of ${order.vm} is known on ${order.host}`);
  const { host, epoch } = order;
  const evidence = { by, statement: order.statement.slice(0, 500) };
  const proof: StopProof = { kind: 'attested', vm: vm.id, host, epoch, at: t.now, evidence };
  const fault =
    by === '' ? 'nobody is named' : (proofFault(t.s.policy, vm.id, copy, proof) ?? seenAlive(t, vm.id, copy));
  if (fault !== undefined) return refused(t, by, order, fault);
  // By the clock of the host: what it has said before is older, what it says from now on is newer, however wrong that is.
  setProof(t.s, copy, proof, placeBeside(t.s, host, hostNow(t, host)));
  t.vms.add(vm.id);
  decide(t, {
    vm: vm.id,
    host,
    rule: 'core/stop-proof',
    rung: 'observe',
    inputs: { proof: 'attested', epoch, by },
    why: `${by} attests that the copy of VM ${nameOf(vm)}, epoch ${epoch}, on ${host} has stopped.`,
  });
}
