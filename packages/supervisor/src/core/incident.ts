/** @module Incidents: one for each host, page and cause. Witnesses join them, repeats are counted, and what follows belongs to them. */
import type { ActKind } from './act.ts';
import type { HostId, IncidentId, Time, VmId } from './ids.ts';
import { errorBefore, homeCopy, isPlannedStop, ownersOf, twinOf } from './ledger.ts';
import { byNumber, lookup } from './lookup.ts';
import type { Consequence } from './policy.ts';
import type { SeenEvent } from './said.ts';
import type { Aftermath, Host, Incident, Page, State, Vm } from './state.ts';
import { AT_ONCE_MS, JOIN_MS, LATE_MS, near, over } from './times.ts';
import type { Due } from './times.ts';
import { decide } from './turn.ts';
import type { Turn } from './turn.ts';

const MAX_WITNESSES = 40;
const MAX_REMARKS = 8;
const MAX_AFTER = 16;
/** Closed incidents that are kept. */
const MAX_CLOSED = 5000;

/** What an incident of a page is known by. */
export const pageName = (host: HostId, page: string): string => `page ${host} ${page}`;
/** What that of a VM's errors without an address is known by. */
export const unlocatedName = (host: HostId, vm: VmId): string => `unlocated ${host} ${vm}`;

/** Opens an incident, or gives the one that is known for what it is about. */
export function openIncident(
  t: Turn,
  name: string,
  about: Pick<Incident, 'host' | 'cause' | 'page' | 'vm'>,
  when: Time,
): { incident: Incident; opened: boolean } {
  const known = t.s.incidents.get(t.s.byKey.get(name) ?? '');
  if (known !== undefined && (known.state === 'open' || about.cause === 'page' || about.cause === 'predicted'))
    return { incident: known, opened: false };
  t.s.lastIncident++;
  const incident: Incident = {
    id: `inc-${t.s.lastIncident}`,
    ...about,
    state: 'open',
    openedAt: t.now,
    first: when,
    last: when,
    witnesses: new Map(),
    remarks: [],
    told: [],
  };
  t.s.incidents.set(incident.id, incident);
  lookup(t.s).incident(incident);
  t.s.byKey.set(name, incident.id);
  return { incident, opened: true };
}

/** A witness joins an incident. A storm of the same only counts. */
export function join(incident: Incident, what: string, when: Time, count: number): void {
  incident.first = Math.min(incident.first, when);
  incident.last = Math.max(incident.last, when);
  const known = incident.witnesses.get(what);
  if (known === undefined) {
    if (incident.witnesses.size < MAX_WITNESSES) incident.witnesses.set(what, { count, first: when, last: when });
    return;
  }
  known.count += count;
  known.first = Math.min(known.first, when);
  known.last = Math.max(known.last, when);
}

/** What a witness is called: `source event`. */
export const witness = (seen: SeenEvent): string => `${seen.source} ${seen.event.name}`;

/** The incident of a page that a witness named; opened where it is the first. */
export function pageIncident(t: Turn, host: Host, page: Page, seen: SeenEvent, when: Time): Incident {
  const { s } = t;
  const name = pageName(host.id, page.key);
  const count = seen.count ?? 1;
  const known = s.incidents.get(s.byKey.get(name) ?? '');
  if (known !== undefined) {
    join(known, witness(seen), when, count);
    // It is hit again: what follows belongs to it, and nobody is told twice.
    if (known.state === 'closed' && t.now - when <= LATE_MS) reopen(t.s, known);
    addOwners(s, known, page);
    return known;
  }
  const twin = twinOf(host, page);
  const shared = twin === undefined ? undefined : s.byKey.get(pageName(host.id, twin.key));
  const [vm] = ownersOf(page);
  const joined = s.incidents.get(shared ?? '') ?? promoted(s, host, page, vm);
  if (joined !== undefined) {
    addOwners(s, joined, page);
    s.byKey.set(name, joined.id);
    // The entry with the frame says more than that of the guest address alone.
    if (joined.page === undefined || page.pfn !== undefined) joined.page = page.key;
    join(joined, witness(seen), when, count);
    return joined;
  }
  const about = { host: host.id, cause: 'page' as const, page: page.key, ...(vm === undefined ? {} : { vm }) };
  const { incident, opened } = openIncident(t, name, about, when);
  join(incident, witness(seen), when, count);
  addOwners(s, incident, page);
  if (opened) noteNew(t, host.id, when);
  return incident;
}

function addOwners(s: State, incident: Incident, page: Page): void {
  for (const owner of ownersOf(page)) {
    if (incident.vm === undefined) incident.vm = owner;
    else if (incident.vm !== owner && incident.also?.includes(owner) !== true)
      incident.also = [...(incident.also ?? []), owner];
  }
  lookup(s).incident(incident);
}

/** An incident without an address becomes that of the page that is joined later, when the page explains all of it. */
function promoted(s: State, host: Host, page: Page, vm: VmId | undefined): Incident | undefined {
  if (vm === undefined) return undefined;
  const incident = openUnlocated(s, host.id, vm);
  if (incident === undefined || !explains(s, host, page, vm)) return undefined;
  s.byKey.delete(unlocatedName(host.id, vm));
  incident.cause = 'page';
  return incident;
}

function openUnlocated(s: State, host: HostId, vm: VmId): Incident | undefined {
  const incident = s.incidents.get(s.byKey.get(unlocatedName(host, vm)) ?? '');
  return incident?.state === 'open' ? incident : undefined;
}

/** Whether every error without an address of an open incident came near a witness of the page. */
function explains(s: State, host: Host, page: Page, vm: VmId): boolean {
  const incident = openUnlocated(s, host.id, vm);
  const of = s.vms.get(vm);
  if (incident === undefined || of === undefined) return false;
  return [...(of.met.get(host.id)?.unlocated ?? new Map<number, [Time, Time]>()).values()].every(
    ([a, b]) => b < incident.first || a > incident.last || near(page.times, a) || near(page.times, b),
  );
}

/** When a page is joined to a VM whose error without an address has its own incident: that one is absorbed. */
export function absorb(t: Turn, host: Host, page: Page): void {
  for (const vm of ownersOf(page)) absorbOf(t, host, page, vm);
}

function absorbOf(t: Turn, host: Host, page: Page, vm: VmId): void {
  const into = t.s.incidents.get(t.s.byKey.get(pageName(host.id, page.key)) ?? '');
  const open = openUnlocated(t.s, host.id, vm);
  if (into === undefined || open === undefined || open === into || !explains(t.s, host, page, vm)) return;
  t.s.byKey.delete(unlocatedName(host.id, vm));
  into.vm ??= vm;
  lookup(t.s).incident(into);
  absorbInto(t.s, open, into);
}

/** One incident is found to be another: it gives away its witnesses, and what was told of it is not told again. */
export function absorbInto(s: State, from: Incident, into: Incident): void {
  from.state = 'absorbed';
  lookup(s).ended(from);
  from.absorbedBy = into.id;
  for (const [what, { count, first, last }] of from.witnesses) {
    join(into, what, first, count);
    join(into, what, last, 0);
  }
  for (const told of from.told) if (!into.told.includes(told)) into.told.push(told);
  if (into.consequence === undefined && from.consequence !== undefined) into.consequence = from.consequence;
}

/** Two entries of the ledger are found to be one page: their incidents become one, that which was told or came first. */
export function mergeTwins(t: Turn, host: Host, page: Page): void {
  const twin = twinOf(host, page);
  if (twin === undefined) return;
  const names = [page, twin].map(({ key }) => pageName(host.id, key));
  const [a, b] = names.map(name => t.s.incidents.get(t.s.byKey.get(name) ?? ''));
  if (a === undefined || b === undefined || a === b) return;
  const older = Number(a.id.slice(4)) < Number(b.id.slice(4));
  const [into, from] =
    a.told.length > 0 === b.told.length > 0 ? (older ? [a, b] : [b, a]) : a.told.length > 0 ? [a, b] : [b, a];
  for (const name of names) t.s.byKey.set(name, into.id);
  into.page = page.pfn === undefined ? twin.key : page.key;
  for (const entry of [page, twin]) addOwners(t.s, into, entry);
  absorbInto(t.s, from, into);
  if (into.state === 'closed') reopen(t.s, into);
}

/** A host has a new incident: the storm breaker counts such hosts. What is long past is history. */
export function noteNew(t: Turn, host: HostId, when: Time): void {
  const { breaker, policy } = t.s;
  if (t.now - when > policy.breaker.within) return;
  breaker.hosts.delete(host);
  breaker.hosts.set(host, t.now);
  if (breaker.open !== undefined) breaker.open.last = t.now;
}

/** Incidents of a VM on its present host that are open, oldest first. */
export function openOf(s: State, vm: Vm): Incident[] {
  return lookup(s)
    .incidentsOf(vm.id)
    .filter(i => i.state === 'open' && i.cause !== 'order');
}

/** Notes what happened to a VM on a host. It is a consequence where an error came before it; else it waits for one that is told late. */
export function noteAfter(t: Turn, vm: Vm, host: HostId, what: Consequence, at: Time): void {
  if (what !== 'panicked' && (isPlannedStop(vm, at) || wasEndedByUs(vm))) return;
  if (what === 'rebooted' && wasResetByUs(vm, host, at)) return;
  if (vm.after.some(a => a.what === what && (a.host ?? host) === host && Math.abs(a.at - at) < JOIN_MS)) return;
  vm.after = [...vm.after, { what, at, host }]
    .toSorted((a, b) => a.at - b.at || (word(a) < word(b) ? -1 : 1))
    .slice(-MAX_AFTER);
  t.vms.add(vm.id);
}

const word = ({ what, host }: Aftermath): string => `${what} ${host ?? ''}`;

/** Acts that end or restart a guest: that it ended then is what was wanted. */
const ENDING: ReadonlySet<ActKind> = new Set(['stop', 'reset', 'fence', 'terminate', 'migrate']);
const wasEndedByUs = ({ move }: Vm): boolean =>
  [...(move?.tried.values() ?? [])].some(kinds => kinds.some(kind => ENDING.has(kind)));

/** libvirt tells of a reset that we have ordered as of any reboot, before or after the answer to it. */
function wasResetByUs(vm: Vm, host: HostId, at: Time): boolean {
  const home = homeCopy(vm);
  if (home?.host !== host) return false;
  const { from, to } = vm.move?.answers ?? home.answered ?? {};
  return from !== undefined && at >= from - JOIN_MS && at <= (to ?? Infinity) + JOIN_MS;
}

/** What became of a VM after an error, at the worst. */
export interface After {
  what: Consequence;
  at: Time;
  /** A reboot at once after an error: nobody told of the panic. */
  untold: boolean;
}

/**
 * The worst that happened to a VM after an error since it was started, within the time in which a poll may find it.
 * A reboot at once is a panic that nobody told.
 */
export function consequenceOf(s: State, vm: Vm): After | undefined {
  const home = homeCopy(vm);
  const host = home === undefined ? undefined : s.hosts.get(home.host);
  if (home === undefined || host === undefined) return undefined;
  const since = Math.max(home.since, vm.settled);
  let worst: After | undefined;
  for (const { what, at, host: on, answered } of vm.after) {
    // The end of another copy is none of this one's.
    if (answered === true || (on !== undefined && on !== host.id)) continue;
    if (at < since || !errorBefore(vm, host, at, LATE_MS)) continue;
    const untold = what === 'rebooted' && errorBefore(vm, host, at, AT_ONCE_MS);
    const found: After = { what: untold ? 'panicked' : what, at, untold };
    if (worst === undefined || rank(found) >= rank(worst)) worst = found;
  }
  return worst;
}

/** Panicked before rebooted: a guest that reboots after its panic has panicked. */
const ORDER: readonly Consequence[] = ['rebooted', 'panicked', 'died'];
const rank = ({ what, untold }: After): number => ORDER.indexOf(what) * 2 + (untold ? 0 : 1);

/** The incident that a consequence belongs to: the last one before it. */
export function incidentBefore(s: State, vm: Vm, at: Time): Incident | undefined {
  return openOf(s, vm)
    .filter(i => i.first <= at + JOIN_MS)
    .toSorted((a, b) => a.last - b.last)
    .at(-1);
}

/** Keeps words for a person with the VM, and with its incidents of that time. */
export function remark(t: Turn, vm: Vm, at: Time, text: string): void {
  if (vm.said.some(r => r.text === text && Math.abs(r.at - at) < LATE_MS)) return;
  vm.said = [...vm.said, { at, text }].slice(-MAX_REMARKS);
  for (const incident of openOf(t.s, vm)) addRemarks(incident, vm);
}

/** Gives an incident the words that belong to its time. */
export function addRemarks(incident: Incident, vm: Vm): void {
  for (const { at, text } of vm.said) {
    const belongs = at >= incident.first - JOIN_MS && at <= incident.last + LATE_MS;
    if (belongs && !incident.remarks.includes(text) && incident.remarks.length < MAX_REMARKS)
      incident.remarks.push(text);
  }
}

/** Ends an incident. Its page stays in the ledger, and a repeat still counts in it. */
export function closeIncident(t: Turn, incident: Incident, rule: string, why: string): void {
  if (incident.state !== 'open') return;
  incident.state = 'closed';
  lookup(t.s).ended(incident);
  decide(t, {
    incident: incident.id,
    host: incident.host,
    ...(incident.vm === undefined ? {} : { vm: incident.vm }),
    rule,
    rung: 'observe',
    inputs: { first: incident.first, last: incident.last, witnesses: incident.witnesses.size },
    why,
  });
}

function reopen(s: State, incident: Incident): void {
  incident.state = 'open';
  lookup(s).incident(incident);
}

/** Until when more may come of one. */
const quietAt = ({ last, openedAt }: Incident): Time => Math.max(last, openedAt) + LATE_MS;

/** Closes what has been quiet for longer than any consequence takes, and forgets the oldest that are closed. */
export function closeQuiet(t: Turn): void {
  let moved: ReadonlySet<IncidentId | undefined> | undefined;
  const isBusy = (id: IncidentId): boolean =>
    (moved ??= new Set(t.s.moving.map(of => t.s.vms.get(of)?.move?.incident))).has(id);
  const found = lookup(t.s);
  if (t.now > found.quietFrom) {
    const quiet: Incident[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const incident of found.openIncidents()) {
      const at = quietAt(incident);
      if (t.now <= at) next = Math.min(next, at);
      // Looked at again when its move has ended.
      else if (!isBusy(incident.id)) quiet.push(incident);
    }
    found.quietFrom = next;
    for (const incident of byNumber(quiet))
      closeIncident(t, incident, 'core/quiet', 'Nothing more came of it for seven minutes, and nothing is under way.');
  }
  let closed = t.s.incidents.size - found.openIncidents().size;
  if (closed <= MAX_CLOSED) return;
  for (const [id, incident] of t.s.incidents) {
    if (closed <= MAX_CLOSED) break;
    if (incident.state === 'open' || isBusy(id)) continue;
    t.s.incidents.delete(id);
    found.forget(incident);
    closed--;
  }
}

/** When {@link closeQuiet} closes what is open. */
export function dueIncidents(s: State, due: Due): void {
  for (const incident of lookup(s).openIncidents()) due(over(quietAt(incident)));
}
