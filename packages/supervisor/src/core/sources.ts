/** @module The sources of a host: which of them it needs to be seen, and which are not read now. */
import type { Host } from './state.ts';

/**
 * Sources of a host as a whole (those of one VM carry its name): without any of these that it has, errors may happen there and
 * nobody is told. A drill's file and consoles are none.
 */
const EYES: ReadonlySet<string> = new Set(['kmsg', 'tracefs', 'sysfs', 'libvirt', 'qmp', 'agent']);
/** What the kernel itself says of bad memory. */
const KERNEL: readonly string[] = ['kmsg', 'tracefs'];

const isRead = (state: string): boolean => state === 'reading' || state === 'back';
/** A folder of monitors that is not there has no VMs: only one that is wedged hides something. */
const isBlind = (name: string, state: string): boolean => (name === 'qmp' ? state === 'stalled' : !isRead(state));

/** Whether the loss of a source is an alert by itself: nobody restarts a kernel log, and a monitor of a VM ends with its VM. */
export function isKernelLog(name: string): boolean {
  return KERNEL.includes(name);
}

/** The sources of a host that are not read, with what became of them: `kmsg is stalled`. */
export function blindSources(host: Host): string[] {
  return [...host.sources]
    .filter(([name, { state }]) => EYES.has(name) && isBlind(name, state))
    .map(([name, { state }]) => `${name} is ${state}`)
    .toSorted();
}

/** Whether what the kernel says is read. Where an agent may not read it, nothing tells of errors but the VMMs. */
export function hearsKernel(host: Host): boolean {
  return KERNEL.some(name => isRead(host.sources.get(name)?.state ?? ''));
}
