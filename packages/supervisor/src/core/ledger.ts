/** @module The ledger of a host's bad pages: what is out of use, whose it was, and which entries are one page. */
import { pageOf } from '@syndrome/decode/registers/address.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { HostId, Time, VmId } from './ids.ts';
import { lookup } from './lookup.ts';
import type { SeenEvent } from './said.ts';
import type { Answered, Copy, Host, Met, Page, Place, State, Times, Vm } from './state.ts';
import { addTime, countApart, firstOf, JOIN_MS, lastOf, near, over, UNLOCATED_MS, without } from './times.ts';
import type { Due } from './times.ts';
import type { Finding } from './witness.ts';

/** VMs that are remembered of a page that many share. */
const MAX_SHARERS = 64;
const NO_TIMES: Times = new Map();

/** Whether what stands at `a` was said after what stands at `b`. */
export function newer(a: Place, b: Place | undefined): boolean {
  if (b === undefined) return true;
  if (a.spool === b.spool) return a.seq > b.seq;
  const [x, y] = [a.life ?? 0, b.life ?? 0];
  return x === y ? a.at > b.at : x > y;
}

/** Whether a copy in that state has a process, or may get one by itself. */
export function isAlive(state: Copy['state']): boolean {
  return state !== 'gone' && state !== 'shut-off';
}

/** Worst last: what the kernel of the host could do about a page. */
const RESULTS = ['Recovered', 'Delayed', 'Ignored', 'Failed'];

function worse(a: Page['kernel'], b: Page['kernel']): Page['kernel'] {
  if (a === undefined || b === undefined) return a ?? b;
  const rank = (k: NonNullable<Page['kernel']>): string => `${RESULTS.indexOf(k.result)} ${k.result} ${k.page}`;
  return rank(a) >= rank(b) ? a : b;
}

/** The kernel could not take the page away, or it is its own: the host is not to be trusted. */
export function isSuspect(kernel: Page['kernel']): boolean {
  if (kernel === undefined) return false;
  return kernel.result === 'Failed' || kernel.result === 'Ignored' || /slab|kernel|reserved/i.test(kernel.page);
}

/**
 * Which life of a VM on a host a witness of that time is about. What its host tells of before the last start there, ours or
 * somebody else's, is about the life before.
 */
function lifeAt(s: State, host: HostId, id: VmId | undefined, when: Time): number {
  const copy = s.vms.get(id ?? '')?.copies.find(c => c.host === host);
  const life = copy?.life ?? 0;
  const began = Math.max(copy?.since ?? 0, copy?.lifeFrom ?? 0);
  return copy === undefined || when >= began ? life : Math.max(0, life - 1);
}

/** The key of an incident and of a page in the ledger. */
function pageKey(
  pfn: bigint | undefined,
  gpa: bigint | undefined,
  vm: VmId | undefined,
  life: number,
): string | undefined {
  if (pfn !== undefined) return hex64(pfn);
  if (gpa === undefined || vm === undefined) return undefined;
  return `${vm}/${hex64(pageOf(gpa))}${life === 0 ? '' : `/${life + 1}`}`;
}

/**
 * Enters a witness of a bad page. Entries do not depend on the order in which witnesses come.
 * @returns the page, whether it is new to the ledger, and whether the witness says anything new; undefined where it names no page.
 */
export function enterPage(
  s: State,
  host: Host,
  place: Place,
  seen: SeenEvent,
  finding: Finding & { is: 'page' },
  when: Time,
): { page: Page; isNew: boolean; changed: boolean } | undefined {
  const { pfn, gpa, consumed, process, kernel } = finding;
  const life = gpa === undefined ? 0 : lifeAt(s, host.id, seen.vm, when);
  const key = pageKey(pfn, gpa, seen.vm, life);
  if (key === undefined) return undefined;
  let page = host.pages.get(key);
  const isNew = page === undefined;
  page ??= { key, vms: [], claims: [], order: 12, times: new Map(), hits: 0, applied: false };
  host.pages.set(key, page);
  page.hits += seen.count ?? 1;
  const before = `${page.gpa} ${page.vms.length} ${page.order} ${page.consumed} ${page.kernel?.result} ${page.repaired} ${page.process}`;
  if (pfn !== undefined) page.pfn = key;
  if (life > (page.life ?? 0)) page.life = life;
  // Of two that differ the smaller: which one came first is chance.
  if (gpa !== undefined) page.gpa = smaller(page.gpa, hex64(pageOf(gpa)));
  if (seen.vm !== undefined && !page.vms.includes(seen.vm) && page.vms.length < MAX_SHARERS)
    page.vms = [...page.vms, seen.vm].toSorted();
  page.order = Math.max(page.order, seen.order ?? 12);
  if (consumed === true) page.consumed = true;
  if (process !== undefined) page.process = smaller(page.process, process);
  const worst = worse(page.kernel, kernel);
  if (worst !== undefined) page.kernel = worst;
  if (seen.where?.dimm !== undefined) page.dimm = smaller(page.dimm, seen.where.dimm.slice(0, 80));
  if (host.bootPlace === undefined || !newer(host.bootPlace, place)) page.applied = true;
  // Bad again after the memory was replaced: the new memory is bad.
  if (page.repaired === true && when > host.repairedAt) page.repaired = false;
  const newTime = addTime(page.times, when);
  if (newTime) claim(s, host, page);
  const after = `${page.gpa} ${page.vms.length} ${page.order} ${page.consumed} ${page.kernel?.result} ${page.repaired} ${page.process}`;
  return { page, isNew, changed: isNew || newTime || before !== after };
}

/** A page of a host of which nothing is in the ledger, for an act on it. */
export function pageOfHost(pfn: string): Page {
  return { key: pfn, pfn, vms: [], claims: [], order: 12, times: new Map(), hits: 0, applied: true };
}

function smaller(a: string | undefined, b: string): string {
  return a === undefined || b < a ? b : a;
}

/**
 * VMs of the host that met an error without an address at that time may be the page's. That is noted also where its VM is
 * known: which of the two is known first is chance.
 */
function claim(s: State, host: Host, page: Page): void {
  for (const vm of lookup(s).metOn(host.id)) claimBy(vm, host, page);
}

function claimBy(vm: Vm, host: Host, page: Page): void {
  const unlocated = vm.met.get(host.id)?.unlocated;
  if (unlocated === undefined || page.claims.includes(vm.id)) return;
  if (![...page.times.values()].some(([a, b]) => near(unlocated, a) || near(unlocated, b))) return;
  page.claims = [...page.claims, vm.id].toSorted();
}

/** After an error without an address: the pages of the host that it may be about. True when one is claimed anew. */
export function claimPages(vm: Vm, host: Host, when: Time): boolean {
  let any = false;
  for (const page of host.pages.values()) {
    if (page.claims.includes(vm.id) || !near(page.times, when)) continue;
    page.claims = [...page.claims, vm.id].toSorted();
    any = true;
  }
  return any;
}

/** The VMs that a page was given to, as far as known. */
export function ownersOf(page: Page): VmId[] {
  if (page.vms.length > 0) return page.vms;
  return page.claims.length === 1 ? page.claims : [];
}

/** Whether a page was given to a VM. */
export function isOf(page: Page, vm: VmId): boolean {
  return ownersOf(page).includes(vm);
}

/** The page's entry by its frame, for a guest page of the same VM that was told at the same time; and the other way round. */
export function twinOf(host: Host, page: Page): Page | undefined {
  for (const owner of ownersOf(page)) {
    for (const [a, b] of twins(host, owner)) {
      if (a === page) return b;
      if (b === page) return a;
    }
  }
  return undefined;
}

/** The guest address of a page, from its own witnesses or from those that named the guest page alone. */
export function gpaOf(host: Host, page: Page): string | undefined {
  return page.gpa ?? twinOf(host, page)?.gpa;
}

const first = (page: Page): Time => firstOf(page.times) ?? 0;
const byTime = (a: Page, b: Page): number => first(a) - first(b) || (a.key < b.key ? -1 : 1);
const together = (a: Page, b: Page): boolean =>
  [...a.times.values()].some(([x, y]) => near(b.times, x) || near(b.times, y));

/** Pairs of entries that are one page: of equal guest address, else of the same time, earliest first. */
function twins(host: Host, vm: VmId): [guest: Page, frame: Page][] {
  const of = [...host.pages.values()].filter(p => isOf(p, vm));
  const guests = of.filter(p => p.pfn === undefined).toSorted(byTime);
  if (guests.length === 0) return [];
  const frames = of.filter(p => p.pfn !== undefined).toSorted(byTime);
  const free = new Set(frames);
  const pairs: [Page, Page][] = [];
  const pair = (fits: (guest: Page, frame: Page) => boolean): void => {
    for (const guest of guests) {
      if (pairs.some(([g]) => g === guest)) continue;
      const frame = frames.find(f => free.has(f) && fits(guest, f));
      if (frame === undefined) continue;
      free.delete(frame);
      pairs.push([guest, frame]);
    }
  };
  pair((g, f) => f.gpa === g.gpa && (f.life === g.life || together(f, g)));
  pair((g, f) => f.gpa === undefined && together(g, f));
  return pairs;
}

/** What a VM has met on one host, in numbers. The order in which rows came does not change them (I3). */
export interface VmCount {
  /** Distinct pages, and errors whose page is not known. */
  errors: number;
  unlocated: number;
  consumed: boolean;
  recursive: boolean;
  hypervisor: boolean;
  /** Pages of the ledger, one for each. */
  pages: Page[];
}

const counts = (page: Page, since: Time): boolean => page.repaired !== true && (lastOf(page.times) ?? 0) >= since;

/** Pages of a host since a time, each once; of one VM where one is given. */
export function distinctPages(host: Host, since: Time, vm?: VmId): Page[] {
  if (host.pages.size === 0) return [];
  const all = [...host.pages.values()].filter(p => counts(p, since) && (vm === undefined || isOf(p, vm)));
  // Only an entry by its guest page alone doubles another.
  if (all.every(p => p.pfn !== undefined)) return all.toSorted(byTime);
  const owners = vm === undefined ? new Set(all.flatMap(ownersOf)) : new Set([vm]);
  const doubles = new Set([...owners].flatMap(owner => twins(host, owner).map(([guest]) => guest)));
  return all.filter(p => !doubles.has(p)).toSorted(byTime);
}

/** What is known of a VM on a host when its reset is ordered, at that time of the host. */
export function answeredBy(vm: Vm, host: Host, now: Time): Answered {
  const mine = [...host.pages.values()].filter(p => isOf(p, vm.id));
  const unlocated = vm.met.get(host.id)?.unlocated ?? NO_TIMES;
  const late = [...unlocated].filter(([, [, last]]) => last >= now - UNLOCATED_MS);
  const unexplained = late.filter(([, [at]]) => !mine.some(p => near(p.times, at)));
  const cells = (of: typeof late): number[] => of.map(([cell]) => cell);
  return { from: now, pages: mine.map(p => p.key), unlocated: cells(late), unexplained: cells(unexplained) };
}

/** Pages that a reset has answered: those that were known then, and of each error without an address the page that was told later. */
function answeredPages(host: Host, mine: readonly Page[], { pages, unexplained }: Answered): Set<Page> {
  const old = new Set(mine.filter(p => pages.includes(p.key)));
  const andTwins = (): void => {
    for (const page of old) {
      const twin = twinOf(host, page);
      if (twin !== undefined) old.add(twin);
    }
  };
  andTwins();
  for (const cell of unexplained) {
    const at: Times = new Map([[cell, [0, 0]]]);
    const [page] = mine.filter(p => !old.has(p) && near(at, first(p))).toSorted(byTime);
    if (page === undefined) continue;
    old.add(page);
    andTwins();
  }
  return old;
}

/**
 * Counts what a VM has met on a host since a time.
 * @param answered what a reset has answered: its late witnesses are no further errors
 */
export function countVm(vm: Vm, host: Host, since: Time, answered?: Answered): VmCount {
  const mine = [...host.pages.values()].filter(p => isOf(p, vm.id));
  const old = answered === undefined ? new Set<Page>() : answeredPages(host, mine, answered);
  const pages = distinctPages(host, since, vm.id).filter(p => !old.has(p));
  const met = vm.met.get(host.id);
  const cells = new Set(answered?.unlocated);
  const of = (times: Times | undefined): Times => without(times ?? NO_TIMES, cells);
  const any = (times: Times | undefined): boolean => (lastOf(of(times)) ?? -Infinity) >= since;
  const told = new Map([...(met?.unlocated ?? NO_TIMES)].filter(([cell]) => cells.has(cell)));
  const unlocated = countApart(
    of(met?.unlocated),
    since,
    at => mine.some(p => near(p.times, at)) || (told.size > 0 && near(told, at, UNLOCATED_MS)),
  );
  return {
    errors: pages.length + unlocated,
    unlocated,
    consumed: mine.some(p => !old.has(p) && counts(p, since) && p.consumed === true) || any(met?.consumed),
    recursive: any(met?.recursive),
    hypervisor: any(met?.hypervisor),
    pages,
  };
}

/** The number of the life that follows that of a copy on its host. */
export function lifeAfter({ life = 0 }: Pick<Copy, 'life'>): number {
  return life + 1;
}

/** The host on which a VM is counted, and since when: what an earlier copy met is none of its business. */
export function homeCopy(vm: Vm): Copy | undefined {
  return vm.copies.find(c => c.host === vm.home);
}

/** A stop that was announced and does not come is forgotten after so long. */
const PLANNED_MS = 3_600_000;

/** Whether the end of a VM at that time was asked for: it is no failure. */
export function isPlannedStop(vm: Vm, at: Time): boolean {
  if (vm.plannedStop === undefined || at < vm.plannedStop) return false;
  const home = homeCopy(vm);
  return home === undefined || !isAlive(home.state) || at - vm.plannedStop <= PLANNED_MS;
}

/** When a stop that was announced and has not come is forgotten. */
export function duePlannedStop({ plannedStop }: Vm, due: Due): void {
  if (plannedStop !== undefined) due(over(plannedStop + PLANNED_MS));
}

/** Whether no error of the VM is known since it was started or reset, also to its VMM: only such a VM may be migrated live. */
export function isClean(s: State, vm: Vm): boolean {
  const home = homeCopy(vm);
  const host = home === undefined ? undefined : s.hosts.get(home.host);
  if (home === undefined || host === undefined || home.poisoned === true) return false;
  const since = Math.max(home.since, vm.settled);
  const { errors, hypervisor, consumed } = countVm(vm, host, since);
  // Two VMs may be the owners of a page: neither is clean.
  const maybe = [...host.pages.values()].some(p => p.vms.length === 0 && p.claims.includes(vm.id) && counts(p, since));
  return errors === 0 && !hypervisor && !consumed && !maybe;
}

/** Bad pages that the host's kernel may give out again. */
export function unapplied(host: Host): Page[] {
  return [...host.pages.values()].filter(p => p.pfn !== undefined && !p.applied && p.repaired !== true);
}

/** Bytes that are lost with pages. */
export function lostBytes(pages: readonly Page[]): number {
  return pages.reduce((sum, p) => sum + 2 ** p.order, 0);
}

/** Whether a VM met any error within so long before a time. */
export function errorBefore(vm: Vm, host: Host, at: Time, within: Time): boolean {
  const before = (times: Page['times']): boolean => {
    for (const [a, b] of times.values()) {
      // The clocks of two readers of one host differ by no more than the window of a join.
      if ((b <= at + JOIN_MS / 2 && at - b <= within) || (a <= at + JOIN_MS / 2 && at - a <= within)) return true;
    }
    return false;
  };
  const unlocated = vm.met.get(host.id)?.unlocated ?? NO_TIMES;
  return before(unlocated) || [...host.pages.values()].some(p => isOf(p, vm.id) && before(p.times));
}

/** The host of an id, made when first heard of. */
export function hostOf(s: State, id: HostId): Host {
  const known = s.hosts.get(id);
  if (known !== undefined) return known;
  const host: Host = {
    id,
    connected: false,
    since: s.now,
    memoryBytes: 0,
    freeBytes: 0,
    cpuModels: [],
    storage: [],
    pages: new Map(),
    corrected: new Map(),
    repairedAt: 0,
    sources: new Map(),
  };
  s.hosts.set(id, host);
  return host;
}

/** The VM of an id, made when first heard of. It is acted on only once its host has reported that it may be. */
export function vmById(s: State, id: VmId): Vm {
  const known = s.vms.get(id);
  if (known !== undefined) return known;
  const vm: Vm = {
    id,
    name: id,
    disks: [],
    memoryBytes: 0,
    optedIn: false,
    canQuarantine: false,
    epoch: 0,
    copies: [],
    met: new Map(),
    after: [],
    settled: 0,
    said: [],
  };
  s.vms.set(id, vm);
  return vm;
}

/** What a VM met without an address on a host; made when first asked for. */
export function metOn(s: State, vm: Vm, host: HostId): Met {
  const known = vm.met.get(host);
  if (known !== undefined) return known;
  const met: Met = {
    unlocated: new Map(),
    loose: [],
    hypervisor: new Map(),
    recursive: new Map(),
    consumed: new Map(),
  };
  vm.met.set(host, met);
  lookup(s).meets(host, vm.id);
  return met;
}
