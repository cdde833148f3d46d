import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../common/errors.ts';
import { LabInterrupted } from '../errors.ts';
import type { MachineSpec } from '../scenario/schema.ts';
import { Session } from '../session.ts';
import { TRACE_VERSION } from '../trace/event.ts';
import { TraceRecorder } from '../trace/recorder.ts';
import { type MachineFiles, qemuArgs } from './qemu-args.ts';

export interface KvmProbe {
  works: boolean;
  reason: string;
}

const PROBE_MS = 20_000;

/**
 * Does a stock guest really run under KVM here? Boots one to its agent; a /dev/kvm that opens proves nothing. The
 * answer is kept in the cache until the next boot of this machine.
 * @throws LabInterrupted when the signal is aborted; that is no answer, and none is kept
 */
export async function probeKvm(
  machine: MachineSpec,
  files: MachineFiles,
  cacheDir: string,
  signal?: AbortSignal,
): Promise<KvmProbe> {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const key = createHash('sha256')
    .update([bootId, ...files.qemu, files.kernel].join('\0'))
    .digest('hex')
    .slice(0, 24);
  const file = join(cacheDir, 'kvm-probe', `${key}.json`);
  try {
    const known = JSON.parse(readFileSync(file, 'utf8')) as KvmProbe;
    if (typeof known.works === 'boolean') return known;
  } catch {
    // Not probed yet.
  }
  const probe = await tryBoot(machine, files, signal);
  mkdirSync(join(cacheDir, 'kvm-probe'), { recursive: true, mode: 0o700 });
  // Several runs may find out at once: a reader sees a whole answer or none.
  const fresh = `${file}.${process.pid}.tmp`;
  writeFileSync(fresh, JSON.stringify(probe));
  renameSync(fresh, file);
  return probe;
}

async function tryBoot(machine: MachineSpec, files: MachineFiles, signal?: AbortSignal): Promise<KvmProbe> {
  const recorder = new TraceRecorder({
    type: 'trace',
    version: TRACE_VERSION,
    tool: 'syndrome kvm probe',
    scenario: 'kvm-probe',
    startedAt: new Date().toISOString(),
    expect: [],
    settle: 0,
    parts: {},
  });
  const guest: MachineSpec =
    machine.kind === 'linux-guest' ? { ...machine, cpu: 'host', cpus: 1 } : { ...machine, cpu: 'host' };
  const time = AbortSignal.timeout(PROBE_MS);
  try {
    const session = await Session.open(recorder, guest, signal ? AbortSignal.any([time, signal]) : time, sockets =>
      qemuArgs(guest, 'kvm', files, sockets),
    );
    try {
      await session.ready(session.agent, false);
    } finally {
      await session.stop();
    }
    return { works: true, reason: 'a stock guest booted' };
  } catch (error) {
    if (signal?.aborted) throw new LabInterrupted();
    const stderr = recorder.events.filter(e => e.source === 'stderr').slice(0, 2);
    const said = stderr.map(e => e.raw).join(' / ');
    return { works: false, reason: `a stock guest does not run (${said === '' ? messageOf(error) : said})` };
  }
}
