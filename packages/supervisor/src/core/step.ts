/** @module The one function: what the core wants of an input. No clock, no chance, nothing but its state. */
import { expireActs, isFlying, land, takeResult, want } from './acts.ts';
import { tellWithdrawn } from './announce.ts';
import { mayAct, mayStopDouble, nextTurn, waitTurn } from './budget.ts';
import { coolBreaker, judgeAll, watchBreaker } from './breaker.ts';
import { hostNow, noteClock } from './clock.ts';
import { checkCounters } from './counters.ts';
import { canonical, sha256 } from './hash.ts';
import {
  applyPages,
  takeAgent,
  takeHostReport,
  takeSource,
  watchOfflines,
  watchSilence,
  watchSources,
  startLife,
} from './host.ts';
import { closeQuiet, openIncident } from './incident.ts';
import type { HostId } from './ids.ts';
import type { Effect, Input } from './input.ts';
import { evacuate, judgeHost, judgePages, judgeVm } from './judge.ts';
import { advanceMoves } from './move.ts';
import { takeOrder } from './orders.ts';
import { forgetLookup, lookup } from './lookup.ts';
import { noteSpool, placeBeside, placeOf } from './places.ts';
import type { Policy } from './policy.ts';
import { takeRow } from './rows.ts';
import type { Row } from './said.ts';
import { takeEvent } from './seen.ts';
import type { Copy, State, Vm } from './state.ts';
import { decide } from './turn.ts';
import { hostsDue, noteDues } from './due.ts';
import type { Turn } from './turn.ts';
import { askAgain, doubledVms, staleHosts, takeVmReport, watchCopies } from './vm.ts';
import { nameOf } from './words.ts';

/**
 * Takes one input into the state, which it owns, and says what is wanted now. The same inputs in the same order give the same
 * effects (I12); a row that was taken before gives none (I3).
 * @returns acts, notices and decisions, in their order; each act and notice after the decision behind it
 * @example
 * const state = newState();
 * for (const effect of step(state, { input: 'tick', at: Date.now() })) …
 */
export function step(state: State, input: Input): Effect[] {
  state.now = Math.max(state.now, input.at);
  const t: Turn = {
    s: state,
    now: state.now,
    out: [],
    vms: new Set(),
    hosts: new Set(),
    awake: input.input === 'tick',
    withdrawn: [],
  };
  const found = lookup(state);
  for (const host of hostsOf(input, state)) found.touch(host);
  let ended = false;
  try {
    take(t, input);
    for (const host of settle(t)) found.touch(host);
    tellWithdrawn(t);
    if (input.input === 'tick') noteDues(state);
    ended = true;
  } finally {
    if (!ended) forgetLookup(state);
  }
  return t.out;
}

/** Hosts that an input is about; all where it may be about any. */
function hostsOf(input: Input, { hosts }: State): Iterable<HostId> {
  switch (input.input) {
    case 'row':
      return [input.row.host];
    case 'agent':
    case 'result':
      return [input.host];
    case 'order':
      return 'host' in input.order ? [input.order.host] : [];
    case 'policy':
      return hosts.keys();
    default:
      return [];
  }
}

function take(t: Turn, input: Input): void {
  switch (input.input) {
    case 'row':
      if (!takeRow(t.s, input.row)) return noteClock(t, input.row);
      if (noteSpool(t.s, input.row)) startLife(t, input.row.host);
      noteClock(t, input.row);
      return said(t, input.row);
    case 'order':
      return takeOrder(t, input.by, input.order);
    case 'policy':
      return takePolicy(t, input.by, input.policy, input.site === true);
    case 'agent':
      if (takeAgent(t, input.host, input.connected) && input.connected) askAgain(t.s, input.host);
      return;
    case 'fences':
      t.s.fences = input.hosts;
      return;
    case 'act': {
      const doing = t.s.acts.get(input.action);
      if (doing === undefined || !isFlying(doing)) return;
      if (input.state === 'sent') doing.state = 'sent';
      else land(t, doing, 'unknown', input.reason);
      return;
    }
    case 'result':
      return takeResult(
        t,
        { host: input.host, teller: 'fence-agent' },
        input.result,
        placeBeside(t.s, input.host, hostNow(t, input.host)),
      );
    case 'tick':
      expireActs(t);
      coolBreaker(t);
      return watch(t);
  }
}

/** What time itself brings: at the hosts at which it may bring anything. */
function watch(t: Turn): void {
  const hosts = hostsDue(t.s, t.hosts);
  watchSilence(t, hosts);
  watchSources(t, hosts);
  watchOfflines(t, hosts);
  checkCounters(t, hosts);
  closeQuiet(t);
  for (const id of doubledVms(t.s)) t.vms.add(id);
  for (const host of hosts) if (host.draining?.evacuate === true) t.hosts.add(host.id);
}

function said(t: Turn, row: Row): void {
  const { said: what, host } = row;
  switch (what.kind) {
    case 'event':
      return takeEvent(t, row, what);
    case 'source':
      return takeSource(t, row, what);
    case 'host':
      return takeHostReport(t, row, what);
    case 'vm':
      return takeVmReport(t, row, what);
    case 'result':
      return takeResult(t, { host, teller: 'agent' }, what, placeOf(t.s, row));
  }
}

/** A policy is known by its name, its version and what it says: two that differ are never taken for one. */
export function policyId(policy: Policy): string {
  return `${policy.name}@${policy.version}#${sha256(canonical(policy)).slice(0, 12)}`;
}

/** One that the configuration names again, as at each start, sets nothing: what a person has set since stands. */
function takePolicy(t: Turn, by: string, policy: Policy, site: boolean): void {
  const id = policyId(policy);
  if (site && t.s.sitePolicy === id) return;
  if (site) t.s.sitePolicy = id;
  t.s.policyBy = { by, at: t.now, site };
  if (id === t.s.policyId) return;
  t.s.policy = policy;
  t.s.policyId = id;
  decide(t, {
    rule: 'core/policy',
    rung: policy.mode,
    inputs: { by, mode: policy.mode, rules: policy.rules.length },
    why: `${by} has set the policy ${id}. All is judged by it as it is now.`,
  });
  judgeAll(t, `the policy has changed to ${policy.name}, which does not ask for it`);
}

const NONE: readonly string[] = [];
/** Names in their order, so that the order in which things have changed makes no difference. Most steps change nothing. */
const inOrder = (names: ReadonlySet<string>): readonly string[] => (names.size === 0 ? NONE : [...names].toSorted());

/**
 * Judges what has changed, until nothing more changes by it, and takes what is under way further.
 * @returns the hosts that were judged, or are to be
 */
function settle(t: Turn): ReadonlySet<HostId> {
  watchBreaker(t);
  const turn = nextTurn(t.s);
  if (turn.vm !== undefined) t.vms.add(turn.vm);
  if (turn.host !== undefined) t.hosts.add(turn.host);
  const touched = new Set<string>();
  const { doubtful } = lookup(t.s);
  for (let round = 0; round < 4 && (round === 0 || t.vms.size + t.hosts.size > 0); round++) {
    const vms = inOrder(t.vms);
    const hosts = inOrder(t.hosts);
    for (const id of hosts) touched.add(id);
    if (vms.length + hosts.length > 0) t.awake = true;
    t.vms.clear();
    t.hosts.clear();
    for (const id of vms) {
      doubtful.add(id);
      const vm = t.s.vms.get(id);
      if (vm !== undefined) judgeOne(t, vm);
    }
    for (const id of hosts) {
      const host = t.s.hosts.get(id);
      if (host === undefined) continue;
      judgeHost(t, host);
      evacuate(t, host);
    }
    if (t.s.moving.length > 0) advanceMoves(t);
    else doubtful.clear();
  }
  // A VM that waits goes before a page: it may be down.
  for (const id of inOrder(touched)) {
    const host = t.s.hosts.get(id);
    if (host === undefined) continue;
    judgePages(t, host);
    applyPages(t, host);
  }
  for (const id of t.hosts) touched.add(id);
  return touched;
}

function judgeOne(t: Turn, vm: Vm): void {
  judgeVm(t, vm);
  const idle = vm.move?.begun !== true;
  for (const copy of watchCopies(t, vm)) if (idle) stopStray(t, vm, copy);
  if (idle) for (const copy of staleHosts(t.s, vm)) teach(t, vm, copy);
}

/** A host runs a copy again that we have replaced: it is stopped there. */
function stopStray(t: Turn, vm: Vm, copy: Copy): void {
  if (t.s.policy.mode !== 'act' || t.s.hosts.get(copy.host)?.connected !== true) return;
  if (!mayStopDouble(t.s)) return;
  // Its agent may have been told of a newer epoch than its copy is of, and refuses what is older.
  copy.epoch = vm.epoch;
  const { incident } = openIncident(t, `order ${vm.id}`, { host: copy.host, cause: 'order', vm: vm.id }, t.now);
  want(t, {
    kind: 'stop',
    host: copy.host,
    vm,
    epoch: copy.epoch,
    incident: incident.id,
    urgent: true,
    rule: 'core/second-copy',
    rung: 'hold',
    inputs: { home: vm.home ?? '', homeEpoch: vm.epoch },
    why: `VM ${nameOf(vm)} runs on ${vm.home ?? '?'} in epoch ${vm.epoch}; its old copy on ${copy.host} is stopped.`,
  });
}

/** A host that had an older copy learns of the newer epoch, and does not start the VM by itself. */
function teach(t: Turn, vm: Vm, copy: Copy): void {
  if (t.s.policy.mode !== 'act') return;
  if (copy.taught === vm.epoch) return;
  if (!mayAct(t.s, vm)) return waitTurn(t.s, vm);
  const { incident } = openIncident(t, `order ${vm.id}`, { host: copy.host, cause: 'order', vm: vm.id }, t.now);
  const doing = want(t, {
    kind: 'autostart-off',
    host: copy.host,
    vm,
    epoch: vm.epoch,
    incident: incident.id,
    rule: 'core/old-host',
    rung: 'observe',
    inputs: { home: vm.home ?? '', told: copy.told },
    why: `${copy.host} learns that VM ${nameOf(vm)} is in epoch ${vm.epoch} on ${vm.home ?? '?'}: it has to refuse what is older.`,
  });
  if (doing !== undefined) copy.taught = vm.epoch;
}
