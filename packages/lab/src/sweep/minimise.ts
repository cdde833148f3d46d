/** @module The smallest cell that shows a disagreement: the first value of as many axes as possible, as a space says what is simple. */
import { isLeftOut, type Point } from '../params/space.ts';
import type { SweepSpace } from './spaces.ts';

/**
 * Sets one axis after the other to its first value, and keeps what still shows it, until no axis can be set any more.
 * @param shows whether a point shows the same disagreement; each point is asked for once
 */
export async function minimise(
  { space }: SweepSpace,
  point: Point,
  shows: (point: Point) => Promise<boolean>,
): Promise<Point> {
  let smallest = point;
  const asked = new Set<string>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const { name, values } of space.axes) {
      const simpler = values.slice(
        0,
        values.findIndex(({ label }) => label === smallest[name]),
      );
      for (const { label } of simpler) {
        const tried: Point = { ...smallest, [name]: label };
        const key = JSON.stringify(tried);
        if (isLeftOut(space, tried) || asked.has(key)) continue;
        asked.add(key);
        if (!(await shows(tried))) continue;
        smallest = tried;
        changed = true;
        break;
      }
    }
  }
  return smallest;
}
