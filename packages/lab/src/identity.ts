/**
 * What a run, and each state that a machine goes through in it, is known by: a hash of all that it is made of, with the
 * content of its files. Whatever has the same identity may stand for the other: a kept state for a boot, a result that a
 * matrix remembers for a run.
 *
 * In it are, of a machine: the exact command line of QEMU (arguments, accelerator, seed), in which each file and folder stands
 * by the SHA-256 of its content: QEMU with its loader, its libraries and the firmware and ROMs in its data folders; kernel,
 * Xen, UEFI code, and the initramfs, which holds agent, modules and reference VMM. Then the modules that are loaded, what the
 * host layer does, the crash kernel. Under KVM also the processor and the kernel of this computer, which then do the work.
 * Of a state after a step: the steps until then, with all arguments, and the version of this program, which carries them
 * out. Of a run besides: the versions that the header names, what is judged (name, title, expectations, outcome, settling
 * time), the deadline, and whether a kept state might be used.
 *
 * Not in it are: where anything lies (two people with other home folders and the same files have the same identities), the
 * times and owners of files, the names of sockets and run folders, comments and prose of a scenario, and whether the machine
 * was booted or restored. Of a QEMU of the user's own the program counts with its version, not the libraries and ROMs that it
 * finds by itself on this computer.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { FileDigests } from '@syndrome/base/disk/file-digests.ts';
import { VERSION } from '@syndrome/decode/common/version.ts';
import type { TraceHeader } from '@syndrome/trace/event.ts';
import { isPlace } from '@syndrome/trace/parts-line.ts';
import { stableArgs } from './machine/qemu-args.ts';
import type { MachineFiles } from './machines/kind.ts';
import type { Assembly } from './parts.ts';
import type { RunSpec } from './run-spec.ts';
import type { Step } from './steps/registry.ts';

/** 32 hex digits of a SHA-256. */
type Identity = string;

/** Of a machine that has booted. Kept states have these for their names: what changes in them makes all of those useless. */
export interface MachineIdentities {
  /** Its guest answers: what a run starts from, before its first step. */
  guest: Identity;
  /**
   * Of a nested machine: its host layer is up. The same for every guest, whose files are on disks that it has not looked at.
   */
  host?: Identity;
}

/** Of a run: what the header of its trace has. */
export type RunIdentity = NonNullable<TraceHeader['identity']>;

const digest = (of: unknown): Identity => createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 32);

/** The files of a machine, each by its content instead of its path. What is no path in a command line stays as it is. */
function byContent(files: MachineFiles, digests: FileDigests): MachineFiles {
  const of = (path: string): string => `sha256-${digests.of(path)}`;
  const word = (text: string): string => {
    const stat = isAbsolute(text) ? statSync(text, { throwIfNoEntry: false }) : undefined;
    if (stat?.isDirectory()) return `tree-${digests.ofTree(text)}`;
    return stat?.isFile() ? of(text) : text;
  };
  const { qemu, kernel, initrd, firmware, xen, tables, guest } = files;
  return {
    qemu: qemu.map(word),
    kernel: of(kernel),
    initrd: of(initrd),
    ...(firmware === undefined ? {} : { firmware: of(firmware) }),
    ...(xen === undefined ? {} : { xen: of(xen) }),
    ...(tables === undefined ? {} : { tables: tables.map(of) }),
    ...(guest === undefined ? {} : { guest: { kernel: of(guest.kernel), initrd: of(guest.initrd) } }),
  };
}

/**
 * The identities of a machine after its boot.
 * @param cacheDir keeps the digests of the files: they are read once, as long as nobody changes them
 * @throws the error of the file system for a file that is gone, or cannot be read
 */
export function machineIdentities(assembly: Assembly, cacheDir: string): MachineIdentities {
  const digests = new FileDigests(join(cacheDir, 'digests', 'sha256'));
  const files = byContent(assembly.files, digests);
  digests.keep();
  const { accel, modules, host, crash, domu } = assembly;
  const under = accel === 'kvm' ? [cpus()[0]?.model, release()] : [];
  const identity = (setup: Assembly, done: unknown): Identity => digest([stableArgs(setup), modules, under, done]);
  const unseen = { ...files, guest: { kernel: 'kernel', initrd: 'initrd' } };
  // What goes to the guest under test is on those disks too.
  const { append: _, ...alike } = assembly;
  return {
    guest: identity({ ...assembly, files }, domu === undefined ? [host, crash] : [host, crash, domu]),
    ...(host === undefined ? {} : { host: identity({ ...alike, files: unseen }, 'host layer') }),
  };
}

/**
 * The states that steps lead to: that of the machine, then one for each step. Runs with the same beginning have the same
 * identities as far as that goes.
 */
export function stepIdentities(machine: Identity, steps: readonly Step[]): Identity[] {
  const identities = [machine];
  for (const step of steps) identities.push(digest([VERSION, identities.at(-1), step]));
  return identities;
}

/**
 * A whole run, which its result depends on, and each beginning of it. Versions are resolved: `newest` is what is newest now.
 * @example runIdentity(spec, assembly, machineIdentities(assembly, cacheDir)).run // 'b4b39ff9a2726cb7c93c7dd575b6fac7'
 */
export function runIdentity(spec: RunSpec, assembly: Assembly, machine: MachineIdentities): RunIdentity {
  const { steps, name, title, expect, outcome, settle, timeout, without } = spec.scenario;
  const states = stepIdentities(machine.guest, steps);
  const run = digest({
    version: VERSION,
    end: states.at(-1),
    judged: { name, title, expect, outcome, settle, ...(without === undefined ? {} : { without }) },
    timeout: spec.timeout ?? timeout,
    cold: spec.cold === true,
    parts: Object.entries(assembly.parts).filter(([key]) => !isPlace(key)),
  });
  return { run, states };
}
