import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { agentBinary } from '../guest/agent-build.ts';
import { buildInitramfs } from '../guest/initramfs.ts';
import type { KernelPart } from '../supply/kernel.ts';
import type { Supply } from '../supply/supply.ts';
import { LabSkip } from './errors.ts';
import { type Accel, kvmAccessible } from './machine/accel.ts';
import { probeKvm } from './machine/probe-kvm.ts';
import type { MachineFiles } from './machine/qemu-args.ts';
import type { MachineSpec } from './scenario/schema.ts';

/** What the user chooses instead of the scenario's or the default parts. */
export interface PartChoices {
  supply: Supply;
  qemu?: string;
  kernel?: string;
  xen?: string;
  firmware?: string;
  cpu?: string;
  accel?: 'auto' | Accel;
  /** Added to the guest kernel command line. */
  append?: string;
}

/** A machine with all its files on disk. */
export interface Assembly {
  machine: MachineSpec;
  accel: Accel;
  files: MachineFiles;
  /** Paths in the initramfs of the modules to load, in order. */
  modules: string[];
  /** For the header of the trace. */
  parts: Record<string, string>;
}

const HOST_ARCH = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

/** Fetches, builds and finds everything a machine needs. @throws SupplyError, LabSkip. */
export async function assemble(spec: MachineSpec, choices: PartChoices): Promise<Assembly> {
  const { supply } = choices;
  const machine = choices.cpu === undefined ? spec : { ...spec, cpu: choices.cpu };
  const arch = machine.kind === 'xen-dom0' ? 'x86_64' : machine.arch;
  const debArch = arch === 'aarch64' ? 'arm64' : 'amd64';
  const flavour = machine.kind === 'xen-dom0' ? 'generic' : machine.flavour;
  // One after the other: their downloads share one progress line.
  const qemu = await supply.qemu(arch, choices.qemu);
  const modules = machine.kind === 'linux-guest' ? machine.modules : [];
  const version = choices.kernel ?? machine.kernel;
  const kernel = await supply.kernel({ arch: debArch, flavour, version, modules: modules.length > 0 });
  const xen = machine.kind === 'xen-dom0' ? await supply.xen(choices.xen ?? machine.xen) : undefined;
  const firmware =
    machine.kind === 'linux-guest' && machine.firmware ? await supply.firmware(choices.firmware) : undefined;
  const moduleFiles = findModules(kernel, modules);
  const initrd = await initramfs(supply, debArch, moduleFiles);
  const files: MachineFiles = {
    qemu: qemu.argv,
    kernel: kernel.image,
    initrd,
    ...(firmware === undefined ? {} : { firmware: firmware.code }),
    ...(xen === undefined ? {} : { xen: xen.image }),
  };
  const accel = await chooseAccel(choices, machine, arch, files, supply.cacheDir);
  const parts = {
    qemu: `${qemu.version} ${accel}`,
    ...(xen === undefined ? {} : { xen: xen.version }),
    kernel: `${kernel.release} ${debArch}`,
    cpu: `${machine.cpu} × ${machine.cpus}`,
    memory: `${machine.memory} MiB`,
    kernelPath: kernel.image,
  };
  return { machine, accel, files, modules: moduleFiles.map(m => `/${m.path}`), parts };
}

async function chooseAccel(
  choices: PartChoices,
  machine: MachineSpec,
  arch: string,
  files: MachineFiles,
  cacheDir: string,
): Promise<Accel> {
  const wanted = choices.accel ?? 'auto';
  if (wanted === 'tcg') return 'tcg';
  const no = (reason: string, hint: string): Accel => {
    if (wanted === 'auto') return 'tcg';
    throw new LabSkip('E_LAB_KVM', `KVM cannot be used: ${reason}`, { hint });
  };
  if (arch !== HOST_ARCH) return no(`this is not an ${arch} machine`, 'Leave --accel out: emulation runs everywhere.');
  if (!kvmAccessible())
    return no('/dev/kvm cannot be opened', 'Join the group that owns /dev/kvm, or leave --accel out.');
  const probe = await probeKvm(machine, files, cacheDir);
  return probe.works ? 'kvm' : no(probe.reason, 'Leave --accel out: emulation runs everywhere.');
}

/** A module in the initramfs: where it comes from and where the agent finds it. */
interface ModuleFile {
  file: string;
  path: string;
}

/**
 * The files of these modules. A kernel of the user's own has none: what is built in needs no module, so nothing is
 * loaded then. @throws LabSkip when a packaged kernel lacks one.
 */
function findModules(kernel: KernelPart, names: readonly string[]): ModuleFile[] {
  const { modulesDir } = kernel;
  if (names.length === 0 || kernel.source === 'user') return [];
  const files = modulesDir === undefined ? [] : globSync('kernel/**/*.ko*', { cwd: modulesDir });
  return names.map(name => {
    const found = files.find(f => basename(f).replace(/\.ko(\.\w+)?$/, '') === name);
    if (found === undefined || modulesDir === undefined) {
      throw new LabSkip('E_LAB_MODULE', `Linux ${kernel.release} is not offered with the module ${name}`, {
        hint: 'Choose another --guest-kernel; `syndrome supply list --kernels` lists them.',
      });
    }
    return { file: join(modulesDir, found), path: `modules/${basename(found)}` };
  });
}

/** The initramfs with the agent and modules, made once for each content and kept in the cache. */
async function initramfs(supply: Supply, arch: 'amd64' | 'arm64', modules: readonly ModuleFile[]): Promise<string> {
  const toolchain = await supply.toolchain(arch);
  const agent = await agentBinary({ arch, toolchain, cacheDir: join(supply.cacheDir, 'agent') });
  const parts = [
    { path: 'init', data: readFileSync(agent) },
    ...modules.map(m => ({ path: m.path, data: readFileSync(m.file) })),
  ];
  const hash = createHash('sha256').update(INITRAMFS_LAYOUT);
  for (const { path, data } of parts) hash.update(`${path}\0${data.length}\0`).update(data);
  const dir = join(supply.cacheDir, 'initramfs');
  const file = join(dir, `${arch}-${hash.digest('hex').slice(0, 24)}.cpio`);
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, buildInitramfs(parts.map(p => ({ type: 'file', mode: 0o755, ...p }))));
    renameSync(temporary, file);
  }
  return file;
}

/** Part of the name of the file: raise it when the folders or devices of the initramfs change. */
const INITRAMFS_LAYOUT = '1';
