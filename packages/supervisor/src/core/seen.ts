/** @module An event that an agent saw: into the ledger, into an incident, and to what has to be judged again. */
import { pageOf } from '@syndrome/decode/registers/address.ts';
import { decide } from './turn.ts';
import type { Turn } from './turn.ts';
import { handsOff } from './budget.ts';
import { takeCorrected } from './corrected.ts';
import type { Time } from './ids.ts';
import { absorb, addRemarks, mergeTwins, noteAfter, pageIncident, remark } from './incident.ts';
import { claimPages, enterPage, hostOf, isOf, isSuspect, metOn, ownersOf, vmById } from './ledger.ts';
import { settleLoose, unlocatedIncident } from './loose.ts';
import { placeOf } from './places.ts';
import type { Row, SeenEvent } from './said.ts';
import type { Host, Page, Vm } from './state.ts';
import { addTime, beginsCell, near } from './times.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { findingOf } from './witness.ts';
import type { Finding } from './witness.ts';

/** Before this no clock of a host is set: 2017-07-14. */
const FIRST_TIME = 1.5e12;

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
      return takeCorrected(t, host, seen, finding, when);
    case 'after':
      return vm === undefined ? undefined : noteAfter(t, vm, host.id, finding.what, when);
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
  const met = metOn(t.s, vm, host.id);
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
