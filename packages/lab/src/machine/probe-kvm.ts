import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { LabInterrupted } from '../errors.ts';
import type { MachineFiles } from '../machines/kind.ts';
import { machineKind, type MachineSpec } from '../machines/registry.ts';
import { Session } from '../session.ts';
import { TRACE_VERSION } from '@syndrome/trace/event.ts';
import { layersOf } from '../trace/layers.ts';
import { TraceRecorder } from '../trace/recorder.ts';
import { qemuArgs } from './qemu-args.ts';
import { isKvmFailure } from '@syndrome/decode/text/qemu/kvm-failure.ts';

interface KvmProbe {
  works: boolean;
  reason: string;
}

interface ProbeOptions {
  cacheDir: string;
  signal?: AbortSignal | undefined;
  /** Told once, when the answer takes long. */
  onNotice?: ((text: string) => void) | undefined;
  deadlineMs?: number;
}

/** Seldom waited for, since KVM says when it gives up: on a busy machine that alone may take 20 s. */
const PROBE_MS = 45_000;
const LONG_MS = 3000;

/**
 * Does a stock guest really run under KVM here? Boots one to its agent; a /dev/kvm that opens proves nothing. An answer
 * that is certain is kept in the cache until the next boot of this machine: the agent spoke, or KVM itself gave up. A boot
 * that fails for another reason (the kernel, the deadline, the disk) says nothing about KVM and is tried again next time.
 * @throws LabInterrupted
 */
export async function probeKvm(machine: MachineSpec, files: MachineFiles, options: ProbeOptions): Promise<KvmProbe> {
  const file = join(options.cacheDir, 'kvm-probe', `${probeKey(machine, files.qemu)}.json`);
  try {
    const known = JSON.parse(readFileSync(file, 'utf8')) as KvmProbe;
    if (typeof known.works === 'boolean' && typeof known.reason === 'string') return known;
  } catch {
    // Not probed yet.
  }
  const notice = setTimeout(() => options.onNotice?.('trying whether a guest boots under KVM …'), LONG_MS);
  try {
    const { certain, ...probe } = await tryBoot(machine, files, options);
    if (certain) keep(file, probe);
    return probe;
  } finally {
    clearTimeout(notice);
  }
}

/** What the answer depends on: this boot of this machine, its CPU, QEMU, and the kind of guest. Not the guest's kernel. */
function probeKey(machine: MachineSpec, qemu: readonly string[]): string {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const cpu = /^(?:model name|CPU part)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[0] ?? '';
  // A QEMU of the user's own may be another one tomorrow.
  const programs = qemu.filter(word => existsSync(word)).map(word => `${word} ${statSync(word).mtimeMs}`);
  return createHash('sha256')
    .update([bootId, cpu, machine.kind, ...qemu, ...programs].join('\0'))
    .digest('hex')
    .slice(0, 24);
}

function keep(file: string, probe: KvmProbe): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeWhole(file, JSON.stringify(probe));
  } catch {
    // Only the next run's time is lost.
  }
}

async function tryBoot(
  machine: MachineSpec,
  files: MachineFiles,
  { signal, deadlineMs = PROBE_MS }: ProbeOptions,
): Promise<KvmProbe & { certain: boolean }> {
  const recorder = new TraceRecorder({
    type: 'trace',
    version: TRACE_VERSION,
    tool: 'syndrome kvm probe',
    scenario: 'kvm-probe',
    startedAt: new Date().toISOString(),
    layers: layersOf(machine),
    expect: [],
    settle: 0,
    parts: {},
  });
  const guest = machineKind(machine).stock?.(machine) ?? machine;
  const gaveUp = new AbortController();
  recorder.listen(({ name, source, raw }) => {
    const said = source === 'stderr' && raw !== undefined && isKvmFailure(raw);
    // A guest that panicked may be stopped too, and that is not KVM's doing.
    const stopped = name === 'vmm.stop' && recorder.index.named('guest.panic').length === 0;
    if (said || stopped) gaveUp.abort();
  });
  const ends = [gaveUp.signal, AbortSignal.timeout(deadlineMs), ...(signal ? [signal] : [])];
  try {
    const session = await Session.open(recorder, guest, AbortSignal.any(ends), sockets =>
      qemuArgs({ machine: guest, accel: 'kvm', files }, sockets),
    );
    try {
      await session.ready(session.agent, false);
    } finally {
      await session.stop();
    }
    return { works: true, reason: 'a stock guest booted', certain: true };
  } catch (error) {
    if (signal?.aborted) throw new LabInterrupted();
    const stderr = recorder.events.filter(e => e.source === 'stderr').slice(0, 2);
    const said = stderr.map(e => e.raw).join(' / ');
    const why = said !== '' ? said : gaveUp.signal.aborted ? 'KVM stopped it' : messageOf(error);
    return { works: false, reason: `a stock guest does not run (${why})`, certain: gaveUp.signal.aborted };
  }
}
