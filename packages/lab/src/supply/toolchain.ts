import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { unfinishedName } from '@syndrome/base/disk/write-whole.ts';
import type { DebianArch } from './apt.ts';
import { runChild } from './child.ts';
import { classifyFs, supplyError } from './errors.ts';
import type { Fetcher, PackageGroup } from './fetcher.ts';
import { findLoader, missingLibraries, QEMU_SUITES } from './qemu.ts';

interface CompileRequest {
  /** C or preprocessed-assembly (`.S`) files, linked together. */
  source: string | readonly string[];
  output: string;
  /** `{ NAME: 'value' }`; an empty value defines NAME as nothing. */
  defines?: Readonly<Record<string, string>>;
  /** Folders for `#include "…"` beside the source's own. */
  include?: readonly string[];
  /** A warning of the compiler is an error. */
  strict?: boolean;
  deadlineMs?: number;
}

export interface Toolchain {
  arch: DebianArch;
  /** Changes whenever the output for the same source may change. */
  id: string;
  /** Compiles and links one static program against musl. Throws E_SUPPLY_COMPILE with the compiler's messages. */
  compileStatic(request: CompileRequest): Promise<void>;
  /** Compiles and links one shared object with no library: its symbols are found where it is loaded. Throws as the other. */
  compileShared(request: CompileRequest): Promise<void>;
}

const TRIPLET = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const;
const MUSL = { amd64: 'x86_64-linux-musl', arm64: 'aarch64-linux-musl' } as const;
/** Part of the id: raise it when the options below change. */
const OPTIONS_VERSION = 1;
const COMPILE_DEADLINE_MS = 120_000;

/**
 * musl's libc has no initialiser for the LSE helpers of libgcc, hence no outline atomics; everything is linked at a
 * fixed address.
 */
const CC1_OPTIONS = [
  '-quiet',
  '-O2',
  '-std=gnu17',
  '-fno-pie',
  '-fno-stack-protector',
  '-Wall',
  '-Wextra',
  '-Wconversion',
  '-nostdinc',
];
const CC1_ARCH = {
  amd64: ['-m64', '-mtune=generic', '-march=x86-64'],
  arm64: ['-mno-outline-atomics', '-mabi=lp64'],
} as const;

/** Of what is loaded into another program: it shows only what it says so of, and takes no function of a C library unasked. */
const SHARED_OPTIONS = ['-fPIC', '-fvisibility=hidden', '-ffreestanding', '-fno-tree-loop-distribute-patterns'];

/**
 * A C tool chain for static guest programs: cc1, as and ld of Debian's GCC 14, musl, libgcc and the kernel's headers,
 * run uninstalled with their own loader. There is no `gcc` driver: the three steps are started one by one.
 */
export async function obtainToolchain(fetcher: Fetcher, arch: DebianArch): Promise<Toolchain> {
  const host = fetcher.hostArch();
  const triplet = TRIPLET[arch];
  const label = `toolchain (${arch})`;
  const part = await fetcher.obtain({
    key: `toolchain-${arch}-${host}`,
    kind: 'toolchain',
    label,
    exact: false,
    resolve: async refresh => {
      const tools = [`cpp-14-${triplet.replaceAll('_', '-')}`, `binutils-${triplet.replaceAll('_', '-')}`];
      const headers = ['musl-dev', 'libgcc-14-dev', 'linux-libc-dev'];
      const suites = await fetcher.index(label, host, QEMU_SUITES, { refresh, optional: true });
      const want = (name: string): boolean => /^(?:lib|zlib1g$)/.test(name) || tools.includes(name);
      const groups: PackageGroup[] = [
        { arch: host, suites, packages: await fetcher.apt(host).closure(suites, tools, { want }) },
      ];
      const there = arch === host ? suites : await fetcher.index(label, arch, QEMU_SUITES, { refresh, optional: true });
      // The newest kernel headers: they know the newest KVM exits.
      const backports = there.find(suite => suite.endsWith('-backports'));
      const names = headers.map(name => (name === 'linux-libc-dev' && backports ? `${name}/${backports}` : name));
      const packages = await fetcher.apt(arch).lookup(there, names);
      groups.push({ arch, suites: there, packages });
      const compiler = groups[0]?.packages.find(p => p.name === tools[0])?.version ?? '';
      return {
        name: `toolchain-${arch}`,
        version: `gcc ${compiler}`,
        groups,
        keep: path => wanted(path, arch),
        finish: async root => await describe(root, arch, fetcher.options.signal),
      };
    },
  });
  const { facts } = part.manifest;
  const at = (fact: string): string => join(part.folder, facts[fact] ?? '');
  const signal = fetcher.options.signal;

  const tool = async (fact: string, args: readonly string[], deadlineMs: number, source: string): Promise<void> => {
    const start = ['--inhibit-cache', '--library-path', at('libraries'), at(fact)];
    const result = await runChild(at('loader'), [...start, ...args], { deadlineMs, signal });
    if (result.code === 0) return;
    throw supplyError('E_SUPPLY_COMPILE', `${basename(source)} could not be built for ${arch} (${fact})`, {
      hint: 'The messages of the tool are the cause.',
      cause: new Error(result.stderr.trim().slice(0, 16_000)),
    });
  };

  const build = async (request: CompileRequest, shared: boolean): Promise<void> => {
    const sources = (typeof request.source === 'string' ? [request.source] : request.source).map(s => resolve(s));
    for (const source of sources) {
      if (!existsSync(source)) throw supplyError('E_SUPPLY_COMPILE', `${source} does not exist`);
    }
    const output = resolve(request.output);
    const until = Date.now() + (request.deadlineMs ?? COMPILE_DEADLINE_MS);
    const left = (): number => Math.max(1, until - Date.now());
    const folders = (facts['include'] ?? '').split(':').flatMap(p => ['-isystem', join(part.folder, p)]);
    const extra = (request.include ?? []).flatMap(p => ['-iquote', resolve(p)]);
    const defines = Object.entries(request.defines ?? {}).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
    const strict = request.strict === true ? ['-Werror'] : [];
    const work = fetcher.store.workFolder();
    try {
      const objects: string[] = [];
      for (const [index, source] of sources.entries()) {
        const assembly = join(work, `${index}.s`);
        const object = join(work, `${index}.o`);
        // Messages and __FILE__ name the file as it is called, wherever the tree lies.
        const map = `-ffile-prefix-map=${dirname(source)}/=`;
        const asm = source.endsWith('.S');
        const mode = asm
          ? ['-E', '-lang-asm', '-quiet', '-nostdinc']
          : [...CC1_OPTIONS, ...CC1_ARCH[arch], ...(shared ? SHARED_OPTIONS : []), ...strict];
        await tool('cc1', [...mode, map, ...folders, ...extra, ...defines, source, '-o', assembly], left(), source);
        await tool('as', [...(arch === 'amd64' ? ['--64'] : []), '-o', object, assembly], left(), source);
        objects.push(object);
      }
      const program = join(work, 'program');
      const lib = (name: string): string => join(at('musl'), name);
      const common = ['-nostdlib', '--build-id=none', '-z', 'noexecstack', '--strip-debug', '-o', program];
      const libraries = ['--start-group', lib('libc.a'), at('libgcc'), '--end-group'];
      const args = shared
        ? ['-shared', ...common, ...objects]
        : ['-static', ...common, lib('crt1.o'), lib('crti.o'), ...objects, ...libraries, lib('crtn.o')];
      await tool('ld', args, left(), sources[0] ?? output);
      await moveFile(program, output);
    } finally {
      fetcher.store.discard(work);
    }
  };
  return {
    arch,
    id: `${basename(part.folder)}.${OPTIONS_VERSION}`,
    compileStatic: request => build(request, false),
    compileShared: request => build(request, true),
  };
}

/** Puts a finished file in place in one step, also from another file system. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    renameSync(from, to);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw classifyFs(error, to);
  }
  const { copyFile } = await import('node:fs/promises');
  const beside = unfinishedName(to);
  try {
    await copyFile(from, beside);
    renameSync(beside, to);
  } catch (error) {
    rmSync(beside, { force: true });
    throw classifyFs(error, to);
  }
}

/** The programs, libraries, headers and archives that building a static program takes. */
function wanted(path: string, arch: DebianArch): boolean {
  const kernelArch = arch === 'amd64' ? 'x86' : 'arm64';
  return (
    /^usr\/libexec\/gcc(?:-cross)?\/[^/]+\/14\/cc1$/.test(path) ||
    /^usr\/bin\/[a-z0-9_]+-linux-gnu-(?:as|ld|ld\.bfd|objcopy)$/.test(path) ||
    // Shared libraries of the host's tools and their loader.
    /^(?:usr\/)?lib(?:64)?\/(?:[^/]+\/)?(?:lib[^/]+|ld-linux[^/]*)\.so(?:\.[^/]+)?$/.test(path) ||
    /^usr\/lib\/gcc\/[^/]+\/14\/(?:libgcc\.a|include\/.*)$/.test(path) ||
    path.startsWith(`usr/include/${MUSL[arch]}/`) ||
    /^usr\/lib\/[^/]+-linux-musl\/(?:crt[1in]\.o|libc\.a)$/.test(path) ||
    /^usr\/include\/(?:linux|asm-generic|mtd|rdma|xen)\//.test(path) ||
    path.startsWith(`usr/include/${TRIPLET[arch]}/asm/`) ||
    path.startsWith(`usr/lib/linux/uapi/${kernelArch}/`)
  );
}

async function describe(
  root: string,
  arch: DebianArch,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const found = findLoader(root);
  if (!found) throw supplyError('E_SUPPLY_APT', 'the packages of the tool chain hold no loader');
  const triplet = TRIPLET[arch];
  const programs = {
    // The cross compilers have a folder of their own.
    cc1:
      [`usr/libexec/gcc-cross/${triplet}/14/cc1`].find(path => existsSync(join(root, path))) ??
      `usr/libexec/gcc/${triplet}/14/cc1`,
    as: `usr/bin/${triplet}-as`,
    ld: `usr/bin/${triplet}-ld.bfd`,
  };
  for (const program of Object.values(programs)) {
    const path = join(root, program);
    if (!existsSync(path)) throw supplyError('E_SUPPLY_APT', `the packages of the tool chain hold no ${program}`);
    const missing = await missingLibraries(join(root, found.loader), join(root, found.libraries), path, signal);
    if (missing.length > 0) {
      throw supplyError('E_SUPPLY_APT', `libraries of ${program} are missing in its packages: ${missing.join(', ')}`);
    }
  }
  const gcc = `usr/lib/gcc/${triplet}/14`;
  const musl = `usr/lib/${MUSL[arch]}`;
  for (const path of [`${gcc}/libgcc.a`, `${musl}/libc.a`, `${musl}/crt1.o`]) {
    if (!existsSync(join(root, path)))
      throw supplyError('E_SUPPLY_APT', `the packages of the tool chain hold no ${path}`);
  }
  // musl first: its headers and not the compiler's define the C library's types.
  const include = [`usr/include/${MUSL[arch]}`, `${gcc}/include`, 'usr/include', `usr/include/${triplet}`].filter(
    path => existsSync(join(root, path)) && readdirSync(join(root, path)).length > 0,
  );
  return {
    loader: `root/${found.loader}`,
    libraries: `root/${found.libraries}`,
    ...Object.fromEntries(Object.entries(programs).map(([name, path]) => [name, `root/${path}`])),
    libgcc: `root/${gcc}/libgcc.a`,
    musl: `root/${musl}`,
    include: include.map(path => `root/${path}`).join(':'),
  };
}
