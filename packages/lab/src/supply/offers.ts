/** @module Versions of a part that stand in different suites of the archive, each with the libraries of its own suite. */
import type { DebianArch, IndexEntry } from './apt.ts';
import { compareDebianVersions } from './debian-version.ts';
import { SupplyError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';

/** Suites that one version is taken from, with all that it depends on. */
export interface Release {
  suites: readonly string[];
  /** The suite whose version is meant, and which is preferred, where not all of them are alike. */
  target?: string;
}

/** A version that the mirror offers. */
export interface Offer {
  /** Upstream version, of parts that are named by their series that: `10.0.13`, `4.20`. */
  version: string;
  suite: string;
  package: string;
  packageVersion: string;
  /** Download size of that package alone. */
  bytes: number;
}

/** Orders versions of QEMU and Xen. */
const compareOffers = (a: Pick<Offer, 'version'>, b: Pick<Offer, 'version'>): number =>
  compareDebianVersions(a.version, b.version);

/** Whether a word asks for a version (`10.0.13`), or the newest of a series (`10.0`). */
export const isVersionQuery = (text: string): boolean => /^\d{1,4}(?:\.\d{1,4}){1,2}$/.test(text);

/** The newest of the offers that a query asks for. */
export function selectOffer<O extends Offer>(offers: readonly O[], query: string): O | undefined {
  const of = offers.filter(({ version }) => version === query || version.startsWith(`${query}.`));
  return of.toSorted((a, b) => compareOffers(b, a) || compareDebianVersions(b.packageVersion, a.packageVersion))[0];
}

/** What a part is made of in the archive. */
interface Packages {
  /** For messages and progress. */
  label: string;
  arch: DebianArch;
  /** The version of a package that is such a part; undefined for another. */
  versionOf: (entry: Pick<IndexEntry, 'name' | 'version'>) => string | undefined;
}

/** Codes that say of a release that it cannot be used here: others may be. */
const NOT_HERE: ReadonlySet<string> = new Set(['E_SUPPLY_SUITE', 'E_SUPPLY_KEYRING']);

/** What a release offers; nothing where the mirror does not carry it (any more), or this machine does not know its key. */
export async function offersOf(
  fetcher: Fetcher,
  { label, arch, versionOf }: Packages,
  { suites, target }: Release,
  refresh: boolean,
): Promise<Offer[]> {
  let there: readonly string[];
  try {
    there = fetcher.offline
      ? suites.filter(suite => Number.isFinite(fetcher.apt(arch).indexAgeMs(suite)))
      : await fetcher.index(label, arch, suites, { refresh, optional: true });
  } catch (error) {
    if (!(error instanceof SupplyError && NOT_HERE.has(error.code))) throw error;
    fetcher.notice(label, `${suites.join(', ')} left out: ${error.message}`);
    return [];
  }
  const read = there.filter(suite => target === undefined || suite === target);
  if (read.length === 0) return [];
  const entries = await fetcher.apt(arch).search(read, name => versionOf({ name, version: '0' }) !== undefined);
  return entries.flatMap(entry => {
    const version = versionOf(entry);
    const { name, version: packageVersion, suite, bytes } = entry;
    return version === undefined ? [] : [{ version, suite, package: name, packageVersion, bytes }];
  });
}

/**
 * Every version of the releases, newest first; of the same version that of the release that comes first.
 * @throws SupplyError
 */
export async function allOffers(
  fetcher: Fetcher,
  packages: Packages,
  releases: readonly Release[],
  refresh: boolean,
): Promise<Offer[]> {
  const found = new Map<string, Offer>();
  for (const release of releases)
    for (const offer of await offersOf(fetcher, packages, release, refresh))
      if (!found.has(offer.version)) found.set(offer.version, offer);
  return [...found.values()].toSorted((a, b) => compareOffers(b, a));
}
