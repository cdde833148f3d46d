/** @module An event that an agent saw: into the ledger, into an incident, and to what has to be judged again. */
import { pageOf } from '@syndrome/decode/registers/address.ts';
import { decide } from './turn.ts';
import type { Turn } from './turn.ts';
import { handsOff } from './budget.ts';
import type { Time } from './ids.ts';
import { absorb, addRemarks, mergeTwins, noteAfter, pageIncident, remark } from './incident.ts';
import { claimPages, enterPage, hostOf, isOf, isSuspect, metOn, ownersOf, vmById } from './ledger.ts';
import { settleLoose, unlocatedIncident } from './loose.ts';
import { isFromBefore, placeOf } from './places.ts';
import type { Row, SeenEvent } from './said.ts';
import type { Host, Page, Vm } from './state.ts';
import { addTime, beginsCell, near } from './times.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { QUARTER_MS } from './ladder.ts';
import { findingOf } from './witness.ts';
import type { Finding } from './witness.ts';

/** Before this no clock of a host is set: 2017-07-14. */
const FIRST_TIME = 1.5e12;
/** Parts of a host whose corrected errors are counted, and quarters of an hour that are kept of each. */
const MAX_PARTS = 512;
/** The time of one line of a log, told by two runs of an agent, differs by no more. */
const SAME_MS = 1000;
const MAX_QUARTERS = 4 * 24 * 31;

/** When an event happened, as far as the writer's clock can be believed. */
function timeOf(t: Turn, row: Row, seen: SeenEvent): Time {
  const said = seen.when ?? row.at;
  if (said >= FIRST_TIME && said <= t.now + 86_400_000) return said;
  return row.at >= FIRST_TIME && row.at <= t.now + 86_400_000 ? row.at : t.now;
}

/** Takes an event. A repeat of what is known only counts. */
export function takeEvent(t: Turn, row: Row, seen: SeenEvent): void {
  const finding = findingOf(seen);
  if (finding.is === 'nothing') return;
  const when = timeOf(t, row, seen);
  const host = hostOf(t.s, row.host);
  const vm = seen.vm === undefined ? undefined : vmById(t.s, seen.vm);
  switch (finding.is) {
    case 'page':
      return page(t, host, row, seen, finding, when);
    case 'error':
      return vm === undefined ? undefined : error(t, host, vm, seen, finding, when);
    case 'corrected':
      return corrected(t, host, seen, finding, when);
    case 'after':
      return vm === undefined ? undefined : noteAfter(t, vm, finding.what, when);
    case 'quarantined': {
      for (const entry of host.pages.values())
        if (seen.vm !== undefined && isOf(entry, seen.vm) && entry.gpa === hex64(pageOf(finding.gpa)))
          entry.quarantined = true;
      return undefined;
    }
    case 'remark':
      return vm === undefined ? undefined : remark(t, vm, when, finding.text);
    case 'guest-kernel':
      if (vm !== undefined) vm.guestKernel = finding.version;
      return undefined;
  }
}

function page(t: Turn, host: Host, row: Row, seen: SeenEvent, finding: Finding & { is: 'page' }, when: Time): void {
  // The injector of a drill is believed about VMs whose owner wants drills to act on them, and about no other.
  if (seen.source === 'drill' && (seen.vm === undefined || handsOff(vmById(t.s, seen.vm)) !== undefined)) return;
  const entered = enterPage(t.s, host, placeOf(t.s, row), seen, finding, when);
  if (entered === undefined) return;
  const { page: entry, changed } = entered;
  // Told again of memory that was replaced since: by a log that is read anew, above all.
  if (entry.repaired === true) return;
  const incident = pageIncident(t, host, entry, seen, when);
  if (changed) mergeTwins(t, host, entry);
  if (changed) absorb(t, host, entry);
  if (changed || beginsCell(entry.times, when)) settleOf(t, host, entry);
  if (!changed) return;
  for (const owner of ownersOf(entry)) {
    const of = t.s.vms.get(owner);
    if (of === undefined) continue;
    addRemarks(incident, of);
    t.vms.add(owner);
  }
  if (host.suspect === undefined && isSuspect(entry.kernel)) {
    host.suspect = `${entry.kernel?.page ?? ''}: ${entry.kernel?.result ?? ''}`;
    decide(t, {
      incident: incident.id,
      host: host.id,
      rule: 'core/suspect',
      rung: 'observe',
      inputs: { page: entry.key, result: entry.kernel?.result ?? '', kind: entry.kernel?.page ?? '' },
      why: `The kernel of ${host.id} could not take page ${entry.key} away (${host.suspect}): it takes no VM until it has booted again.`,
    });
  }
  t.hosts.add(host.id);
}

/** Witnesses without an address may belong to a page that is told after them. */
function settleOf(t: Turn, host: Host, page: Page): void {
  for (const owner of ownersOf(page)) {
    const vm = t.s.vms.get(owner);
    const loose = vm?.met.get(host.id)?.loose ?? [];
    if (vm !== undefined && loose.some(l => near(page.times, l.at))) settleLoose(t, host, vm);
  }
}

function error(t: Turn, host: Host, vm: Vm, seen: SeenEvent, finding: Finding & { is: 'error' }, when: Time): void {
  const met = metOn(vm, host.id);
  let changed = addTime(met.unlocated, when);
  if (finding.consumed && addTime(met.consumed, when)) changed = true;
  if (finding.recursive && addTime(met.recursive, when)) changed = true;
  if (finding.hypervisor && addTime(met.hypervisor, when)) changed = true;
  const claimed = changed && claimPages(vm, host, when);
  const incident = unlocatedIncident(t, host, vm, seen, when);
  if (!changed) return;
  if (claimed) for (const entry of host.pages.values()) if (isOf(entry, vm.id)) mergeTwins(t, host, entry);
  for (const entry of host.pages.values()) if (isOf(entry, vm.id)) absorb(t, host, entry);
  if (claimed) settleLoose(t, host, vm);
  addRemarks(incident, vm);
  t.vms.add(vm.id);
  t.hosts.add(host.id);
}

/** Corrected errors are counted for the page, row, bank and DIMM that they are said to be in, and for the host. */
function corrected(t: Turn, host: Host, seen: SeenEvent, finding: Finding & { is: 'corrected' }, when: Time): void {
  // A log that is read anew tells of them once more; they are numbers, and would count twice.
  const before = host.correctedBefore?.get(seen.source);
  if (before !== undefined && isFromBefore(host, when) && when <= before + SAME_MS) return;
  host.correctedTo ??= new Map();
  host.correctedTo.set(seen.source, Math.max(when, host.correctedTo.get(seen.source) ?? 0));
  const count = finding.count * (seen.count ?? 1);
  const { dimm, bank, row } = seen.where ?? {};
  const place = (name: string | undefined): string => (name ?? '?').slice(0, 80);
  const parts: [by: string, name: string][] = [['host', 'host']];
  if (finding.pfn !== undefined) parts.push(['page', hex64(finding.pfn)]);
  if (dimm !== undefined) parts.push(['dimm', place(dimm)]);
  if (bank !== undefined) parts.push(['bank', `${place(dimm)} bank ${place(bank)}`]);
  if (row !== undefined) parts.push(['row', `${place(dimm)} bank ${place(bank)} row ${place(row)}`]);
  const quarter = Math.floor(when / QUARTER_MS);
  for (const [by, name] of parts) {
    let part = host.corrected.get(name);
    if (part === undefined) {
      if (host.corrected.size >= MAX_PARTS) continue;
      part = { by, counts: new Map() };
      host.corrected.set(name, part);
    }
    part.counts.set(quarter, (part.counts.get(quarter) ?? 0) + count);
    if (part.counts.size > MAX_QUARTERS) part.counts.delete(Math.min(...part.counts.keys()));
  }
  t.hosts.add(host.id);
}
