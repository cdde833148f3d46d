import { describe, expect, test } from 'vitest';
import type { IndexEntry } from './apt.ts';
import {
  compareKernels,
  imagePackages,
  kernelsIn,
  nearestVersions,
  parseKernelQuery,
  selectKernel,
  splitFlavour,
} from './kernels.ts';

const entry = (name: string, version: string, suite: string, bytes = 13_000_000): IndexEntry => ({
  name,
  version,
  suite,
  bytes,
  sha256: '0'.repeat(64),
});

/** Names, versions and sizes as in the package indexes of the suites. */
const ENTRIES = [
  entry('linux-image-6.1.0-47-cloud-amd64', '6.1.170-3', 'bookworm', 26_429_640),
  entry('linux-image-6.1.0-50-cloud-amd64', '6.1.176-1', 'bookworm', 26_484_304),
  entry('linux-image-6.1.0-50-cloud-amd64-unsigned', '6.1.176-1', 'bookworm', 26_489_272),
  entry('linux-image-6.1.0-50-amd64', '6.1.176-1', 'bookworm', 70_305_560),
  entry('linux-image-6.1.0-50-rt-amd64', '6.1.176-1', 'bookworm', 70_305_560),
  entry('linux-image-cloud-amd64', '6.1.176-1', 'bookworm', 1500),
  entry('linux-image-6.12.90+deb12-cloud-amd64', '6.12.90-1~bpo12+1', 'bookworm-backports', 33_880_936),
  entry('linux-image-6.12.90+deb12.1-cloud-amd64', '6.12.90-2~bpo12+1', 'bookworm-backports', 33_883_340),
  entry('linux-image-6.18.15+deb13-cloud-amd64', '6.18.15-1~bpo13+1', 'trixie-backports', 49_146_196),
  entry('linux-image-6.19.14+deb13-cloud-amd64', '6.19.14-1~bpo13+1', 'trixie-backports', 2072),
  entry('linux-binary-6.19.14+deb13-cloud-amd64', '6.19.14-1~bpo13+1', 'trixie-backports'),
  entry('linux-binary-6.19.6+deb13-cloud-amd64', '6.19.6-2~bpo13+1', 'trixie-backports'),
  entry('linux-binary-7.2.12+deb13-cloud-amd64', '7.2.12-1~bpo13+1', 'trixie-backports'),
  entry('linux-binary-7.2.12+deb13-amd64', '7.2.12-1~bpo13+1', 'trixie-backports'),
  entry('linux-binary-unsigned-7.2.12+deb13-cloud-amd64', '7.2.12-1~bpo13+1', 'trixie-backports'),
  entry('linux-image-7.2.12+deb13-cloud-amd64-dbg', '7.2.12-1~bpo13+1', 'trixie-backports', 355_786_992),
  entry('linux-binary-7.2.9+deb13-cloud-amd64', '7.2.9-1~bpo13+1', 'trixie-backports'),
  entry('linux-binary-7.3-cloud-amd64', '7.3~rc7-1~exp1', 'experimental'),
  entry('linux-binary-7.2.12+deb13-cloud-arm64', '7.2.12-1~bpo13+1', 'trixie-backports'),
  entry('linux-image-6.12.94+deb13-arm64-16k', '6.12.94-1', 'trixie', 100_000_000),
];
const CLOUD = kernelsIn(ENTRIES, 'amd64', 'cloud');

test.each([
  ['newest:generic', 'newest', 'generic', { kind: 'newest' }],
  ['6.19:cloud', '6.19', 'cloud', { kind: 'series', series: '6.19' }],
  ['7.2.12', '7.2.12', undefined, { kind: 'exact', text: '7.2.12' }],
  ['6.19:rt', '6.19:rt', undefined, undefined],
  [':generic', ':generic', undefined, undefined],
])('%s names a version and a flavour', (text, version, flavour, query) => {
  expect(splitFlavour(text)).toEqual({ version, flavour });
  expect(parseKernelQuery(text)).toEqual(query);
});

describe('kernels in a package index', () => {
  test('newest first, without stubs, unsigned images, debug symbols and other flavours', () => {
    expect(CLOUD.map(o => o.release)).toEqual([
      '7.3-cloud-amd64',
      '7.2.12+deb13-cloud-amd64',
      '7.2.9+deb13-cloud-amd64',
      '6.19.14+deb13-cloud-amd64',
      '6.19.6+deb13-cloud-amd64',
      '6.18.15+deb13-cloud-amd64',
      '6.12.90+deb12.1-cloud-amd64',
      '6.12.90+deb12-cloud-amd64',
      '6.1.0-50-cloud-amd64',
      '6.1.0-47-cloud-amd64',
    ]);
    expect(kernelsIn(ENTRIES, 'amd64', 'generic').map(o => o.release)).toEqual([
      '7.2.12+deb13-amd64',
      '6.1.0-50-amd64',
    ]);
    expect(kernelsIn(ENTRIES, 'arm64').map(o => o.release)).toEqual(['7.2.12+deb13-cloud-arm64']);
  });

  test('the version is that of the package, not of the ABI name', () => {
    expect(CLOUD.find(o => o.release === '6.1.0-50-cloud-amd64')).toMatchObject({ version: '6.1.176', together: true });
    expect(CLOUD[0]).toMatchObject({ version: '7.3-rc7', together: false, package: 'linux-binary-7.3-cloud-amd64' });
  });

  test('the name filter lets every image package through', () => {
    const filter = imagePackages('amd64');
    for (const offer of CLOUD) expect(filter.test(offer.package)).toBe(true);
    expect(filter.test('linux-headers-7.2.12+deb13-cloud-amd64')).toBe(false);
  });
});

describe('version queries', () => {
  const ask = (text: string): string | undefined => {
    const query = parseKernelQuery(text);
    return query && selectKernel(CLOUD, query)?.release;
  };

  test.each([
    ['7.2.12', '7.2.12+deb13-cloud-amd64'],
    ['7.2', '7.2.12+deb13-cloud-amd64'],
    ['6.19', '6.19.14+deb13-cloud-amd64'],
    ['6.1', '6.1.0-50-cloud-amd64'],
    ['6.1.170', '6.1.0-47-cloud-amd64'],
    ['6.12.90', '6.12.90+deb12.1-cloud-amd64'],
    ['6.12.90-1', '6.12.90+deb12-cloud-amd64'],
    ['6.12.90-1~bpo12+1', '6.12.90+deb12-cloud-amd64'],
    ['6.1.0-47', '6.1.0-47-cloud-amd64'],
    ['7.2.9+deb13-cloud-amd64', '7.2.9+deb13-cloud-amd64'],
    ['7.3', '7.3-cloud-amd64'],
    ['7.3-rc7', '7.3-cloud-amd64'],
    ['newest', '7.3-cloud-amd64'],
  ])('%s is %s', (text, release) => {
    expect(ask(text)).toBe(release);
  });

  test('6.1 does not mean 6.12 or 6.19, and what is not there is not guessed', () => {
    expect(ask('6.1')).toBe('6.1.0-50-cloud-amd64');
    expect(ask('7.2.1')).toBeUndefined();
    expect(ask('5.10')).toBeUndefined();
  });

  test.each(['', 'seven', '7', '../x', '7.2; rm', `7.2.${'1'.repeat(200)}`])('%s is no version', bad => {
    expect(parseKernelQuery(bad)).toBeUndefined();
  });

  test('a release candidate comes before its release', () => {
    expect(compareKernels('7.3-rc7', '7.3')).toBeLessThan(0);
    expect(compareKernels('7.3-rc7', '7.2.13')).toBeGreaterThan(0);
  });

  test('the nearest versions surround the one asked for', () => {
    expect(nearestVersions(CLOUD, '7.2.10', 4)).toEqual(['6.19.14', '7.2.9', '7.2.12', '7.3-rc7']);
    expect(nearestVersions(CLOUD, '9.9', 2)).toEqual(['7.2.12', '7.3-rc7']);
    expect(nearestVersions(CLOUD, '2.6', 2)).toEqual(['6.1.170', '6.1.176']);
    expect(nearestVersions([], '7.2')).toEqual([]);
  });
});
