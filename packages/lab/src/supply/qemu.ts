import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import type { DebianArch } from './apt.ts';
import { type ChildResult, runChild } from './child.ts';
import { supplyError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';
import { allOffers, isVersionQuery, type Offer, offersOf, type Release, selectOffer } from './offers.ts';
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
/** What runs where nobody asks for a version: the newest of stable's backports. */
const DEFAULT_RELEASE: Release = { suites: QEMU_SUITES, target: 'trixie-backports' };
/** Where versions come from, in the order in which one is looked for; of the same version the first. */
const QEMU_RELEASES: readonly Release[] = [
  DEFAULT_RELEASE,
  { suites: ['trixie', 'trixie-updates'] },
  { suites: ['bookworm', 'bookworm-updates', 'bookworm-backports'], target: 'bookworm-backports' },
  { suites: ['bookworm', 'bookworm-updates'] },
  { suites: ['bullseye', 'bullseye-updates'] },
  { suites: ['forky'] },
  { suites: ['sid'] },
];

/**
 * Packages of the dependency closure that QEMU runs with. The rest (an init system, Perl, configuration tools) is there
 * for installed systems; the loader is asked afterwards whether a library is missing.
 */
const NEEDED = /^(?:lib|zlib1g$|qemu-system-(?:x86|arm|data|common)$|seabios$|ipxe-qemu$)/;
const NOT_NEEDED =
  /^(?:libsystemd-shared|libc-gconv-modules|libc-bin|libpam|libperl|libsasl2-modules|libdebconf|libdb5|libexecs|libnss-)/;

/**
 * QEMU opens its modules below the path it was built with, /usr/lib/TRIPLET/qemu, where a QEMU that is installed on this
 * machine has those of another build; QEMU_MODULE_DIR only comes before it. One of them is enough to end ours, when it
 * lists its types. But where this folder is beside the program (to the kernel that is the loader), it stands for the root
 * of all such paths. Of the modules of our own build (sound, graphics, USB of the host) a machine of ours needs none but the
 * emulation itself, which was one for some versions (7.2).
 */
const BUNDLE = 'qemu-bundle';
const ACCEL_MODULE = /^accel-tcg-.*\.so$/;

/** Where libraries lie: up to bookworm some packages have theirs in /lib. */
const LIBRARY_BASES = ['usr/lib', 'lib'];

/** The loader of the unpacked system: `usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2` and its likes. */
export function findLoader(root: string): { loader: string; libraries: string } | undefined {
  for (const base of LIBRARY_BASES) {
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

/**
 * Libraries that the loader cannot find for a program; empty when it can start.
 * @param libraryPath folders, with `:` between them
 */
export async function missingLibraries(
  loader: string,
  libraryPath: string,
  program: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const args = ['--inhibit-cache', '--library-path', libraryPath, '--list', program];
  const listed = await runChild(loader, args, { deadlineMs: 60_000, signal });
  const text = `${listed.stdout}\n${listed.stderr}`;
  const folders = libraryPath.split(':');
  const missing = [...text.matchAll(/^[^\S\n]*(\S+) => not found/gm)].map(m => m[1] ?? '');
  const failed = /error while loading shared libraries: ([^:\s]+)/.exec(text)?.[1];
  if (failed) missing.push(failed);
  // A library of the machine instead of the part would tie the part to this machine.
  for (const match of listed.stdout.matchAll(/^[^\S\n]*(\S+) => (\/\S+)/gm)) {
    const { 1: name = '', 2: path = '' } = match;
    if (!folders.some(folder => path.startsWith(folder)) && path !== loader) missing.push(name);
  }
  if (listed.code !== 0 && missing.length === 0) missing.push(text.trim().slice(0, 500));
  return [...new Set(missing)];
}

/** The upstream version of a package of QEMU: `1:10.0.13+ds-0+deb13u1` → `10.0.13`. */
const upstream = (packageVersion: string): string =>
  /\d+(?:\.\d+)+/.exec(packageVersion.replace(/^\d+:/, ''))?.[0] ?? packageVersion;

/** What of the archive is a QEMU for a target. */
const packagesOf = (target: QemuTarget, arch: DebianArch): Parameters<typeof offersOf>[1] => ({
  label: `qemu-${target}`,
  arch,
  versionOf: ({ name, version }) => (name === QEMU_PACKAGES[target] ? upstream(version) : undefined),
});

/** Every QEMU on offer, newest first: one of each upstream version. @throws SupplyError */
export async function offeredQemus(fetcher: Fetcher, target: QemuTarget): Promise<Offer[]> {
  return allOffers(fetcher, packagesOf(target, fetcher.hostArch()), QEMU_RELEASES, fetcher.options.refresh === true);
}

/** Whether a word asks for a QEMU from packages: `newest`, a series (10.0) or a version (10.0.13). */
export const isQemuVersion = (text: string): boolean => text === 'newest' || isVersionQuery(text);

/** The release that has a version, looking no further than it must. @throws SupplyError E_SUPPLY_WITHDRAWN */
async function findRelease(
  fetcher: Fetcher,
  target: QemuTarget,
  query: string,
  refresh: boolean,
  arch: DebianArch,
): Promise<{ release: Release; offer: Offer }> {
  const packages = packagesOf(target, arch);
  const seen: Offer[] = [];
  for (const release of QEMU_RELEASES) {
    const offers = await offersOf(fetcher, packages, release, refresh);
    const offer = selectOffer(offers, query);
    if (offer) return { release, offer };
    seen.push(...offers);
  }
  const versions = [...new Set(seen.map(({ version }) => version))];
  throw supplyError('E_SUPPLY_WITHDRAWN', `QEMU ${query} is not on offer at ${fetcher.mirror().label}`, {
    hint: `On offer: ${versions.join(', ') || 'none'}. Or give the path of your own qemu-system-${target}.`,
  });
}

/**
 * QEMU from packages, run uninstalled with the loader and libraries of its own suite.
 * @param query a series or a version; without it the newest of stable's backports
 * @param host what it runs on; one for another machine than this, such as a host layer, is not tried here
 * @throws SupplyError
 */
export async function packagedQemu(
  fetcher: Fetcher,
  target: QemuTarget,
  query?: string,
  host: DebianArch = fetcher.hostArch(),
): Promise<QemuPart> {
  const label = query === undefined ? `qemu-${target}` : `qemu-${target} ${query}`;
  const part = await fetcher.obtain({
    key: `qemu-${target}-${host}${query === undefined ? '' : `-${query}`}`,
    kind: 'qemu',
    label,
    exact: query !== undefined && /\..*\./.test(query),
    resolve: async refresh => {
      const { release, offer } =
        query === undefined ? { release: DEFAULT_RELEASE } : await findRelease(fetcher, target, query, refresh, host);
      const suites = await fetcher.index(label, host, release.suites, { refresh, optional: true });
      const main = QEMU_PACKAGES[target];
      const targetRelease = suites.find(suite => suite === release.target);
      const want = (name: string): boolean => NEEDED.test(name) && !NOT_NEEDED.test(name);
      const wanted = offer === undefined ? main : `${main}=${offer.packageVersion}`;
      const packages = await fetcher.apt(host).closure(suites, [wanted], { targetRelease, want });
      const packageVersion = packages.find(p => p.name === main)?.version ?? '';
      const version = upstream(packageVersion);
      const unused = new RegExp(
        `^usr/(?:sbin|include|libexec)/|^usr/bin/(?!qemu-system-${target}$)|/gconv/|^usr/lib/[^/]+-linux-gnu/qemu/(?!accel-tcg-)`,
      );
      return {
        name: `qemu-${target}-${version}`,
        version,
        groups: [{ arch: host, suites, packages }],
        keep: path => !unused.test(path),
        finish: async root => {
          const runsHere = host === fetcher.hostArch();
          return await describeQemu(root, target, packageVersion, { runsHere, signal: fetcher.options.signal });
        },
      };
    },
  });
  const { facts, version } = part.manifest;
  const at = (fact: string): string => join(part.folder, facts[fact] ?? '');
  const folders = (fact: string): string[] =>
    (facts[fact] ?? '').split(':').flatMap(name => (name === '' ? [] : [join(part.folder, name)]));
  const argv = [at('loader'), '--inhibit-cache', '--library-path', folders('libraries').join(':'), at('program')];
  for (const folder of folders('data')) argv.push('-L', folder);
  return { target, argv, version: facts['version'] ?? version, source: 'package', dir: part.folder };
}

async function describeQemu(
  root: string,
  target: QemuTarget,
  packageVersion: string,
  { runsHere, signal }: { runsHere: boolean; signal: AbortSignal | undefined },
): Promise<Record<string, string>> {
  const found = findLoader(root);
  const program = `usr/bin/qemu-system-${target}`;
  if (!found || !existsSync(join(root, program))) {
    throw supplyError('E_SUPPLY_APT', `the packages of QEMU hold no ${found ? program : 'loader'}`);
  }
  const triplet = basename(found.libraries);
  const libraries = LIBRARY_BASES.map(base => `${base}/${triplet}`).filter(folder => existsSync(join(root, folder)));
  const at = (folders: readonly string[]): string => folders.map(folder => join(root, folder)).join(':');
  const missing = runsHere
    ? await missingLibraries(join(root, found.loader), at(libraries), join(root, program), signal)
    : [];
  if (missing.length > 0) {
    throw supplyError('E_SUPPLY_APT', `libraries of QEMU are missing in its packages: ${missing.join(', ')}`);
  }
  const started = [join(root, found.loader), '--inhibit-cache', '--library-path', at(libraries), join(root, program)];
  const version = runsHere ? (await versionSaid(started, signal)).version : undefined;
  const bundle = join(root, dirname(found.loader), BUNDLE);
  mkdirSync(bundle);
  const modules = `usr/lib/${triplet}/qemu`;
  for (const name of existsSync(join(root, modules)) ? readdirSync(join(root, modules)) : []) {
    if (!ACCEL_MODULE.test(name)) continue;
    mkdirSync(join(bundle, modules), { recursive: true });
    renameSync(join(root, modules, name), join(bundle, modules, name));
  }
  writeFileSync(join(bundle, 'README'), 'QEMU looks here for what it would open below /usr/lib of the machine.\n');
  const data = ['usr/share/qemu', 'usr/share/seabios', 'usr/lib/ipxe/qemu'].filter(p => existsSync(join(root, p)));
  return {
    loader: `root/${found.loader}`,
    libraries: libraries.map(folder => `root/${folder}`).join(':'),
    program: `root/${program}`,
    data: data.map(p => `root/${p}`).join(':'),
    packageVersion,
    // A package that keeps up with a stable series has the version of its beginning in its name: `7.2+dfsg-7+deb12u18` is 7.2.22.
    ...(version === undefined ? {} : { version }),
  };
}

/** A machine that only the QEMU of this target has. */
const OWN_MACHINE: Readonly<Record<QemuTarget, string>> = { x86_64: 'q35', aarch64: 'virt' };

/** What a QEMU says of its version; undefined where it does not answer like one. */
async function versionSaid(
  [program = '', ...args]: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ said: ChildResult; version: string | undefined }> {
  const said = await runChild(program, [...args, '--version'], { deadlineMs: 30_000, signal });
  return { said, version: /QEMU emulator version (\d+(?:\.\d+)+)/.exec(said.stdout)?.[1] };
}

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
      hint: `Give a version (10.0), or the path of a qemu-system-${target} program.`,
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
  const { said, version } = await versionSaid([program], signal);
  if (said.code !== 0 || version === undefined) {
    return wrong('does not answer --version like a QEMU system emulator', new Error(said.stderr.trim().slice(0, 1000)));
  }
  const machines = await runChild(program, ['-machine', 'help'], { deadlineMs: 30_000, signal });
  if (!new RegExp(`^${OWN_MACHINE[target]}\\b`, 'm').test(machines.stdout)) {
    return wrong(`is a QEMU for another architecture: it has no machine ${OWN_MACHINE[target]}`);
  }
  return { target, argv: [program], version, source: 'user', dir: join(program, '..') };
}
