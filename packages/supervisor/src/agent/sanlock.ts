/**
 * @module What sanlock and its watchdog daemon say of a lockspace: the leases on host ids (sanlock(8), "delta leases") that this host keeps or
 * sees, and whether this host would be reset if its own were not renewed (sanlock(8), "Watchdog"; wdmd(8)). Read from what their commands print.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { LeaseReport } from '../core/said.ts';
import { runOnce } from './acts/child.ts';

/** How the commands are called, and where the kernel tells of watchdogs. */
export interface SanlockPlace {
  /** Program and first arguments. Default `['sanlock']`, `['wdmd']`. */
  sanlock?: readonly string[];
  wdmd?: readonly string[];
  proc?: string;
  sys?: string;
}

/** A lockspace that this host has joined. Times are seconds of the daemon's own clock, which does not jump. */
interface OwnLease {
  hostId: number;
  generation: number;
  /** How long one read or write may take, s: all other times of a lease are multiples of it. */
  ioTimeout: number;
  /** When it was renewed last, and whether the last try was good. */
  renewed: number;
  isRenewed: boolean;
  /** The lease has failed: whoever uses it is being stopped. */
  isFailing: boolean;
  /** The lockspace is marked as used (`sanlock client set_config -u 1`): its watchdog is not let go of when the lease is lost. */
  isUsed: boolean;
}

/** `sanlock client status -D`. */
export interface SanlockStatus {
  usesWatchdog: boolean;
  /** As it writes itself into its leases: a UUID and the host's name, where it was not given another. */
  name?: string;
  now: number;
  lockspaces: Map<string, OwnLease>;
}

/** A host id as the daemon of another host, or of its own, has read it (`sanlock client host_status -s LOCKSPACE -D`). */
interface SeenLease {
  /** Who has it or had it last, by its own name. */
  owner?: string;
  generation: number;
  /** By the clock of its owner; 0 where nobody has it. */
  timestamp: number;
  ioTimeout: number;
  /** By the clock of the daemon that looks: when it has looked last, and when it saw it renewed last. */
  checked: number;
  live: number;
}

/** `wdmd -d`. */
interface WdmdStatus {
  pid: number;
  /** When the device was last kept alive; 0 for never. */
  keepalive: number;
  /** From the last keepalive to the reset, s. */
  fireSeconds: number;
  /** By the name of the connection: until when it is good; 0 for one that stands for nothing. */
  connections: Map<string, number>;
}

/** wdmd's watchdog fires so long after the last keepalive, where it does not say another time: wdmd(8), "fire timeout". */
const FIRE_SECONDS = 60;
const ASK_MS = 10_000;
const NAME_LENGTH = 48;
/** Of the 2000 hosts that a lockspace may have, each with nine lines. */
const MAX_PRINTED = 1 << 20;
/** As the kernel calls the one that is no device: a kernel that hangs does not reset itself (drivers/watchdog/softdog.c). */
const SOFTDOG = /software watchdog/i;

/** Blocks of `name=value` lines, indented, each under the line that it belongs to. */
function blocks(text: string): { head: string; values: Map<string, string> }[] {
  const out: { head: string; values: Map<string, string> }[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [, name, value] = /^\s+([\w-]+)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) out.push({ head: line.trim(), values: new Map() });
    else out.at(-1)?.values.set(name, value.trim());
  }
  return out;
}

/** A decimal number of a block; undefined where it says none. */
function numberIn(values: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = values.get(name);
  const value = text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The name of a daemon, of at most 48 bytes (sanlock, src/sanlock.h: SANLK_NAME_LEN), as a member; none where it says none. */
function named<K extends string>(key: K, values: ReadonlyMap<string, string>, name: string): { [k in K]?: string } {
  const text = values.get(name)?.slice(0, NAME_LENGTH) ?? '';
  return (text === '' ? {} : { [key]: text }) as { [k in K]?: string };
}

/**
 * Reads `sanlock client status -D`; undefined where it is none. A lockspace that is being joined or left, or that does not say all, is left out.
 * @example parseStatus('daemon a\n    use_watchdog=1\n    monotime=5\ns LS:1:/leases:0\n    …')
 */
export function parseStatus(text: string): SanlockStatus | undefined {
  const all = blocks(text);
  const daemon = all.find(({ head }) => head.startsWith('daemon '))?.values ?? new Map<string, string>();
  const now = numberIn(daemon, 'monotime');
  if (now === undefined) return undefined;
  const lockspaces = new Map<string, OwnLease>();
  for (const { head, values } of all) {
    // Behind the path and its offset stands whether it is on its way in or out.
    const [, name, id] = /^s ([^\s:]+):(\d+):\S*:\d+$/.exec(head) ?? [];
    const [generation, ioTimeout, renewed] = ['host_generation', 'io_timeout', 'renewal_last_success'].map(key =>
      numberIn(values, key),
    );
    if (name === undefined || generation === undefined || !ioTimeout || renewed === undefined) continue;
    const is = (key: string, value: number): boolean => numberIn(values, key) === value;
    lockspaces.set(name, {
      hostId: Number(id),
      generation,
      ioTimeout,
      renewed,
      isRenewed: is('renewal_last_result', 1) && is('renew_fail', 0),
      isFailing: !is('space_dead', 0) || !is('killing_pids', 0),
      isUsed: is('external_used', 1),
    });
  }
  return {
    usesWatchdog: numberIn(daemon, 'use_watchdog') === 1,
    ...named('name', daemon, 'our_host_name'),
    now,
    lockspaces,
  };
}

/** Reads `sanlock client host_status -s LOCKSPACE -D`: by host id. */
export function parseHosts(text: string): Map<number, SeenLease> {
  const hosts = new Map<number, SeenLease>();
  for (const { head, values } of blocks(text)) {
    const [, id] = /^(\d+) timestamp \d+$/.exec(head) ?? [];
    const [generation, timestamp, ioTimeout, checked, live] = [
      'owner_generation',
      'timestamp',
      'io_timeout',
      'last_check',
      'last_live',
    ].map(key => numberIn(values, key));
    if (id === undefined || generation === undefined || timestamp === undefined) continue;
    if (ioTimeout === undefined || checked === undefined || live === undefined) continue;
    hosts.set(Number(id), { ...named('owner', values, 'owner_name'), generation, timestamp, ioTimeout, checked, live });
  }
  return hosts;
}

/** What the daemon itself holds of a host id. */
const LEASE_WORDS = ['FREE', 'LIVE', 'FAIL', 'DEAD', 'UNKNOWN'] as const;
type LeaseWord = (typeof LEASE_WORDS)[number];

/** Reads `sanlock client gets -h 1`: the daemon's own word for each host id of a lockspace, with the generation that it is about. */
export function parseWords(text: string, lockspace: string): Map<number, { generation: number; word: LeaseWord }> {
  const out = new Map<number, { generation: number; word: LeaseWord }>();
  let isOfIt = false;
  for (const line of text.split('\n')) {
    const [, space] = /^s ([^\s:]+):/.exec(line) ?? [];
    if (space !== undefined) isOfIt = space === lockspace;
    const [, id, generation, said] = /^h (\d{1,9}) gen (\d{1,15}) timestamp \d+ ([A-Z]+)\s*$/.exec(line) ?? [];
    const word = LEASE_WORDS.find(one => one === said);
    if (isOfIt && word !== undefined) out.set(Number(id), { generation: Number(generation), word });
  }
  return out;
}

/** Reads `wdmd -d`; undefined where it is none. */
export function parseWdmd(text: string): WdmdStatus | undefined {
  const [head] = /^wdmd \d+ .*$/m.exec(text) ?? [];
  const [, pid, keepalive] = /^wdmd (\d{1,9}) .*\blast_keepalive (\d{1,15})\b/.exec(head ?? '') ?? [];
  if (head === undefined || pid === undefined) return undefined;
  const fire = /\bfire_timeout (\d{1,5})\b/.exec(head)?.[1];
  const connections = new Map<string, number>();
  // Without a reference wdmd may end in order, and take the watchdog along.
  for (const [, name = '', dead, ref, expire] of text.matchAll(
    /^client \d+ name (\S+) pid \d+ fd \d+ dead (\d+) ref (\d+) now \d+ renewal \d+ expire (\d{1,15})$/gm,
  ))
    if (dead === '0' && Number(ref) > 0) connections.set(name, Number(expire));
  const fireSeconds = fire === undefined ? FIRE_SECONDS : Number(fire);
  return { pid: Number(pid), keepalive: Number(keepalive), fireSeconds, connections };
}

/** How the watchdog that a process has open calls itself; undefined where it has none open, or that may not be seen. */
export function openWatchdog(pid: number, proc = '/proc', sys = '/sys'): string | undefined {
  try {
    for (const fd of readdirSync(`${proc}/${pid}/fd`)) {
      const [, nth] = /^\/dev\/watchdog(\d*)$/.exec(readlinkSync(`${proc}/${pid}/fd/${fd}`)) ?? [];
      // The one without a number is the first of them (Documentation/watchdog/watchdog-kernel-api.rst).
      if (nth === undefined) continue;
      return readFileSync(`${sys}/class/watchdog/watchdog${nth || '0'}/identity`, 'latin1').trim() || undefined;
    }
  } catch {
    // Not known is not armed.
  }
  return undefined;
}

/**
 * Why this host would not be reset by a device if its lease on a lockspace were not renewed; undefined where it would be. Each condition by itself
 * is the reason why a lease that has expired proves nothing.
 */
export function whyUnarmed(
  lockspace: string,
  status: SanlockStatus,
  wdmd: WdmdStatus | undefined,
  device: string | undefined,
): string | undefined {
  const own = status.lockspaces.get(lockspace);
  if (own === undefined) return 'it is not joined';
  if (!status.usesWatchdog) return 'its daemon runs without a watchdog (use_watchdog=0)';
  // Who is stopped when a lease is lost is who holds one, and a VM that is paused holds none; then the watchdog is let go of.
  if (!own.isUsed)
    return 'the lockspace is not marked as used: sanlock lets go of the watchdog when nobody holds a lease in it (sanlock client set_config -u 1)';
  if (wdmd === undefined) return 'wdmd does not answer';
  // A connection whose time is over, and a device that is not kept alive, are about to reset it: armed all the more.
  if ((wdmd.connections.get(`sanlock_${lockspace}:${own.hostId}`) ?? 0) === 0) return 'wdmd has no connection of it';
  if (wdmd.keepalive === 0) return 'wdmd keeps no watchdog alive';
  if (device === undefined) return 'it cannot be seen which watchdog wdmd has open';
  if (SOFTDOG.test(device))
    return `its watchdog is the kernel's own timer (${device}), which a kernel that hangs does not run`;
  return undefined;
}

/**
 * Whether this host says that it is a virtual machine itself: CPUID Fn0000_0001_ECX[31] (APM volume 3), which Linux shows as `hypervisor`. Who pauses
 * it pauses its watchdog with it. Arm has no such bit.
 */
function isGuest(proc = '/proc'): boolean {
  try {
    return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync(`${proc}/cpuinfo`, 'latin1'));
  } catch {
    return false;
  }
}

/** What a command of sanlock prints; undefined where it fails, or prints more than is read: a number that is cut is another one. */
async function ask(argv: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  const ran = await runOnce(argv, ASK_MS, signal, { maxOutput: MAX_PRINTED });
  return ran.code === 0 && ran.short !== true ? ran.output : undefined;
}

/** Which lockspaces this host has joined, as it is now; undefined where its daemon does not answer. */
export async function sanlockStatus(
  { sanlock = ['sanlock'] }: SanlockPlace,
  signal: AbortSignal,
): Promise<SanlockStatus | undefined> {
  const text = await ask([...sanlock, 'client', 'status', '-D', '-o', 's'], signal);
  return text === undefined ? undefined : parseStatus(text);
}

/** What this host's daemon has read of one lockspace. */
export async function leasesSeen(
  lockspace: string,
  { sanlock = ['sanlock'] }: SanlockPlace,
  signal: AbortSignal,
): Promise<{ hosts: Map<number, SeenLease>; words: ReturnType<typeof parseWords> }> {
  const hosts = await ask([...sanlock, 'client', 'host_status', '-s', lockspace, '-D'], signal);
  const words = await ask([...sanlock, 'client', 'gets', '-h', '1'], signal);
  return { hosts: parseHosts(hosts ?? ''), words: parseWords(words ?? '', lockspace) };
}

/**
 * What this host has to say of its leases on host ids: one entry for each of the lockspaces that it has joined. Undefined where its daemon does not
 * answer: of one that has died without leaving, what was told last is true, since wdmd resets its host; one that has left has given its leases back.
 */
export async function leaseReports(
  lockspaces: readonly string[],
  place: SanlockPlace,
  signal: AbortSignal,
): Promise<LeaseReport[] | undefined> {
  const status = await sanlockStatus(place, signal);
  if (status === undefined) return undefined;
  const { wdmd: argv = ['wdmd'], proc, sys } = place;
  const said = status.usesWatchdog ? await ask([...argv, '-d'], signal) : undefined;
  const wdmd = said === undefined ? undefined : parseWdmd(said);
  const device = wdmd === undefined ? undefined : openWatchdog(wdmd.pid, proc, sys);
  return lockspaces.flatMap(lockspace => {
    const own = status.lockspaces.get(lockspace);
    if (own === undefined) return [];
    const { hostId, generation, ioTimeout } = own;
    const unarmed =
      whyUnarmed(lockspace, status, wdmd, device) ??
      (isGuest(proc) ? 'this host is a virtual machine: while it is paused, so is its watchdog' : undefined);
    return [
      {
        lockspace,
        hostId,
        generation,
        ...(status.name === undefined ? {} : { owner: status.name }),
        ioTimeout,
        ...(unarmed === undefined && wdmd !== undefined && device !== undefined
          ? { watchdog: { fireSeconds: wdmd.fireSeconds, device: device.slice(0, 100) } }
          : { unarmed: unarmed ?? 'it is not known' }),
      },
    ];
  });
}
