import type { DebianArch, IndexEntry } from './apt.ts';
import { compareDebianVersions, upstreamVersion } from './debian-version.ts';

export type KernelFlavour = 'cloud' | 'generic';

/** A kernel that the mirror offers. */
export interface KernelOffer {
  /** Upstream version: `7.2.12`, `6.1.176`, `7.3-rc7`. */
  version: string;
  /** What `uname -r` says: `7.2.12+deb13-cloud-amd64`. */
  release: string;
  arch: DebianArch;
  flavour: KernelFlavour;
  suite: string;
  /** The package with the image. */
  package: string;
  packageVersion: string;
  /** Download size of that package. */
  bytes: number;
  sha256: string;
  /** True when the modules and the config are in the same package (up to 6.18). */
  together: boolean;
}

/**
 * Suites in the order in which a version is looked for: the small index with the newest stable kernels first, then the
 * other released suites, then development. A later stage is read only when the version can be there.
 */
export const KERNEL_SUITES = {
  first: ['trixie-backports'],
  stable: ['bookworm-backports', 'bookworm', 'bookworm-updates', 'trixie', 'trixie-updates'],
  development: ['sid', 'experimental'],
} as const;

/** A stub of this size or less depends on the package with the image. */
const STUB_BYTES = 1_000_000;

/** Names of packages that hold kernel images of an architecture. */
export function imagePackages(arch: DebianArch): RegExp {
  return new RegExp(`^linux-(?:image|binary)-\\d.*-${arch}$`);
}

/**
 * Reads kernels out of package index entries. Up to 6.18 `linux-image-RELEASE` holds image, modules and config; from
 * 6.19 it is a stub, `linux-binary-RELEASE` holds the image, `linux-modules-RELEASE` the modules and
 * `linux-base-RELEASE` the config. The upstream version is that of the package: `linux-image-6.1.0-50-amd64` is 6.1.176.
 * Sorted newest first; of several revisions of one upstream version the newest comes first.
 */
export function kernelsIn(entries: readonly IndexEntry[], arch: DebianArch, flavour?: KernelFlavour): KernelOffer[] {
  const name = new RegExp(`^linux-(image|binary)-(\\d[^-]*(?:-(?!cloud|rt)[^-]+)*)-(cloud-)?${arch}$`);
  const offers = new Map<string, KernelOffer>();
  for (const entry of entries) {
    const match = name.exec(entry.name);
    if (!match || entry.bytes <= STUB_BYTES) continue;
    const [, kind, abi, cloud] = match;
    const offer: KernelOffer = {
      version: upstreamVersion(entry.version).replace('~', '-'),
      release: `${abi}-${cloud ?? ''}${arch}`,
      arch,
      flavour: cloud ? 'cloud' : 'generic',
      suite: entry.suite,
      package: entry.name,
      packageVersion: entry.version,
      bytes: entry.bytes,
      sha256: entry.sha256,
      together: kind === 'image',
    };
    if (flavour !== undefined && offer.flavour !== flavour) continue;
    const key = `${offer.release} ${offer.packageVersion}`;
    const known = offers.get(key);
    if (!known || (known.together && !offer.together)) offers.set(key, offer);
  }
  return [...offers.values()].sort(
    (a, b) => compareKernels(b.version, a.version) || compareDebianVersions(b.packageVersion, a.packageVersion),
  );
}

/** Orders upstream versions; a release candidate comes before its release. */
export function compareKernels(a: string, b: string): number {
  return compareDebianVersions(a.replace('-rc', '~rc'), b.replace('-rc', '~rc'));
}

/** A version query: `newest`, a series (`6.19`), an upstream version, a package version, or a release name. */
export type KernelQuery = { kind: 'newest' } | { kind: 'series'; series: string } | { kind: 'exact'; text: string };

/**
 * Takes the flavour from behind a version.
 * @example splitFlavour('6.19:generic') // { version: '6.19', flavour: 'generic' }
 * splitFlavour('6.19') // { version: '6.19', flavour: undefined }
 */
export function splitFlavour(text: string): { version: string; flavour: KernelFlavour | undefined } {
  const [, version, flavour] = /^([^:]+):(cloud|generic)$/.exec(text) ?? [];
  if (version === undefined) return { version: text, flavour: undefined };
  return { version, flavour: flavour === 'generic' ? 'generic' : 'cloud' };
}

/** Reads a version query, with or without a flavour behind it; undefined when it is none of them. */
export function parseKernelQuery(asked: string): KernelQuery | undefined {
  const { version: text } = splitFlavour(asked);
  if (text === 'newest' || text === 'latest') return { kind: 'newest' };
  if (text.length > 100) return undefined;
  if (/^\d+\.\d+$/.test(text)) return { kind: 'series', series: text };
  if (/^\d+\.\d+[0-9A-Za-z.+~-]*$/.test(text)) return { kind: 'exact', text };
  return undefined;
}

/** The newest offer that a query asks for, out of a list sorted newest first. */
export function selectKernel(offers: readonly KernelOffer[], query: KernelQuery): KernelOffer | undefined {
  switch (query.kind) {
    case 'newest':
      return offers[0];
    case 'series':
      return (
        offers.find(o => o.version === query.series || o.version.startsWith(`${query.series}.`)) ??
        offers.find(o => o.version.startsWith(`${query.series}-rc`))
      );
    case 'exact':
      return offers.find(
        o =>
          o.version === query.text ||
          o.packageVersion === query.text ||
          o.packageVersion.startsWith(`${query.text}~`) ||
          o.release === query.text ||
          o.release === `${query.text}-${o.flavour === 'cloud' ? 'cloud-' : ''}${o.arch}`,
      );
  }
}

/** The lowest upstream version that a query can mean, for deciding which suites are worth reading. */
export function queryFloor(query: KernelQuery): string | undefined {
  if (query.kind === 'newest') return undefined;
  return /^\d+(?:\.\d+)*/.exec(query.kind === 'series' ? query.series : query.text)?.[0];
}

/** The versions on offer closest to what was asked for: up to `count`, half below and half above. */
export function nearestVersions(offers: readonly KernelOffer[], asked: string, count = 6): string[] {
  const versions = [...new Set(offers.map(o => o.version))].sort(compareKernels);
  const at = versions.findIndex(v => compareKernels(v, asked) >= 0);
  const split = at < 0 ? versions.length : at;
  const from = Math.max(0, Math.min(split - Math.floor(count / 2), versions.length - count));
  return versions.slice(from, from + count);
}
