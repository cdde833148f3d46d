import { z } from 'zod';
import { linuxEvents } from '@syndrome/decode/text/event-reader.ts';
import { FLAT_CHANNELS } from '../machine/channels.ts';
import { bootLinux, UART_SERIAL, words } from '../machine/command-line.ts';
import { agentImage, builtInSigns, findModules, modulesAmong } from '../machine/images.ts';
import { versionSetting, x86Layer } from './facts.ts';
import { describeSystem, knownKernel, type MachineKind } from './kind.ts';
import { kernelOf } from './named-kernel.ts';

const schema = z.strictObject({
  kind: z
    .literal('cxl-guest')
    .describe('a q35 machine with a CXL type 3 device behind a host bridge, and Linux right under QEMU'),
  // Under a hypervisor Linux invalidates no CPU caches, and commits no region then.
  cpu: z.string().default('Skylake-Server,-hypervisor').describe('QEMU -cpu model with features'),
  cpus: z.int().min(1).max(8).default(1),
  memory: z.int().min(256).max(16384).default(1024).describe('MiB'),
  cxlMemory: z
    .int()
    .min(256)
    .max(4096)
    .multipleOf(256)
    .default(256)
    .describe('MiB of volatile memory in the device; emulated CPUs use it as slowly as registers'),
  kernel: z.string().default('newest').describe('version, series such as 6.19, or newest'),
  flavour: z.enum(['cloud', 'generic']).default('cloud'),
  append: z.string().default('').describe('added to the kernel command line'),
});

type Spec = z.infer<typeof schema>;

/** What no machine of this kind does without. */
const MODULES = ['cxl_acpi', 'cxl_pci', 'cxl_mem', 'kmem'];
/** Those and what they need, in the order in which they are loaded; of the others a kernel may have some built in. */
const ORDER = ['libnvdimm', 'cxl_core', 'cxl_port', 'cxl_pmem', 'cxl_acpi', 'cxl_mem', 'cxl_pci'].concat([
  'dax_hmem',
  'device_dax',
  'dax_cxl',
  'kmem',
]);

/** The device in QEMU's object tree, and the port above it. */
const DEVICE = 'cxl-mem0';
const PORT = 'cxl-port0';

/** A host bridge with one port, the device behind it, and a window of the machine's addresses for its memory. */
function cxlDevices({ cxlMemory, memory }: Spec): string[] {
  const options: readonly (readonly [string, string])[] = [
    // A slot for more memory makes QEMU write an SRAT, without which Linux gives the window no node of its own.
    ['-m', `slots=1,maxmem=${memory + 1024}M`],
    ['-object', `memory-backend-ram,id=cxl-ram0,size=${cxlMemory}M`],
    ['-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1'],
    ['-device', `cxl-rp,port=0,bus=cxl.1,id=${PORT},chassis=0,slot=2`],
    ['-device', `cxl-type3,bus=${PORT},volatile-memdev=cxl-ram0,id=${DEVICE},sn=0xc100`],
    ['-machine', 'cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G'],
  ];
  return options.flat();
}

export const cxlGuest = {
  name: 'cxl-guest',
  schema,
  layers: ['vmm', 'guest'],
  channels: FLAT_CHANNELS,
  memoryGb: 1.6,
  console: () => linuxEvents(),
  target: () => 'x86_64',
  flavour: spec => spec.flavour,
  takes: () => ['cpu'],

  async gather(spec, choices, supply) {
    const machine = choices.cpu === undefined ? spec : { ...spec, cpu: choices.cpu };
    const qemu = await supply.qemu('x86_64', choices.qemu);
    const kernel = await kernelOf(supply, machine.kernel, choices.kernel, {
      arch: 'amd64',
      flavour: machine.flavour,
      modules: true,
    });
    const found = [
      ...findModules(kernel, MODULES),
      ...modulesAmong(
        kernel,
        ORDER.filter(name => !MODULES.includes(name)),
      ),
    ];
    const place = (path: string): number => ORDER.findIndex(name => path.startsWith(`modules/${name}.`));
    const modules = found.toSorted((a, b) => place(a.path) - place(b.path));
    return {
      machine,
      qemu,
      files: { qemu: qemu.argv, kernel: kernel.image, initrd: await agentImage(supply, 'amd64', modules) },
      modules: modules.map(m => `/${m.path}`),
      builtIn: builtInSigns(kernel, MODULES),
      kernels: [knownKernel('guest', kernel)],
      parts: { ...describeSystem(kernel, machine), cxl: `${machine.cxlMemory} MiB` },
    };
  },

  outer(spec, files, append) {
    const commandLine = words(UART_SERIAL, spec.append, append);
    return { machine: 'q35,cxl=on', cpu: spec.cpu, boot: [...cxlDevices(spec), ...bootLinux(files, commandLine)] };
  },

  // QEMU keeps no state of a CXL device: in a restored machine it would be another one than its driver knows.
  canBeKept: () => false,

  facts(spec, input) {
    const layer = x86Layer(spec, input, 'tcg', 'qemu');
    const cxl = { ...versionSetting(input.parts, 'kernel'), platform: input.accel, cxlMasked: true };
    return { cxl, ...(layer === undefined || input.accel !== 'tcg' ? {} : { x86: [layer] }) };
  },
} satisfies MachineKind<Spec>;
