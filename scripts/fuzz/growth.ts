/** Fuzz targets that time every parser: none may take more than in proportion to what it is given. */
import { growthOf, power } from './growth/measure.ts';
import { PARSERS, type Parser } from './growth/parsers.ts';
import { type Shape, shapeOf } from './growth/shapes.ts';
import type { Target } from './target.ts';

/** Shapes after which more teach little. */
const MOST = 1000;

const ms = (n: number): string => n.toFixed(n < 10 ? 1 : 0).padStart(6);

/** The shape that took longest: its times again, the least of some. */
function row(run: Parser['run'], shape: Shape): string {
  const all = [growthOf(run, shape.make)];
  // What grows too fast has been measured again and again already.
  while (all.length < 4 && all[0]?.wrong === undefined) all.push(growthOf(run, shape.make));
  const shortest = Math.min(...all.map(({ times }) => times.length));
  const best = all[0]?.times
    .slice(0, shortest)
    .map(([size], i): [number, number] => [size, Math.min(...all.map(({ times }) => times[i]?.[1] ?? Infinity))]);
  const last = (best ?? []).slice(-3);
  const exponent = last.length < 3 ? 1 : power(last[0] ?? [1, 1], last[2] ?? [1, 1]);
  const shown = last.map(([size, time]) => `${size / 1000}k ${ms(time)} ms`);
  return `${shown.join('  ')}  exponent ${exponent.toFixed(2)}  ${shape.name}`;
}

/** The target of one parser. */
export function growthTarget({ name, seeds, run, most = MOST }: Parser): Target {
  let worst: { time: number; shape: Shape } | undefined;
  return {
    name: `growth:${name}`,
    holds: 'crafted text of 10k, 20k and 40k characters: the time grows with the length, not with its square',
    weight: 2,
    most,
    measures: true,
    open: () => (chance, n) => {
      const shape = shapeOf(chance, n, seeds);
      const growth = growthOf(run, shape.make);
      const [, time = 0] = growth.times.at(-1) ?? [];
      if (time > (worst?.time ?? 0)) worst = { time, shape };
      return growth.wrong === undefined ? [] : [`${growth.wrong}: ${shape.name}`];
    },
    note: () => (worst === undefined ? undefined : row(run, worst.shape)),
  };
}

export const GROWTH: readonly Target[] = PARSERS.map(growthTarget);
