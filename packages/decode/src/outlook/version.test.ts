import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, parseVersion, versionIn, versionSince } from './version.ts';
import type { Version } from './version.ts';

describe('parseVersion', () => {
  it.each([
    ['6.19.6', { parts: [6, 19, 6] }],
    ['v6.19', { parts: [6, 19] }],
    ['7.0-rc3', { parts: [7, 0], rc: 3 }],
    ['6.19~rc4-1~exp1', { parts: [6, 19], rc: 4 }],
    ['7.2.12+deb13-cloud-amd64', { parts: [7, 2, 12] }],
    ['6.1.0-31-amd64', { parts: [6, 1, 0] }],
    [' 11.1.3 ', { parts: [11, 1, 3] }],
  ])('%s', (text, version) => expect(parseVersion(text)).toEqual(version));

  it.each(['', 'next', 'rc1', '-1', '.5', '123456.1'])('finds none in %j', text => {
    expect(parseVersion(text)).toBeUndefined();
  });
});

describe('versionIn', () => {
  it('includes both ends, counts a release candidate before its release and a missing part as 0', () => {
    const ranges = [{ from: '6.19.0', to: '6.19.9' }];
    expect(['6.19', '6.19.0', '6.19.9'].map(v => versionIn(v, ranges))).toEqual([true, true, true]);
    expect(['6.18.15', '6.19-rc8', '6.19.10', '7.0'].map(v => versionIn(v, ranges))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(versionIn('7.0-rc4', [{ from: '7.0-rc1', to: '7.0-rc4' }])).toBe(true);
    expect(versionSince('6.2-rc1', '6.2')).toBe(false);
  });

  it('finds nothing where version or bound cannot be read', () => {
    expect(versionIn('next', [{}])).toBe(false);
    expect(versionIn('6.1', [{ from: 'x' }])).toBe(false);
    expect(versionIn('6.1', [{ to: 'x' }])).toBe(false);
    expect(versionIn('6.1', [])).toBe(false);
    expect(versionIn('6.1', [{}])).toBe(true);
  });
});

const version = fc.record(
  {
    parts: fc.array(fc.integer({ min: 0, max: 99999 }), { minLength: 1, maxLength: 4 }),
    rc: fc.integer({ min: 0, max: 999 }),
  },
  { requiredKeys: ['parts'] },
);
const write = (v: Version): string => `${v.parts.join('.')}${v.rc === undefined ? '' : `-rc${v.rc}`}`;

describe('compareVersions', () => {
  it('is a total order over what is written and read', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(parseVersion(write(a))).toEqual(a);
        expect(compareVersions(a, a)).toBe(0);
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        const sorted = [a, b, c].sort(compareVersions);
        const steps = sorted.slice(1).map((v, k) => compareVersions(sorted[k] as Version, v));
        expect([...steps, compareVersions(sorted[0] as Version, sorted[2] as Version)].every(n => n <= 0)).toBe(true);
      }),
    );
  });
});
