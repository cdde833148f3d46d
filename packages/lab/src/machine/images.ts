import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeDerived } from '@syndrome/base/disk/derived.ts';
import { hostFile } from '@syndrome/decode/inject/poison.ts';
import { agentBinary } from '../guest/agent-build.ts';
import { libraryClosure } from '../guest/elf.ts';
import type { KernelPart } from '../supply/kernel.ts';
import type { GuestProgramPart } from '../supply/guest-program.ts';
import type { NodePart } from '../supply/node.ts';
import type { Supply } from '../supply/supply.ts';
import { LabSkip } from '../errors.ts';
import { userFiles } from './user-files.ts';
import { type ImageFile, filesUnder } from './image-file.ts';
import { UART_SERIAL } from './command-line.ts';
import { BESIDE_NODE, NODE, packNode } from './node-image.ts';
import { stripTypes, withoutTypes } from './strip-types.ts';

const isStripped = ({ file, path }: ImageFile): boolean => file.endsWith('.ts') && path.endsWith('.js');

/** The bytes of a file as they are in the image. */
export function imageData(part: ImageFile): Uint8Array {
  return isStripped(part) ? Buffer.from(stripTypes(readFileSync(part.file, 'utf8'))) : readFileSync(part.file);
}

/**
 * The files of kernel modules. A kernel of the user's own has none: what is built in needs no module, so nothing is
 * loaded then. @throws LabSkip when a packaged kernel lacks one.
 */
export function findModules(kernel: KernelPart, names: readonly string[]): ImageFile[] {
  const { modulesDir } = kernel;
  if (names.length === 0 || kernel.source === 'user') return [];
  const files = moduleFiles(kernel);
  return names.map(name => {
    const found = files.find(f => moduleName(f) === name);
    if (found === undefined || modulesDir === undefined) {
      throw new LabSkip('E_LAB_MODULE', `Linux ${kernel.release} is not offered with the module ${name}`, {
        hint: 'Choose another kernel; `syndrome supply list --kernels` lists them.',
      });
    }
    return { file: join(modulesDir, found), path: `modules/${basename(found)}` };
  });
}

/** Those of the modules that a packaged kernel has as files: the others are built in, or it is without them. */
export function modulesAmong(kernel: KernelPart, names: readonly string[]): ImageFile[] {
  const files = new Set(moduleFiles(kernel).map(moduleName));
  return findModules(
    kernel,
    names.filter(name => files.has(name)),
  );
}

const moduleFiles = ({ modulesDir, source }: KernelPart): string[] =>
  modulesDir === undefined || source === 'user' ? [] : globSync('kernel/**/*.ko*', { cwd: modulesDir });

const moduleName = (file: string): string => basename(file).replace(/\.ko(\.\w+)?$/, '');

/** What shows that a kernel without modules has something built in. */
export interface BuiltIn {
  module: string;
  /** Kernel configuration option. */
  option: string;
  /** A file that is there only then. */
  path: string;
}

const BUILT_IN: readonly BuiltIn[] = [
  { module: 'pvpanic-mmio', option: 'CONFIG_PVPANIC_MMIO', path: '/sys/bus/platform/drivers/pvpanic-mmio/uevent' },
  { module: 'msr', option: 'CONFIG_X86_MSR', path: '/dev/cpu/0/msr' },
  { module: 'kvm-amd', option: 'CONFIG_KVM_AMD', path: '/dev/kvm' },
  { module: 'xen-privcmd', option: 'CONFIG_XEN_PRIVCMD', path: '/dev/xen/privcmd' },
  { module: 'cxl_pci', option: 'CONFIG_CXL_PCI', path: '/sys/bus/pci/drivers/cxl_pci/uevent' },
  { module: 'hwpoison-inject', option: 'CONFIG_HWPOISON_INJECT', path: hostFile('corrupt-pfn') },
];

/** For a kernel of the user's own: what has to be built in, since no module is loaded. */
export function builtInSigns(kernel: KernelPart, names: readonly string[]): BuiltIn[] {
  return kernel.source === 'user' ? BUILT_IN.filter(sign => names.includes(sign.module)) : [];
}

/** Modules with which kexec talks to Xen. */
export const KEXEC_MODULES = ['xen-privcmd'];

/** Part of the name of an image: raise it when the folders or devices of an initramfs change. */
const IMAGE_LAYOUT = '1';

/**
 * The initramfs with the agent as its init and these files; made once for each content and kept in the cache.
 * @param user path of a folder or an initramfs that is unpacked too, see {@link userFiles}
 */
export async function agentImage(
  supply: Supply,
  arch: 'amd64' | 'arm64',
  extra: readonly ImageFile[] = [],
  user?: string,
): Promise<string> {
  const toolchain = await supply.toolchain(arch);
  const agent = await agentBinary({ arch, toolchain, cacheDir: join(supply.cacheDir, 'agent') });
  const parts = [{ path: 'init', file: agent }, ...extra];
  const hash = createHash('sha256').update(IMAGE_LAYOUT);
  // The sources stand for what is made of them, with the Node that makes it.
  if (parts.some(isStripped)) hash.update(process.version);
  for (const { path, file: source } of parts) {
    const data = readFileSync(source);
    hash.update(`${path}\0${data.length}\0`).update(data);
  }
  const own = user === undefined ? undefined : userFiles(user);
  const added = own && (own.archive ?? (await import('../guest/initramfs.ts')).buildInitramfs(own.entries));
  if (added !== undefined) hash.update(added);
  const file = join(supply.cacheDir, 'initramfs', `${arch}-${hash.digest('hex').slice(0, 24)}.cpio`);
  await makeDerived(file, async fresh => {
    const { buildInitramfs } = await import('../guest/initramfs.ts');
    const ours = parts.map(p => ({ type: 'file', mode: 0o755, path: p.path, data: imageData(p) }) as const);
    // An archive that comes later takes the place of what is in those before: the agent stays PID 1.
    const before = added === undefined ? [] : [added];
    writeFileSync(fresh, Buffer.concat([...before, buildInitramfs(ours)]));
  });
  return file;
}

/** Packs a program of the supply with its loader and libraries into a folder of the image. */
export function packProgram({ program, loader, libraries }: GuestProgramPart, folder: string): InnerProgram {
  const needed = libraryClosure([program], libraries).filter(l => basename(l) !== basename(loader));
  const name = basename(program);
  return {
    files: [
      { file: program, path: `${folder}/${name}` },
      { file: loader, path: `${folder}/ld.so` },
      ...needed.map(file => ({ file, path: `${folder}/lib/${basename(file)}` })),
    ],
    argv: [`/${folder}/ld.so`, '--library-path', `/${folder}/lib`, `/${folder}/${name}`],
  };
}

/**
 * Programs of the supply where they would be installed, so that they start each other and a user starts them by their names.
 * @param late libraries that they load only when they run
 */
export function installPrograms(
  { program, more, loader, libraries }: GuestProgramPart,
  late: readonly string[] = [],
): ImageFile[] {
  const programs = [program, ...more];
  return [
    ...programs.map(file => ({ file, path: `usr/sbin/${basename(file)}` })),
    { file: loader, path: `lib64/${basename(loader)}` },
    ...[...libraryClosure(programs, libraries), ...late.flatMap(name => libraries.map(dir => join(dir, name)))]
      .filter(file => basename(file) !== basename(loader))
      .map(file => ({ file, path: `usr/lib/x86_64-linux-gnu/${basename(file)}` })),
  ];
}

/** What keeps memory for a crash kernel, on the command line of who is to start it: Debian's unpacks and boots in less. */
export const CRASH_MEMORY = 'crashkernel=192M';
/** The command line of a crash kernel: it finds the devices as the dead system left them, and needs one CPU. */
const CRASH_COMMAND_LINE = `${UART_SERIAL} nr_cpus=1 reset_devices`;

/**
 * Files for a Linux with which it loads a crash kernel, and the command that does.
 * @param of who is to start it: Xen is told by a hypercall, and Linux reads the files itself
 */
export function packCrashKernel(
  kexec: GuestProgramPart,
  kernel: string,
  initrd: string,
  of: 'xen' | 'linux',
): InnerProgram {
  const { files, argv } = packProgram(kexec, 'kexec');
  const call = of === 'xen' ? '--kexec-syscall' : '--kexec-file-syscall';
  return {
    files: [...files, { file: kernel, path: 'crash/kernel' }, { file: initrd, path: 'crash/initrd' }],
    argv: [...argv, call, '--load-panic', '/crash/kernel', '--initrd=/crash/initrd', `--append=${CRASH_COMMAND_LINE}`],
  };
}

/** Imports of a source file that name a file, of its own package or of another. */
const IMPORTED = /(?:from|import) '(\.{1,2}\/[^'\n]+|@syndrome\/[^'\n]+)'/g;

/** A source without its types: what only they need is not imported. Installed, it is JavaScript already. */
function running(file: string): string {
  const source = readFileSync(file, 'utf8');
  return file.endsWith('.ts') ? withoutTypes(source) : source;
}

/** The reference VMM and what it imports, as JavaScript: stripping types costs an emulated Node seconds at each start. */
export function vmmSources(): ImageFile[] {
  const packages = join(import.meta.dirname, '../../..');
  const path = (file: string): string => {
    const [name = '', ...rest] = file.slice(packages.length + 1).split('/');
    return join(name === 'vmm' ? 'syndrome' : `syndrome/node_modules/@syndrome/${name}`, ...rest);
  };
  // Beside the JavaScript of an installed program stand its types and maps.
  const files = new Set(
    filesUnder(join(packages, 'vmm/src'), '').flatMap(({ file }) => (/(?<!\.d)\.[jt]s$/.test(file) ? [file] : [])),
  );
  for (const file of files) {
    for (const [, specifier = ''] of running(file).matchAll(IMPORTED)) {
      const [, name, inner = ''] = /^@syndrome\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
      files.add(name === undefined ? join(dirname(file), specifier) : join(packages, name, 'src', inner));
    }
  }
  const named = [...new Set([...files].map(file => file.slice(0, file.indexOf('/src/', packages.length))))];
  return [
    ...named.map(folder => ({ file: join(folder, 'package.json'), path: path(join(folder, 'package.json')) })),
    ...[...files].map(file => ({ file, path: path(file).replace(/\.ts$/, '.js') })),
  ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The reference VMM with Node for an arm64 host layer. */
export function packVmm(node: NodePart): InnerProgram {
  return { files: [...packNode(node), ...vmmSources()], argv: [`/${NODE}`, `/${BESIDE_NODE}/src/main.js`] };
}

/** What an x86-64 QEMU in the host layer needs besides its program: BIOS and the option ROMs of a PC that boots a kernel. */
const QEMU_ROMS = ['bios-256k.bin', 'kvmvapic.bin', 'linuxboot_dma.bin', 'pvh.bin'];
/** Where the UEFI code of a guest in an arm64 host layer lies there. */
export const INNER_FIRMWARE = '/qemu/share/QEMU_EFI.fd';

/** A program as files for an image, and how to start it there. */
export interface InnerProgram {
  files: ImageFile[];
  argv: string[];
}

/**
 * Packs a QEMU for the host layer: loader, program, its libraries, the ROMs it needs.
 * @param argv how it is started: from packages through their own loader, or the user's own x86-64 program
 */
export function packQemu(argv: readonly string[]): InnerProgram {
  const loader = argv.find(a => /\/ld-linux-[^/]*\.so\.\d$/.test(a));
  const program = loader === undefined ? (argv[0] ?? '') : (argv[argv.indexOf('--library-path') + 2] ?? '');
  const libraryPath =
    loader === undefined ? SYSTEM_LIBRARIES : (argv[argv.indexOf('--library-path') + 1] ?? '').split(':');
  const dirs = [...libraryPath, ...(loader === undefined ? [join(dirname(program), '../lib/x86_64-linux-gnu')] : [])];
  const libraries = libraryClosure([program], dirs);
  const interpreter =
    loader ?? libraries.find(l => basename(l).startsWith('ld-linux-')) ?? '/lib64/ld-linux-x86-64.so.2';
  const data = argv.flatMap((a, i) => (argv[i - 1] === '-L' ? [a] : []));
  const romDirs = [
    ...data,
    join(dirname(program), '../share/qemu'),
    join(dirname(program), '../pc-bios'),
    '/usr/share/seabios',
    '/usr/share/qemu',
  ];
  const roms = QEMU_ROMS.flatMap(rom => {
    const found = romDirs.map(dir => join(dir, rom)).find(existsSync);
    return found === undefined ? [] : [{ file: found, path: `qemu/share/${rom}` }];
  });
  return {
    files: [
      { file: interpreter, path: 'qemu/ld.so' },
      { file: program, path: 'qemu/qemu' },
      ...libraries.filter(l => l !== interpreter).map(file => ({ file, path: `qemu/lib/${basename(file)}` })),
      ...roms,
    ],
    argv: ['/qemu/ld.so', '--library-path', '/qemu/lib', '/qemu/qemu', '-L', '/qemu/share'],
  };
}

const SYSTEM_LIBRARIES = ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/usr/lib64', '/usr/lib'];
