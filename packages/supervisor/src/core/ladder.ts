/** @module The ladder: which rule of the policy holds for a VM, a host or a page, and which rung that is. The first that holds decides. */
import { handsOff } from './budget.ts';
import { atOurs } from './clock.ts';
import { silence } from './host.ts';
import { consequenceOf } from './incident.ts';
import type { After } from './incident.ts';
import type { Time } from './ids.ts';
import { countVm, distinctPages, homeCopy } from './ledger.ts';
import type { VmCount } from './ledger.ts';
import { MODES, MOVES, RUNGS } from './policy.ts';
import type { HostRule, HostRung, HostWhen, Policy, Rung, VmRule, VmWhen } from './policy.ts';
import type { Corrected, Host, State, Vm } from './state.ts';
import { lastOf, over, QUARTER_MS } from './times.ts';
import type { Due } from './times.ts';

/** Corrected errors are counted over so long where a rule does not say. */
const DAY_MS = 86_400_000;
/** For so long a consequence counts although the VM runs again; later its present state does. */
const PRESENT_MS = 600_000;

export interface VmFacts extends VmCount {
  after: After | undefined;
}

/** What is the case for a VM, seen over so much time. */
function vmFacts(s: State, vm: Vm, { do: rung, when: { within } }: VmRule): VmFacts | undefined {
  const home = homeCopy(vm);
  const host = home === undefined ? undefined : s.hosts.get(home.host);
  if (home === undefined || host === undefined) return undefined;
  // A reset has given it fresh memory: what it met before is no reason for another.
  const fresh = rung === 'reboot' ? vm.settled : 0;
  const since = Math.max(home.since, fresh, within === undefined ? 0 : s.now - within);
  const after = consequenceOf(s, vm);
  // What happened long ago to a VM that runs is history: somebody has seen to it.
  const history = after !== undefined && s.now - atOurs(host, after.at) > PRESENT_MS && home.state === 'running';
  const answered = rung === 'reboot' ? home.answered : undefined;
  return { ...countVm(vm, host, since, answered), after: history ? undefined : after };
}

function vmHolds(when: VmWhen, facts: VmFacts): boolean {
  if (when.errors !== undefined && facts.errors < when.errors) return false;
  if (when.unlocated !== undefined && facts.unlocated < when.unlocated) return false;
  if (when.consequence !== undefined && (facts.after === undefined || !when.consequence.includes(facts.after.what)))
    return false;
  if (when.consumed !== undefined && facts.consumed !== when.consumed) return false;
  if (when.recursive !== undefined && facts.recursive !== when.recursive) return false;
  return when.hypervisor === undefined || facts.hypervisor === when.hypervisor;
}

/** Whether anything has happened to a VM since it was started, or reset last: what is not the case is no reason to act. */
function hasMet(rule: VmRule, { errors, after, consumed, recursive, hypervisor }: VmFacts): boolean {
  if (errors > 0 || after !== undefined) return true;
  return rule.do !== 'reboot' && (consumed || recursive || hypervisor);
}

/** The first rule that holds for a VM, with what it saw. */
export function ruleForVm(s: State, vm: Vm): { rule: VmRule; facts: VmFacts } | undefined {
  for (const rule of s.policy.rules) {
    if (rule.of !== 'vm') continue;
    const facts = vmFacts(s, vm, rule);
    if (facts === undefined || !vmHolds(rule.when, facts)) continue;
    if (MOVES.has(rule.do) && !hasMet(rule, facts)) continue;
    return { rule, facts };
  }
  return undefined;
}

/** What the mode of the policy and the owner of the VM leave of a rung, and why it is less. */
export function allowedRung(policy: Policy, vm: Vm, rung: Rung): { rung: Rung; because?: string } {
  if (policy.mode === 'observe') return { rung: 'observe', because: 'the policy observes only' };
  const high = RUNGS.indexOf(rung) > RUNGS.indexOf('tell');
  if (policy.mode === 'notify') return high ? { rung: 'tell', because: 'the policy tells only' } : { rung };
  const off = handsOff(vm);
  return high && off !== undefined ? { rung: 'tell', because: off } : { rung };
}

/** Whether a mode is at least another. */
export function modeIs(policy: Policy, least: Policy['mode']): boolean {
  return MODES.indexOf(policy.mode) >= MODES.indexOf(least);
}

/** Corrected errors of a part of the host within a time. */
export function correctedWithin({ counts }: Corrected, now: Time, within: Time): number {
  const first = Math.floor((now - within) / QUARTER_MS);
  let sum = 0;
  for (const [quarter, count] of counts) if (quarter >= first) sum += count;
  return sum;
}

export interface HostFacts {
  errors: number;
  /** The most in one DIMM. */
  sameDimm: number;
  corrected: number;
  where: string;
  suspect: boolean;
  silentMs: Time;
}

/** What is the case for a host, as a rule asks for it. */
function hostFacts(s: State, host: Host, when: HostWhen): HostFacts {
  const since = Math.max(host.repairedAt, when.within === undefined ? 0 : s.now - when.within);
  const pages = distinctPages(host, since);
  const dimms = new Map<string, number>();
  for (const { dimm } of pages) if (dimm !== undefined) dimms.set(dimm, (dimms.get(dimm) ?? 0) + 1);
  let corrected = 0;
  let where = '';
  if (when.corrected !== undefined) {
    for (const [name, part] of host.corrected) {
      if (part.by !== (when.correctedBy ?? 'host')) continue;
      const count = correctedWithin(part, s.now, when.within ?? DAY_MS);
      // Of equals the first by name, in whatever order they came.
      if (count > corrected || (count === corrected && name < where)) [corrected, where] = [count, name];
    }
  }
  return {
    errors: pages.length,
    sameDimm: Math.max(0, ...dimms.values()),
    corrected,
    where,
    suspect: isSuspect(host),
    silentMs: silentFor(s, host),
  };
}

function hostHolds(when: HostWhen, facts: HostFacts): boolean {
  if (when.errors !== undefined && facts.errors < when.errors) return false;
  if (when.sameDimm !== undefined && facts.sameDimm < when.sameDimm) return false;
  if (when.corrected !== undefined && facts.corrected < when.corrected) return false;
  if (when.suspect !== undefined && facts.suspect !== when.suspect) return false;
  return when.silent === undefined || facts.silentMs >= when.silent;
}

const isSuspect = (host: Host): boolean => host.suspect !== undefined;
const silentFor = (s: State, host: Host): Time => (host.boot === undefined ? 0 : silence(host, s.now));

/** What is known without counting: most rules do not hold of most hosts, which are judged often. */
function mayHold(s: State, host: Host, when: HostWhen): boolean {
  const { errors = 0, sameDimm = 0, corrected = 0 } = when;
  if (host.pages.size < Math.max(errors, sameDimm) || (corrected > 0 && host.corrected.size === 0)) return false;
  if (when.suspect !== undefined && when.suspect !== isSuspect(host)) return false;
  return when.silent === undefined || silentFor(s, host) >= when.silent;
}

/** The first rule that holds for a host, with what it saw. */
export function ruleForHost(s: State, host: Host): { rule: HostRule; facts: HostFacts } | undefined {
  for (const rule of s.policy.rules) {
    if (rule.of !== 'host' || !mayHold(s, host, rule.when)) continue;
    const facts = hostFacts(s, host, rule.when);
    if (hostHolds(rule.when, facts)) return { rule, facts };
  }
  return undefined;
}

/** When what {@link ruleForHost} counts gets too old for a rule. */
export function dueWindows(s: State, host: Host, due: Due): void {
  for (const { of, when } of s.policy.rules) {
    if (of !== 'host') continue;
    if (when.within !== undefined)
      for (const { times } of host.pages.values()) due(over((lastOf(times) ?? 0) + when.within));
    if (when.corrected === undefined) continue;
    for (const { counts } of host.corrected.values())
      for (const quarter of counts.keys()) due((quarter + 1) * QUARTER_MS + (when.within ?? DAY_MS));
  }
}

/** What the mode of the policy leaves of a host's rung. */
export function allowedHostRung(policy: Policy, rung: HostRung): HostRung {
  if (policy.mode === 'observe') return 'observe';
  return policy.mode === 'notify' && rung !== 'observe' ? 'tell' : rung;
}
