import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseObject } from '@syndrome/decode/common/json.ts';
import { classifyFs, supplyError } from './errors.ts';

/** Who a process is, in a way that survives reuse of its pid: boot, pid namespace, pid, start time. */
export interface Owner {
  pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks since boot. */
  start: string;
  boot: string;
  namespace: string;
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** The start time of a process (proc_pid_stat(5), field 22), or '' when there is no such process. */
export function startTime(pid: number): string {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The name in field 2 may hold spaces and brackets: count from the last one.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

export function thisProcess(): Owner {
  return {
    pid: process.pid,
    start: startTime(process.pid),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** A holder that cannot be seen from here (other boot, other pid namespace) is believed alive for so long after its last sign. */
const UNSEEN_MS = 60_000;
const SIGN_MS = 10_000;

/**
 * True when `owner` is certainly not at work any more: on this boot and in this pid namespace when its process is gone
 * or its pid belongs to a younger process; elsewhere when it gave no sign (`ageMs` since its file was touched).
 */
export function isStale(owner: Owner, ageMs: number, here: Owner = thisProcess()): boolean {
  if (owner.boot !== here.boot || owner.namespace !== here.namespace) return ageMs > UNSEEN_MS;
  return startTime(owner.pid) !== owner.start;
}

/** The owner that a value from a file stands for; undefined when it stands for none. */
export function ownerOf(value: unknown): Owner | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, start, boot, namespace } = value as Partial<Record<keyof Owner, unknown>>;
  if (!Number.isSafeInteger(pid) || Number(pid) < 1) return undefined;
  if (typeof start !== 'string' || typeof boot !== 'string' || typeof namespace !== 'string') return undefined;
  return { pid: Number(pid), start, boot, namespace };
}

/** The owner that a lock names; undefined when it is not one of ours. */
export function parseOwner(text: string): Owner | undefined {
  return ownerOf(parseObject(text));
}

interface LockOptions {
  deadlineMs: number;
  signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock. */
  onWait?: (owner: Owner) => void;
}

/**
 * Takes `folder/name.lock`, waiting for a living holder; a lock left behind by a dead process is taken over. The file
 * appears complete (link(2) of a finished file), so it is never read half-written. Two waiters that find the same
 * stale lock may in theory both proceed; what is done under a lock is therefore always published by one atomic rename.
 * Returns the function that releases it. Throws E_SUPPLY_LOCKED after the deadline, E_SUPPLY_ABORTED.
 */
export async function takeLock(folder: string, name: string, options: LockOptions): Promise<() => void> {
  const path = join(folder, `${name}.lock`);
  const mine = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const here = thisProcess();
  const until = Date.now() + options.deadlineMs;
  let told = false;
  try {
    writeFileSync(mine, JSON.stringify({ ...here, nonce: mine }), { mode: 0o600 });
  } catch (error) {
    throw classifyFs(error, path);
  }
  try {
    for (;;) {
      if (options.signal?.aborted)
        throw supplyError('E_SUPPLY_ABORTED', 'interrupted', { cause: options.signal.reason });
      try {
        linkSync(mine, path);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw classifyFs(error, path);
      }
      let text: string;
      let ageMs: number;
      try {
        text = readFileSync(path, 'utf8');
        ageMs = Date.now() - statSync(path).mtimeMs;
      } catch {
        continue; // released in between
      }
      const owner = parseOwner(text);
      if (owner === undefined ? ageMs > UNSEEN_MS : isStale(owner, ageMs, here)) {
        takeAway(path, text);
        continue;
      }
      if (owner && !told) {
        told = true;
        options.onWait?.(owner);
      }
      if (Date.now() > until) {
        throw supplyError('E_SUPPLY_LOCKED', `process ${owner?.pid ?? '?'} has been working on ${name} for too long`, {
          hint: `Wait for it, or end it and remove ${path}.`,
        });
      }
      await delay(100);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  const sign = setInterval(() => {
    try {
      const now = new Date();
      utimesSync(path, now, now);
    } catch {
      // taken away: the rename at the end decides
    }
  }, SIGN_MS);
  sign.unref();
  return () => {
    clearInterval(sign);
    if (attempt(() => readFileSync(path, 'utf8')).includes(mine)) rmSync(path, { force: true });
  };
}

/** Removes a lock that was judged stale, but not one that a faster waiter has put in its place meanwhile. */
function takeAway(path: string, judged: string): void {
  const aside = `${path}.stale.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // a faster one did it
  }
  if (attempt(() => readFileSync(aside, 'utf8')) !== judged) {
    try {
      linkSync(aside, path);
    } catch {
      // a third one has it already
    }
  }
  rmSync(aside, { force: true });
}
