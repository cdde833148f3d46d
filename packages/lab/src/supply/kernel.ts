import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import type { DebianArch, IndexEntry } from './apt.ts';
import { supplyError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';
import {
  compareKernels,
  imagePackages,
  KERNEL_SUITES,
  type KernelFlavour,
  type KernelOffer,
  type KernelQuery,
  kernelsIn,
  nearestVersions,
  parseKernelQuery,
  queryFloor,
  selectKernel,
  splitFlavour,
} from './kernels.ts';
import type { StoredPart } from './part-store.ts';
import { bzImageRelease, checkKernelFile } from './user-file.ts';

export interface KernelRequest {
  arch: DebianArch;
  /** `cloud` (default) is smaller and boots faster; `generic` has all drivers and can be a Xen dom0. */
  flavour?: KernelFlavour | undefined;
  /**
   * `newest`, a series (`6.19`), a version (`7.2.12`), a release or package version, with a flavour behind it (`6.19:generic`) that goes
   * before the other one; or the path of an image.
   */
  version: string;
  modules?: boolean | undefined;
  config?: boolean | undefined;
}

export interface KernelPart {
  /** Upstream version (`7.2.12`); `unknown` for a file that does not tell. */
  version: string;
  /** `uname -r`; `unknown` likewise. */
  release: string;
  arch: DebianArch;
  /** The image for QEMU's -kernel. */
  image: string;
  /** `…/lib/modules/RELEASE`, when asked for. */
  modulesDir?: string;
  /**
   * The build configuration: where it is known. It comes with the image, of kernels since 6.19 where the archive has its package still;
   * beside a file of the user's own.
   */
  config?: string;
  source: 'package' | 'user';
  /** Name and version of the package with the image. */
  package?: string;
}

/** True when a version argument is the path of a file. */
export function isPath(text: string): boolean {
  return text.includes('/') || (parseKernelQuery(text) === undefined && existsSync(text));
}

export async function obtainKernel(fetcher: Fetcher, request: KernelRequest): Promise<KernelPart> {
  const { arch } = request;
  if (isPath(request.version)) return userKernel(resolve(request.version), arch);
  const { version: wanted, flavour = request.flavour ?? 'cloud' } = splitFlavour(request.version);
  const query = parseKernelQuery(wanted);
  if (query === undefined) {
    throw new UsageError('E_SUPPLY_KERNEL_QUERY', `${request.version} is not a kernel version`, {
      hint: 'Give `newest`, a series (6.19), a version (7.2.12), or the path of an image.',
    });
  }
  const label = `linux ${wanted} (${flavour}, ${arch})`;
  const image = await fetcher.obtain({
    key: `kernel-${arch}-${flavour}-${wanted}`,
    kind: 'kernel',
    label,
    exact: query.kind === 'exact',
    needs: ['image'],
    resolve: async refresh => {
      const offer = await findKernel(fetcher, label, arch, flavour, query, refresh);
      const config = offer.together ? [] : await configPackages(fetcher, offer);
      return {
        name: `linux-${offer.release}`,
        version: offer.version,
        groups: [{ arch, suites: [offer.suite], packages: [packageOf(offer), ...config] }],
        keep: path => !/^(?:boot\/System\.map-|usr\/share\/)/.test(path),
        finish: async root => describeKernel(root, offer),
      };
    },
  });
  const { facts, version } = image.manifest;
  const release = facts['release'] ?? 'unknown';
  const part: KernelPart = {
    version,
    release,
    arch,
    image: join(image.folder, facts['image'] ?? ''),
    source: 'package',
    package: `${image.manifest.packages[0]?.name} ${image.manifest.packages[0]?.version}`,
  };
  if (request.modules) part.modulesDir = await companion(fetcher, image, arch, 'modules');
  if (request.config || facts['config'] !== undefined) part.config = await companion(fetcher, image, arch, 'config');
  return part;
}

/** The package with the configuration of a kernel that has it apart (since 6.19, 1 MB): small beside the image, and asked by every run. */
async function configPackages(
  fetcher: Fetcher,
  { arch, suite, release, packageVersion }: KernelOffer,
): Promise<IndexEntry[]> {
  const [prefix] = COMPANIONS.config.packages;
  const entries = await fetcher.apt(arch).search([suite], name => name === prefix + release);
  return entries.filter(entry => entry.version === packageVersion).slice(0, 1);
}

function packageOf(entry: Pick<KernelOffer, 'package' | 'packageVersion' | 'bytes' | 'sha256'>): {
  name: string;
  version: string;
  bytes: number;
  sha256: string;
} {
  return { name: entry.package, version: entry.packageVersion, bytes: entry.bytes, sha256: entry.sha256 };
}

/** Finds where the image, modules and config are: they moved from boot/ and lib/ to usr/lib/modules/RELEASE with 7.2. */
function describeKernel(root: string, offer: KernelOffer): Record<string, string> {
  const { release } = offer;
  const facts: Record<string, string> = { release, suite: offer.suite, flavour: offer.flavour };
  const images = [`boot/vmlinuz-${release}`, `usr/lib/modules/${release}/vmlinuz`, `lib/modules/${release}/vmlinuz`];
  const image = images.find(path => existsSync(join(root, path)));
  if (image === undefined) throw supplyError('E_SUPPLY_APT', `${offer.package} holds no kernel image`);
  facts['image'] = `root/${image}`;
  const modules = findModules(root, release);
  if (modules) facts['modules'] = `root/${modules}`;
  const config = findConfig(root, release);
  if (config) facts['config'] = `root/${config}`;
  return facts;
}

function findModules(root: string, release: string): string | undefined {
  return [`usr/lib/modules/${release}`, `lib/modules/${release}`].find(
    path => existsSync(join(root, path, 'kernel')) && readdirSync(join(root, path, 'kernel')).length > 0,
  );
}

function findConfig(root: string, release: string): string | undefined {
  return [`boot/config-${release}`, `usr/lib/modules/${release}/config`].find(path => existsSync(join(root, path)));
}

const COMPANIONS = {
  modules: { packages: ['linux-modules-'], find: findModules },
  config: { packages: ['linux-base-', 'linux-modules-'], find: findConfig },
} as const;

/** Modules or config of a kernel: in the same package up to 6.18, in one of their own since. */
async function companion(
  fetcher: Fetcher,
  image: StoredPart,
  arch: DebianArch,
  what: 'modules' | 'config',
): Promise<string> {
  const { facts, packages, version } = image.manifest;
  const release = facts['release'] ?? '';
  const own = facts[what];
  const { packages: prefixes, find } = COMPANIONS[what];
  const packageVersion = packages[0]?.version ?? '';
  const label = `${what} of linux ${release}`;
  if (own !== undefined) {
    // The image was checked; now these files too.
    const damage = await fetcher.store.check(image, { only: [own], signal: fetcher.options.signal });
    if (damage.length === 0) return join(image.folder, own);
    fetcher.store.retire(image.folder);
    throw supplyError('E_SUPPLY_DAMAGED', `the ${what} of linux ${release} in the cache were damaged: ${damage[0]}`, {
      hint: 'They have been removed and are fetched again by the next run.',
    });
  }
  const part = await fetcher.obtain({
    key: `${what}-${arch}-${release}-${packageVersion}`,
    kind: what,
    label,
    exact: true,
    resolve: async refresh => {
      const suite = facts['suite'] ?? '';
      const suites = await fetcher.index(label, arch, [suite], { refresh });
      const names = prefixes.map(prefix => prefix + release);
      const entries = await fetcher.apt(arch).search(suites, name => names.includes(name));
      const entry = names
        .map(name => entries.find(e => e.name === name && e.version === packageVersion))
        .find(e => e !== undefined);
      if (entry === undefined) {
        const versioned = new RegExp(`^${prefixes[0]}\\d.*-${arch}$`);
        const others = await fetcher.apt(arch).search(suites, name => versioned.test(name));
        const flavour = facts['flavour'] === 'cloud';
        const names = [...new Set(others.map(e => e.name.slice(prefixes[0].length)))];
        const near = names.filter(name => name.includes('-cloud-') === flavour && !/-rt-|-dbg/.test(name));
        throw supplyError('E_SUPPLY_WITHDRAWN', `the ${what} of linux ${release} are no longer on offer in ${suite}`, {
          hint: `The archive keeps them only for its newest kernels: ${near.join(', ') || 'none'}.`,
        });
      }
      return {
        name: `${what}-${release}`,
        version,
        groups: [{ arch, suites, packages: [entry] }],
        keep: path => !/^(?:boot\/System\.map-|usr\/share\/)/.test(path),
        finish: async root => {
          const path = find(root, release);
          if (path === undefined) throw supplyError('E_SUPPLY_APT', `${entry.name} holds no ${what}`);
          return { release, [what]: `root/${path}` };
        },
      };
    },
  });
  return join(part.folder, part.manifest.facts[what] ?? '');
}

async function findKernel(
  fetcher: Fetcher,
  label: string,
  arch: DebianArch,
  flavour: KernelFlavour,
  query: KernelQuery,
  refresh: boolean,
): Promise<KernelOffer> {
  const floor = queryFloor(query);
  const entries: IndexEntry[] = [];
  const images = imagePackages(arch);
  const seen = (): KernelOffer[] => kernelsIn(entries, arch, flavour);
  const read = async (suites: readonly string[]): Promise<KernelOffer | undefined> => {
    const there = await fetcher.index(label, arch, suites, { refresh, optional: true });
    entries.push(...(await fetcher.apt(arch).search(there, name => images.test(name))));
    return selectKernel(seen(), query);
  };
  let found = await read(KERNEL_SUITES.first);
  if (found) return found;
  const newest = seen()[0];
  const above = floor !== undefined && newest !== undefined && compareKernels(floor, newest.version) > 0;
  // Released suites hold nothing newer than backports, development suites nothing older.
  if (!above) found = await read(KERNEL_SUITES.stable);
  found ??= above || newest === undefined ? await read(KERNEL_SUITES.development) : undefined;
  if (found) return found;
  const near = nearestVersions(seen(), floor ?? '');
  throw supplyError('E_SUPPLY_WITHDRAWN', `${label} is not on offer at ${fetcher.mirror().label}`, {
    hint: `Nearest on offer: ${near.join(', ')}. Or give the path of your own image.`,
  });
}

/** Every kernel of the released suites (and of sid and experimental when `development`), newest first. */
export async function offeredKernels(
  fetcher: Fetcher,
  arch: DebianArch,
  flavour: KernelFlavour,
  development: boolean,
): Promise<KernelOffer[]> {
  const label = `kernels (${flavour}, ${arch})`;
  const wanted = [...KERNEL_SUITES.first, ...KERNEL_SUITES.stable, ...(development ? KERNEL_SUITES.development : [])];
  const suites = fetcher.offline
    ? wanted.filter(suite => Number.isFinite(fetcher.apt(arch).indexAgeMs(suite)))
    : await fetcher.index(label, arch, wanted, { refresh: fetcher.options.refresh === true, optional: true });
  if (suites.length === 0) {
    throw supplyError('E_SUPPLY_OFFLINE', 'no package index is in the cache, and this run is offline', {
      hint: 'List the kernels once with the network.',
    });
  }
  const images = imagePackages(arch);
  return kernelsIn(await fetcher.apt(arch).search(suites, name => images.test(name)), arch, flavour);
}

function userKernel(path: string, arch: DebianArch): KernelPart {
  const format = checkKernelFile(path, arch);
  const release = (format === 'bzImage' ? bzImageRelease(path) : undefined) ?? releaseInName(path) ?? 'unknown';
  const version = /^\d+\.\d+(?:\.\d+)?(?:-rc\d+)?/.exec(release)?.[0] ?? 'unknown';
  const config = configBeside(path);
  return { version, release, arch, image: path, source: 'user', ...(config === undefined ? {} : { config }) };
}

/** `config-RELEASE` beside `vmlinuz-RELEASE`, as distributions and `make install` put them into /boot. */
function configBeside(image: string): string | undefined {
  const [, release] = /^(?:vmlinuz|Image|bzImage|vmlinux)-(.+)$/.exec(basename(image)) ?? [];
  const config = join(dirname(image), `config-${release}`);
  return release !== undefined && existsSync(config) ? config : undefined;
}

function releaseInName(path: string): string | undefined {
  return /^(?:vmlinuz|Image|bzImage|vmlinux)-(\d+\.\d+.*)$/.exec(basename(path))?.[1];
}
