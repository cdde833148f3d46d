import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KernelOffer } from '../supply/kernels.ts';
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';
import { namesSeveral, versionsOf } from './axes.ts';
import { bisect } from './bisect.ts';
import { cellsOf } from './cells.ts';

const offers = ['7.2.12', '7.2.6', '7.0.4', '6.19.10', '6.19.6', '6.18.15', '6.18.15', '6.12.94'].map(
  version => ({ version }) as KernelOffer,
);

describe('axis', () => {
  test.each([
    ['6.18..6.19', ['6.18.15', '6.19.6', '6.19.10']],
    ['6.19.6..7.0.4', ['6.19.6', '6.19.10', '7.0.4']],
    ['..6.18', ['6.12.94', '6.18.15']],
    ['7.1..', ['7.2.6', '7.2.12']],
    ['all', ['6.12.94', '6.18.15', '6.19.6', '6.19.10', '7.0.4', '7.2.6', '7.2.12']],
    ['6.19, ./bzImage', ['6.19', './bzImage']],
  ])('%s', (text, versions) => {
    expect(versionsOf('kernel', text, offers)).toEqual(versions);
  });
  test('an empty range says what is on offer', () => {
    expect(() => versionsOf('kernel', '5.10..5.15', offers)).toThrow(
      expect.objectContaining({ code: 'E_MATRIX_RANGE', hint: expect.stringContaining('6.12.94 to 7.2.12') as string }),
    );
  });
});

test('of another part the versions are in their order too, and a fault is told by its name', () => {
  const qemus = ['11.1.3', '10.0.13', '10.0.2', '7.2'].map(version => ({ version }));
  expect(versionsOf('qemu', 'all', qemus)).toEqual(['7.2', '10.0.2', '10.0.13', '11.1.3']);
  expect(versionsOf('qemu', '7.2..10.0', qemus)).toEqual(['7.2', '10.0.2', '10.0.13']);
  expect(() => versionsOf('qemu', '8..9', qemus)).toThrow(
    expect.objectContaining({ message: 'no QEMU version on offer lies in 8..9' }),
  );
});

test.each([
  ['all', true],
  ['7.2..', true],
  ['7.2,./qemu', true],
  ['7.2', false],
  ['../qemu', false],
  ['', false],
])('%s names several versions: %s', (text, several) => {
  expect(namesSeveral(text)).toBe(several);
});

test('cells are all combinations', () => {
  expect(
    cellsOf([
      ['kernel', ['a', 'b']],
      ['hostKernel', []],
      ['cpu', ['x', 'y']],
    ]),
  ).toEqual([
    { kernel: 'a', cpu: 'x' },
    { kernel: 'a', cpu: 'y' },
    { kernel: 'b', cpu: 'x' },
    { kernel: 'b', cpu: 'y' },
  ]);
});

describe('bisect', () => {
  const versions = Array.from({ length: 30 }, (_, i) => `v${i}`);
  test('finds the change wherever it is, in logarithmically many runs, around versions that cannot be tested', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 29 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 28 }), { maxLength: 5 }),
        async (change, holes) => {
          const verdictOf = (i: number): Verdict => (i < change ? 'pass' : 'fail');
          const found = await bisect(versions, 'pass', async v =>
            holes.includes(Number(v.slice(1))) ? 'error' : verdictOf(Number(v.slice(1))),
          );
          const [low, high] = [Number(found.last.slice(1)), Number(found.first.slice(1))];
          expect(low).toBeLessThan(change);
          expect(high).toBeGreaterThanOrEqual(change);
          // Whatever lies between could not be tested.
          for (let i = low + 1; i < high; i++) expect(holes).toContain(i);
          expect(found.untested).toEqual(versions.slice(low + 1, high));
          expect(found.tried.length).toBeLessThanOrEqual(6 + holes.length + 2);
          expect(found.unsteady).toEqual([]);
        },
      ),
    );
  });

  test('tries the pair once more, the last first', async () => {
    const asked: string[] = [];
    const found = await bisect(['a', 'b', 'c', 'd'], 'fail', async v => {
      asked.push(v);
      return v < 'c' ? 'fail' : 'pass';
    });
    expect(found).toMatchObject({ last: 'b', first: 'c', unsteady: [] });
    expect(asked.slice(-2)).toEqual(['b', 'c']);
    expect(found.tried.map(t => t.version)).toEqual(asked);
  });

  test.each<[string, Verdict, object[]]>([
    ['b', 'pass', [{ version: 'b', verdicts: ['fail', 'pass'] }]],
    ['a', 'fail', [{ version: 'a', verdicts: ['pass', 'fail'] }]],
    ['b', 'error', [{ version: 'b', verdicts: ['fail', 'error'] }]],
  ])('says that %s is not steady when it is %s the second time', async (version, verdict, unsteady) => {
    const seen = new Set<string>(['a']);
    const found = await bisect(['a', 'b', 'c'], 'pass', async v => {
      if (v === version && seen.has(v)) return verdict;
      seen.add(v);
      return v === 'a' ? 'pass' : 'fail';
    });
    expect(found).toMatchObject({ last: 'a', first: 'b', unsteady });
  });

  test('where nothing between the ends can be tested, it says so', async () => {
    const found = await bisect(['a', 'b', 'c', 'd'], 'pass', async v =>
      v === 'a' ? 'pass' : v === 'd' ? 'fail' : 'skip',
    );
    expect(found).toMatchObject({ last: 'a', first: 'd', untested: ['b', 'c'], unsteady: [] });
  });
});
