import { z } from 'zod';
import { linuxEvents } from '@syndrome/decode/text/event-reader.ts';
import { HOST_CHANNELS } from '../machine/channels.ts';
import { configSettings, kernelSettings } from '../outlook-settings.ts';
import { VMMS } from '../vmms/registry.ts';
import { ARM64_LAYER, ARM64_MODULES, arm64CanBeKept, arm64LayerOf } from './arm64-layer.ts';
import { versionSetting } from './facts.ts';
import { gatherHost } from './host-layer.ts';
import type { MachineKind } from './kind.ts';

const vmm = VMMS.arm64Qemu;

const schema = z.strictObject({
  kind: z
    .literal('arm64-qemu-host')
    .describe('emulated EL2: a Linux host with KVM, a QEMU in it, a Linux guest with UEFI in that'),
  ...ARM64_LAYER,
  vmm: vmm.settings.prefault({}),
  guest: z
    .strictObject({
      cpu: z.literal('host').default('host'),
      cpus: z.int().min(1).max(4).default(1),
      memory: z.int().min(256).max(4096).default(384).describe('MiB'),
      kernel: z.string().default('newest'),
      append: z.string().default('').describe('added to the kernel command line of the guest'),
    })
    .prefault({}),
});

type Spec = z.infer<typeof schema>;

export const arm64QemuHost = {
  name: 'arm64-qemu-host',
  schema,
  layers: ['machine', 'host', 'vmm', 'guest'],
  vmm,
  channels: [...HOST_CHANNELS, ...vmm.channels],
  console: () => linuxEvents(),
  target: () => 'aarch64',
  flavour: () => 'cloud',
  named: ({ guest }) => [guest.kernel],
  takes: () => ['hostKernel', ...vmm.takes],

  gather(spec, choices, supply) {
    const command = (program: readonly string[]): string[] =>
      vmm.command(program, spec.guest, spec.vmm, choices.append);
    return gatherHost(spec, choices, supply, { target: 'aarch64', modules: ARM64_MODULES, vmm, command });
  },

  outer: (spec, files) => arm64LayerOf(spec, files),
  canBeKept: arm64CanBeKept,

  facts(spec, { parts, append = '', configs }) {
    const { guest } = spec;
    const kernel = kernelSettings(`${guest.append} ${append}`);
    if (kernel === undefined) return {};
    const common = { vendor: 'arm', platform: 'kvm', cpus: guest.cpus } as const;
    const linux = { ...kernel, ...configSettings(configs?.guest), ...versionSetting(parts, 'kernel'), ...common };
    return {
      arm: { qemu: { ...versionSetting(parts, 'hostQemu'), ...common, ras: spec.vmm.ras, guestRam: true }, linux },
    };
  },
} satisfies MachineKind<Spec>;
