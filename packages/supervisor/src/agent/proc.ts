/** @module What /proc says of processes: who is who, who is gone, and who listens on a socket (proc(5)). */
import { bit, defineRegister } from '@syndrome/decode/registers/register.ts';
import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import type { ProcessGone } from '../core/act.ts';
import type { Unit } from './units.ts';

/** A process. A PID is used again: only with its start it is one and the same. */
export interface ProcessId {
  pid: number;
  /** Clock ticks since boot, as /proc/PID/stat has them. */
  startTicks: string;
}

export interface ProcessFacts extends ProcessId {
  /** One letter: R, S, D, T, Z, X, … */
  state: string;
  comm: string;
  argv: string[];
}

/** No command line of a VM is longer, characters. */
const MAX_CMDLINE = 1 << 20;
/** What most files of /proc fit into, bytes. They have no size, and Node would take 64 KiB for each. */
const USUAL = 4096;

/** What a file of /proc is read into. Who reads one of each process has one for all: V8 frees buffers late. */
const someBuffer = (): Buffer => Buffer.allocUnsafe(USUAL);

/** A file of /proc. @throws the error of the file system */
function readWhole(path: string, encoding: BufferEncoding = 'latin1', first = someBuffer()): string {
  const fd = openSync(path, 'r');
  try {
    let [buffer, filled] = [first, 0];
    for (;;) {
      const length = readSync(fd, buffer, filled, buffer.length - filled, null);
      if (length === 0) return buffer.toString(encoding, 0, filled);
      filled += length;
      if (filled === buffer.length) buffer = Buffer.concat([buffer], 4 * filled);
    }
  } finally {
    closeSync(fd);
  }
}

function read(...file: Parameters<typeof readWhole>): string | undefined {
  try {
    return readWhole(...file);
  } catch {
    return undefined;
  }
}

/** State and start of a `stat` line; the name in it may hold blanks and parentheses. @example statOf('7 (a) b) S 1 …') */
export function statOf(line: string): { comm: string; state: string; startTicks: string } | undefined {
  const [open, close] = [line.indexOf('('), line.lastIndexOf(')')];
  if (open < 0 || close < open) return undefined;
  // Behind the name: field 3 is the state, field 22 the start.
  const rest = line.slice(close + 2).split(' ');
  const [state, startTicks] = [rest[0], rest[19]];
  if (state === undefined || startTicks === undefined || !/^\d{1,20}$/.test(startTicks)) return undefined;
  return { comm: line.slice(open + 1, close), state, startTicks };
}

/** What is known of a process; undefined where there is none. A zombie is one, in state Z. */
export function processFacts(pid: number, proc = '/proc'): ProcessFacts | undefined {
  const stat = statOf(read(`${proc}/${pid}/stat`) ?? '');
  return stat === undefined ? undefined : { pid, ...stat, argv: argvOf(pid, proc) };
}

function argvOf(pid: number, proc: string, buffer?: Buffer): string[] {
  const text = (read(`${proc}/${pid}/cmdline`, 'utf8', buffer) ?? '').slice(0, MAX_CMDLINE);
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

/**
 * How a process is gone; undefined where it is there, or where that cannot be looked at: no /proc/PID, another start, or a
 * zombie. A failed look (no descriptor left, no right) is no answer.
 */
export function howGone({ pid, startTicks }: ProcessId, proc = '/proc'): ProcessGone | undefined {
  let line: string;
  try {
    line = readWhole(`${proc}/${pid}/stat`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Without a /proc every process would be gone.
    return (code === 'ENOENT' || code === 'ESRCH') && existsSync(`${proc}/self`) ? 'absent' : undefined;
  }
  const stat = statOf(line);
  if (stat === undefined) return undefined;
  if (stat.startTicks !== startTicks) return 'other-start-time';
  return stat.state === 'Z' || stat.state === 'X' ? 'zombie' : undefined;
}

/** All processes. */
export function pids(proc = '/proc'): number[] {
  return readdirSync(proc)
    .filter(name => /^\d{1,10}$/.test(name))
    .map(Number);
}

/** The flags of a socket in /proc/net/unix. */
const UNIX_SOCKET_FLAGS = defineRegister({
  name: '/proc/net/unix Flags',
  width: 32,
  source: 'Linux include/uapi/linux/net.h, __SO_ACCEPTCON',
  fields: [bit(16, 'ACCEPTCON', 'performed a listen')],
});

/** The inode of a listening unix socket in the text of /proc/net/unix. */
export function listenerInode(text: string, path: string): string | undefined {
  for (const line of text.split('\n')) {
    // Num RefCount Protocol Flags Type St Inode Path.
    const m = /^[0-9a-f]+: [0-9a-f]{8} [0-9a-f]{8} ([0-9a-f]{8}) [0-9a-f]{4} [0-9a-f]{2} +(\d+) (.*)$/.exec(line);
    if (m?.[3] === path && UNIX_SOCKET_FLAGS.read(BigInt(`0x${m[1]}`)).ACCEPTCON) return m[2];
  }
  return undefined;
}

/** Whether a process has a socket open; false also where this user may not look. */
function holds(pid: number, inode: string, proc: string): boolean {
  try {
    return readdirSync(`${proc}/${pid}/fd`).some(fd => {
      try {
        return readlinkSync(`${proc}/${pid}/fd/${fd}`) === `socket:[${inode}]`;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

/**
 * The process that listens on a unix socket: by the socket's inode among its descriptors, else (another user's) by the path in
 * its command line. Undefined where none, or more than one, can be it.
 */
export function listenerOf(path: string, proc = '/proc'): ProcessFacts | undefined {
  const name = basename(path);
  const buffer = someBuffer();
  const all = pids(proc).map(pid => ({ pid, argv: argvOf(pid, proc, buffer) }));
  // The likely ones first: looking at descriptors is what costs.
  const named = all.filter(p => p.argv.some(word => word.includes(name)));
  const inode = listenerInode(read(`${proc}/net/unix`) ?? '', path);
  if (inode !== undefined) {
    const rest = all.filter(p => !named.includes(p));
    const holder = [...named, ...rest].find(p => holds(p.pid, inode, proc));
    const facts = holder === undefined ? undefined : liveFacts(holder.pid, proc);
    if (facts !== undefined) return facts;
  }
  const exact = named.flatMap(p => (p.argv.some(word => word.includes(path)) ? (liveFacts(p.pid, proc) ?? []) : []));
  const qemus = exact.filter(p => p.comm.startsWith('qemu'));
  return qemus.length === 1 ? qemus[0] : undefined;
}

/** A process that was started with an option of that value: where there are more, the first. */
export function startedWith(option: string, value: string, proc = '/proc'): ProcessFacts | undefined {
  const buffer = someBuffer();
  for (const pid of pids(proc)) {
    const argv = argvOf(pid, proc, buffer);
    if (!argv.some((word, i) => word === value && argv[i - 1] === option)) continue;
    const facts = liveFacts(pid, proc);
    if (facts !== undefined) return facts;
  }
  return undefined;
}

/** What is known of a process that is no zombie. */
function liveFacts(pid: number, proc: string): ProcessFacts | undefined {
  const facts = processFacts(pid, proc);
  return facts?.state === 'Z' ? undefined : facts;
}

/** What stands for a boot whose name could not be read. */
export const UNKNOWN_BOOT = 'unknown';

/** The kernel's name of this boot. */
export function bootId(proc = '/proc'): string {
  return (read(`${proc}/sys/kernel/random/boot_id`) ?? UNKNOWN_BOOT).trim();
}

/**
 * The systemd unit that a process belongs to, by its cgroup (v2, or the `name=systemd` hierarchy of v1); undefined where it is
 * none of a service.
 * @example unitOf('0::/system.slice/vm@web.service\n') // { name: 'vm@web.service' }
 */
export function unitOf(cgroup: string): Unit | undefined {
  for (const line of cgroup.split('\n')) {
    const path = /^(?:0::|\d+:name=systemd:)(.*)$/.exec(line)?.[1]?.split('/');
    // The innermost: services of a user lie below that of its manager.
    const name = path?.findLast(part => /^.{1,247}\.service$/.test(part));
    if (path === undefined || name === undefined) continue;
    const manager = path.find(part => /^user@\d{1,10}\.service$/.test(part));
    return manager === undefined || manager === name ? { name } : { name, user: Number(/\d+/.exec(manager)?.[0]) };
  }
  return undefined;
}

/** The unit of a process that runs; undefined for what runs in our own: that unit starts the agent again, and no VM. */
export function unitOfProcess(pid: number, proc = '/proc'): Unit | undefined {
  const unit = unitOf(read(`${proc}/${pid}/cgroup`) ?? '');
  const own = unitOf(read('/proc/self/cgroup') ?? '');
  return unit?.name === own?.name && unit?.user === own?.user ? undefined : unit;
}
