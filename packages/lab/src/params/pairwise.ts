/**
 * @module Few points that have every pair of values of two axes somewhere: most faults of software need no more than two values
 * to meet (Kuhn, Wallace, Gallo, IEEE TSE 30, 2004). Greedy, as AETG is (Cohen et al., IEEE TSE 23, 1997). Pure.
 */
import { drawn } from './shuffle.ts';
import { type Point, pointsOf, type Space } from './space.ts';

/** A choice for some axes: label by the number of the axis. */
type Choice = Map<number, string>;

/** What is left out by what is chosen already, whatever the other axes have. */
function impossible(space: Space, chosen: Choice): boolean {
  const numbers = new Map(space.axes.map(({ name }, i) => [name, i]));
  return space.except.some(entry =>
    entry.every(([name, labels]) => {
      const label = chosen.get(numbers.get(name) ?? -1);
      return label !== undefined && labels.includes(label);
    }),
  );
}

const pairKey = (a: number, x: string, b: number, y: string): string =>
  a < b ? `${a} ${x} ${b} ${y}` : `${b} ${y} ${a} ${x}`;

/**
 * Points that cover every pair of values which any point of the space has.
 * @param seed decides among equals: another seed gives other points that cover as much
 * @example pairwise(spaceOf({ a: [0, 1], b: [0, 1], c: [0, 1] }), 1).length // 4 to 6 of 8
 */
export function pairwise(space: Space, seed: number): Point[] {
  const { axes } = space;
  // One axis alone has no pairs.
  if (axes.length < 2) return [...pointsOf(space)];
  let draws = 0;
  const open = new Map<string, readonly [number, string, number, string]>();
  for (const [a, one] of axes.entries())
    for (const [b, other] of axes.entries())
      if (a < b)
        for (const { label: x } of one.values)
          for (const { label: y } of other.values) open.set(pairKey(a, x, b, y), [a, x, b, y]);

  const gain = (chosen: Choice, axis: number, label: string): number => {
    let sum = 0;
    for (const [b, y] of chosen) if (open.has(pairKey(axis, label, b, y))) sum++;
    return sum;
  };
  /** Chooses for the axes that are open, what covers most first; goes back where nothing is left. */
  const complete = (chosen: Choice): Choice | undefined => {
    if (impossible(space, chosen)) return undefined;
    const axis = axes.findIndex((_, i) => !chosen.has(i));
    if (axis < 0) return chosen;
    const ranked = (axes[axis]?.values ?? [])
      .map(({ label }) => ({ label, gain: gain(chosen, axis, label), chance: drawn(seed, draws++) }))
      .toSorted((p, q) => q.gain - p.gain || p.chance - q.chance);
    for (const { label } of ranked) {
      const found = complete(new Map([...chosen, [axis, label]]));
      if (found !== undefined) return found;
    }
    return undefined;
  };

  const points: Point[] = [];
  for (let first = open.entries().next(); first.done !== true; first = open.entries().next()) {
    const [key, [a, x, b, y]] = first.value;
    const found = complete(
      new Map([
        [a, x],
        [b, y],
      ]),
    );
    open.delete(key);
    // No point of the space has the two.
    if (found === undefined) continue;
    for (const [i, one] of found) for (const [j, other] of found) if (i < j) open.delete(pairKey(i, one, j, other));
    points.push(Object.fromEntries(axes.map(({ name }, i) => [name, found.get(i) ?? ''])));
  }
  return points;
}
