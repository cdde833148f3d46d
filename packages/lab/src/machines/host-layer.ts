/** What the kinds of machine with a host layer have in common. */
import { statSync } from 'node:fs';
import { tableFiles } from '../firmware/table-files.ts';
import { firmwareTables } from '../firmware/tables.ts';
import { agentImage, builtInSigns, findModules, packCrashKernel } from '../machine/images.ts';
import type { PartChoices } from '../part-choices.ts';
import type { QemuTarget } from '../supply/qemu.ts';
import type { Supply } from '../supply/supply.ts';
import { GUEST_FILES, hostDevice, type Vmm, type VmmGuest } from '../vmms/vmm.ts';
import {
  type BaseSpec,
  describeSystem,
  type HostPlan,
  knownKernel,
  type MachineFiles,
  type MachineParts,
} from './kind.ts';
import { kernelOf } from './named-kernel.ts';

interface HostSpec extends BaseSpec {
  firmware?: boolean;
  apei?: boolean;
  guest: VmmGuest & { kernel: string; modules?: string[]; crashKernel?: boolean };
}

/** The driver of the disks that the guest's files are on. */
const DISK_MODULES = ['virtio_blk'];

/**
 * Brings together a host layer and its guest.
 * @param modules of the host layer: KVM where it is not built in, and the way to poison a page
 * @param command the VMM's command line for its program
 */
export async function gatherHost<Spec extends HostSpec>(
  machine: Spec,
  choices: PartChoices,
  supply: Supply,
  {
    target,
    modules: names,
    vmm,
    command,
  }: {
    target: QemuTarget;
    modules: readonly string[];
    vmm: Pick<Vmm, 'channels' | 'port' | 'gather'>;
    command: (program: readonly string[]) => string[];
  },
): Promise<MachineParts<Spec>> {
  const { guest } = machine;
  const arch = target === 'aarch64' ? 'arm64' : 'amd64';
  const qemu = await supply.qemu(target, choices.qemu);
  const hostKernel = await kernelOf(supply, machine.kernel, choices.hostKernel, { arch, modules: true });
  const wanted = guest.modules ?? [];
  const guestKernel = await kernelOf(supply, guest.kernel, choices.kernel, { arch, modules: wanted.length > 0 });
  const firmware = machine.firmware ? await supply.firmware(choices.firmware) : undefined;
  const program = await vmm.gather(choices, supply, qemu);
  const guestModules = findModules(guestKernel, wanted);
  const modules = findModules(hostKernel, names);
  const diskModules = findModules(hostKernel, DISK_MODULES);
  const initrd = await agentImage(supply, arch, [...modules, ...diskModules, ...program.files]);
  const plain = await agentImage(supply, arch, guestModules);
  const kexec = guest.crashKernel ? await supply.kexec() : undefined;
  const crash = kexec && packCrashKernel(kexec, guestKernel.image, plain, 'linux');
  const whole = crash && (await agentImage(supply, arch, [...guestModules, ...crash.files]));
  const guestFiles = { kernel: guestKernel.image, initrd: whole ?? plain };
  return {
    machine,
    qemu,
    files: {
      qemu: qemu.argv,
      kernel: hostKernel.image,
      initrd,
      guest: guestFiles,
      ...(firmware === undefined ? {} : { firmware: firmware.code }),
      ...(machine.apei ? { tables: await tableFiles(supply.cacheDir, firmwareTables(machine.memory)) } : {}),
    },
    modules: modules.map(m => `/${m.path}`),
    builtIn: builtInSigns(hostKernel, names),
    ...(crash === undefined ? {} : { crash: crash.argv }),
    kernels: [knownKernel('host', hostKernel), knownKernel('guest', guestKernel)],
    host: {
      diskModules: diskModules.map(m => `/${m.path}`),
      copies: guestCopies(guestFiles),
      vmm: command(program.argv),
      output: hostDevice(vmm, 'stderr'),
      guestModules: guestModules.map(m => `/${m.path}`),
    },
    parts: {
      ...describeSystem(guestKernel, { cpu: 'host', ...guest }),
      hostKernel: hostKernel.release,
      ...program.parts,
      ...(kexec === undefined ? {} : { kexec: kexec.version }),
      host: `${machine.cpu} × ${machine.cpus}`,
      hostMemory: `${machine.memory} MiB`,
    },
  };
}

/** The disks of the host layer in the order of the command line: /dev/vda is the kernel, /dev/vdb the initramfs. */
function guestCopies(guest: NonNullable<MachineFiles['guest']>): HostPlan['copies'] {
  return [
    { from: '/dev/vda', to: GUEST_FILES.kernel, bytes: statSync(guest.kernel).size },
    { from: '/dev/vdb', to: GUEST_FILES.initrd, bytes: statSync(guest.initrd).size },
  ];
}
