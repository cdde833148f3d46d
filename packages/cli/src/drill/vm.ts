/** @module The VM of a drill: a real Linux under our QEMU, its lines in the folder of the host that runs it. */
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { escape } from '@syndrome/lab/machine/command-line.ts';
import { AgentClient } from '@syndrome/lab/guest/client.ts';
import { FLAT_GUEST, machineSchema } from '@syndrome/lab/machines/registry.ts';
import { assemble, type Services } from '@syndrome/lab/parts.ts';

/** What is lost by a drill is memory of this guest; it needs no more. */
const MEMORY_MIB = 256;
/** The image has nothing in it: it is there for QEMU's image lock, which keeps a second copy from starting. */
const DISK_BYTES = 1 << 20;
const CPU = 'Skylake-Server';

/** Sockets of the VM in the folder of its host. One client at a time has a monitor: the agent one, the injector the other. */
export const LINES = {
  qmp: 'drill.qmp',
  operator: 'lines/operator',
  guest: 'lines/guest',
  console: 'lines/console.log',
} as const;

export interface DrillVm {
  uuid: string;
  memoryBytes: number;
  cpuModel: string;
  disk: string;
  /**
   * The command line with its sockets in a folder, which may be a placeholder.
   * @example vm.argv('{run}')
   */
  argv(folder: string): string[];
}

/** The program that runs the VM, the first word of its command line: agents start no other. @throws SupplyError */
export async function drillProgram({ supply }: Services): Promise<string> {
  const { argv } = await supply.qemu('x86_64');
  return argv[0] ?? '';
}

/** Brings the parts together and makes the disk. @throws SupplyError, LabSkip */
export async function drillVm(uuid: string, disk: string, services: Services): Promise<DrillVm> {
  const machine = machineSchema.parse({ kind: FLAT_GUEST, cpu: CPU, cpus: 1, memory: MEMORY_MIB });
  const { files, accel } = await assemble(machine, { accel: 'tcg' }, services);
  const fd = openSync(disk, 'wx', 0o600);
  ftruncateSync(fd, DISK_BYTES);
  closeSync(fd);
  const argv = (folder: string): string[] => {
    const path = (name: string): string => `${escape(folder)}/${name}`;
    return [
      files.qemu,
      ['-nodefaults', '-no-user-config', '-display', 'none', '-uuid', uuid],
      ['-accel', accel, '-machine', 'pc', '-cpu', CPU, '-smp', '1', '-m', String(MEMORY_MIB)],
      ['-qmp', `unix:${path(LINES.qmp)},server=on,wait=off`],
      ['-qmp', `unix:${path(LINES.operator)},server=on,wait=off`],
      ['-chardev', `file,id=console,path=${path(LINES.console)}`, '-serial', 'chardev:console'],
      ['-chardev', `socket,id=guest,path=${path(LINES.guest)},server=on,wait=off`, '-serial', 'chardev:guest'],
      ['-device', 'pvpanic', '-action', 'panic=none'],
      // Each event that QEMU emits leaves a line in its log, also when no agent is connected.
      ['-trace', 'monitor_protocol_event_emit'],
      ['-drive', `if=none,id=disk,format=raw,file=${escape(disk)}`, '-device', 'virtio-blk-pci,drive=disk'],
      ['-kernel', files.kernel, '-initrd', files.initrd ?? ''],
      ['-append', 'console=ttyS0 panic=-1 syndrome.port=/dev/ttyS1'],
    ].flat();
  };
  return { uuid, memoryBytes: MEMORY_MIB * 2 ** 20, cpuModel: CPU, disk, argv };
}

/**
 * Waits until the guest of a VM answers.
 * @returns its agent's client; the caller closes it
 * @throws AgentError, the error of the socket
 */
export async function guestOf(folder: string, deadlineMs: number): Promise<AgentClient> {
  const client = new AgentClient(connect(`${folder}/${LINES.guest}`));
  await client.ready(deadlineMs);
  return client;
}
