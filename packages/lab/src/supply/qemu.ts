import { accessSync, constants, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { runChild } from './child.ts';
import { supplyError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';
import { readStart } from './user-file.ts';

export type QemuTarget = 'x86_64' | 'aarch64';

export interface QemuPart {
  target: QemuTarget;
  /** Program and first arguments; a caller appends its own. */
  argv: string[];
  version: string;
  source: 'package' | 'user';
  /** The part in the cache, or the folder of the user's program. */
  dir: string;
  /** UEFI code for arm64 machines (`-bios`), only for aarch64 from packages. */
  firmware?: string;
}

const QEMU_PACKAGES = { x86_64: 'qemu-system-x86', aarch64: 'qemu-system-arm' } as const;
export const QEMU_SUITES = ['trixie', 'trixie-updates', 'trixie-backports'];
const TARGET_RELEASE = 'trixie-backports';

/**
 * Packages of the dependency closure that QEMU runs with. The rest (an init system, Perl, configuration tools) is there
 * for installed systems; the loader is asked afterwards whether a library is missing.
 */
const NEEDED = /^(?:lib|zlib1g$|qemu-system-(?:x86|arm|data|common)$|seabios$|ipxe-qemu$)/;
const NOT_NEEDED =
  /^(?:libsystemd-shared|libc-gconv-modules|libc-bin|libpam|libperl|libsasl2-modules|libdebconf|libdb5|libexecs|libnss-|libsystemd0)/;

/**
 * QEMU opens its modules below the path it was built with, /usr/lib/TRIPLET/qemu, where a QEMU that is installed on this
 * machine has those of another build; QEMU_MODULE_DIR only comes before it. One of them is enough to end ours, when it
 * lists its types. But where this folder is beside the program (to the kernel that is the loader), it stands for the root
 * of all such paths. The modules of our own build (sound, graphics, USB of the host) are for no machine of ours.
 */
const BUNDLE = 'qemu-bundle';

/** The loader of the unpacked system: `usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2` and its likes. */
export function findLoader(root: string): { loader: string; libraries: string } | undefined {
  for (const base of ['usr/lib', 'lib']) {
    const folder = join(root, base);
    if (!existsSync(folder)) continue;
    for (const triplet of readdirSync(folder).sort()) {
      if (!/^(?:x86_64|aarch64)-linux-gnu$/.test(triplet)) continue;
      const loader = readdirSync(join(folder, triplet)).find(name =>
        /^ld-linux-(?:x86-64|aarch64)\.so\.\d$/.test(name),
      );
      if (loader) return { loader: `${base}/${triplet}/${loader}`, libraries: `${base}/${triplet}` };
    }
  }
  return undefined;
}

/** Libraries that the loader cannot find for a program; empty when it can start. */
export async function missingLibraries(
  loader: string,
  libraryPath: string,
  program: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const args = ['--inhibit-cache', '--library-path', libraryPath, '--list', program];
  const listed = await runChild(loader, args, { deadlineMs: 60_000, signal });
  const text = `${listed.stdout}\n${listed.stderr}`;
  const missing = [...text.matchAll(/^[^\S\n]*(\S+) => not found/gm)].map(m => m[1] ?? '');
  const failed = /error while loading shared libraries: ([^:\s]+)/.exec(text)?.[1];
  if (failed) missing.push(failed);
  // A library of the machine instead of the part would tie the part to this machine.
  for (const match of listed.stdout.matchAll(/^[^\S\n]*(\S+) => (\/\S+)/gm)) {
    if (match[2] && !match[2].startsWith(libraryPath) && match[2] !== loader) missing.push(match[1] ?? '');
  }
  if (listed.code !== 0 && missing.length === 0) missing.push(text.trim().slice(0, 500));
  return [...new Set(missing)];
}

/** QEMU from packages: the newest of trixie-backports, run uninstalled with the loader and libraries of its own suite. */
export async function packagedQemu(fetcher: Fetcher, target: QemuTarget): Promise<QemuPart> {
  const host = fetcher.hostArch();
  const label = `qemu-${target}`;
  const part = await fetcher.obtain({
    key: `qemu-${target}-${host}`,
    kind: 'qemu',
    label,
    exact: false,
    resolve: async refresh => {
      const suites = await fetcher.index(label, host, QEMU_SUITES, { refresh, optional: true });
      const main = QEMU_PACKAGES[target];
      const targetRelease = suites.includes(TARGET_RELEASE) ? TARGET_RELEASE : undefined;
      const want = (name: string): boolean => NEEDED.test(name) && !NOT_NEEDED.test(name);
      const packages = await fetcher.apt(host).closure(suites, [main], { targetRelease, want });
      const packageVersion = packages.find(p => p.name === main)?.version ?? '';
      const version = /(\d+(?:\.\d+)+)/.exec(packageVersion.replace(/^\d+:/, ''))?.[1] ?? packageVersion;
      const unused = new RegExp(
        `^usr/(?:sbin|include|libexec)/|^usr/bin/(?!qemu-system-${target}$)|/gconv/|^usr/lib/[^/]+-linux-gnu/qemu/`,
      );
      return {
        name: `qemu-${target}-${version}`,
        version,
        groups: [{ arch: host, suites, packages }],
        keep: path => !unused.test(path),
        finish: async root => await describeQemu(root, target, packageVersion, fetcher.options.signal),
      };
    },
  });
  const { facts, version } = part.manifest;
  const at = (fact: string): string => join(part.folder, facts[fact] ?? '');
  const argv = [at('loader'), '--inhibit-cache', '--library-path', at('libraries'), at('program')];
  for (const name of (facts['data'] ?? '').split(':')) if (name) argv.push('-L', join(part.folder, name));
  return { target, argv, version, source: 'package', dir: part.folder };
}

async function describeQemu(
  root: string,
  target: QemuTarget,
  packageVersion: string,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const found = findLoader(root);
  const program = `usr/bin/qemu-system-${target}`;
  if (!found || !existsSync(join(root, program))) {
    throw supplyError('E_SUPPLY_APT', `the packages of QEMU hold no ${found ? program : 'loader'}`);
  }
  const missing = await missingLibraries(
    join(root, found.loader),
    join(root, found.libraries),
    join(root, program),
    signal,
  );
  if (missing.length > 0) {
    throw supplyError('E_SUPPLY_APT', `libraries of QEMU are missing in its packages: ${missing.join(', ')}`);
  }
  const bundle = join(root, dirname(found.loader), BUNDLE);
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'README'), 'QEMU looks here for what it would open below /usr/lib of the machine.\n');
  const data = ['usr/share/qemu', 'usr/share/seabios', 'usr/lib/ipxe/qemu'].filter(p => existsSync(join(root, p)));
  return {
    loader: `root/${found.loader}`,
    libraries: `root/${found.libraries}`,
    program: `root/${program}`,
    data: data.map(p => `root/${p}`).join(':'),
    packageVersion,
  };
}

/** A machine that only the QEMU of this target has. */
const OWN_MACHINE: Readonly<Record<QemuTarget, string>> = { x86_64: 'q35', aarch64: 'virt' };

/** The user's own QEMU: a path, or the name of a program in PATH. It is asked for its version and its machines. */
export async function userQemu(
  target: QemuTarget,
  override: string,
  signal: AbortSignal | undefined,
): Promise<QemuPart> {
  const program = override.includes('/')
    ? resolve(override)
    : (process.env['PATH'] ?? '')
        .split(delimiter)
        .map(folder => join(folder, override))
        .find(path => statSync(path, { throwIfNoEntry: false })?.isFile());
  const wrong = (what: string, cause?: unknown): never => {
    throw supplyError('E_SUPPLY_FILE', `${override} ${what}`, {
      hint: `Give the path of a qemu-system-${target} program.`,
      ...(cause === undefined ? {} : { cause }),
    });
  };
  if (program === undefined || !statSync(program, { throwIfNoEntry: false })?.isFile()) {
    return wrong('is not a file');
  }
  try {
    accessSync(program, constants.X_OK);
  } catch (error) {
    return wrong('may not be executed', error);
  }
  const start = readStart(program, 4);
  if (!(start.equals(Buffer.from('\x7fELF', 'latin1')) || start.subarray(0, 2).toString() === '#!')) {
    return wrong('is not a program (no ELF header, no script)');
  }
  const said = await runChild(program, ['--version'], { deadlineMs: 30_000, signal });
  const version = /QEMU emulator version (\d+(?:\.\d+)+)/.exec(said.stdout)?.[1];
  if (said.code !== 0 || version === undefined) {
    return wrong('does not answer --version like a QEMU system emulator', new Error(said.stderr.trim().slice(0, 1000)));
  }
  const machines = await runChild(program, ['-machine', 'help'], { deadlineMs: 30_000, signal });
  if (!new RegExp(`^${OWN_MACHINE[target]}\\b`, 'm').test(machines.stdout)) {
    return wrong(`is a QEMU for another architecture: it has no machine ${OWN_MACHINE[target]}`);
  }
  return { target, argv: [program], version, source: 'user', dir: join(program, '..') };
}
