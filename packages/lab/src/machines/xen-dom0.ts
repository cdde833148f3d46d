import { z } from 'zod';
import { xenEvents } from '@syndrome/decode/text/event-reader.ts';
import { FLAT_CHANNELS } from '../machine/channels.ts';
import { escape, words } from '../machine/command-line.ts';
import { DOM0_MODULES, packDomU } from '../machine/domu-image.ts';
import {
  agentImage,
  builtInSigns,
  CRASH_MEMORY,
  findModules,
  KEXEC_MODULES,
  packCrashKernel,
} from '../machine/images.ts';
import { versionSetting, x86Layer } from './facts.ts';
import { describeSystem, type MachineKind } from './kind.ts';
import { kernelOf } from './named-kernel.ts';

const schema = z.strictObject({
  kind: z.literal('xen-dom0').describe('Xen under QEMU, Linux as dom0'),
  cpu: z.string().default('Skylake-Server'),
  cpus: z.int().min(1).max(8).default(2),
  memory: z.int().min(512).max(16384).default(1536).describe('MiB, of QEMU'),
  dom0Memory: z.int().min(256).max(8192).default(1024).describe('MiB, of dom0'),
  xen: z.string().default('4.20').describe('version on offer'),
  kernel: z.string().default('newest'),
  append: z.string().default('').describe('added to the dom0 kernel command line'),
  xenAppend: z.string().default('').describe('added to the Xen command line'),
  domu: z
    .strictObject({
      type: z.enum(['pv', 'pvh']).default('pv').describe('pvh needs a CPU with svm, whose addresses Xen translates'),
      cpus: z.int().min(1).max(4).default(1),
      memory: z.int().min(96).max(4096).default(192).describe('MiB'),
      append: z.string().default('').describe('added to its kernel command line'),
    })
    .optional()
    .describe('dom0 starts a domain (domain 1, `domu`) with its own kernel and the agent in it'),
  crashKernel: z.boolean().default(false).describe('dom0 loads a crash kernel: its own kernel, with the agent in it'),
});

type Spec = z.infer<typeof schema>;

const DOM0_SERIAL = 'console=hvc0 panic=-1 syndrome.port=/dev/ttyS1';
/** Xen polls every 2 to 16 s. */
const POLL_SECONDS = 30;

/** Xen's own command line. cpuidle=0: MWAIT faults under TCG on some models. */
function xenCommandLine(spec: Spec): string {
  return words(
    `dom0_mem=${spec.dom0Memory}M`,
    'com1=115200,8n1 console=com1 cpuidle=0',
    'loglvl=all guest_loglvl=all mce_verbosity=verbose',
    spec.crashKernel ? CRASH_MEMORY : '',
    spec.xenAppend,
  );
}

export const xenDom0 = {
  name: 'xen-dom0',
  schema,
  layers: ['vmm', 'xen', 'guest', 'domu'],
  lacks: ({ domu }) => (domu === undefined ? ['domu'] : []),
  channels: FLAT_CHANNELS,
  memoryGb: 2,
  console: () => xenEvents(),
  target: () => 'x86_64',
  // dom0 needs drivers that the cloud kernels leave out.
  flavour: () => 'generic',
  named: ({ xen }) => [xen],
  takes: () => ['xen', 'cpu'],

  async gather(spec, choices, supply) {
    const machine = choices.cpu === undefined ? spec : { ...spec, cpu: choices.cpu };
    const { crashKernel, domu } = machine;
    const qemu = await supply.qemu('x86_64', choices.qemu);
    const kernel = await kernelOf(supply, machine.kernel, choices.kernel, {
      arch: 'amd64',
      flavour: 'generic',
      modules: crashKernel || domu !== undefined,
    });
    const xen = await supply.xen(choices.xen ?? machine.xen);
    const plain = await agentImage(supply, 'amd64');
    const names = domu === undefined ? (crashKernel ? KEXEC_MODULES : []) : DOM0_MODULES;
    const modules = findModules(kernel, names);
    const kexec = crashKernel ? await supply.kexec() : undefined;
    const crash = kexec && packCrashKernel(kexec, kernel.image, plain, 'xen');
    const tools = domu && (await supply.xenTools(xen.version));
    const inside =
      tools &&
      packDomU({ tools, busybox: (await supply.busybox('amd64')).program, kernel: kernel.image, initrd: plain }, domu);
    const added = [...(crash?.files ?? []), ...(inside?.files ?? [])];
    const initrd = added.length > 0 ? await agentImage(supply, 'amd64', [...modules, ...added]) : plain;
    return {
      machine,
      qemu,
      files: { qemu: qemu.argv, kernel: kernel.image, initrd, xen: xen.image },
      modules: modules.map(m => `/${m.path}`),
      builtIn: builtInSigns(kernel, names),
      // Xen takes the errors, dom0 none.
      kernels: [],
      ...(crash === undefined ? {} : { crash: crash.argv }),
      ...(inside === undefined ? {} : { domu: inside.argv }),
      parts: {
        ...describeSystem(kernel, machine),
        xen: xen.version,
        ...(kexec === undefined ? {} : { kexec: kexec.version }),
        ...(domu === undefined ? {} : { domu: `${domu.type} × ${domu.cpus}, ${domu.memory} MiB` }),
      },
    };
  },

  outer(spec, files, append) {
    const dom0 = words(DOM0_SERIAL, spec.append, append);
    const boot = ['-kernel', files.xen ?? '', '-append', xenCommandLine(spec)];
    boot.push('-initrd', `${escape(files.kernel)} ${escape(dom0)},${escape(files.initrd)}`);
    return { machine: 'pc', cpu: spec.cpu, boot };
  },

  stock: spec => ({ ...spec, cpu: 'host' }),

  facts(spec, input) {
    const found = input.accel === 'tcg' && spec.xenAppend === '' ? x86Layer(spec, input, 'tcg', 'qemu') : undefined;
    if (found === undefined) return { poll: POLL_SECONDS };
    const { platform: _, ...linux } = found.linux;
    const xen = { ...versionSetting(input.parts, 'xen'), cpus: spec.cpus, dom0Registered: true };
    const domu = spec.domu && (spec.domu.type === 'pv' ? 'pv' : 'hvm');
    return { x86: [{ ...found, linux, guest: 'xen', xen }], domu, poll: POLL_SECONDS };
  },
} satisfies MachineKind<Spec>;
