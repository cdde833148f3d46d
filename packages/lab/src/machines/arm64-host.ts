import { z } from 'zod';
import { linuxEvents } from '@syndrome/decode/text/event-reader.ts';
import { HOST_CHANNELS } from '../machine/channels.ts';
import { bootLinux, firmwareWords, PL011_SERIAL, virtMachine, words } from '../machine/command-line.ts';
import { configSettings, kernelSettings } from '../outlook-settings.ts';
import { VMMS } from '../vmms/registry.ts';
import { type FactsInput, ghesTarget, type SeaTarget } from './facts.ts';
import { firmwareFaults } from './firmware.ts';
import { gatherHost } from './host-layer.ts';
import type { MachineKind } from './kind.ts';

const vmm = VMMS.reference;

const schema = z.strictObject({
  kind: z
    .literal('arm64-host')
    .describe('emulated EL2: a Linux host with KVM, the reference VMM in it, a Linux guest in that'),
  cpu: z.string().default('max,pauth-impdef=on').describe('QEMU -cpu model of the host layer'),
  cpus: z.int().min(1).max(8).default(2),
  memory: z.int().min(1024).max(16384).default(2048).describe('MiB, of the host layer'),
  kernel: z.string().default('newest').describe('of the host layer'),
  append: z.string().default('').describe('added to the kernel command line of the host layer'),
  firmware: z.boolean().default(false).describe('the host layer boots through UEFI with ACPI'),
  ras: z.boolean().default(false).describe('firmware-first RAS in the host layer; needs firmware: true'),
  vmm: vmm.settings.prefault({}),
  guest: z
    .strictObject({
      cpus: z.int().min(1).max(2).default(1),
      memory: z.int().min(128).max(4096).default(384).describe('MiB'),
      kernel: z.string().default('newest'),
      append: z.string().default('').describe('added to the kernel command line of the guest'),
    })
    .prefault({}),
});

type Spec = z.infer<typeof schema>;

/** The way to poison a page; KVM is built in. */
const MODULES = ['hwpoison-inject'];

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
function statedKvmModes(spec: Spec): string[] {
  return [...spec.append.matchAll(KVM_MODE)].map(match => match[1] ?? '');
}

/** KVM in the host layer, and the guest that consumes errors of its host's memory. */
function seaTarget(spec: Spec, { parts, append, configs }: FactsInput): SeaTarget | undefined {
  const { guest } = spec;
  const kernel = kernelSettings(`${guest.append} ${append ?? ''}`);
  if (kernel === undefined || parts.kernel === undefined) return undefined;
  const known = { version: parts.kernel, platform: 'kvm', vendor: 'arm', cpus: guest.cpus, apeiClaims: false } as const;
  return {
    kvm: {
      ...(parts.hostKernel === undefined ? {} : { version: parts.hostKernel }),
      seaToUser: spec.vmm.sea !== 'off',
      apeiClaims: false,
      ...(spec.cpu.startsWith('max') ? { hostRas: true } : {}),
    },
    linux: { ...kernel, ...configSettings(configs?.guest), ...known },
  };
}

export const arm64Host = {
  name: 'arm64-host',
  schema,
  layers: ['machine', 'host', 'vmm', 'guest'],
  vmm,
  channels: [...HOST_CHANNELS, ...vmm.channels],
  debugger: true,
  console: () => linuxEvents(),
  target: () => 'aarch64',
  flavour: () => 'cloud',
  faults: firmwareFaults,
  named: ({ guest }) => [guest.kernel],
  takes: spec => ['hostKernel', ...(spec.firmware ? (['firmware'] as const) : []), ...vmm.takes],

  gather(spec, choices, supply) {
    const command = (program: readonly string[]): string[] =>
      vmm.command(program, spec.guest, spec.vmm, choices.append);
    return gatherHost(spec, choices, supply, { target: 'aarch64', modules: MODULES, vmm, command });
  },

  outer(spec, files) {
    const mode = statedKvmModes(spec).length === 0 ? NO_VHE : '';
    const commandLine = words(PL011_SERIAL, NO_DAMON, SHOW_CRASHES, mode, firmwareWords(spec), spec.append);
    return {
      machine: virtMachine(spec, 'virtualization=on'),
      cpu: spec.cpu,
      boot: bootLinux(files, commandLine),
    };
  },

  // Only without VHE is it known to go on in time.
  canBeKept: spec => statedKvmModes(spec).every(mode => mode === 'nvhe'),

  facts(spec, input) {
    const version = input.parts.hostKernel;
    return {
      ghes: ghesTarget(spec, input, { commandLine: spec.append, version, config: input.configs?.host, vmm }),
      sea: seaTarget(spec, input),
    };
  },
} satisfies MachineKind<Spec>;
