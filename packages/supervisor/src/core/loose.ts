/**
 * @module Witnesses that name no page, as QMP's events do not: each belongs to the page that was hit nearest in time and has none
 * of its kind yet. A page may be told later than its witness, so that a witness moves where a page fits better.
 */
import { absorbInto, join, noteNew, openIncident, pageName, unlocatedName, witness } from './incident.ts';
import { isOf, metOn } from './ledger.ts';
import { isFromBefore } from './places.ts';
import { lookup } from './lookup.ts';
import type { SeenEvent } from './said.ts';
import type { Host, Incident, Loose, Met, Page, State, Vm } from './state.ts';
import type { Time } from './ids.ts';
import { cellOf, distance, JOIN_MS, near } from './times.ts';
import type { Turn } from './turn.ts';

/**
 * Witnesses of a VM that may still move, and for how long one is not given up for another, ms. More of them stay where they came:
 * a storm costs no more.
 */
const MAX_LOOSE = 32;
const KEEP_MS = 2 * JOIN_MS;
/** More pages of one VM within seconds are a storm too: then all stay where they came. */
const MAX_PAGES = 32;

/** A place that a witness may have, and how far in time it is. */
interface Fit {
  loose: Loose;
  incident: Incident;
  apart: Time;
  page: string;
}

/** The incident of an error without an address: that of the VM's page that was hit just then, else one of its own. */
export function unlocatedIncident(t: Turn, host: Host, vm: Vm, seen: SeenEvent, when: Time): Incident {
  const [what, count] = [witness(seen), seen.count ?? 1];
  const incident = hitBefore(t.s, host, vm, when) ?? toldBefore(t, host, vm, when) ?? ownIncident(t, host, vm, when);
  join(incident, what, when, count);
  incident.vm ??= vm.id;
  lookup(t.s).incident(incident);
  if (note(metOn(t.s, vm, host.id), { what, at: when, count, in: incident.id })) settleLoose(t, host, vm);
  return incident;
}

/** That of any page of the VM that was hit near that time. */
function hitBefore(s: State, host: Host, vm: Vm, when: Time): Incident | undefined {
  for (const page of host.pages.values())
    if (isOf(page, vm.id) && near(page.times, when)) return holder(s, s.byKey.get(pageName(host.id, page.key)));
  return undefined;
}

/** That of an error which was told before and is told again, by a log that is read anew: nothing new has happened. */
function toldBefore(t: Turn, host: Host, vm: Vm, when: Time): Incident | undefined {
  if (!isFromBefore(host, when)) return undefined;
  return lookup(t.s)
    .incidentsOf(vm.id)
    .findLast(
      i =>
        i.cause === 'unlocated' &&
        i.state === 'closed' &&
        i.host === host.id &&
        i.vm === vm.id &&
        when >= i.first - JOIN_MS &&
        when <= i.last + JOIN_MS,
    );
}

function ownIncident(t: Turn, host: Host, vm: Vm, when: Time): Incident {
  const about = { host: host.id, cause: 'unlocated', vm: vm.id } as const;
  const { incident, opened } = openIncident(t, unlocatedName(host.id, vm.id), about, when);
  if (opened) noteNew(t, host.id, when);
  return incident;
}

/** Whether it is kept among those that may move. */
function note(met: Met, loose: Loose): boolean {
  const oldest = met.loose[0];
  if (met.loose.length >= MAX_LOOSE && oldest !== undefined && loose.at - oldest.at < KEEP_MS) return false;
  met.loose = [...met.loose, loose].toSorted((a, b) => a.at - b.at || (a.what < b.what ? -1 : 1)).slice(-MAX_LOOSE);
  return true;
}

/** Puts each witness of a VM where it belongs by all that is known now. The order in which that came makes no difference. */
export function settleLoose(t: Turn, host: Host, vm: Vm): void {
  const all = vm.met.get(host.id)?.loose ?? [];
  const fits = fitsOf(t.s, host, vm, all);
  const placed = new Map<Loose, Incident>();
  const taken = new Set<string>();
  for (const { loose, incident } of fits) {
    const kind = `${incident.id} ${loose.what}`;
    if (placed.has(loose) || taken.has(kind)) continue;
    placed.set(loose, incident);
    taken.add(kind);
  }
  // Repeats: more of a kind than pages.
  for (const { loose, incident } of fits) if (!placed.has(loose)) placed.set(loose, incident);
  // The first of them last: an incident that they leave empty becomes that of the first.
  for (const loose of all.toReversed()) {
    const into = placed.get(loose);
    if (into !== undefined) move(t.s, host, vm, loose, into);
  }
}

/** Where witnesses may belong, the nearest first. */
function fitsOf(s: State, host: Host, vm: Vm, all: readonly Loose[]): Fit[] {
  if (all.length === 0) return [];
  const moments = [...new Map(all.map(({ at }) => [cellOf(at), at])).values()];
  const pages: Page[] = [];
  for (const page of host.pages.values()) {
    if (!isOf(page, vm.id) || !moments.some(at => near(page.times, at))) continue;
    if (pages.push(page) > MAX_PAGES) return [];
  }
  return all
    .flatMap(loose => pages.flatMap(page => fit(s, host, page, loose)))
    .toSorted((a, b) => a.apart - b.apart || a.loose.at - b.loose.at || (a.page < b.page ? -1 : 1));
}

function fit(s: State, host: Host, page: Page, loose: Loose): Fit[] {
  const apart = distance(page.times, loose.at);
  const incident = apart === undefined ? undefined : holder(s, s.byKey.get(pageName(host.id, page.key)));
  return apart === undefined || incident === undefined ? [] : [{ loose, incident, apart, page: page.key }];
}

/** The incident of that name, or the one that has absorbed it. */
function holder(s: State, id: string | undefined): Incident | undefined {
  const incident = s.incidents.get(id ?? '');
  return incident?.absorbedBy === undefined ? incident : holder(s, incident.absorbedBy);
}

function move(s: State, host: Host, vm: Vm, loose: Loose, into: Incident): void {
  const { what, at, count } = loose;
  const from = holder(s, loose.in);
  loose.in = into.id;
  if (from === undefined || from === into) return;
  const entry = from.witnesses.get(what);
  // Beyond what an incident keeps of witnesses.
  if (entry === undefined) return;
  join(into, what, at, count);
  entry.count -= count;
  if (entry.count <= 0) from.witnesses.delete(what);
  const left = metOn(s, vm, host.id).loose.filter(l => l.what === what && holder(s, l.in) === from);
  if (left.reduce((sum, l) => sum + l.count, 0) === entry.count && left.length > 0) {
    entry.first = Math.min(...left.map(l => l.at));
    entry.last = Math.max(...left.map(l => l.at));
  }
  const times = [...from.witnesses.values()];
  if (times.length > 0) {
    from.first = Math.min(...times.map(w => w.first));
    from.last = Math.max(...times.map(w => w.last));
    lookup(s).quietFrom = 0;
  } else if (from.cause === 'unlocated') {
    const name = unlocatedName(host.id, vm.id);
    if (s.byKey.get(name) === from.id) s.byKey.delete(name);
    absorbInto(s, from, into);
  }
}
