import { describe, expect, test } from 'vitest';
import type { IndexEntry } from './apt.ts';
import { supplyError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';
import { allOffers, isVersionQuery, type Offer, offersOf, selectOffer } from './offers.ts';
import { isQemuVersion } from './qemu.ts';

const offer = (version: string, packageVersion = version): Offer => ({
  version,
  packageVersion,
  suite: 's',
  package: 'p',
  bytes: 1,
});

/** An archive with these packages in its suites. */
function archive(suites: Readonly<Record<string, readonly string[] | Error>>, offline = false): Fetcher {
  const there = (suite: string): readonly string[] => {
    const found = suites[suite];
    if (found === undefined || found instanceof Error) throw found ?? supplyError('E_SUPPLY_SUITE', `no ${suite}`);
    return found;
  };
  const apt = {
    indexAgeMs: (suite: string) => (suite in suites ? 1 : Infinity),
    search: async (wanted: readonly string[], name: (name: string) => boolean): Promise<IndexEntry[]> =>
      wanted.flatMap(suite =>
        there(suite).flatMap(text => {
          const [found = '', version = ''] = text.split(' ');
          return name(found) ? [{ name: found, version, suite, bytes: 7, sha256: '' }] : [];
        }),
      ),
  };
  return {
    offline,
    notice: () => {},
    apt: () => apt,
    index: async (_label: string, _arch: string, wanted: readonly string[]) => {
      for (const suite of wanted) there(suite);
      return wanted;
    },
  } as unknown as Fetcher;
}

const versionOf = ({ name, version }: { name: string; version: string }): string | undefined =>
  name === 'qemu' ? version.replace(/-.*/, '') : undefined;
const QEMU = { label: 'qemu', arch: 'amd64', versionOf } as const;

describe('versions on offer', () => {
  const suites = {
    new: ['qemu 10.0.13-1', 'other 99-1'],
    backports: ['qemu 11.1.3-1~bpo'],
    old: ['qemu 7.2-9', 'qemu 7.2-7'],
    next: ['qemu 11.1.3-2'],
  };
  const releases = [{ suites: ['new', 'backports'], target: 'backports' }, { suites: ['new'] }, { suites: ['old'] }];

  test('are those of every release, each once, newest first', async () => {
    const found = await allOffers(archive(suites), QEMU, [...releases, { suites: ['next'] }], false);
    expect(found.map(({ version, suite, packageVersion }) => [version, suite, packageVersion])).toEqual([
      ['11.1.3', 'backports', '11.1.3-1~bpo'],
      ['10.0.13', 'new', '10.0.13-1'],
      ['7.2', 'old', '7.2-9'],
    ]);
  });

  test('a release that the archive has no longer, or whose key is not known, offers nothing; another error is told', async () => {
    const gone = [...releases, { suites: ['gone'] }, { suites: ['foreign'] }];
    const foreign = supplyError('E_SUPPLY_KEYRING', 'no key');
    expect(await allOffers(archive({ ...suites, foreign }), QEMU, gone, false)).toHaveLength(3);
    const down = archive({ ...suites, old: supplyError('E_SUPPLY_NETWORK', 'down') });
    await expect(allOffers(down, QEMU, releases, false)).rejects.toMatchObject({ code: 'E_SUPPLY_NETWORK' });
  });

  test('offline are those of the indexes that are there', async () => {
    const fetcher = archive({ old: suites.old }, true);
    expect(await allOffers(fetcher, QEMU, releases, false)).toMatchObject([{ version: '7.2' }]);
    expect(await offersOf(fetcher, QEMU, { suites: ['new'] }, false)).toEqual([]);
  });

  test('a version, or the newest of a series, is chosen', () => {
    const offers = ['10.0.2', '10.0.13', '10.1.1', '7.2'].map(version => offer(version));
    expect(selectOffer(offers, '10.0')?.version).toBe('10.0.13');
    expect(selectOffer(offers, '10.0.2')?.version).toBe('10.0.2');
    expect(selectOffer(offers, '7.2')?.version).toBe('7.2');
    expect(selectOffer(offers, '10.00')).toBeUndefined();
    expect(selectOffer([offer('7.2', '1'), offer('7.2', '2')], '7.2')?.packageVersion).toBe('2');
  });
});

test.each<[string, boolean, boolean]>([
  ['10.0', true, true],
  ['10.0.13', true, true],
  ['newest', false, true],
  ['10', false, false],
  ['./10.0', false, false],
  ['qemu-system-x86_64', false, false],
  ['1.2.3.4', false, false],
])('%s asks for a version: %s; of QEMU: %s', (text, version, qemu) => {
  expect([isVersionQuery(text), isQemuVersion(text)]).toEqual([version, qemu]);
});
