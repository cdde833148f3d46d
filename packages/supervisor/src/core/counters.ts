/**
 * @module What the kernel of a host has counted since its boot, held against the ledger (I2). Fewer bad pages than the ledger takes for
 * out of use: some are in use again. More errors than anybody has told: some were read by nobody.
 *
 * Linux counts a page in both when it handles its error, and before it logs it: `/sys/devices/system/node/nodeN/memory_failure/total`
 * (Documentation/ABI/testing/sysfs-memory-page-offline) what it has handled, HardwareCorrupted of /proc/meminfo
 * (Documentation/filesystems/proc.rst) what is out of use now, soft-offlined pages among it. Both begin at 0 with each boot.
 */
import { hostNow } from './clock.ts';
import { checkCorrected } from './corrected.ts';
import type { Time } from './ids.ts';
import { twinOf } from './ledger.ts';
import { lookup } from './lookup.ts';
import type { HostReport } from './said.ts';
import { isBlindTo } from './sources.ts';
import type { Doing, Host, Page, State } from './state.ts';
import { countApart, lastOf } from './times.ts';
import type { Due } from './times.ts';
import { alarm, calm, decide } from './turn.ts';
import type { Turn } from './turn.ts';

/** What one error is counted and told by comes from readers that look at different moments: within this time all have. */
const SETTLED_MS = 60_000;
const PAGE_BYTES = 4096;
const HANDLED = /^node\d+\.memory_failure\.total$/;

/** Takes what a host's kernel has counted. What it does not count is not known to be none. */
export function noteCounters(host: Host, { counters, arch }: HostReport): void {
  const handled = Object.entries(counters ?? {}).filter(([name]) => HANDLED.test(name));
  const corrupted = counters?.['HardwareCorrupted'];
  const counted: NonNullable<Host['counted']> = {};
  if (handled.length > 0) counted.handled = handled.reduce((sum, [, n]) => sum + n, 0);
  // It is in pages of the kernel, whose size on arm64 is not known here.
  if (corrupted !== undefined && arch === 'x86-64') counted.poisoned = Math.round(corrupted / PAGE_BYTES);
  if (counted.handled === undefined && counted.poisoned === undefined) delete host.counted;
  else host.counted = counted;
}

/** Holds what hosts have counted against the ledger, once all of it has settled. To be called as time passes. */
export function checkCounters(t: Turn, hosts: readonly Host[]): void {
  for (const host of hosts) checkHost(t, host);
}

/** Errors of this boot without an address. */
function unlocatedOf(s: State, { id, bootPlace }: Host): number {
  let count = 0;
  for (const { met } of lookup(s).metOn(id)) {
    const unlocated = met.get(id)?.unlocated;
    if (unlocated !== undefined) count += countApart(unlocated, bootPlace?.at ?? 0, () => false);
  }
  return count;
}

/** Pages that we had moved before they were lost: they are out of use, and no error of theirs was handled. */
function softOfflined(s: State, { id }: Host): number {
  let count = 0;
  for (const act of s.acts.values())
    if (act.host === id && act.kind === 'soft-offline' && act.state === 'confirmed' && isOfBoot(s, act)) count++;
  return count;
}

/** Whether an act was answered since its host has booted: both counters begin anew with a boot. */
const isOfBoot = (s: State, { host, at }: Doing): boolean =>
  at === undefined || at >= (s.hosts.get(host)?.bootPlace?.at ?? 0);

function checkHost(t: Turn, host: Host): void {
  const { counted } = host;
  if (counted === undefined && host.correctedCount === undefined) return;
  // Counters are told when they change: while somebody reads them, what was told last is what they are.
  if (!host.connected || t.now - host.since < SETTLED_MS || isBlindTo(host)) return;
  const clock = hostNow(t, host.id);
  checkCorrected(t, host, clock);
  if (counted === undefined) return;
  checkFewer(t, host, counted, clock);
  checkMore(t, host, counted);
}

/** When what {@link checkCounters} looks at has settled. */
export function dueCounters(host: Host, due: Due): void {
  const { counted, correctedCount, unseen, behind = 0 } = host;
  if (!host.connected || (counted === undefined && correctedCount?.settling === undefined)) return;
  due(host.since + SETTLED_MS);
  if (correctedCount?.settling !== undefined) due(correctedCount.settling.at + SETTLED_MS);
  if (unseen !== undefined) due(unseen.since + SETTLED_MS);
  if (counted === undefined) return;
  for (const page of host.pages.values()) {
    const at = saidOut(host, page);
    if (at !== undefined) due(at + SETTLED_MS + behind);
  }
}

/** When a page was last said to be taken out of use in this boot, by the clock of the host. */
function saidOut(host: Host, page: Page): Time | undefined {
  if (page.pfn === undefined || !page.applied || page.repaired === true) return undefined;
  if (isReofflined(host, page)) return page.appliedAt;
  return page.kernel === undefined ? undefined : lastOf(page.times);
}

/** Pages that the kernel has said to have taken out of use in this boot, long enough ago to be counted. */
function takenOut(host: Host, now: Time): Page[] {
  return [...host.pages.values()].filter(page => {
    const at = saidOut(host, page);
    return at !== undefined && at <= now - SETTLED_MS;
  });
}

const isReofflined = (host: Host, page: Page): boolean =>
  host.boot !== undefined && page.reofflined === host.boot && page.appliedAt !== undefined;

function checkFewer(t: Turn, host: Host, { handled, poisoned }: NonNullable<Host['counted']>, clock: Time): void {
  const kernel = Math.min(handled ?? Infinity, poisoned ?? Infinity);
  // Most hosts have no bad page.
  if (host.pages.size <= kernel) return;
  const claimed = takenOut(host, clock);
  const short = claimed.length - kernel;
  if (short <= 0) return;
  // Which ones is not counted. What was said to be taken out again after the boot, before what the kernel itself has told.
  const again = claimed.filter(page => isReofflined(host, page));
  const doubted = again.length >= short ? again : claimed;
  for (const page of doubted) {
    page.applied = false;
    if (host.boot !== undefined) page.doubted = host.boot;
  }
  decide(t, {
    host: host.id,
    rule: 'core/counters',
    rung: 'observe',
    inputs: { kernel, ledger: claimed.length, doubted: doubted.length },
    why:
      `The kernel of ${host.id} has ${kernel} bad pages out of use, and the ledger ${claimed.length}: ` +
      `${short} of ${doubted.length} that were taken for out of use are in use again.`,
  });
  t.hosts.add(host.id);
}

/** Errors of this boot whose page somebody has told, by frame or by guest address alone. */
function toldPages(host: Host): number {
  let pages = 0;
  for (const page of host.pages.values()) {
    if (page.pfn === undefined) pages += page.applied && twinOf(host, page) === undefined ? 1 : 0;
    else pages += page.applied || page.doubted === host.boot ? 1 : 0;
  }
  return pages;
}

function checkMore(t: Turn, host: Host, { handled, poisoned = 0 }: NonNullable<Host['counted']>): void {
  const kernel = handled ?? poisoned - (poisoned > 0 ? softOfflined(t.s, host) : 0);
  const pages = kernel > 0 ? toldPages(host) : 0;
  const told = kernel > pages ? pages + unlocatedOf(t.s, host) : pages;
  const count = kernel - told;
  if (count <= 0) {
    if (host.unseen === undefined) return;
    delete host.unseen;
    calm(t, 'unseen-errors', host.id);
    return;
  }
  if (host.unseen?.count !== count) host.unseen = { count, since: t.now };
  if (t.now - host.unseen.since < SETTLED_MS) return;
  alarm(t, 'unseen-errors', host.id, {
    host: host.id,
    summary:
      `The kernel of ${host.id} has handled ${kernel} memory errors since its boot, and ${told} of them were told: ` +
      `${count} were read by nobody. Their pages are out of use; who has lost them is not known.`,
  });
}

/** Errors of a host that its kernel has counted and nobody has told, as far as that is certain. */
export function unseenErrors(s: State, host: Host): number {
  return host.unseen !== undefined && s.now - host.unseen.since >= SETTLED_MS ? host.unseen.count : 0;
}
