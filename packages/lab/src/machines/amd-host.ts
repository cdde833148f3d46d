import { z } from 'zod';
import { linuxEvents } from '@syndrome/decode/text/event-reader.ts';
import { HOST_CHANNELS } from '../machine/channels.ts';
import { bootLinux, UART_SERIAL, words } from '../machine/command-line.ts';
import { switchedOn } from '../module-parameters.ts';
import { CRASH_MEMORY } from '../machine/images.ts';
import { VMMS } from '../vmms/registry.ts';
import { firmwareTables, HOST_MIB, tableFaults, windowWords } from '../firmware/tables.ts';
import { ownFirmware, x86Layer } from './facts.ts';
import { gatherHost } from './host-layer.ts';
import type { MachineKind } from './kind.ts';

const vmm = VMMS.qemu;

const schema = z.strictObject({
  kind: z.literal('amd-host').describe('emulated AMD-V: a Linux host with KVM, a QEMU in it, a Linux guest in that'),
  cpu: z.string().default('EPYC').describe('QEMU -cpu model of the host layer; svm and npt are added'),
  cpus: z.int().min(1).max(8).default(2),
  memory: z.int().min(512).max(16384).default(1536).describe('MiB, of the host layer'),
  kernel: z.string().default('newest').describe('of the host layer'),
  append: z.string().default('').describe('added to the kernel command line of the host layer'),
  apei: z
    .boolean()
    .default(false)
    .describe(
      'firmware-first RAS in the host layer: the lab is its firmware, with HEST, BERT and EINJ tables of its own',
    ),
  guest: z
    .strictObject({
      cpu: z.string().default('host').describe('-cpu model of the guest'),
      cpus: z.int().min(1).max(4).default(1),
      memory: z.int().min(64).max(4096).default(256).describe('MiB'),
      hugetlb: z
        .enum(['2m', '1g'])
        .optional()
        .describe(
          'the host gives its memory in huge pages of this size, which it keeps for the guest from its boot on',
        ),
      kernel: z.string().default('newest'),
      modules: z
        .array(z.string().regex(/^[\w-]+$/))
        .default([])
        .describe('kernel modules of the guest to load, in this order'),
      crashKernel: z
        .boolean()
        .default(false)
        .describe('the guest loads a crash kernel: its own kernel, with the agent in it; give it 600 MiB'),
      append: z.string().default('').describe('added to the kernel command line of the guest'),
    })
    .prefault({}),
});

type Spec = z.infer<typeof schema>;

/** Huge pages for the guest, and two more: one to take the place of a bad one. */
function hugePages({ guest }: Spec): string {
  if (guest.hugetlb === undefined) return '';
  const size = guest.hugetlb === '2m' ? 2 : 1024;
  return `hugepagesz=${size}M hugepages=${Math.ceil(guest.memory / size) + 2}`;
}

/** KVM for AMD-V, and the way to poison a page. */
const MODULES = ['irqbypass', 'kvm', 'kvm-amd', 'hwpoison-inject'];

export const amdHost = {
  name: 'amd-host',
  schema,
  layers: ['machine', 'host', 'vmm', 'guest'],
  vmm,
  channels: [...HOST_CHANNELS, ...vmm.channels],
  console: () => linuxEvents(),
  target: () => 'x86_64',
  flavour: () => 'cloud',
  named: ({ guest }) => [guest.kernel],
  takes: () => ['hostKernel', ...vmm.takes],

  faults: data => tableFaults(data, HOST_MIB),
  firmware: spec => (spec.apei ? firmwareTables(spec.memory) : []),

  gather(spec, choices, supply) {
    const guest = choices.cpu === undefined ? spec.guest : { ...spec.guest, cpu: choices.cpu };
    const inside = { ...guest, append: words(guest.crashKernel ? CRASH_MEMORY : '', guest.append) };
    const command = (program: readonly string[]): string[] => vmm.command(program, inside, {}, choices.append);
    return gatherHost({ ...spec, guest }, choices, supply, { target: 'x86_64', modules: MODULES, vmm, command });
  },

  outer(spec, files) {
    const window = spec.apei ? windowWords(spec.memory) : '';
    const boot = bootLinux(files, words(UART_SERIAL, window, hugePages(spec), spec.append));
    return { machine: 'pc', cpu: `${spec.cpu},+svm,+npt`, boot };
  },

  local: ({ guest }) => guest,

  facts(spec, input) {
    // The host layer's own CPU is AMD's; what its KVM ignores is an option of its command line.
    const found = x86Layer(spec.guest, input, 'amd', 'hostQemu');
    if (found === undefined) return {};
    const ignoreMsrs = switchedOn(spec.append, 'kvm', 'ignore_msrs') ?? false;
    const hugetlb = spec.guest.hugetlb === undefined ? {} : { hugetlb: true as const };
    const layer = { cpu: spec.cpu, cpus: spec.cpus, append: spec.append, part: 'hostKernel', config: 'host' } as const;
    const ghes = spec.apei ? ownFirmware(layer, { ...input, append: '' }) : undefined;
    return {
      x86: [{ ...found, linux: { ...found.linux, ignoreMsrs } }],
      ...(ghes === undefined ? {} : { ghes: { ...ghes, vmm } }),
      ...hugetlb,
    };
  },
} satisfies MachineKind<Spec>;
