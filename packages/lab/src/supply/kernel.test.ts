import { expect, it } from 'vitest';
import type { IndexEntry } from './apt.ts';
import type { Fetcher, PackageGroup, PartRequest } from './fetcher.ts';
import { obtainKernel } from './kernel.ts';

const entry = (name: string, version: string, bytes: number): IndexEntry => ({
  name,
  version,
  bytes,
  sha256: '0'.repeat(64),
  suite: 'trixie-backports',
});

/** The packages that a kernel is made of, where the archive has these. */
async function packagesOf(version: string, entries: readonly IndexEntry[]): Promise<string[]> {
  let groups: PackageGroup[] = [];
  const fetcher = {
    index: async (_label: string, _arch: string, suites: readonly string[]) => [...suites],
    apt: () => ({
      search: async (suites: readonly string[], isWanted: (name: string) => boolean) =>
        entries.filter(e => suites.includes(e.suite) && isWanted(e.name)),
    }),
    obtain: async (request: PartRequest) => {
      ({ groups } = await request.resolve(false));
      return { folder: '/part', manifest: { version, facts: {}, packages: [] } };
    },
  };
  await obtainKernel(fetcher as unknown as Fetcher, { arch: 'amd64', version });
  return groups.flatMap(group => group.packages.map(p => `${p.name} ${p.version}`));
}

it('comes with its configuration, which has a package of its own since 6.19', async () => {
  const release = '7.2.12+deb13-cloud-amd64';
  const image = entry(`linux-binary-${release}`, '7.2.12-1~bpo13+1', 20_000_000);
  const config = entry(`linux-base-${release}`, '7.2.12-1~bpo13+1', 1_000_000);
  const older = entry(`linux-base-${release}`, '7.2.12-1~bpo13+0', 1_000_000);
  expect(await packagesOf('7.2', [image, older, config])).toEqual([
    `linux-binary-${release} 7.2.12-1~bpo13+1`,
    `linux-base-${release} 7.2.12-1~bpo13+1`,
  ]);
  // It is not known then, and the kernel is used all the same.
  expect(await packagesOf('7.2', [image])).toEqual([`linux-binary-${release} 7.2.12-1~bpo13+1`]);
});

it('has it in the package of the image up to 6.18', async () => {
  const image = entry('linux-image-6.18.15+deb13-cloud-amd64', '6.18.15-1~bpo13+1', 20_000_000);
  const config = entry('linux-base-6.18.15+deb13-cloud-amd64', '6.18.15-1~bpo13+1', 1_000_000);
  expect(await packagesOf('6.18', [image, config])).toEqual([
    'linux-image-6.18.15+deb13-cloud-amd64 6.18.15-1~bpo13+1',
  ]);
});
