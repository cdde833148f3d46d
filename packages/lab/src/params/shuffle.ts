/** @module The points of a space in an order that a seed decides, without holding them. */
import { createHash } from 'node:crypto';
import { isLeftOut, type Point, pointAt, sizeOf, type Space } from './space.ts';

/** A number below 2^32 that looks like chance, and is the same for the same words. */
export const drawn = (...words: readonly (string | number)[]): number =>
  createHash('sha256').update(words.join(' ')).digest().readUInt32BE();

const ROUNDS = 4;

/**
 * Every number from 0 to below `size` once, in an order that the seed decides. A Feistel network is a permutation whatever its
 * rounds do; it goes over a square, and what lies beyond the size is gone through again (cycle walking).
 * @example [...shuffled(4, 1)].toSorted() // [0, 1, 2, 3]
 */
export function* shuffled(size: number, seed: number): Generator<number> {
  const side = Math.max(2, Math.ceil(Math.sqrt(size)));
  const once = (index: number): number => {
    let [left, right] = [Math.floor(index / side), index % side];
    for (let round = 0; round < ROUNDS; round++) {
      [left, right] = [right, (left + drawn(seed, round, right)) % side];
    }
    return left * side + right;
  };
  for (let i = 0; i < size; i++) {
    let at = once(i);
    while (at >= size) at = once(at);
    yield at;
  }
}

/** All points of a space, each once, in the order of a seed. */
export function* shuffledPoints(space: Space, seed: number): Generator<Point> {
  for (const index of shuffled(sizeOf(space), seed)) {
    const point = pointAt(space, index);
    if (!isLeftOut(space, point)) yield point;
  }
}
