import type { MachineSpec } from '../scenario/schema.ts';
import type { Accel } from './accel.ts';

/** The files a machine is made of. */
export interface MachineFiles {
  /** How to start QEMU: loader, library path, binary, data folders. */
  qemu: readonly string[];
  kernel: string;
  initrd: string;
  /** UEFI code, for a machine with firmware. */
  firmware?: string;
  xen?: string;
}

/** The unix sockets on which this process listens. */
export interface MachineSockets {
  qmp: string;
  console: string;
  agent: string;
}

const socket = (id: string, path: string): string[] => [
  '-chardev',
  `socket,id=${id},path=${path.replaceAll(',', ',,')}`,
];

/** In QEMU option values a comma is written twice. */
const escape = (value: string): string => value.replaceAll(',', ',,');

const words = (...parts: string[]): string => parts.filter(p => p !== '').join(' ');

/** The kernel command line of the layer the agent runs in. */
export function kernelCommandLine(spec: MachineSpec, extra: string): string {
  if (spec.kind === 'xen-dom0') {
    return words('console=hvc0', 'panic=-1', 'syndrome.port=/dev/ttyS1', spec.append, extra);
  }
  if (spec.arch === 'aarch64') {
    return words(
      'console=ttyAMA0',
      'panic=-1',
      spec.firmware ? 'acpi=force' : '',
      'syndrome.port=/dev/ttyAMA1',
      spec.append,
      extra,
    );
  }
  return words('console=ttyS0', 'panic=-1', 'syndrome.port=/dev/ttyS1', spec.append, extra);
}

/** Xen's own command line. cpuidle=0: MWAIT faults under TCG on some models. */
function xenCommandLine(spec: MachineSpec & { kind: 'xen-dom0' }): string {
  return words(
    `dom0_mem=${spec.dom0Memory}M`,
    'com1=115200,8n1 console=com1 cpuidle=0',
    'loglvl=all guest_loglvl=all mce_verbosity=verbose',
    spec.xenAppend,
  );
}

/** The exact QEMU command line of a machine. */
export function qemuArgs(
  spec: MachineSpec,
  accel: Accel,
  files: MachineFiles,
  sockets: MachineSockets,
  extra = '',
): string[] {
  const arch = spec.kind === 'xen-dom0' ? 'x86_64' : spec.arch;
  const args = [...files.qemu, '-nodefaults', '-no-user-config', '-display', 'none'];
  args.push('-accel', accel, '-smp', String(spec.cpus), '-m', String(spec.memory));
  if (arch === 'aarch64') {
    const guest = spec as MachineSpec & { kind: 'linux-guest' };
    const machine = ['virt', 'gic-version=3', ...(guest.ras ? ['ras=on'] : []), ...(guest.firmware ? ['acpi=on'] : [])];
    args.push('-machine', machine.join(','));
    if (guest.firmware && files.firmware !== undefined) args.push('-bios', files.firmware);
  } else {
    args.push('-machine', 'pc');
  }
  args.push('-cpu', accel === 'kvm' && arch === 'aarch64' ? 'host' : spec.cpu);
  // QEMU connects to us: nothing it says is lost, and nobody waits for its sockets to appear.
  args.push('-qmp', `unix:${escape(sockets.qmp)}`);
  args.push(...socket('console', sockets.console), '-serial', 'chardev:console');
  args.push(...socket('agent', sockets.agent), '-serial', 'chardev:agent');
  // A panic is reported and the guest goes on printing; what a reset does is the scenario's choice.
  if (arch === 'x86_64') args.push('-device', 'pvpanic');
  args.push('-action', 'panic=none');
  if (spec.kind === 'xen-dom0' || spec.reboot === 'exit') args.push('-no-reboot');
  const command = kernelCommandLine(spec, extra);
  if (spec.kind === 'xen-dom0') {
    args.push('-kernel', files.xen ?? '', '-append', xenCommandLine(spec));
    args.push('-initrd', `${escape(files.kernel)} ${escape(command)},${escape(files.initrd)}`);
  } else {
    args.push('-kernel', files.kernel, '-initrd', files.initrd, '-append', command);
  }
  return args;
}

/** A command line as a shell would take it. */
export function shellQuote(args: readonly string[]): string {
  return args.map(a => (/^[\w@%+=:,./-]+$/.test(a) ? a : `'${a.replaceAll("'", `'\\''`)}'`)).join(' ');
}
