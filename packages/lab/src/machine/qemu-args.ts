import { isHostile } from '@syndrome/decode/common/screen.ts';
import type { MachineFiles } from '../machines/kind.ts';
import { machineKind, type MachineSpec } from '../machines/registry.ts';
import { portChannels, portOf, type Vmm } from '../vmms/vmm.ts';
import type { Accel } from './accel.ts';
import { type Channel, type ChannelEnd, channelEnd, type MachineEnds } from './channels.ts';
import { escape } from './command-line.ts';

/** A character device at the end of a channel. QEMU connects to a socket of the lab. */
function chardev(id: string, end: ChannelEnd | undefined): string[] {
  if (end === undefined) throw new Error(`the line ${id} of a machine has no end`);
  if ('socket' in end) return ['-chardev', `socket,id=${id},path=${escape(end.socket)}`];
  // A `pipe` is NAME.in and NAME.out, whatever they are; only newer QEMUs have a `file` with an input.
  const [kind, path] = end.input === undefined ? ['file', end.output] : ['pipe', end.input.replace(/\.in$/, '')];
  return ['-chardev', `${kind},id=${id},path=${escape(path)}`];
}
const serial = (id: string, end: ChannelEnd | undefined): string[] => [...chardev(id, end), '-serial', `chardev:${id}`];

/** The address of a monitor, on its socket. */
function monitor(end: ChannelEnd | undefined): string {
  if (end === undefined || !('socket' in end)) throw new Error('the monitor of a machine has no socket');
  return `unix:${escape(end.socket)}`;
}

/** The lines to the VMM in the host layer, and the files its guest is started with as disks. */
function nestedDevices(
  vmm: Pick<Vmm, 'channels' | 'port'>,
  files: MachineFiles,
  ends: MachineEnds,
  uplink: boolean,
): string[] {
  const ports = portChannels(vmm, uplink).flatMap((channel, i) => [
    ...chardev(channel, ends[channel]),
    '-device',
    `${portOf(vmm, channel)},bus=vs.0,nr=${i + 1},chardev=${channel},name=syndrome.${channel}`,
  ]);
  const disks = Object.entries(files.guest ?? {}).flatMap(([id, file]) => [
    '-drive',
    `if=none,id=${id},format=raw,readonly=on,file.locking=off,file=${escape(file)}`,
    '-device',
    `virtio-blk-pci,drive=${id},serial=${id}`,
  ]);
  return ['-device', 'virtio-serial-pci,id=vs', ...ports, ...disks];
}

/** A machine with what runs it: all that its command line is made of, but the ends of its channels. */
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
export function qemuArgs(setup: MachineSetup, ends: MachineEnds): string[] {
  const { machine, accel, files, append = '', seed } = setup;
  const kind = machineKind(machine);
  const { vmm } = kind;
  const x86 = kind.target(machine) === 'x86_64';
  const outer = kind.outer(machine, files, append);
  const args = [...files.qemu, '-nodefaults', '-no-user-config', '-display', 'none'];
  const board = ends.memory === undefined ? outer.machine : `${outer.machine},memory-backend=ram0`;
  args.push('-accel', accel, '-smp', String(machine.cpus), '-m', String(machine.memory), '-machine', board);
  if (ends.memory !== undefined) {
    args.push(
      '-object',
      `memory-backend-file,id=ram0,size=${machine.memory}M,share=on,mem-path=${escape(ends.memory)}`,
    );
  }
  for (const table of files.tables ?? []) args.push('-acpitable', `file=${escape(table)}`);
  if (ends.records !== undefined) {
    args.push('-object', `memory-backend-file,id=erst0,size=1M,share=on,mem-path=${escape(ends.records)}`);
    args.push('-device', 'acpi-erst,memdev=erst0');
  }
  args.push('-cpu', accel === 'kvm' && !x86 ? 'host' : outer.cpu);
  if (files.firmware !== undefined) args.push('-bios', files.firmware);
  // QEMU connects to us: nothing it says is lost, and nobody waits for its sockets to appear.
  args.push('-qmp', monitor(vmm ? ends.outer : ends.qmp));
  args.push(...serial('console0', vmm ? ends.hostConsole : ends.console));
  args.push(...serial('agent0', vmm ? ends.hostAgent : ends.agent));
  // A panic is reported and the guest goes on printing; what a reset does is the scenario's choice.
  if (x86) args.push('-device', 'pvpanic');
  args.push('-action', 'panic=none');
  if (outer.resets !== true) args.push('-no-reboot');
  if (ends.gdb !== undefined) {
    args.push('-chardev', `socket,id=gdb,path=${escape(ends.gdb)},server=on,wait=off`, '-gdb', 'chardev:gdb');
  }
  if (seed !== undefined) args.push('-seed', String(seed));
  if (vmm) args.push(...nestedDevices(vmm, files, ends, setup.uplink === true));
  args.push(...outer.boot);
  return args;
}

/** The files of a machine's memory that QEMU shares with the lab, or keeps over a reset. */
export function memoryEnds(
  machine: MachineSpec,
  file: (name: string) => string,
): Pick<MachineEnds, 'memory' | 'records'> {
  const kind = machineKind(machine);
  return {
    ...(kind.firmware?.(machine).length ? { memory: file('memory') } : {}),
    ...(kind.keepsRecords?.(machine) ? { records: file('records') } : {}),
  };
}

/** The command line with the ends of its channels in no folder, the same for every run. */
export function stableArgs(setup: MachineSetup): string[] {
  const channels = machineChannels(setup);
  const ends = Object.fromEntries(channels.map(channel => [channel, channelEnd(channel)]));
  return qemuArgs(setup, { ...ends, ...memoryEnds(setup.machine, name => name) });
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
