import { isHostile } from '@syndrome/decode/common/screen.ts';
import type { MachineFiles } from '../machines/kind.ts';
import { machineKind, type MachineSpec } from '../machines/registry.ts';
import { portChannels, type Vmm } from '../vmms/vmm.ts';
import type { Accel } from './accel.ts';
import type { Channel, MachineSockets } from './channels.ts';
import { escape } from './command-line.ts';

/** A character device that connects to the lab's socket. */
const socket = (id: string, path: string | undefined): string[] => [
  '-chardev',
  `socket,id=${id},path=${escape(path ?? '')}`,
];
const serial = (id: string, path: string | undefined): string[] => [...socket(id, path), '-serial', `chardev:${id}`];

/** The lines to the VMM in the host layer, and the files its guest is started with as disks. */
function nestedDevices(
  vmm: Pick<Vmm, 'channels' | 'port'>,
  files: MachineFiles,
  sockets: MachineSockets,
  uplink: boolean,
): string[] {
  const ports = portChannels(vmm, uplink).flatMap((channel, i) => [
    ...socket(channel, sockets[channel]),
    '-device',
    `${vmm.port},bus=vs.0,nr=${i + 1},chardev=${channel},name=syndrome.${channel}`,
  ]);
  const disks = Object.entries(files.guest ?? {}).flatMap(([id, file]) => [
    '-drive',
    `if=none,id=${id},format=raw,readonly=on,file.locking=off,file=${escape(file)}`,
    '-device',
    `virtio-blk-pci,drive=${id},serial=${id}`,
  ]);
  return ['-device', 'virtio-serial-pci,id=vs', ...ports, ...disks];
}

/** A machine with what runs it: all that its command line is made of, but its sockets. */
interface MachineSetup {
  machine: MachineSpec;
  accel: Accel;
  files: MachineFiles;
  /** Added to the kernel command line of the guest under test. */
  append?: string;
  /** Of the random numbers that QEMU gives its guest. */
  seed?: number;
  /** See {@link Assembly.uplink}. */
  uplink?: true;
}

/** All lines of a machine to the lab. */
export function machineChannels({ machine, uplink }: Pick<MachineSetup, 'machine' | 'uplink'>): readonly Channel[] {
  const { channels } = machineKind(machine);
  return uplink ? [...channels, 'uplink'] : channels;
}

/** The exact QEMU command line of a machine. */
export function qemuArgs(setup: MachineSetup, sockets: MachineSockets): string[] {
  const { machine, accel, files, append = '', seed } = setup;
  const kind = machineKind(machine);
  const { vmm } = kind;
  const x86 = kind.target(machine) === 'x86_64';
  const outer = kind.outer(machine, files, append);
  const args = [...files.qemu, '-nodefaults', '-no-user-config', '-display', 'none'];
  args.push('-accel', accel, '-smp', String(machine.cpus), '-m', String(machine.memory), '-machine', outer.machine);
  args.push('-cpu', accel === 'kvm' && !x86 ? 'host' : outer.cpu);
  if (files.firmware !== undefined) args.push('-bios', files.firmware);
  // QEMU connects to us: nothing it says is lost, and nobody waits for its sockets to appear.
  args.push('-qmp', `unix:${escape((vmm ? sockets.outer : sockets.qmp) ?? '')}`);
  args.push(...serial('console0', vmm ? sockets.hostConsole : sockets.console));
  args.push(...serial('agent0', vmm ? sockets.hostAgent : sockets.agent));
  // A panic is reported and the guest goes on printing; what a reset does is the scenario's choice.
  if (x86) args.push('-device', 'pvpanic');
  args.push('-action', 'panic=none');
  if (outer.resets !== true) args.push('-no-reboot');
  if (sockets.gdb !== undefined) {
    args.push('-chardev', `socket,id=gdb,path=${escape(sockets.gdb)},server=on,wait=off`, '-gdb', 'chardev:gdb');
  }
  if (seed !== undefined) args.push('-seed', String(seed));
  if (vmm) args.push(...nestedDevices(vmm, files, sockets, setup.uplink === true));
  args.push(...outer.boot);
  return args;
}

/** The command line with sockets named after their channels, the same for every run. `name` makes the path of one. */
export function stableArgs(setup: MachineSetup, name: (channel: string) => string): string[] {
  const channels = machineChannels(setup);
  return qemuArgs(setup, Object.fromEntries(channels.map(channel => [channel, name(channel)])));
}

/** A command line as a shell would take it. What a screen would obey stands in quotes of bash that name it by its number. */
export function shellQuote(args: readonly string[]): string {
  return args.map(a => (/^[\w@%+=:,./-]+$/.test(a) ? a : isHostile(a) ? ansiQuote(a) : plainQuote(a))).join(' ');
}

const plainQuote = (arg: string): string => `'${arg.replaceAll("'", `'\\''`)}'`;

/** By its bytes, so that no locale changes it. */
const ansiQuote = (arg: string): string =>
  `$'${arg.replace(/[^ !#-&(-[\]-~]/gu, character => [...Buffer.from(character)].map(octal).join(''))}'`;

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;
