import { isHostile } from '@syndrome/decode/common/screen.ts';
import type { MachineSpec } from '../scenario/schema.ts';
import type { Accel } from './accel.ts';
import { hostDevice, type MachineSockets, portDevice, virtioChannels } from './channels.ts';

/** The files a machine is made of. */
export interface MachineFiles {
  /** How to start QEMU: loader, library path, binary, data folders. */
  qemu: readonly string[];
  kernel: string;
  initrd: string;
  /** UEFI code, for a machine with firmware. */
  firmware?: string;
  xen?: string;
  /** Of a nested machine: what its guest is started with. */
  guest?: { kernel: string; initrd: string };
}

type Spec<K extends MachineSpec['kind']> = MachineSpec & { kind: K };

/** MiB that Xen keeps for the crash kernel: Debian's unpacks and boots in less. */
const CRASH_MEMORY = 192;

/** In QEMU option values a comma is written twice. */
const escape = (value: string): string => value.replaceAll(',', ',,');

const words = (...parts: string[]): string => parts.filter(p => p !== '').join(' ');

/** A character device that connects to the lab's socket. */
const socket = (id: string, path: string | undefined): string[] => [
  '-chardev',
  `socket,id=${id},path=${escape(path ?? '')}`,
];
const serial = (id: string, path: string | undefined): string[] => [...socket(id, path), '-serial', `chardev:${id}`];

/** The console device and the agent's port of a Linux, by the UARTs it has: 8250s of a PC and of the reference VMM, PL011s of `virt`. */
const UART_SERIAL = 'console=ttyS0 panic=-1 syndrome.port=/dev/ttyS1';
const PL011_SERIAL = 'console=ttyAMA0 panic=-1 syndrome.port=/dev/ttyAMA1';
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
function statedKvmModes(spec: Spec<'arm64-host'>): string[] {
  return [...spec.append.matchAll(KVM_MODE)].map(match => match[1] ?? '');
}

/** Whether the state of a machine can be kept: the lab knows of an arm64 host only without VHE that it goes on in time. */
export function canBeKept(spec: MachineSpec): boolean {
  return spec.kind !== 'arm64-host' || statedKvmModes(spec).every(mode => mode === 'nvhe');
}

const DOM0_SERIAL = 'console=hvc0 panic=-1 syndrome.port=/dev/ttyS1';

/** The kernel command line of the layer right under the outer QEMU (or Xen). `extra` goes to the guest under test. */
function kernelCommandLine(spec: MachineSpec, extra: string): string {
  if (spec.kind === 'xen-dom0') return words(DOM0_SERIAL, spec.append, extra);
  if (spec.kind === 'amd-host') return words(UART_SERIAL, spec.append);
  if (spec.kind === 'arm64-host') {
    const mode = statedKvmModes(spec).length === 0 ? NO_VHE : '';
    return words(PL011_SERIAL, NO_DAMON, SHOW_CRASHES, mode, spec.firmware ? 'acpi=force' : '', spec.append);
  }
  if (spec.arch === 'aarch64') return words(PL011_SERIAL, spec.firmware ? 'acpi=force' : '', spec.append, extra);
  return words(UART_SERIAL, spec.append, extra);
}

/** Xen's own command line. cpuidle=0: MWAIT faults under TCG on some models. */
function xenCommandLine(spec: Spec<'xen-dom0'>): string {
  return words(
    `dom0_mem=${spec.dom0Memory}M`,
    'com1=115200,8n1 console=com1 cpuidle=0',
    'loglvl=all guest_loglvl=all mce_verbosity=verbose',
    spec.crashKernel ? `crashkernel=${CRASH_MEMORY}M` : '',
    spec.xenAppend,
  );
}

function machineType(spec: MachineSpec): string {
  if (isX86(spec)) return 'pc';
  const { firmware, ras } = spec as Spec<'arm64-host'>;
  const options = [...(ras ? ['ras=on'] : []), ...(firmware ? ['acpi=on'] : [])];
  return ['virt', 'gic-version=3', ...(spec.kind === 'arm64-host' ? ['virtualization=on'] : []), ...options].join(',');
}

/** Is the layer right under the outer QEMU an x86 machine? */
function isX86(spec: MachineSpec): boolean {
  return spec.kind === 'linux-guest' ? spec.arch === 'x86_64' : spec.kind !== 'arm64-host';
}

/** The lines to the guest in the host layer, and the files it is started with as disks. */
function nestedDevices(spec: MachineSpec, files: MachineFiles, sockets: MachineSockets): string[] {
  const ports = virtioChannels(spec.kind).flatMap((channel, i) => [
    ...socket(channel, sockets[channel]),
    '-device',
    `${portDevice(spec.kind)},bus=vs.0,nr=${i + 1},chardev=${channel},name=syndrome.${channel}`,
  ]);
  const disks = Object.entries(files.guest ?? {}).flatMap(([id, file]) => [
    '-drive',
    `if=none,id=${id},format=raw,readonly=on,file.locking=off,file=${escape(file)}`,
    '-device',
    `virtio-blk-pci,drive=${id},serial=${id}`,
  ]);
  return ['-device', 'virtio-serial-pci,id=vs', ...ports, ...disks];
}

/** The exact QEMU command line of a machine. */
export function qemuArgs(
  spec: MachineSpec,
  accel: Accel,
  files: MachineFiles,
  sockets: MachineSockets,
  extra = '',
): string[] {
  const nested = spec.kind === 'amd-host' || spec.kind === 'arm64-host';
  const x86 = isX86(spec);
  const cpu = spec.kind === 'amd-host' ? `${spec.cpu},+svm,+npt` : spec.cpu;
  const args = [...files.qemu, '-nodefaults', '-no-user-config', '-display', 'none'];
  args.push('-accel', accel, '-smp', String(spec.cpus), '-m', String(spec.memory), '-machine', machineType(spec));
  args.push('-cpu', accel === 'kvm' && !x86 ? 'host' : cpu);
  if (files.firmware !== undefined) args.push('-bios', files.firmware);
  // QEMU connects to us: nothing it says is lost, and nobody waits for its sockets to appear.
  args.push('-qmp', `unix:${escape((nested ? sockets.outer : sockets.qmp) ?? '')}`);
  args.push(...serial('console0', nested ? sockets.hostConsole : sockets.console));
  args.push(...serial('agent0', nested ? sockets.hostAgent : sockets.agent));
  // A panic is reported and the guest goes on printing; what a reset does is the scenario's choice.
  if (x86) args.push('-device', 'pvpanic');
  args.push('-action', 'panic=none');
  if (spec.kind !== 'linux-guest' || spec.reboot === 'exit') args.push('-no-reboot');
  if (sockets.gdb !== undefined) {
    args.push('-chardev', `socket,id=gdb,path=${escape(sockets.gdb)},server=on,wait=off`, '-gdb', 'chardev:gdb');
  }
  if (nested) args.push(...nestedDevices(spec, files, sockets));
  const command = kernelCommandLine(spec, extra);
  if (spec.kind === 'xen-dom0') {
    args.push('-kernel', files.xen ?? '', '-append', xenCommandLine(spec));
    args.push('-initrd', `${escape(files.kernel)} ${escape(command)},${escape(files.initrd)}`);
  } else {
    args.push('-kernel', files.kernel, '-initrd', files.initrd, '-append', command);
  }
  return args;
}

/** Where the host layer keeps what its guest is started with. */
export const GUEST_FILES = { kernel: '/run/guest-kernel', initrd: '/run/guest-initrd' } as const;

/** The command line of the QEMU in the host layer; `qemu` is its program with the first arguments. */
export function innerQemuArgs(spec: Spec<'amd-host'>, qemu: readonly string[], extra = ''): string[] {
  const { guest } = spec;
  return [
    ...qemu,
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-accel',
    'kvm',
    '-machine',
    'pc',
    '-cpu',
    guest.cpu,
    '-smp',
    String(guest.cpus),
    '-m',
    String(guest.memory),
    '-qmp',
    `pipe:${hostDevice(spec.kind, 'qmp')}`,
    '-serial',
    `pipe:${hostDevice(spec.kind, 'console')}`,
    '-serial',
    `pipe:${hostDevice(spec.kind, 'agent')}`,
    '-device',
    'pvpanic',
    '-action',
    'panic=none',
    '-no-reboot',
    '-kernel',
    GUEST_FILES.kernel,
    '-initrd',
    GUEST_FILES.initrd,
    '-append',
    words(UART_SERIAL, guest.append, extra),
  ];
}

/** The command line of the reference VMM in the host layer. */
export function innerVmmArgs(spec: Spec<'arm64-host'>, node: readonly string[], extra = ''): string[] {
  const { guest, vmm } = spec;
  const device = (channel: 'console' | 'agent' | 'events' | 'control'): string => hostDevice(spec.kind, channel);
  return [
    ...node,
    '--kernel',
    GUEST_FILES.kernel,
    '--initrd',
    GUEST_FILES.initrd,
    '--memory',
    `${guest.memory}M`,
    '--vcpus',
    String(guest.cpus),
    '--console',
    device('console'),
    '--agent',
    device('agent'),
    '--events',
    device('events'),
    '--control',
    device('control'),
    '--sea',
    vmm.sea,
    '--quarantine',
    vmm.quarantine,
    '--max-errors',
    String(vmm.maxErrors),
    // A table of 4 KiB pages behind each 2 MiB of the guest: what the lab breaks to make the guest consume an error.
    '--huge-pages',
    'off',
    '--append',
    words(UART_SERIAL, guest.append, extra),
  ];
}

/** The command line of a crash kernel: it finds the devices as the dead system left them, and needs one CPU. */
export const CRASH_KERNEL_COMMAND_LINE = `${UART_SERIAL} nr_cpus=1 reset_devices`;

/** A command line as a shell would take it. What a screen would obey stands in quotes of bash that name it by its number. */
export function shellQuote(args: readonly string[]): string {
  return args.map(a => (/^[\w@%+=:,./-]+$/.test(a) ? a : isHostile(a) ? ansiQuote(a) : plainQuote(a))).join(' ');
}

const plainQuote = (arg: string): string => `'${arg.replaceAll("'", `'\\''`)}'`;

/** By its bytes, so that no locale changes it. */
const ansiQuote = (arg: string): string =>
  `$'${arg.replace(/[^ !#-&(-[\]-~]/gu, character => [...Buffer.from(character)].map(octal).join(''))}'`;

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;
