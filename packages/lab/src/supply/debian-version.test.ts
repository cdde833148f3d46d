import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareDebianVersions, upstreamVersion } from './debian-version.ts';

/** From the definition in deb-version(7) and versions as they are in the archive; each is lower than the next. */
const ASCENDING = [
  '~~',
  '~~a',
  '~',
  '',
  '6.1.0~rc1-1',
  '6.1.0-1~bpo12+1',
  '6.1.0-1',
  '6.1.0-1+b1',
  '6.1.0-2',
  '6.1.0+ds-1',
  '6.9-1',
  '6.10-1',
  '6.12.90-1~bpo12+1',
  '6.12.90-2~bpo12+1',
  '7.2.9-1',
  '7.2.12-1~bpo13+1',
  '7.2.12-1',
  '7.3~rc7-1~exp1',
  '7.3-1',
  '1:0.1-1',
];

test('orders as deb-version(7) says', () => {
  for (const [i, a] of ASCENDING.entries()) {
    for (const [j, b] of ASCENDING.entries()) {
      expect(Math.sign(compareDebianVersions(a, b)), `${a} <=> ${b}`).toBe(Math.sign(i - j));
    }
  }
});

test('leading zeros do not count, and a missing revision is revision 0', () => {
  expect(compareDebianVersions('1.02', '1.2')).toBe(0);
  expect(compareDebianVersions('1.0-0', '1.0')).toBe(0);
});

test('only a number is an epoch', () => {
  for (const odd of ['1e3:', '0x1:', 'Infinity:', '-1:', ' 1:']) {
    expect(compareDebianVersions(`${odd}1`, '1:0')).toBeLessThan(0);
    expect(upstreamVersion(`${odd}5`)).toBe(odd === '-1:' ? '' : `${odd}5`);
  }
});

test('is antisymmetric and transitive', () => {
  const version = fc.string({ unit: fc.constantFrom(...'0129.+~-aZ'.split('')), maxLength: 8 });
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      const ab = Math.sign(compareDebianVersions(a, b));
      expect(ab).toBe(-Math.sign(compareDebianVersions(b, a)) + 0);
      const [x, y, z] = [a, b, c].sort(compareDebianVersions) as [string, string, string];
      expect(compareDebianVersions(x, y)).toBeLessThanOrEqual(0);
      expect(compareDebianVersions(y, z)).toBeLessThanOrEqual(0);
      expect(compareDebianVersions(x, z)).toBeLessThanOrEqual(0);
    }),
  );
});

test('the upstream part', () => {
  expect(upstreamVersion('1:11.1.3+ds-1~bpo13+1')).toBe('11.1.3+ds');
  expect(upstreamVersion('6.1.176-1')).toBe('6.1.176');
  expect(upstreamVersion('7.3~rc7-1~exp1')).toBe('7.3~rc7');
});
