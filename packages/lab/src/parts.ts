import { statSync } from 'node:fs';
import type { KernelPart } from './supply/kernel.ts';
import type { QemuPart } from './supply/qemu.ts';
import type { Supply } from './supply/supply.ts';
import { LabSkip } from './errors.ts';
import { type Accel, kvmAccessible } from './machine/accel.ts';
import { hostDevice } from './machine/channels.ts';
import {
  agentImage,
  type BuiltIn,
  builtInSigns,
  findModules,
  KEXEC_MODULES,
  packCrashKernel,
  packQemu,
  packVmm,
} from './machine/images.ts';
import { probeKvm } from './machine/probe-kvm.ts';
import {
  CRASH_KERNEL_COMMAND_LINE,
  GUEST_FILES,
  innerQemuArgs,
  innerVmmArgs,
  type MachineFiles,
} from './machine/qemu-args.ts';
import { requirePreflight } from './host-local.ts';
import { type MachineSpec, machineSchema } from './scenario/schema.ts';

/** What the user chooses instead of the scenario's or the default parts. */
export interface PartChoices {
  supply: Supply;
  qemu?: string;
  /** Of the guest under test (in Xen: of dom0). */
  kernel?: string;
  hostKernel?: string;
  /** The QEMU in the host layer, by default the same as `qemu`. */
  hostQemu?: string;
  xen?: string;
  firmware?: string;
  /** -cpu model of the guest under test. */
  cpu?: string;
  accel?: 'auto' | Accel;
  /** Added to the guest kernel command line. */
  append?: string;
  /** The host layer is this very machine: real KVM, real poison. */
  hostLocal?: { consent: boolean };
  /** Ends the run: everything is cleaned up and LabInterrupted is thrown. */
  signal?: AbortSignal;
  /** Told what is being done where it takes long. */
  onNotice?: (text: string) => void;
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

/** A machine with all its files on disk. */
export interface Assembly {
  machine: MachineSpec;
  accel: Accel;
  files: MachineFiles;
  /** Modules that the agent right under the outer QEMU loads after the boot, as paths in its initramfs. */
  modules: string[];
  /** What a kernel of the user's own must have built in instead. */
  builtIn: BuiltIn[];
  host?: HostPlan;
  /** The command with which dom0 loads its crash kernel. */
  crash?: string[];
  /** Poison goes to this very machine. */
  local?: true;
  /** For the header of the trace. */
  parts: Record<string, string>;
}

type Spec<K extends MachineSpec['kind']> = MachineSpec & { kind: K };

/** Fetches, builds and finds everything a machine needs. @throws SupplyError, LabSkip. */
export async function assemble(spec: MachineSpec, choices: PartChoices): Promise<Assembly> {
  if (choices.hostLocal) {
    requirePreflight(spec, choices.hostLocal.consent);
    return localGuest(spec as Spec<'amd-host'>, choices);
  }
  switch (spec.kind) {
    case 'linux-guest':
      return linuxGuest(spec, choices);
    case 'xen-dom0':
      return xenDom0(spec, choices);
    case 'amd-host':
      return amdHost(spec, choices);
    case 'arm64-host':
      return arm64Host(spec, choices);
  }
}

function describe(
  qemu: QemuPart,
  accel: Accel,
  kernel: KernelPart,
  machine: { cpu: string; cpus: number; memory: number },
) {
  return {
    qemu: `${qemu.version} ${accel}`,
    kernel: `${kernel.release} ${kernel.arch}`,
    cpu: `${machine.cpu} × ${machine.cpus}`,
    memory: `${machine.memory} MiB`,
    kernelPath: kernel.image,
  };
}

// The parts are fetched one after the other: their downloads share one progress line.

async function linuxGuest(spec: Spec<'linux-guest'>, choices: PartChoices): Promise<Assembly> {
  const { supply } = choices;
  const machine = choices.cpu === undefined ? spec : { ...spec, cpu: choices.cpu };
  const arch = machine.arch === 'aarch64' ? 'arm64' : 'amd64';
  const qemu = await supply.qemu(machine.arch, choices.qemu);
  const version = choices.kernel ?? machine.kernel;
  const kernel = await supply.kernel({ arch, flavour: machine.flavour, version, modules: machine.modules.length > 0 });
  const firmware = machine.firmware ? await supply.firmware(choices.firmware) : undefined;
  const modules = findModules(kernel, machine.modules);
  const files: MachineFiles = {
    qemu: qemu.argv,
    kernel: kernel.image,
    initrd: await agentImage(supply, arch, modules),
    ...(firmware === undefined ? {} : { firmware: firmware.code }),
  };
  const accel = await chooseAccel(choices, machine, files);
  return {
    machine,
    accel,
    files,
    modules: modules.map(m => `/${m.path}`),
    builtIn: builtInSigns(kernel, machine.modules),
    parts: describe(qemu, accel, kernel, machine),
  };
}

async function xenDom0(spec: Spec<'xen-dom0'>, choices: PartChoices): Promise<Assembly> {
  const { supply } = choices;
  const machine = choices.cpu === undefined ? spec : { ...spec, cpu: choices.cpu };
  const qemu = await supply.qemu('x86_64', choices.qemu);
  const { crashKernel } = machine;
  const version = choices.kernel ?? machine.kernel;
  const kernel = await supply.kernel({ arch: 'amd64', flavour: 'generic', version, modules: crashKernel });
  const xen = await supply.xen(choices.xen ?? machine.xen);
  const plain = await agentImage(supply, 'amd64');
  const names = crashKernel ? KEXEC_MODULES : [];
  const modules = findModules(kernel, names);
  const kexec = crashKernel ? await supply.kexec() : undefined;
  const crash = kexec && packCrashKernel(kexec, kernel.image, plain, CRASH_KERNEL_COMMAND_LINE);
  const initrd = crash ? await agentImage(supply, 'amd64', [...modules, ...crash.files]) : plain;
  const files = { qemu: qemu.argv, kernel: kernel.image, initrd, xen: xen.image };
  const accel = await chooseAccel(choices, machine, files);
  return {
    machine,
    accel,
    files,
    modules: modules.map(m => `/${m.path}`),
    builtIn: builtInSigns(kernel, names),
    ...(crash === undefined ? {} : { crash: crash.argv }),
    parts: {
      ...describe(qemu, accel, kernel, machine),
      xen: xen.version,
      ...(kexec === undefined ? {} : { kexec: kexec.version }),
    },
  };
}

/** Modules of the host layer: KVM for AMD-V, and the way to poison a page; then the driver of the disks. */
const AMD_HOST_MODULES = ['irqbypass', 'kvm', 'kvm-amd', 'hwpoison-inject'];
const DISK_MODULES = ['virtio_blk'];

async function amdHost(spec: Spec<'amd-host'>, choices: PartChoices): Promise<Assembly> {
  const { supply } = choices;
  const guest = choices.cpu === undefined ? spec.guest : { ...spec.guest, cpu: choices.cpu };
  const machine = { ...spec, guest };
  const qemu = await supply.qemu('x86_64', choices.qemu);
  const hostQemu = choices.hostQemu === undefined ? qemu : await supply.qemu('x86_64', choices.hostQemu);
  const hostKernel = await supply.kernel({
    arch: 'amd64',
    version: choices.hostKernel ?? machine.kernel,
    modules: true,
  });
  const version = choices.kernel ?? guest.kernel;
  const guestKernel = await supply.kernel({ arch: 'amd64', version, modules: guest.modules.length > 0 });
  const guestModules = findModules(guestKernel, guest.modules);
  const modules = findModules(hostKernel, AMD_HOST_MODULES);
  const diskModules = findModules(hostKernel, DISK_MODULES);
  const inner = packQemu(hostQemu.argv);
  const files: MachineFiles = {
    qemu: qemu.argv,
    kernel: hostKernel.image,
    initrd: await agentImage(supply, 'amd64', [...modules, ...diskModules, ...inner.files]),
    guest: { kernel: guestKernel.image, initrd: await agentImage(supply, 'amd64', guestModules) },
  };
  const accel = await chooseAccel(choices, machine, files);
  const parts = {
    ...describe(qemu, accel, guestKernel, guest),
    hostKernel: hostKernel.release,
    hostQemu: hostQemu.version,
    host: `${machine.cpu} × ${machine.cpus}`,
    hostMemory: `${machine.memory} MiB`,
  };
  return {
    machine,
    accel,
    files,
    modules: modules.map(m => `/${m.path}`),
    builtIn: builtInSigns(hostKernel, AMD_HOST_MODULES),
    host: {
      diskModules: diskModules.map(m => `/${m.path}`),
      copies: guestCopies(files.guest ?? { kernel: '', initrd: '' }),
      vmm: innerQemuArgs(machine, inner.argv, choices.append),
      output: hostDevice(machine.kind, 'stderr'),
      guestModules: guestModules.map(m => `/${m.path}`),
    },
    parts,
  };
}

/** The guest of a nested machine, right under a QEMU on this very machine: the QEMU of the host layer. */
async function localGuest(spec: Spec<'amd-host'>, choices: PartChoices): Promise<Assembly> {
  const { cpu, cpus, memory, kernel, append, modules } = spec.guest;
  const guest = machineSchema.parse({
    kind: 'linux-guest',
    cpu,
    cpus,
    memory,
    kernel,
    append,
    modules,
  }) as Spec<'linux-guest'>;
  const { qemu, hostQemu = qemu, ...others } = choices;
  const own = hostQemu === undefined ? {} : { qemu: hostQemu };
  const assembly = await linuxGuest(guest, { ...others, ...own, accel: 'kvm' });
  return { ...assembly, local: true, parts: { ...assembly.parts, host: 'this machine' } };
}

/** Modules of the arm64 host layer; KVM is built in. */
const ARM64_HOST_MODULES = ['hwpoison-inject'];

async function arm64Host(spec: Spec<'arm64-host'>, choices: PartChoices): Promise<Assembly> {
  const { supply } = choices;
  const qemu = await supply.qemu('aarch64', choices.qemu);
  const hostKernel = await supply.kernel({ arch: 'arm64', version: choices.hostKernel ?? spec.kernel, modules: true });
  const guestKernel = await supply.kernel({ arch: 'arm64', version: choices.kernel ?? spec.guest.kernel });
  const firmware = spec.firmware ? await supply.firmware(choices.firmware) : undefined;
  const node = await supply.node();
  const modules = findModules(hostKernel, ARM64_HOST_MODULES);
  const diskModules = findModules(hostKernel, DISK_MODULES);
  const inner = packVmm(node);
  const files: MachineFiles = {
    qemu: qemu.argv,
    kernel: hostKernel.image,
    initrd: await agentImage(supply, 'arm64', [...modules, ...diskModules, ...inner.files]),
    guest: { kernel: guestKernel.image, initrd: await agentImage(supply, 'arm64') },
    ...(firmware === undefined ? {} : { firmware: firmware.code }),
  };
  const accel = await chooseAccel(choices, spec, files);
  const parts = {
    ...describe(qemu, accel, guestKernel, { cpu: 'host', ...spec.guest }),
    hostKernel: hostKernel.release,
    vmm: `packages/vmm on Node ${node.version}`,
    host: `${spec.cpu} × ${spec.cpus}`,
    hostMemory: `${spec.memory} MiB`,
  };
  return {
    machine: spec,
    accel,
    files,
    modules: modules.map(m => `/${m.path}`),
    builtIn: builtInSigns(hostKernel, ARM64_HOST_MODULES),
    host: {
      diskModules: diskModules.map(m => `/${m.path}`),
      copies: guestCopies(files.guest ?? { kernel: '', initrd: '' }),
      vmm: innerVmmArgs(spec, inner.argv, choices.append),
      output: hostDevice(spec.kind, 'stderr'),
      guestModules: [],
    },
    parts,
  };
}

/** The disks of the host layer in the order of the command line: /dev/vda is the kernel, /dev/vdb the initramfs. */
function guestCopies(guest: { kernel: string; initrd: string }): HostPlan['copies'] {
  return [
    { from: '/dev/vda', to: GUEST_FILES.kernel, bytes: statSync(guest.kernel).size },
    { from: '/dev/vdb', to: GUEST_FILES.initrd, bytes: statSync(guest.initrd).size },
  ];
}

const HOST_ARCH = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

async function chooseAccel(choices: PartChoices, machine: MachineSpec, files: MachineFiles): Promise<Accel> {
  const wanted = choices.accel ?? 'auto';
  if (wanted === 'tcg') return 'tcg';
  const no = (reason: string, hint: string): Accel => {
    if (wanted === 'auto') return 'tcg';
    throw new LabSkip('E_LAB_KVM', `KVM cannot be used: ${reason}`, { hint });
  };
  const leave = 'Leave --accel out: emulation runs everywhere.';
  if (machine.kind === 'amd-host' || machine.kind === 'arm64-host')
    return no('a nested host is emulated, so that it is the same everywhere', leave);
  const arch = machine.kind === 'linux-guest' ? machine.arch : 'x86_64';
  if (arch !== HOST_ARCH) return no(`this is not an ${arch} machine`, leave);
  if (!kvmAccessible()) {
    return no('/dev/kvm cannot be opened', 'Join the group that owns /dev/kvm, or leave --accel out.');
  }
  const { signal, onNotice } = choices;
  const probe = await probeKvm(machine, files, { cacheDir: choices.supply.cacheDir, signal, onNotice });
  return probe.works ? 'kvm' : no(probe.reason, leave);
}
