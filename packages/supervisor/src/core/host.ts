/** @module What hosts say of themselves: boots, counters, sources that stopped reading, and pages that are in use again. */
import type { HostId, Time, VmId } from './ids.ts';
import { noteCorrected } from './corrected.ts';
import { mayBegin, waitHostTurn } from './budget.ts';
import { noteCounters } from './counters.ts';
import { openIncident } from './incident.ts';
import { hostOf, newer, unapplied } from './ledger.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { lookup } from './lookup.ts';
import type { HostReport, Row, SourceState } from './said.ts';
import { forgetClock, placeOf } from './places.ts';
import { hidesWhileLost, isKernelLog } from './sources.ts';
import type { Copy, Host, Page, Place, State } from './state.ts';
import { land, want } from './acts.ts';
import type { Due } from './times.ts';
import { alarm, calm, decide } from './turn.ts';
import type { Turn } from './turn.ts';
import { askAgain, looksAfterBoot } from './vm.ts';

/** Sources that a host may have: one for each VM, and a few. */
const MAX_SOURCES = 5000;
/** An agent that is away for so long is told; that it is away proves nothing. */
const SILENT_MS = 30_000;
/** A page that could not be taken out of use again is asked for once more after so long, then after twice as long each time; so often in a boot. */
const OFFLINE_AGAIN_MS = 60_000;
const MAX_OFFLINES = 6;
/** A source that stays lost for so long does not come back by itself: a daemon restarts in less. */
const LOST_MS = 30_000;

/** Takes a report of a host. Another boot: its pages are in use again, unless it says which are not. */
export function takeHostReport(t: Turn, row: Row, report: HostReport): void {
  const host = hostOf(t.s, row.host);
  const place = placeOf(t.s, row);
  if (!newer(place, host.place)) return;
  host.place = place;
  if (host.boot !== report.boot) {
    if (host.boot !== undefined) reboot(t, host, report);
    askAgain(t.s, host.id);
    host.boot = report.boot;
    host.bootPlace = place;
    looksAfterBoot(t, host.id);
  }
  host.arch = report.arch;
  host.kernel = report.kernel;
  host.memoryBytes = report.memoryBytes;
  host.freeBytes = report.freeBytes;
  host.cpuModels = report.cpuModels;
  host.storage = report.storage;
  if (report.leases === undefined) delete host.leases;
  else host.leases = report.leases;
  noteCounters(host, report);
  noteCorrected(host, report, t.now);
  if (report.unapplied !== undefined) {
    const inUse = new Set(report.unapplied.map(hex64));
    for (const page of host.pages.values()) page.applied = !inUse.has(page.key);
  }
  t.hosts.add(host.id);
}

function reboot(t: Turn, host: Host, report: HostReport): void {
  let pages = 0;
  for (const page of host.pages.values()) {
    page.applied = false;
    delete page.appliedAt;
    if (page.reofflines !== undefined) calm(t, 'action-failed', `${host.id} page ${page.key}`);
    delete page.reofflines;
    if (page.pfn !== undefined && page.repaired !== true) pages++;
  }
  delete host.suspect;
  delete host.unseen;
  calm(t, 'unseen-errors', host.id);
  decide(t, {
    host: host.id,
    rule: 'core/host-boot',
    rung: 'observe',
    inputs: { boot: report.boot, pages },
    why: `${host.id} has booted again; ${pages} bad pages of its ledger are in use until they are taken out again.`,
  });
}

/** Re-offlines pages where the policy wants it, one at a time; else says that they are in use. */
export function applyPages(t: Turn, host: Host): void {
  for (const page of host.pages.values()) {
    if (page.reofflines === undefined || !page.applied) continue;
    delete page.reofflines;
    calm(t, 'action-failed', `${host.id} page ${page.key}`);
  }
  const pages = unapplied(host);
  if (pages.length === 0) {
    calm(t, 'unapplied-pages', host.id);
    return;
  }
  alarm(t, 'unapplied-pages', host.id, {
    host: host.id,
    summary: `${pages.length} pages of ${host.id} that are known to be bad are in use again since its last boot. It takes no VM.`,
  });
  const { policy, flying, acts } = t.s;
  if (!policy.reoffline || policy.mode !== 'act' || !host.connected || host.boot === undefined) return;
  if (flying.some(id => acts.get(id)?.host === host.id && acts.get(id)?.kind === 're-offline')) return;
  const page = pages.find(p => p.reofflined !== host.boot) ?? pages.find(p => isDue(p, t.now));
  if (page === undefined) return;
  if (!mayBegin(t.s)) return waitHostTurn(t.s, host.id);
  const { incident } = openIncident(t, `host ${host.id}`, { host: host.id, cause: 'host' }, t.now);
  const doing = want(t, {
    kind: 're-offline',
    host: host.id,
    page,
    epoch: 0,
    incident: incident.id,
    rule: 'core/re-offline',
    rung: 'quarantine',
    inputs: { page: page.key, hits: page.hits },
    why: `Page ${page.key} of ${host.id} was bad before its last boot: it is taken out of use before anybody gets it.`,
  });
  if (doing === undefined) return;
  const asked = (page.reofflined === host.boot ? (page.reofflines?.asked ?? 1) : 0) + 1;
  page.reofflined = host.boot;
  page.reofflines = { asked, again: t.now + OFFLINE_AGAIN_MS * 2 ** (asked - 1) };
}

/** Whether a page that could not be taken out of use is to be asked for again. */
const isDue = ({ reofflines }: Page, now: Time): boolean =>
  reofflines !== undefined && reofflines.asked < MAX_OFFLINES && now >= reofflines.again;

/** Has hosts judged whose pages may be asked for again. */
export function watchOfflines(t: Turn, hosts: readonly Host[]): void {
  if (!t.s.policy.reoffline) return;
  for (const host of hosts)
    if (host.connected && host.pages.size > 0 && unapplied(host).some(page => isDue(page, t.now))) t.hosts.add(host.id);
}

/** What became of a source. A gap is told, and so is a source that stopped reading. */
export function takeSource(t: Turn, row: Row, source: SourceState): void {
  const host = hostOf(t.s, row.host);
  const name = source.vm === undefined ? source.source : `${source.source} ${source.vm}`;
  const place = placeOf(t.s, row);
  const known = host.sources.get(name);
  if (known !== undefined && !newer(place, known.place)) return;
  if (name === 'agent' && source.state === 'reading') forgetSources(t, host, place);
  if (known === undefined && host.sources.size >= MAX_SOURCES) return;
  if (source.state === 'ended') {
    forgetSource(t, host, name);
    return;
  }
  host.sources.set(name, { state: source.state, since: t.now, place });
  // It may have become a host that can take a VM, or none.
  if (known?.state !== source.state) t.hosts.add(host.id);
  const about = `${host.id} ${name}`;
  const vm = source.vm === undefined ? {} : { vm: source.vm };
  if (source.state === 'stalled' || (source.state === 'lost' && isKernelLog(name)))
    alarm(t, 'source-stalled', about, {
      host: host.id,
      ...vm,
      summary: `Source ${name} of ${host.id} has stopped reading: errors may happen there and nobody is told.`,
    });
  if (source.state === 'spool-full')
    alarm(t, 'spool-full', about, {
      host: host.id,
      ...vm,
      summary: `The spool of ${host.id} is full: source ${name} is not read any more. Make room for it, or find why it is not taken.`,
    });
  if (source.state === 'reading' || source.state === 'back') {
    calm(t, 'source-stalled', about);
    calm(t, 'spool-full', about);
  }
  if (source.state !== 'back') return;
  decide(t, {
    host: host.id,
    ...vm,
    rule: 'core/gap',
    rung: 'observe',
    inputs: { source: name, gapMs: source.gapMs ?? 0, lostEvents: source.lostEvents ?? 0 },
    why:
      source.lostEvents === undefined
        ? `Source ${name} of ${host.id} reads again after a gap; what happened in it is not known to be nothing.`
        : `Source ${name} of ${host.id} reads again after a gap in which ${source.lostEvents} events were lost.`,
  });
}

/** Its agent has begun anew: what it reads now it tells again, and what it is not set up to read any more it does not. */
function forgetSources(t: Turn, host: Host, begun: Place): void {
  for (const [name, { place }] of host.sources) {
    if (!newer(begun, place)) continue;
    forgetSource(t, host, name);
  }
}

function forgetSource(t: Turn, host: Host, name: string): void {
  host.sources.delete(name);
  calm(t, 'source-stalled', `${host.id} ${name}`);
  calm(t, 'spool-full', `${host.id} ${name}`);
}

/** Tells sources that stay lost: what is mistyped, dead or wedged from the start never was read, and never stalls. */
export function watchSources(t: Turn, hosts: readonly Host[]): void {
  for (const host of hosts) {
    // Of an agent that is away that is told; what it has to say comes first when it is back.
    if (!host.connected || t.now - host.since < LOST_MS) continue;
    for (const [name, { state, since }] of host.sources) {
      if (state !== 'lost' || t.now - since < LOST_MS || isKernelLog(name)) continue;
      const about = `${host.id} ${name}`;
      const copyOf = (vm: VmId): Copy | undefined => t.s.vms.get(vm)?.copies.find(c => c.host === host.id);
      if (!hidesWhileLost(name, copyOf)) calm(t, 'source-stalled', about);
      else
        alarm(t, 'source-stalled', about, {
          host: host.id,
          summary: `Source ${name} of ${host.id} has not been read for half a minute: errors may happen there and nobody is told.`,
        });
    }
  }
}

/** An agent's connection came or went. True when that is new. */
export function takeAgent(t: Turn, id: HostId, connected: boolean): boolean {
  const host = hostOf(t.s, id);
  const changed = host.connected !== connected;
  // That it is away is told once more where nobody could have heard it meanwhile.
  if (changed || !connected) host.since = t.now;
  // Its clock may have been set meanwhile; until it is here again what was known last is the best.
  if (changed && connected) forgetClock(host);
  host.connected = connected;
  if (connected) calm(t, 'agent-silent', id);
  t.hosts.add(id);
  return changed;
}

/**
 * The agent of a host has lost what it had written down: epochs that it has to refuse, acts that it has done, how far it had read.
 * What it was asked is unknown and looked at, what it was told it is told again, and what it reads anew is not counted twice.
 */
export function startLife(t: Turn, id: HostId): void {
  const host = hostOf(t.s, id);
  if (host.correctedTo !== undefined) host.correctedBefore = new Map(host.correctedTo);
  forgetClock(host);
  for (const doing of t.s.flying.map(act => t.s.acts.get(act)))
    if (doing?.host === id && doing.kind !== 'fence')
      land(t, doing, 'unknown', 'its agent has lost what it had written down');
  let epochs = 0;
  for (const vm of lookup(t.s).copiesOn(id))
    for (const copy of vm.copies) {
      if (copy.host !== id) continue;
      if (copy.told > 0) epochs++;
      copy.told = 0;
      t.vms.add(vm.id);
    }
  askAgain(t.s, id);
  decide(t, {
    host: id,
    rule: 'core/agent-anew',
    rung: 'observe',
    inputs: { life: host.life ?? 0, epochs },
    why: `The agent of ${id} has lost what it had written down and begins anew: it is told again which epochs it has to refuse.`,
  });
}

/** How long no agent has been connected, ms; 0 while one is. */
export function silence(host: Host, now: Time): Time {
  return host.connected ? 0 : now - host.since;
}

/** Tells agents that are away, and has their hosts judged. */
export function watchSilence(t: Turn, hosts: readonly Host[]): void {
  for (const host of hosts) {
    if (host.connected || host.boot === undefined) continue;
    t.hosts.add(host.id);
    if (silence(host, t.now) < SILENT_MS) continue;
    alarm(t, 'agent-silent', host.id, {
      host: host.id,
      summary: `The agent of ${host.id} has not been connected for half a minute. Its VMs may run; nobody can tell.`,
    });
  }
}

/**
 * Whether every tick has to look at a host: it is away, a source of it is lost (whether that hides something is a matter of its VMs), its VMs leave it, or
 * pages of it wait for their turn.
 */
export function isWatched({ connected, sources, draining, pages }: Host): boolean {
  if (!connected || draining?.evacuate === true) return true;
  for (const { state } of sources.values()) if (state === 'lost') return true;
  for (const { reofflines } of pages.values()) if (reofflines !== undefined) return true;
  return false;
}

/** When {@link watchSilence}, {@link watchSources} and {@link watchOfflines} have something to say of a host. */
export function dueHost({ policy }: State, host: Host, due: Due): void {
  if (!host.connected && host.boot !== undefined) {
    due(host.since + SILENT_MS);
    for (const rule of policy.rules) if (rule.of === 'host') due(host.since + (rule.when.silent ?? 0));
  }
  if (!host.connected) return;
  for (const [name, { state, since }] of host.sources)
    if (state === 'lost' && !isKernelLog(name)) due(Math.max(host.since, since) + LOST_MS);
  if (!policy.reoffline) return;
  for (const { reofflines } of host.pages.values())
    if (reofflines !== undefined && reofflines.asked < MAX_OFFLINES) due(reofflines.again);
}
