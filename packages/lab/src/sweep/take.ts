/** @module Which points of a space are taken, in the order of a seed. */
import { pairwise } from '../params/pairwise.ts';
import { drawn, shuffledPoints } from '../params/shuffle.ts';
import type { Point, Space } from '../params/space.ts';

/** All points, as few as have all pairs of values, or so many by chance. */
export type Take = 'full' | 'pairwise' | number;

/** The points, each once; the first so many of a sample are those of a larger one. */
export function takePoints(space: Space, take: Take, seed: number): Point[] {
  if (take === 'pairwise') {
    return pairwise(space, seed)
      .map((point, i) => ({ point, at: drawn(seed, 'order', i) }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ point }) => point);
  }
  const points: Point[] = [];
  for (const point of shuffledPoints(space, seed)) {
    if (take !== 'full' && points.length >= take) break;
    points.push(point);
  }
  return points;
}

/** The same, one by one: a large space is not held. */
export function* pointsIn(space: Space, take: Take, seed: number): Generator<Point> {
  if (take === 'pairwise') return yield* takePoints(space, take, seed);
  let n = 0;
  for (const point of shuffledPoints(space, seed)) {
    if (take !== 'full' && n++ >= take) return;
    yield point;
  }
}
