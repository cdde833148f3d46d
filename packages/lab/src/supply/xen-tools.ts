import { UsageError } from '@syndrome/decode/common/errors.ts';
import type { Fetcher } from './fetcher.ts';
import { type GuestProgramPart, obtainGuestProgram } from './guest-program.ts';

/** What a dom0 needs to start a domain and to look at it; the first one is that with which a user does. */
const PROGRAMS = [
  'xl',
  'xenstored',
  'xenconsoled',
  'xen-init-dom0',
  'xen-mceinj',
  'xen-hptool',
  'xen-mfndump',
] as const;

/** Where those of a Xen are. Older suites have the loader of programs at another place. */
const SUITES: ReadonlyMap<string, readonly string[]> = new Map([['4.20', ['trixie', 'trixie-updates']]]);

/**
 * The tools of a dom0, of the same Xen as the hypervisor: what they say to each other changes with every series.
 * @param version of the hypervisor: `4.20.4+63-g7abfd2bce2`, `4.17`
 * @throws SupplyError; UsageError where it is not known which Xen it is
 */
export async function obtainXenTools(fetcher: Fetcher, version: string): Promise<GuestProgramPart> {
  const series = /^\d+\.\d+/.exec(version)?.[0] ?? '';
  const suites = SUITES.get(series);
  if (suites === undefined) {
    throw new UsageError('E_SUPPLY_XEN_QUERY', `there are no tools for a Xen of the version ${version}`, {
      hint: `A domain besides dom0 needs Xen ${[...SUITES.keys()].join(', ')}.`,
    });
  }
  const folder = `usr/lib/xen-${series}/bin`;
  const [program, ...more] = PROGRAMS.map(name => `${folder}/${name}`);
  return await obtainGuestProgram(fetcher, {
    kind: 'xen-tools',
    series,
    package: `xen-utils-${series}`,
    program: program ?? '',
    more,
    suites,
    wanted:
      /^(?:xen-utils-\d|libc6$|libgcc-s1|libxen|libyajl2|libuuid1|libbz2|liblzma5|libzstd1|zlib1g|liblzo2|libsystemd|libcap2|libmd0|libnl-|libfdt1)/,
  });
}
