/** @module The sources of a host: which of them it needs to be seen, and which are not read now. */
import type { VmId } from './ids.ts';
import type { Copy, Host } from './state.ts';

/**
 * Sources of a host as a whole (those of one VM carry its name): without any of these that it has, errors may happen there and
 * nobody is told. A drill's file and consoles are none.
 */
const EYES: ReadonlySet<string> = new Set(['kmsg', 'tracefs', 'sysfs', 'libvirt', 'qmp', 'exec', 'agent']);
/** What the kernel itself says of bad memory. */
const KERNEL: readonly string[] = ['kmsg', 'tracefs'];

/** States of a copy whose process, and with it its monitor, is not there. */
const ENDED: ReadonlySet<Copy['state']> = new Set(['gone', 'shut-off']);

const isRead = (state: string): boolean => state === 'reading' || state === 'back';
/** What was connected through a folder of monitors stays so when that is lost, which is told; only one that is wedged hides a VM's errors. */
const isBlind = (name: string, state: string): boolean => (name === 'qmp' ? state === 'stalled' : !isRead(state));

/** Whether the loss of a source is an alert by itself: nobody restarts a kernel log, and a monitor of a VM ends with its VM. */
export function isKernelLog(name: string): boolean {
  return KERNEL.includes(name);
}

/** Sources that are told when they stay lost: whoever set them up expects them to come, unless the VM that they read has ended. */
const EXPECTED: ReadonlySet<string> = new Set(['libvirt', 'sysfs', 'qmp', 'exec']);
/** A monitor of one VM; the folders of monitors have no VM in their name. */
const MONITOR = 'qmp ';

/**
 * Whether a source that stays lost hides something: a daemon that is dead, what is mistyped, a folder that is gone, and the monitor of a VM
 * that is not known to have ended there.
 * @param copyOf what is known of a VM on that host
 */
export function hidesWhileLost(name: string, copyOf: (vm: VmId) => Pick<Copy, 'state'> | undefined): boolean {
  if (!name.startsWith(MONITOR)) return EXPECTED.has(name);
  const state = copyOf(name.slice(MONITOR.length))?.state;
  return state === undefined || !ENDED.has(state);
}

/** Whether a source of a host is not read, without which its errors may happen and nobody is told. */
export function isBlindTo(host: Host): boolean {
  for (const [name, { state }] of host.sources) if (EYES.has(name) && isBlind(name, state)) return true;
  return false;
}

/** The sources of a host that are not read, with what became of them: `kmsg is stalled`. */
export function blindSources(host: Host): string[] {
  if (host.sources.size === 0) return [];
  return [...host.sources]
    .filter(([name, { state }]) => EYES.has(name) && isBlind(name, state))
    .map(([name, { state }]) => `${name} is ${state}`)
    .toSorted();
}

/** Whether what the kernel says is read. Where an agent may not read it, nothing tells of errors but the VMMs. */
export function hearsKernel(host: Host): boolean {
  return KERNEL.some(name => isRead(host.sources.get(name)?.state ?? ''));
}
