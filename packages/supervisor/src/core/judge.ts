/** @module What has changed is judged by the rules, and what they say is done: told, planned, closed. */
import { want } from './acts.ts';
import { tellPlanned } from './announce.ts';
import { mayAct, mayBegin, mayDrain, waitHostTurn, waitTurn } from './budget.ts';
import { atOurs } from './clock.ts';
import type { Time } from './ids.ts';
import { closeIncident, incidentBefore, openIncident, openOf, unlocatedName } from './incident.ts';
import { allowedHostRung, allowedRung, correctedWithin, modeIs, ruleForHost, ruleForVm } from './ladder.ts';
import type { HostFacts, VmFacts } from './ladder.ts';
import { duePlannedStop, gpaOf, homeCopy, pageOfHost, isAlive, isClean, isPlannedStop, twinOf } from './ledger.ts';
import { lookup, setDraining } from './lookup.ts';
import { planMove, unwanted } from './move.ts';
import { MOVES, RUNGS } from './policy.ts';
import { unprovenCopies } from './proof.ts';
import type { HostRule, Rung, VmRule } from './policy.ts';
import { handsOff } from './budget.ts';
import type { Host, Incident, Page, State, Vm } from './state.ts';
import type { Due } from './times.ts';
import { alarm, calm, decide, tellOnce } from './turn.ts';
import type { Turn } from './turn.ts';
import { lostOf, nameOf, playbookOf, poisonedText, severityOf } from './words.ts';

const atLeast = (rung: Rung, least: Rung): boolean => RUNGS.indexOf(rung) >= RUNGS.indexOf(least);

/** What is left of a rung now: nothing is begun in a storm or while the fleet is paused. Both end in all being judged anew. */
function nowAllowed(t: Turn, vm: Vm, rung: Rung): { rung: Rung; because?: string } {
  const allowed = allowedRung(t.s.policy, vm, rung);
  if (!MOVES.has(allowed.rung)) return allowed;
  if (t.s.paused !== undefined) return { rung: 'hold', because: 'the fleet is paused' };
  return t.s.breaker.open === undefined ? allowed : { rung: 'hold', because: 'the storm breaker is open' };
}

/** Judges a VM whose facts have changed. The same facts under the same rule are no new decision. */
export function judgeVm(t: Turn, vm: Vm): void {
  const found = ruleForVm(t.s, vm);
  if (found === undefined) return;
  const { rule, facts } = found;
  const incident = openOf(t.s, vm).at(-1) ?? lastIncident(t, vm) ?? incidentOfEnd(t, vm, facts);
  noteConsequence(t, vm, facts);
  if (incident === undefined) return;
  const { rung, because } = nowAllowed(t, vm, rule.do);
  const { errors, unlocated, consumed, recursive, hypervisor, after } = facts;
  const decided = `${rule.name} ${rung} ${errors} ${unlocated} ${after?.what} ${consumed} ${recursive} ${hypervisor} ${homeCopy(vm)?.epoch}`;
  if (vm.decided === decided) {
    // Another witness may have told the address, or shown that the page is shared.
    if (atLeast(rung, 'tell')) tellErrors(t, vm);
    if (rung === 'quarantine' || MOVES.has(rung)) quarantine(t, vm, facts.pages, rule.name);
    return;
  }
  vm.decided = decided;
  decide(t, {
    incident: incident.id,
    ...(vm.home === undefined ? {} : { host: vm.home }),
    vm: vm.id,
    rule: rule.name,
    rung,
    inputs: {
      errors,
      unlocated,
      consumed,
      recursive,
      hypervisor,
      epoch: homeCopy(vm)?.epoch ?? vm.epoch,
      ...(after === undefined ? {} : { consequence: after.what, untold: after.untold }),
      ...(because === undefined ? {} : { asked: rule.do }),
    },
    why: vmSentence(vm, rule, facts, rung, because),
  });
  if (atLeast(rung, 'tell')) tellErrors(t, vm);
  if (rung === 'quarantine' || MOVES.has(rung)) quarantine(t, vm, facts.pages, rule.name);
  if (rule.drain && rung !== 'hold' && modeIs(t.s.policy, 'act') && vm.home !== undefined) {
    const host = t.s.hosts.get(vm.home);
    if (host !== undefined) drain(t, host, rule.name, false, incident);
  }
  if (MOVES.has(rung)) plan(t, vm, rule, rung, facts, incident);
}

function vmSentence(vm: Vm, rule: VmRule, { errors, after }: VmFacts, rung: Rung, because: string | undefined): string {
  const met = `VM ${nameOf(vm)} has met ${errors} distinct memory error${errors === 1 ? '' : 's'} on ${vm.home ?? '?'}`;
  const untold = after?.untold === true ? ' (it rebooted at once after an error: a panic that nobody told)' : '';
  const then = after === undefined ? '' : ` and has ${after.what}${untold}`;
  const less = because === undefined ? '' : `, though the rule says ${rule.do}: ${because}`;
  return `${met}${then}: ${rule.name} says ${rung}${less}.`;
}

/** The last incident of a VM where none is open: a consequence may come when it was closed already. */
function lastIncident(t: Turn, vm: Vm): Incident | undefined {
  return lookup(t.s)
    .incidentsOf(vm.id)
    .findLast(i => i.vm === vm.id && i.state === 'closed' && i.cause !== 'order');
}

/** One for what became of a VM, where its error has none: its host's memory was said to be replaced before that was told. */
function incidentOfEnd(t: Turn, vm: Vm, { after }: VmFacts): Incident | undefined {
  if (after === undefined || vm.home === undefined) return undefined;
  const about = { host: vm.home, cause: 'unlocated' as const, vm: vm.id };
  return openIncident(t, unlocatedName(vm.home, vm.id), about, after.at).incident;
}

/** Gives a consequence to the incident that it follows, which is told again as what it now is. */
function noteConsequence(t: Turn, vm: Vm, { after }: VmFacts): void {
  if (after === undefined) return;
  const incident = incidentBefore(t.s, vm, after.at);
  if (incident === undefined || incident.consequence === after.what) return;
  incident.consequence = after.what;
  decide(t, {
    incident: incident.id,
    vm: vm.id,
    rule: 'core/consequence',
    rung: 'observe',
    inputs: { consequence: after.what, untold: after.untold, afterMs: after.at - incident.first },
    why: `VM ${nameOf(vm)} has ${after.what} after the error: it belongs to ${incident.id}.`,
  });
}

function pageOf(t: Turn, incident: Incident): Page | undefined {
  const host = t.s.hosts.get(incident.host);
  const page = host?.pages.get(incident.page ?? '');
  if (host === undefined || page === undefined) return undefined;
  const gpa = gpaOf(host, page);
  return gpa === undefined ? page : { ...page, gpa };
}

/** Tells the owner of a VM what it has lost, once for each incident, and once more when something follows from it. */
function tellErrors(t: Turn, vm: Vm): void {
  for (const incident of openOf(t.s, vm)) {
    if (incident.cause !== 'page' && incident.cause !== 'unlocated') continue;
    const page = pageOf(t, incident);
    const lost = lostOf(page);
    const notice = {
      type: 'vm.memory.poisoned' as const,
      severity: severityOf(page, incident),
      host: incident.host,
      vm: vm.id,
      vmName: vm.name,
      summary: poisonedText(vm, page, incident),
      playbook: playbookOf(incident),
      ...(lost === undefined ? {} : { lost }),
    };
    // Each of the VMs that share a page is told.
    const of = incident.vm === vm.id ? '' : `/${vm.id}`;
    const transition = `${incident.consequence ?? 'poisoned'}${of}`;
    const isTold = incident.told.includes(transition);
    tellOnce(t, incident, transition, notice);
    if (!incident.told.includes(`poisoned${of}`)) incident.told.push(`poisoned${of}`);
    // The address may become known behind it.
    if (lost?.gpa === undefined || incident.told.includes(`located${of}`)) continue;
    if (isTold) tellOnce(t, incident, `located${of}`, { ...notice, type: 'vm.memory.located' });
    else incident.told.push(`located${of}`);
  }
}

/** Bad pages of a VM are taken out of the guest's memory, where its VMM can. */
function quarantine(t: Turn, vm: Vm, pages: readonly Page[], rule: string): void {
  const home = homeCopy(vm);
  const host = t.s.hosts.get(home?.host ?? '');
  if (!vm.canQuarantine || home === undefined || host?.connected !== true) return;
  for (const entry of pages) {
    const gpa = gpaOf(host, entry);
    if (gpa === undefined || entry.quarantined === true || twinOf(host, entry)?.quarantined === true) continue;
    const incident = openOf(t.s, vm).at(-1);
    const known = [...t.s.acts.values()].some(
      a => a.kind === 'quarantine' && a.page === entry.key && a.host === home.host && a.epoch === home.epoch,
    );
    if (incident === undefined || known) continue;
    // One after the other: the answer to one has the VM judged again.
    if (!mayAct(t.s, vm)) return waitTurn(t.s, vm);
    want(t, {
      kind: 'quarantine',
      host: home.host,
      vm,
      page: { ...entry, gpa },
      epoch: home.epoch,
      incident: incident.id,
      rule,
      rung: 'quarantine',
      inputs: { page: entry.key, gpa },
      why: `The guest page ${gpa} of VM ${nameOf(vm)} is bad: its VMM takes it out of the guest's memory.`,
    });
  }
}

/** Plans what the rule says. Where the VM still runs its owner is told before, and has the time that the rule gives. */
function plan(t: Turn, vm: Vm, rule: VmRule, rung: Rung, facts: VmFacts, incident: Incident): void {
  const down = facts.after !== undefined && facts.after.what !== 'rebooted';
  const host = t.s.hosts.get(vm.home ?? '');
  const ended = host === undefined ? 0 : atOurs(host, facts.after?.at ?? 0);
  const wait: Time = down ? Math.min(ended, t.now) + rule.settle : t.now + rule.notice;
  // Its owner would be told in one breath that it is done and that it is not.
  if (vm.move === undefined && unwanted(t, vm, '') !== undefined) return;
  const planned = planMove(t, vm, { rung, rule: rule.name, incident: incident.id, by: '', wait });
  if (!planned) return;
  tellPlanned(t, vm, rung, incident, wait);
}

/** Judges a host whose facts have changed. */
export function judgeHost(t: Turn, host: Host): void {
  const found = ruleForHost(t.s, host);
  if (found === undefined) return;
  const { rule, facts } = found;
  const rung = allowedHostRung(t.s.policy, rule.do);
  const { errors, sameDimm, corrected, where, suspect } = facts;
  const wants = rung === 'drain' || rung === 'evacuate';
  const held = wants && (t.s.breaker.open !== undefined || t.s.paused !== undefined || !mayDrain(t.s, host));
  // Corrected errors are told by powers of two, so that a host with thousands a second is no flood.
  const decided = `${rule.name} ${rung} ${errors} ${sameDimm} ${Math.floor(Math.log2(corrected + 1))} ${where} ${suspect} ${held}`;
  if (host.decided === decided) return;
  host.decided = decided;
  const { incident } = hostIncident(t, host, facts, rule);
  decide(t, {
    incident: incident.id,
    host: host.id,
    rule: rule.name,
    rung: held ? 'hold' : rung,
    inputs: {
      errors,
      sameDimm,
      corrected,
      ...(where === '' ? {} : { where }),
      suspect,
      ...(rule.when.silent === undefined ? {} : { silentSeconds: Math.floor(facts.silentMs / 1000) }),
      ...(rung === rule.do ? {} : { asked: rule.do }),
    },
    why: hostSentence(host, rule, facts, held ? 'hold' : rung),
  });
  if (held) {
    if (t.s.breaker.open === undefined && t.s.paused === undefined)
      alarm(t, 'budget-spent', host.id, {
        incident: incident.id,
        host: host.id,
        summary: `${host.id} should be drained, and as many hosts drain already as the policy allows.`,
      });
    return;
  }
  calm(t, 'budget-spent', host.id);
  if (rung === 'tell') tellHost(t, host, incident);
  if (wants) drain(t, host, rule.name, rung === 'evacuate', incident);
}

function hostIncident(t: Turn, host: Host, facts: HostFacts, rule: HostRule): { incident: Incident; opened: boolean } {
  const predicted = rule.when.corrected !== undefined;
  const cause = predicted ? ('predicted' as const) : ('host' as const);
  const name = predicted ? `predicted ${host.id} ${facts.where}` : `host ${host.id}`;
  return openIncident(t, name, { host: host.id, cause }, t.now);
}

function hostSentence(host: Host, rule: HostRule, facts: HostFacts, rung: string): string {
  const parts = [`${facts.errors} bad page${facts.errors === 1 ? '' : 's'}`];
  if (rule.when.corrected !== undefined) parts.push(`${facts.corrected} corrected errors in ${facts.where || 'it'}`);
  if (facts.suspect) parts.push('a page that its kernel could not take away');
  if (rule.when.silent !== undefined) parts.push(`no agent for ${Math.floor(facts.silentMs / 1000)} s`);
  return `${host.id} has ${parts.join(', ')}: ${rule.name} says ${rung}.`;
}

/** The same of its host is told once a day, however many of its rows and pages weaken. */
const FORETOLD_MS = 86_400_000;

function wasForetold(t: Turn, host: Host, vm: Vm): boolean {
  for (const { cause, told, openedAt } of lookup(t.s).incidentsAt(host.id)) {
    if (cause !== 'predicted' || openedAt < atOurs(host, host.repairedAt) || t.now - openedAt > FORETOLD_MS) continue;
    if (told.includes(`predicted/${vm.id}`)) return true;
  }
  return false;
}

/** Owners of the VMs of a host that may fail are told, where the host's errors are only predicted to hurt. */
function tellHost(t: Turn, host: Host, incident: Incident): void {
  for (const vm of lookup(t.s).copiesOn(host.id)) {
    if (vm.home !== host.id || wasForetold(t, host, vm)) continue;
    tellOnce(t, incident, `predicted/${vm.id}`, {
      type: 'vm.memory.predicted',
      severity: 'info',
      host: host.id,
      vm: vm.id,
      vmName: vm.name,
      summary: `The host of VM ${nameOf(vm)} shows signs of failing memory. The VM has lost nothing so far.`,
      playbook: 'predicted.md',
    });
  }
}

/** Closes a host to new VMs; with `evacuate` those that are there leave it. Refused where too many drain already. */
function drain(t: Turn, host: Host, by: string, evacuate: boolean, incident: Incident): void {
  if (host.draining !== undefined) {
    if (evacuate && !host.draining.evacuate) host.draining.evacuate = true;
    return;
  }
  if (t.s.breaker.open !== undefined || t.s.paused !== undefined || !mayDrain(t.s, host)) {
    alarm(t, 'budget-spent', host.id, {
      incident: incident.id,
      host: host.id,
      summary: `${host.id} should be drained, and no more hosts may drain now.`,
    });
    return;
  }
  setDraining(t.s, host, { at: t.now, by, evacuate });
  tellOnce(t, incident, `draining/${host.id}/${t.now}`, {
    type: 'host.draining',
    severity: 'warning',
    host: host.id,
    summary: `${host.id} takes no VM any more${evacuate ? ', and those on it leave it' : ''}: ${by}.`,
  });
  t.hosts.add(host.id);
}

/** Has the VMs of a draining host leave it: live where they are clean, else by a cold restart. */
export function evacuate(t: Turn, host: Host): void {
  const { draining } = host;
  if (draining?.evacuate !== true) return;
  const ordered = draining.by.startsWith('order by ');
  if (!ordered && !modeIs(t.s.policy, 'act')) return;
  // What rules want is planned when it may be begun: before, the owner would be told of what may never be.
  const held = !ordered && (t.s.paused !== undefined || t.s.breaker.open !== undefined);
  let left = 0;
  for (const vm of lookup(t.s).copiesOn(host.id)) {
    const home = homeCopy(vm);
    if (vm.home !== host.id || home === undefined || !isAlive(home.state) || isPlannedStop(vm, t.now)) continue;
    left++;
    if (vm.move !== undefined || handsOff(vm) !== undefined || held) continue;
    const clean = isClean(t.s, vm) && host.connected && home.state === 'running';
    // What may not be begun is not planned: its owner would be told of it, and that it is not done, at every look.
    if (clean && ((vm.noMigrate ?? 0) > t.now || unprovenCopies(vm).some(copy => copy !== home))) continue;
    const { incident } = openIncident(t, `host ${host.id}`, { host: host.id, cause: 'host' }, t.now);
    const rung: Rung = clean ? 'migrate' : 'restart-elsewhere';
    const planned = planMove(t, vm, {
      rung,
      rule: draining.by,
      incident: incident.id,
      by: ordered ? draining.by : '',
      wait: t.now,
    });
    if (!planned) continue;
    decide(t, {
      incident: incident.id,
      host: host.id,
      vm: vm.id,
      rule: draining.by,
      rung,
      inputs: { clean, connected: host.connected, state: home.state },
      why: `VM ${nameOf(vm)} leaves ${host.id}: ${clean ? 'it is clean, and moves while it runs' : 'it has bad pages or cannot be asked, and is started anew'}.`,
    });
    tellPlanned(t, vm, rung, incident, t.now);
  }
  if (left > 0 || draining.told === true) return;
  draining.told = true;
  const { incident } = openIncident(t, `host ${host.id}`, { host: host.id, cause: 'host' }, t.now);
  tellOnce(t, incident, `drained/${draining.at}`, {
    type: 'host.drained',
    severity: 'info',
    host: host.id,
    summary: `No VM runs on ${host.id} any more; it can be repaired.`,
  });
  closeIncident(t, incident, 'core/drained', `${host.id} is empty.`);
}

/** When {@link evacuate} finds that a VM of a host may be moved, or is not stopped on purpose. */
export function dueEvacuation(s: State, host: Host, due: Due): void {
  for (const vm of lookup(s).copiesOn(host.id)) {
    if (vm.noMigrate !== undefined) due(vm.noMigrate);
    duePlannedStop(vm, due);
  }
}

/** Pages with many corrected errors: the kernel of the host moves their content before it is lost. */
export function judgePages(t: Turn, host: Host): void {
  for (const rule of t.s.policy.rules) {
    if (rule.of !== 'page') continue;
    for (const [name, part] of host.corrected) {
      if (part.by !== 'page' || part.rung !== undefined) continue;
      const count = correctedWithin(part, t.now, rule.when.within);
      if (count < rule.when.corrected) continue;
      const act = rule.do === 'soft-offline' && modeIs(t.s.policy, 'act') && host.connected;
      // It is judged when its agent is here again.
      if (rule.do === 'soft-offline' && modeIs(t.s.policy, 'act') && !host.connected) continue;
      if (act && (t.s.paused !== undefined || t.s.breaker.open !== undefined)) continue;
      if (act && !mayBegin(t.s)) {
        waitHostTurn(t.s, host.id);
        continue;
      }
      part.rung = rule.do;
      const about = { host: host.id, cause: 'predicted' as const, page: name };
      const { incident } = openIncident(t, `predicted ${host.id} ${name}`, about, t.now);
      const why = `Page ${name} of ${host.id} had ${count} corrected errors: ${rule.name} says ${rule.do}.`;
      const said = {
        incident: incident.id,
        host: host.id,
        rule: rule.name,
        inputs: { page: name, corrected: count },
        why,
      };
      if (!act) {
        const tells = rule.do !== 'observe' && modeIs(t.s.policy, 'notify');
        decide(t, { ...said, rung: tells ? 'tell' : 'observe' });
        if (tells) tellHost(t, host, incident);
        continue;
      }
      want(t, { ...said, kind: 'soft-offline', page: pageOfHost(name), epoch: 0, rung: 'quarantine' });
    }
  }
}
