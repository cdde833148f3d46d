/** @module Where a VM may be started or migrated to, and why not elsewhere. */
import { unseenErrors } from './counters.ts';
import { distinctPages, unapplied } from './ledger.ts';
import { blindSources, hearsKernel } from './sources.ts';
import type { HostId } from './ids.ts';
import { lookup } from './lookup.ts';
import type { Ranking, Standing } from './ranking.ts';
import type { Host, State, Vm } from './state.ts';

/** Where to, and what spoke against each other host. */
interface Placement {
  to: HostId | undefined;
  reason: string;
  /** By host. */
  against: Record<string, string>;
}

/** Whether a disk lies on any of these: storage is named by itself, or by a folder above it. */
export function reaches(storage: readonly string[], disk: string): boolean {
  return storage.some(s => disk === s || disk.startsWith(s.endsWith('/') ? s : `${s}/`));
}

/** Memory that VMs will take which are on their way, by host. */
function promised(s: State, but: Vm): Map<HostId, number> {
  const bytes = new Map<HostId, number>();
  const { bound } = lookup(s);
  for (const id of bound) {
    const vm = s.vms.get(id);
    const to = vm?.move?.to;
    if (to === undefined) bound.delete(id);
    else if (vm !== undefined && vm !== but) bytes.set(to, (bytes.get(to) ?? 0) + vm.memoryBytes);
  }
  return bytes;
}

/** Incidents of a host that are of no page, since it was repaired. */
function unlocatedAt(s: State, { id, repairedAt }: Host): number {
  let count = 0;
  for (const { cause, first } of lookup(s).incidentsAt(id))
    if ((cause === 'unlocated' || cause === 'predicted') && first > repairedAt) count++;
  return count;
}

/** Why a host takes no VM at all; undefined where it may take one. */
function refusal(host: Host): string | undefined {
  if (!host.connected) return 'its agent is not connected';
  if (host.boot === undefined) return 'it has not reported itself';
  if (host.draining !== undefined) return 'it is draining';
  if (host.suspect !== undefined) return `its own memory is not to be trusted: ${host.suspect}`;
  const [blind] = blindSources(host);
  if (blind !== undefined) return `its errors would not be seen: source ${blind}`;
  const pages = unapplied(host).length;
  return pages > 0 ? `${pages} of its known bad pages are in use again` : undefined;
}

/** Why a host that may take VMs does not take this one. @param taken memory of VMs that are on their way to it */
function misfit(vm: Vm, host: Host, from: Host | undefined, taken: number): string | undefined {
  if (from?.arch !== undefined && host.arch !== from.arch) return `it is ${host.arch ?? 'of an unknown architecture'}`;
  const disk = vm.disks.find(d => !reaches(host.storage, d));
  if (disk !== undefined) return `it does not reach ${disk}`;
  if (vm.cpuModel !== undefined && host.cpuModels.length > 0 && !host.cpuModels.includes(vm.cpuModel))
    return `it does not have the CPU model ${vm.cpuModel}`;
  if (host.freeBytes - taken < vm.memoryBytes) return 'it has too little free memory';
  return undefined;
}

function standingOf(s: State, host: Host): Standing {
  const no = refusal(host);
  const { freeBytes } = host;
  if (no !== undefined) return { host, no, deaf: 0, errors: 0, freeBytes };
  // Bad pages, and incidents that are of no page: whichever says more against a host.
  const errors = distinctPages(host, 0).length + unlocatedAt(s, host) + unseenErrors(s, host);
  return { host, no, deaf: hearsKernel(host) ? 0 : 1, errors, freeBytes };
}

/** Hosts as they stand now: those of which anything has changed are looked at anew. */
function ranked(s: State): Ranking {
  const { ranking, unranked } = lookup(s);
  if (unranked.size === 0) return ranking;
  const anew: Standing[] = [];
  for (const id of unranked) {
    const host = s.hosts.get(id);
    if (host !== undefined) anew.push(standingOf(s, host));
  }
  unranked.clear();
  // What nobody has told counts once it has settled, whatever else happens.
  for (const { host } of anew) if (host.unseen !== undefined && unseenErrors(s, host) === 0) unranked.add(host.id);
  ranking.note(anew);
  return ranking;
}

/** Hosts that are out of the question: where the VM runs, and where a start has failed; what hosts lack that it needs, as they have said. */
export interface Ruled {
  but: readonly HostId[];
  missing?: ReadonlyMap<HostId, string>;
}

/**
 * The best host for a VM: one whose kernel is heard, then fewest errors, then most free memory, then by name, so that the same facts give the
 * same host. {@link placeFor} says why.
 */
export function bestPlace(s: State, vm: Vm, { but, missing }: Ruled): HostId | undefined {
  const from = vm.home === undefined ? undefined : s.hosts.get(vm.home);
  const on = promised(s, vm);
  for (const { host } of ranked(s).order) {
    const { id } = host;
    const isOut =
      but.includes(id) || misfit(vm, host, from, on.get(id) ?? 0) !== undefined || missing?.has(id) === true;
    if (!isOut) return id;
  }
  return undefined;
}

/** {@link bestPlace}, and what speaks against each other host: all of them are looked at. */
export function placeFor(s: State, vm: Vm, { but, missing }: Ruled): Placement {
  const from = vm.home === undefined ? undefined : s.hosts.get(vm.home);
  const against: Record<string, string> = {};
  const on = promised(s, vm);
  const ranking = ranked(s);
  const fit = new Set<HostId>();
  for (const host of s.hosts.values()) {
    const no = but.includes(host.id)
      ? 'it runs there, or a start there has failed'
      : (ranking.of(host.id)?.no ?? misfit(vm, host, from, on.get(host.id) ?? 0) ?? missing?.get(host.id));
    if (no === undefined) fit.add(host.id);
    else against[host.id] = no;
  }
  const best = ranking.order.find(({ host }) => fit.has(host.id));
  if (best === undefined) return { to: undefined, reason: 'no host can take it', against };
  const { host, deaf, errors } = best;
  const health = deaf === 0 ? 'healthy' : 'healthy as far as its VMMs tell, nobody reads its kernel';
  const reason = `${health}, reaches its disks, has room; ${errors} errors known; best of ${fit.size}`;
  return { to: host.id, reason, against };
}
