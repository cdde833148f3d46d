import type { z } from 'zod';
import type { EventReader } from '@syndrome/decode/text/event-reader.ts';
import type { Channel } from '../machine/channels.ts';
import type { BuiltIn } from '../machine/images.ts';
import type { KnownKernel } from '../kernel-options.ts';
import type { PartChoices, SpecialPart } from '../part-choices.ts';
import type { QemuPart, QemuTarget } from '../supply/qemu.ts';
import { readKernelConfig } from '../supply/kernel-config.ts';
import type { KernelFlavour, Supply } from '../supply/supply.ts';
import type { Layer } from '@syndrome/trace/event.ts';
import type { Vmm } from '../vmms/vmm.ts';
import type { FactsInput, MachineFacts } from './facts.ts';

/** What the `machine:` of every scenario has. */
export interface BaseSpec {
  kind: string;
  /** QEMU -cpu model with features. */
  cpu: string;
  cpus: number;
  /** MiB */
  memory: number;
  kernel: string;
  /** Added to the kernel command line. */
  append: string;
}

/** The files a machine is made of. */
export interface MachineFiles {
  /** How to start QEMU: loader, library path, binary, data folders. */
  qemu: readonly string[];
  kernel: string;
  initrd: string;
  /** UEFI code, for a machine with firmware. */
  firmware?: string;
  xen?: string;
  /** ACPI tables that QEMU gives the machine besides its own. */
  tables?: readonly string[];
  /** Of a nested machine: what its guest is started with. */
  guest?: { kernel: string; initrd: string };
}

/** What the host layer of a nested machine does after its boot. */
export interface HostPlan {
  /** Modules to load at the end, when the disks with the guest's files may be looked at. */
  diskModules: string[];
  /** Files to copy from the disks. */
  copies: { from: string; to: string; bytes: number }[];
  /** The VMM's command line, and the device its messages go to. */
  vmm: string[];
  output: string;
  /** Modules the guest's agent loads, as paths in its initramfs. */
  guestModules: string[];
}

/** A machine with all its files on disk, before it is decided what runs it. */
export interface MachineParts<Spec> {
  /** With the choices of the user. */
  machine: Spec;
  qemu: QemuPart;
  files: MachineFiles;
  /** Modules that the agent right under the outer QEMU loads after the boot, as paths in its initramfs. */
  modules: string[];
  /** What a kernel of the user's own must have built in instead. */
  builtIn: BuiltIn[];
  host?: HostPlan;
  /** The command with which the guest, or dom0, loads its crash kernel. */
  crash?: string[];
  /** The command with which dom0 starts a domain. */
  domu?: string[];
  /** The kernels that take errors of the machine themselves, that right under the outer QEMU first. */
  kernels: KnownKernel[];
  /** Versions and files, for the header of the trace. */
  parts: Record<string, string>;
}

/** What is particular to the outer QEMU of a machine. */
interface OuterQemu {
  /** -machine */
  machine: string;
  /** -cpu, where nothing else follows from the accelerator. */
  cpu: string;
  /** A reset of the guest resets the machine; else it ends QEMU. */
  resets?: boolean;
  /** The options that boot it. */
  boot: readonly string[];
}

/** Something wrong with the `machine:` of a scenario. */
export interface MachineFault {
  key: string;
  message: string;
}

/** A kind of machine: one QEMU process and the layers in it. All that is known of it stands in its file. */
export interface MachineKind<Spec extends BaseSpec = BaseSpec> {
  readonly name: Spec['kind'];
  /** Of the `machine:` in a scenario, with its documentation. */
  readonly schema: z.ZodType<Spec>;
  /** From the outside in. The first one is the outer QEMU. */
  readonly layers: readonly Layer[];
  /** Those of them that this one is without. */
  lacks?(this: void, spec: Spec): readonly Layer[];
  /** The VMM in its host layer, if it has one. */
  readonly vmm?: Pick<Vmm, 'channels' | 'port' | 'control' | 'prints' | 'announcedExit'>;
  readonly channels: readonly Channel[];
  /** QEMU listens for a debugger. */
  readonly debugger?: true;
  /** The ACPI tables of a machine whose firmware the lab is: QEMU keeps its memory in a file that both have. */
  firmware?(spec: Spec): readonly Uint8Array[];
  /** The machine has a store of error records (ERST): it keeps them over a reset. */
  keepsRecords?(spec: Spec): boolean;
  /** Memory that a run takes, in GB (10⁹ bytes): told to people who have little of it. */
  readonly memoryGb?: number;
  /** Reads the console of the system under test. */
  console(): EventReader;
  /** What does not fit together in a `machine:` of this kind that need not have the right shape otherwise. */
  faults?(data: Readonly<Record<string, unknown>>): MachineFault[];
  /** The target of the outer QEMU; a guest in a host layer is of the same. */
  target(spec: Spec): QemuTarget;
  /** Which kernels it runs. */
  flavour(spec: Spec): KernelFlavour;
  /** Which choices of the user it has a use for, besides QEMU and the kernel. */
  takes(spec: Spec): readonly SpecialPart[];
  /** Versions, or paths of files, of the parts that a scenario names besides the kernel. */
  named?(spec: Spec): readonly string[];
  /** Fetches, builds and finds all that it needs, one after the other: downloads share a line. @throws SupplyError, LabSkip. */
  gather(spec: Spec, choices: PartChoices, supply: Supply): Promise<MachineParts<Spec>>;
  /** @param append goes to the kernel of the guest under test, behind what the scenario adds */
  outer(spec: Spec, files: MachineFiles, append: string): OuterQemu;
  /** Whether the state of such a machine can be kept. */
  canBeKept?(spec: Spec): boolean;
  /** The machine that is booted to see whether KVM runs such ones here; a kind without it is always emulated. */
  stock?(spec: Spec): Spec;
  /** The guest of its host layer as a machine of its own, where this very machine may be the host layer. */
  local?(spec: Spec): object;
  /** What the rules of an outlook ask of it. */
  facts(spec: Spec, input: FactsInput): MachineFacts;
}

/** What the header of a trace says of the system under test. */
export function describeSystem(
  kernel: { release: string; arch: string; image: string },
  machine: { cpu: string; cpus: number; memory: number },
): Record<string, string> {
  return {
    kernel: `${kernel.release} ${kernel.arch}`,
    cpu: `${machine.cpu} × ${machine.cpus}`,
    memory: `${machine.memory} MiB`,
    kernelPath: kernel.image,
  };
}

/** What is known of the configuration of a kernel that takes errors itself. */
export function knownKernel(layer: KnownKernel['layer'], kernel: { release: string; config?: string }): KnownKernel {
  return { layer, release: kernel.release, config: readKernelConfig(kernel.config) };
}
