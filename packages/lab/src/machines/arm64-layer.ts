/** What the kinds of machine with an arm64 host layer have in common, whatever VMM is in it. */
import { z } from 'zod';
import { bootLinux, firmwareWords, PL011_SERIAL, virtMachine, words } from '../machine/command-line.ts';
import type { BaseSpec, MachineFiles, MachineKind } from './kind.ts';

/** What a scenario may say of the layer. */
export const ARM64_LAYER = {
  cpu: z.string().default('max,pauth-impdef=on').describe('QEMU -cpu model of the host layer'),
  cpus: z.int().min(1).max(8).default(2),
  memory: z.int().min(1024).max(16384).default(2048).describe('MiB, of the host layer'),
  kernel: z.string().default('newest').describe('of the host layer'),
  append: z.string().default('').describe('added to the kernel command line of the host layer'),
};

/** The way to poison a page; KVM is built in. */
export const ARM64_MODULES = ['hwpoison-inject'];

type Layer = BaseSpec & { firmware?: boolean; ras?: boolean };

/** DAMON walks the stage-2 tables of guests by itself, and the host would crash on a descriptor that the lab has broken. */
const NO_DAMON = 'damon_stat.enabled=0';
/** A VMM that crashes leaves its registers on the host's console; arm64 does not print them by itself. */
const SHOW_CRASHES = 'sysctl.debug.exception-trace=1';
/**
 * QEMU 11.1 keeps the physical and the virtual timer of an arm64 CPU, but not those of EL2, by which a VHE kernel keeps
 * time: a restored one stands still after a few seconds. Without VHE the host kernel itself runs at EL1.
 */
const NO_VHE = 'kvm-arm.mode=nvhe';
const KVM_MODE = /(?:^|\s)kvm[-_]arm\.mode=(\S*)/g;

/** The modes of KVM that a scenario asks for: none where it leaves that to the lab. */
function statedKvmModes(spec: Layer): string[] {
  return [...spec.append.matchAll(KVM_MODE)].map(match => match[1] ?? '');
}

/** The outer QEMU of the layer. */
export function arm64LayerOf(spec: Layer, files: MachineFiles): ReturnType<MachineKind['outer']> {
  const { firmware = false, ras = false } = spec;
  const mode = statedKvmModes(spec).length === 0 ? NO_VHE : '';
  const commandLine = words(PL011_SERIAL, NO_DAMON, SHOW_CRASHES, mode, firmwareWords({ firmware }), spec.append);
  return {
    machine: virtMachine({ firmware, ras }, 'virtualization=on'),
    cpu: spec.cpu,
    boot: bootLinux(files, commandLine),
  };
}

/** Only without VHE is it known to go on in time. */
export function arm64CanBeKept(spec: Layer): boolean {
  return statedKvmModes(spec).every(mode => mode === 'nvhe');
}
