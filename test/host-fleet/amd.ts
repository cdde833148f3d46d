/** An emulated AMD host whose VM has QEMU with KVM, with an agent beside it. */
import { machineSchema } from '@syndrome/lab/machines/registry.ts';
import { type Assembly, assemble, type Services } from '@syndrome/lab/parts.ts';
import { imageWithNode } from './node-image.ts';

/** Where VMs have their sockets, logs and consoles: a folder that the image has. */
const VMS = '/syndrome';
/** MiB: Node and QEMU lie in it too, as files. */
const MEMORY = 2048;

/** The files of a VM in its host. */
export const filesOf = (vm: string): { qmp: string; facts: string; log: string; console: string } => ({
  qmp: `${VMS}/${vm}.qmp`,
  facts: `${VMS}/${vm}.qmp.json`,
  log: `${VMS}/${vm}.log`,
  // Not below that folder: on another host its guest's words are read by nobody, and each of their bytes is a change that would be looked at.
  console: `/run/${vm}.console`,
});

/**
 * A machine with Node in its host layer and a line from an agent there to us; its QEMU listens where that agent looks, and writes
 * where it reads. Of corrected errors its kernel speaks too (`mce=print_all`).
 */
export async function assembleAmd(
  vm: string,
  { kernel, guest }: { kernel: string; guest: string },
  services: Services,
): Promise<Assembly> {
  const append = 'mce=print_all';
  const spec = machineSchema.parse({
    kind: 'amd-host',
    memory: MEMORY,
    kernel,
    append,
    guest: { cpu: 'host', memory: 256, kernel: guest, append },
  });
  const assembly = await assemble(spec, { accel: 'tcg' }, services);
  const { host, files } = assembly;
  if (host === undefined) throw new Error('an amd-host has a host layer');
  const of = filesOf(vm);
  const vmm = [...host.vmm, '-name', vm, '-qmp', `unix:${of.qmp},server=on,wait=off`];
  // What its guest prints goes to the lab, and to a file.
  const at = vmm.indexOf('-serial');
  const path = vmm[at + 1]?.replace('pipe:', '') ?? '';
  vmm.splice(at, 2, '-chardev', `pipe,id=console,path=${path},logfile=${of.console}`, '-serial', 'chardev:console');
  const initrd = await imageWithNode(services.supply, 'amd64', files.initrd);
  return { ...assembly, uplink: true, files: { ...files, initrd }, host: { ...host, vmm, output: of.log } };
}

/** What the agent of such a host is told of it. */
export const amdAgent = (more: object = {}): object => ({
  start: { folder: VMS, logs: VMS, programs: ['/qemu/ld.so'] },
  storage: ['/'],
  ...more,
});
