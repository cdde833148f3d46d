/** @module Where a VM may be started or migrated to, and why not elsewhere. */
import { unseenErrors } from './counters.ts';
import { distinctPages, unapplied } from './ledger.ts';
import { blindSources, hearsKernel } from './sources.ts';
import type { HostId } from './ids.ts';
import { lookup } from './lookup.ts';
import type { Host, State, Vm } from './state.ts';

/** Where to, and what spoke against each other host. */
export interface Placement {
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
  for (const id of s.moving) {
    const vm = s.vms.get(id);
    const to = vm?.move?.to;
    if (vm !== undefined && vm !== but && to !== undefined) bytes.set(to, (bytes.get(to) ?? 0) + vm.memoryBytes);
  }
  return bytes;
}

/** Incidents of a host that are of no page, since it was repaired. */
const unlocatedAt = (s: State, { id, repairedAt }: Host): number =>
  lookup(s)
    .incidentsAt(id)
    .filter(({ cause, first }) => (cause === 'unlocated' || cause === 'predicted') && first > repairedAt).length;

interface Candidate {
  host: Host;
  errors: number;
  deaf: number;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  const order = a.deaf - b.deaf || a.errors - b.errors || b.host.freeBytes - a.host.freeBytes;
  return order < 0 || (order === 0 && a.host.id < b.host.id);
}

/** Why a host cannot take a VM; undefined where it can. @param taken memory of VMs that are on their way to it */
function fault(vm: Vm, host: Host, from: Host | undefined, taken: number): string | undefined {
  if (!host.connected) return 'its agent is not connected';
  if (host.boot === undefined) return 'it has not reported itself';
  if (host.draining !== undefined) return 'it is draining';
  if (host.suspect !== undefined) return `its own memory is not to be trusted: ${host.suspect}`;
  const [blind] = blindSources(host);
  if (blind !== undefined) return `its errors would not be seen: source ${blind}`;
  const pages = unapplied(host).length;
  if (pages > 0) return `${pages} of its known bad pages are in use again`;
  if (from?.arch !== undefined && host.arch !== from.arch) return `it is ${host.arch ?? 'of an unknown architecture'}`;
  const disk = vm.disks.find(d => !reaches(host.storage, d));
  if (disk !== undefined) return `it does not reach ${disk}`;
  if (vm.cpuModel !== undefined && host.cpuModels.length > 0 && !host.cpuModels.includes(vm.cpuModel))
    return `it does not have the CPU model ${vm.cpuModel}`;
  if (host.freeBytes - taken < vm.memoryBytes) return 'it has too little free memory';
  return undefined;
}

/**
 * The best host for a VM: one whose kernel is heard, then fewest errors, then most free memory, then by name, so that the same facts give the same host.
 * @param but hosts that are out of the question: where it runs, and where a start has failed
 * @param missing what hosts do not have that it needs, as they have said
 */
export function placeFor(
  s: State,
  vm: Vm,
  but: readonly HostId[],
  missing: ReadonlyMap<HostId, string> = new Map(),
): Placement {
  const from = vm.home === undefined ? undefined : s.hosts.get(vm.home);
  const against: Record<string, string> = {};
  const on = promised(s, vm);
  let fit = 0;
  let best: Candidate | undefined;
  for (const host of s.hosts.values()) {
    const no = but.includes(host.id)
      ? 'it runs there, or a start there has failed'
      : (fault(vm, host, from, on.get(host.id) ?? 0) ?? missing.get(host.id));
    if (no !== undefined) {
      against[host.id] = no;
      continue;
    }
    fit++;
    // Bad pages, and incidents that are of no page: whichever says more against a host.
    const errors = distinctPages(host, 0).length + unlocatedAt(s, host) + unseenErrors(s, host);
    const candidate = { host, errors, deaf: hearsKernel(host) ? 0 : 1 };
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  if (best === undefined) return { to: undefined, reason: 'no host can take it', against };
  const health = hearsKernel(best.host) ? 'healthy' : 'healthy as far as its VMMs tell, nobody reads its kernel';
  const reason = `${health}, reaches its disks, has room; ${best.errors} errors known; best of ${fit}`;
  return { to: best.host.id, reason, against };
}
