import { z } from 'zod';
import { linuxEvents } from '@syndrome/decode/text/event-reader.ts';
import { FLAT_CHANNELS } from '../machine/channels.ts';
import { bootLinux, firmwareWords, PL011_SERIAL, UART_SERIAL, virtMachine, words } from '../machine/command-line.ts';
import { agentImage, builtInSigns, findModules } from '../machine/images.ts';
import { firmwareTables, tableFaults, windowWords } from '../firmware/tables.ts';
import { tableFiles } from '../firmware/table-files.ts';
import { ghesTarget, ownFirmware, x86Layer } from './facts.ts';
import { firmwareFaults } from './firmware.ts';
import { describeSystem, knownKernel, type MachineKind } from './kind.ts';
import { kernelOf } from './named-kernel.ts';

/** Below it the `virt` machine of QEMU has flash and devices. Source: QEMU hw/arm/virt.c, base_memmap. */
const VIRT_MEMORY_FROM = 2n ** 30n;

const schema = z.strictObject({
  kind: z.literal('linux-guest').describe('Linux right under QEMU'),
  arch: z.enum(['x86_64', 'aarch64']).default('x86_64'),
  cpu: z.string().default('Skylake-Server').describe('QEMU -cpu model with features, e.g. EPYC or max,pauth-impdef=on'),
  cpus: z.int().min(1).max(8).default(2),
  memory: z.int().min(64).max(16384).default(256).describe('MiB'),
  firmware: z.boolean().default(false).describe('boot through UEFI with ACPI (aarch64)'),
  ras: z.boolean().default(false).describe('firmware-first RAS: HEST/GHES tables; needs firmware: true'),
  apei: z
    .boolean()
    .default(false)
    .describe('firmware-first RAS on x86_64: the lab is the firmware, with HEST, BERT and EINJ tables of its own'),
  erst: z
    .boolean()
    .default(false)
    .describe('a store of error records that outlives a reset (device acpi-erst; x86_64)'),
  kernel: z.string().default('newest').describe('version, series such as 6.19, or newest'),
  flavour: z.enum(['cloud', 'generic']).default('cloud'),
  modules: z
    .array(z.string().regex(/^[\w-]+$/))
    .default([])
    .describe('kernel modules to load before the steps, in this order'),
  files: z
    .string()
    .min(1)
    .optional()
    .describe(
      'a folder, or an initramfs of your own, whose files the guest has beside the agent: a path on this machine',
    ),
  append: z.string().default('').describe('added to the kernel command line'),
  reboot: z.enum(['exit', 'reset']).default('exit').describe('what a guest reset does: end QEMU, or reset the machine'),
});

type Spec = z.infer<typeof schema>;

export const linuxGuest = {
  name: 'linux-guest',
  schema,
  layers: ['vmm', 'guest'],
  channels: FLAT_CHANNELS,
  memoryGb: 0.6,
  console: () => linuxEvents(),
  target: spec => spec.arch,
  flavour: spec => spec.flavour,
  takes: spec => (spec.firmware ? ['firmware', 'cpu'] : ['cpu']),

  faults(data) {
    const faults = firmwareFaults(data);
    if (data['firmware'] === true && data['arch'] !== 'aarch64') {
      faults.push({ key: 'firmware', message: 'firmware: true needs arch: aarch64' });
    }
    if (data['erst'] === true && data['arch'] === 'aarch64') {
      faults.push({ key: 'erst', message: 'erst: true needs arch: x86_64' });
    }
    return [...faults, ...tableFaults(data)];
  },

  firmware: spec => (spec.apei ? firmwareTables(spec.memory) : []),
  keepsRecords: spec => spec.erst,
  // Seen with QEMU 11.1.3: in an acpi-erst that was restored nothing is found that is saved from then on.
  canBeKept: spec => !spec.erst,

  async gather(spec, choices, supply) {
    const machine = choices.cpu === undefined ? spec : { ...spec, cpu: choices.cpu };
    const arch = machine.arch === 'aarch64' ? 'arm64' : 'amd64';
    const qemu = await supply.qemu(machine.arch, choices.qemu);
    const kernel = await kernelOf(supply, machine.kernel, choices.kernel, {
      arch,
      flavour: machine.flavour,
      modules: machine.modules.length > 0,
    });
    const firmware = machine.firmware ? await supply.firmware(choices.firmware) : undefined;
    const modules = findModules(kernel, machine.modules);
    return {
      machine,
      qemu,
      files: {
        qemu: qemu.argv,
        kernel: kernel.image,
        initrd: await agentImage(supply, arch, modules, machine.files),
        ...(firmware === undefined ? {} : { firmware: firmware.code }),
        ...(machine.apei ? { tables: await tableFiles(supply.cacheDir, firmwareTables(machine.memory)) } : {}),
      },
      modules: modules.map(m => `/${m.path}`),
      builtIn: builtInSigns(kernel, machine.modules),
      kernels: [knownKernel('guest', kernel)],
      parts: describeSystem(kernel, machine),
    };
  },

  outer(spec, files, append) {
    const x86 = spec.arch === 'x86_64';
    const commandLine = x86
      ? words(UART_SERIAL, spec.apei ? windowWords(spec.memory) : '', spec.append, append)
      : words(PL011_SERIAL, firmwareWords(spec), spec.append, append);
    return {
      machine: x86 ? 'pc' : virtMachine(spec),
      cpu: spec.cpu,
      resets: spec.reboot === 'reset',
      boot: bootLinux(files, commandLine),
    };
  },

  stock: spec => ({ ...spec, cpu: 'host', cpus: 1 }),

  facts(spec, input) {
    if (spec.arch === 'aarch64') {
      const commandLine = `${spec.append} ${input.append ?? ''}`;
      const { parts, configs } = input;
      return {
        ghes: ghesTarget(spec, input, { commandLine, version: parts.kernel, config: configs?.guest }),
        memory: spec.memory,
        memoryFrom: VIRT_MEMORY_FROM,
      };
    }
    const hosts = input.accel === 'tcg' ? (['tcg'] as const) : (['intel', 'amd'] as const);
    const layers = hosts.flatMap(host => x86Layer(spec, input, host, 'qemu') ?? []);
    const ghes = spec.apei ? { ghes: ownFirmware({ ...spec, part: 'kernel', config: 'guest' }, input) } : {};
    return { x86: layers.length === hosts.length ? layers : undefined, memory: spec.memory, ...ghes };
  },
} satisfies MachineKind<Spec>;
