import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pairwise } from './pairwise.ts';
import { shuffled, shuffledPoints } from './shuffle.ts';
import { isLeftOut, labelOf, type Point, pointsOf, sizeOf, type Space, spaceOf } from './space.ts';

/** Spaces of up to five axes with up to four values, and up to three entries that leave something out. */
const spaces: fc.Arbitrary<Space> = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 })
  .chain(sizes => {
    const params = Object.fromEntries(sizes.map((size, i) => [`a${i}`, Array.from({ length: size }, (_, v) => v)]));
    const entry = fc
      .subarray(
        sizes.map((_, i) => i),
        { minLength: 1 },
      )
      .chain(axes => fc.tuple(...axes.map(i => fc.nat({ max: (sizes[i] ?? 1) - 1 }).map(v => [`a${i}`, v] as const))))
      .map(pairs => Object.fromEntries(pairs));
    return fc.array(entry, { maxLength: 3 }).map(except => spaceOf(params, except));
  });

/** All pairs of values of two axes that a point has. */
const pairsOf = (point: Point): string[] =>
  Object.entries(point).flatMap(([a, x], i, all) => all.slice(i + 1).map(([b, y]) => `${a}=${x} ${b}=${y}`));

describe('any space', () => {
  test('has as many points as its product, less what is left out', () => {
    fc.assert(
      fc.property(spaces, space => {
        const points = [...pointsOf(space)];
        const product = spaceOf(Object.fromEntries(space.axes.map(a => [a.name, a.values.map(v => v.label)])));
        const left = [...pointsOf(product)].filter(point => isLeftOut(space, point)).length;
        expect(points).toHaveLength(sizeOf(space) - left);
      }),
    );
  });
  test('comes shuffled with each point once, the same for a seed', () => {
    fc.assert(
      fc.property(spaces, fc.nat(), (space, seed) => {
        const points = [...shuffledPoints(space, seed)].map(labelOf);
        expect(points).toEqual([...shuffledPoints(space, seed)].map(labelOf));
        expect(points.toSorted()).toEqual([...pointsOf(space)].map(labelOf).toSorted());
      }),
    );
  });
  test('has all its pairs in the points that pairwise takes, and no others', () => {
    fc.assert(
      fc.property(spaces, fc.nat(), (space, seed) => {
        const taken = pairwise(space, seed);
        const all = new Set([...pointsOf(space)].flatMap(pairsOf));
        expect(new Set(taken.flatMap(pairsOf))).toEqual(all);
        for (const point of taken) expect(isLeftOut(space, point)).toBe(false);
        expect(taken).toEqual(pairwise(space, seed));
      }),
    );
  });
});

describe('an order', () => {
  test('of many differs from seed to seed, and starts anywhere', () => {
    const first = (seed: number): number[] => [...shuffled(5000, seed)].slice(0, 50);
    expect(first(1)).not.toEqual(first(2));
    expect(new Set(shuffled(5000, 3)).size).toBe(5000);
    // The first 1,000 of 5,000 in ten drawers of 500: each has 100, give or take five standard deviations.
    const drawers = Array.from({ length: 10 }, () => 0);
    for (const at of [...shuffled(5000, 7)].slice(0, 1000)) drawers[Math.floor(at / 500)]! += 1;
    for (const n of drawers) expect(Math.abs(n - 100)).toBeLessThan(43);
  });
});

test('pairwise of sixteen bits needs few points', () => {
  const bits = spaceOf(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`b${i}`, [0, 1]])));
  expect(pairwise(bits, 1).length).toBeLessThan(16);
});
