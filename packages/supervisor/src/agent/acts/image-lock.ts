/**
 * @module QEMU's lock on an image, asked for from another host: `qemu-io` without -U opens it as a QEMU would that may write (QEMU, "Tools and image
 * locking"). A copy that runs, is paused or has panicked holds it. What a free one means depends on the file system, which is said with it.
 */
import { statfsSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Act, ActResult, StopProof } from '../../core/act.ts';
import { resultOf } from '../actuator.ts';
import { bootId } from '../proc.ts';
import { runOnce } from './child.ts';
import { whyNotFile } from './check.ts';

/** f_type of statfs(2). */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x5846_5342, 'xfs'],
  [0x9123_683e, 'btrfs'],
  [0x0102_1994, 'tmpfs'],
  [0x6969, 'nfs'],
  [0x00c3_6400, 'ceph'],
  [0x794c_7630, 'overlay'],
  [0x6573_5546, 'fuse'],
]);
const HELD = /Failed to get (?:shared )?"[\w-]+" lock/;
const PROBE_MS = 10_000;

type Lock = { lock: 'free' | 'held' | 'unknown'; said: string };

/** The file system of a path, by name; the number where it is not known, and so not local for all that is known. */
export function fileSystemOf(path: string): string {
  const { type } = statfsSync(path);
  return FILE_SYSTEMS.get(type) ?? `0x${type.toString(16)}`;
}

/** Asks for the lock of one image. Reads one sector, and changes nothing. */
async function lockOf(path: string, qemuIo: string, signal: AbortSignal): Promise<Lock> {
  if (!isAbsolute(path)) return { lock: 'unknown', said: `${path} is no local file` };
  const wrong = whyNotFile(path);
  if (wrong !== undefined) return { lock: 'unknown', said: wrong };
  // A device has no such lock, and a folder none at all.
  if (!statSync(path).isFile()) return { lock: 'unknown', said: `${path} is no file` };
  const ran = await runOnce([qemuIo, '-f', 'raw', '-c', 'read 0 512', path], PROBE_MS, signal);
  const said = ran.output.split('\n')[0]?.slice(0, 200) ?? '';
  if (ran.code === 0 && /^read 512\/512 bytes/m.test(ran.output)) return { lock: 'free', said };
  return { lock: HELD.test(ran.output) ? 'held' : 'unknown', said: said || 'qemu-io says nothing' };
}

/** Asks for the locks of all disks of a VM: free only where each is, and all lie on one kind of file system. */
export async function askLock(act: Act, signal: AbortSignal, qemuIo = 'qemu-io'): Promise<ActResult> {
  const { vm, of, disks = [], epoch } = act;
  if (vm === undefined || of === undefined || disks.length === 0)
    return resultOf(act, { state: 'refused', reason: 'it names no disks, or not whose' });
  const locks: Lock[] = [];
  const fs = new Set<string>();
  for (const disk of disks) {
    const lock = await lockOf(disk, qemuIo, signal);
    if (lock.lock !== 'unknown') fs.add(fileSystemOf(disk));
    locks.push(lock);
  }
  const boot = bootId();
  const worst = locks.find(l => l.lock === 'held') ?? locks.find(l => l.lock === 'unknown');
  const seen = { lock: worst?.lock ?? 'free', fs: [...fs].join(' '), boot, disks: String(disks.length) };
  if (worst?.lock === 'held') return resultOf(act, { state: 'failed', reason: `a copy holds it: ${worst.said}`, seen });
  if (worst !== undefined) return resultOf(act, { state: 'unknown', reason: worst.said, seen });
  const proof: StopProof = { kind: 'image-lock', vm, host: of, epoch, at: Date.now(), evidence: seen };
  return resultOf(act, { state: 'confirmed', seen, proof });
}
