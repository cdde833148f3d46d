import { z } from 'zod';
import { linuxEvents } from '@syndrome/decode/text/event-reader.ts';
import { HOST_CHANNELS } from '../machine/channels.ts';
import { configSettings, kernelSettings } from '../outlook-settings.ts';
import { VMMS } from '../vmms/registry.ts';
import { ARM64_LAYER, ARM64_MODULES, arm64CanBeKept, arm64LayerOf } from './arm64-layer.ts';
import { type FactsInput, ghesTarget, type SeaTarget } from './facts.ts';
import { firmwareFaults } from './firmware.ts';
import { gatherHost } from './host-layer.ts';
import type { MachineKind } from './kind.ts';

const vmm = VMMS.reference;

const schema = z.strictObject({
  kind: z
    .literal('arm64-host')
    .describe('emulated EL2: a Linux host with KVM, the reference VMM in it, a Linux guest in that'),
  ...ARM64_LAYER,
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
    return gatherHost(spec, choices, supply, { target: 'aarch64', modules: ARM64_MODULES, vmm, command });
  },

  outer: (spec, files) => arm64LayerOf(spec, files),
  canBeKept: arm64CanBeKept,

  facts(spec, input) {
    const version = input.parts.hostKernel;
    return {
      ghes: ghesTarget(spec, input, { commandLine: spec.append, version, config: input.configs?.host, vmm }),
      sea: seaTarget(spec, input),
    };
  },
} satisfies MachineKind<Spec>;
