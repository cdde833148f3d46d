/**
 * @module A map of what kernels do: the points of a space that are known on all of them, merged into classes that come to the
 * same on each; and what differs between two. Pure.
 */
import { compareVersions, parseVersion } from '@syndrome/decode/outlook/version.ts';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import { isSimpler, type Point, type Space } from '../params/space.ts';
import type { Agreement } from './judge.ts';
import type { PlacedCell, Setup } from './store.ts';

/** What a point came to on one kernel: what classes are made by. */
interface Came {
  outcome: Outcome;
  /** si_code of the SIGBUS, of who got one. */
  signal?: string;
}

/** What is measured of a space on one kernel, by JSON of its point. */
export interface KernelCells {
  kernel: string;
  cells: ReadonlyMap<string, PlacedCell>;
}

/** Points that come to the same on every kernel. */
interface MapClass {
  points: number;
  /** By kernel, in the order of the map. */
  came: (Came & { disagree: number; line?: string; trace?: string })[];
  /** Axes on which the points of the class have not all the values that the points of the map have: what is in it. */
  always: Record<string, string[]>;
  /** The one with the first values. */
  simplest: Point;
}

/** What `map --json` prints. */
export interface SpaceMap {
  schemaVersion: 1;
  space: string;
  title: string;
  /** The oldest first. */
  kernels: string[];
  /** Known on all of them. */
  points: number;
  /** Known on some of them only: they are in no class. */
  partly: number;
  agreement: Record<Agreement, number>;
  /** The largest first. */
  classes: MapClass[];
}

/** The version in the name of a kernel. @example versionOf('7.3.4+deb13-cloud-amd64 amd64') // '7.3.4' */
export const versionOf = (kernel: string): string => kernel.split(/[+ ]/)[0] ?? kernel;

/** Kernels by their versions, the oldest first. */
export function byVersion(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  return left && right ? compareVersions(left, right) : a.localeCompare(b);
}

/** Of each kernel the machine of which most is known. */
export function newestSetups(
  setups: readonly { setup: Setup; cells: ReadonlyMap<string, PlacedCell> }[],
): { setup: Setup; cells: ReadonlyMap<string, PlacedCell> }[] {
  const best = [...Map.groupBy(setups, ({ setup }) => setup.kernel).values()].flatMap(
    some => some.toSorted((a, b) => b.cells.size - a.cells.size)[0] ?? [],
  );
  return best.filter(({ cells }) => cells.size > 0).toSorted((a, b) => byVersion(a.setup.kernel, b.setup.kernel));
}

const cameOf = ({ outcome, signal }: PlacedCell): Came =>
  outcome === 'signalled' && signal !== undefined ? { outcome, signal } : { outcome };

/** @example words({ outcome: 'signalled', signal: 'BUS_MCEERR_AO' }) // 'signalled BUS_MCEERR_AO' */
export const cameWords = ({ outcome, signal }: Came): string =>
  signal === undefined ? outcome : `${outcome} ${signal}`;

/** Values of each axis that some of the points have, where these are not all that points of the map have. */
function alwaysOf(space: Space, points: readonly Point[], all: readonly Point[]): Record<string, string[]> {
  const has = (of: readonly Point[], axis: string): Set<string> => new Set(of.map(point => point[axis] ?? ''));
  return Object.fromEntries(
    space.axes.flatMap(({ name, values }) => {
      const [here, anywhere] = [has(points, name), has(all, name)];
      if (here.size === anywhere.size) return [];
      return [[name, values.flatMap(({ label }) => (here.has(label) ? [label] : []))]];
    }),
  );
}

const simplestOf = (space: Space, points: readonly Point[]): Point =>
  points.reduce((best, point) => (isSimpler(space, point, best) ? point : best));

/** The map of a space over kernels. */
export function mapOf(
  { name, title, space }: { name: string; title: string; space: Space },
  kernels: readonly KernelCells[],
): SpaceMap {
  const [first] = kernels;
  const places = new Set(kernels.flatMap(({ cells }) => [...cells.keys()]));
  const whole = [...(first?.cells.keys() ?? [])].filter(place => kernels.every(({ cells }) => cells.has(place)));
  const points = new Map(whole.map(place => [place, JSON.parse(place) as Point]));
  const all = [...points.values()];
  const at = ({ cells }: KernelCells, place: string): PlacedCell => cells.get(place) as PlacedCell;
  const groups = Map.groupBy(whole, place => JSON.stringify(kernels.map(kernel => cameOf(at(kernel, place)))));
  const agreement: Record<Agreement, number> = { agree: 0, disagree: 0, undecided: 0 };
  for (const place of whole)
    for (const kernel of kernels) {
      const judged = at(kernel, place).agreement;
      if (judged !== undefined) agreement[judged]++;
    }
  const classes = [...groups.values()].map((group): MapClass => {
    const of = group.map(place => points.get(place) as Point);
    const simplest = simplestOf(space, of);
    const example = group[of.indexOf(simplest)] ?? '';
    return {
      points: group.length,
      came: kernels.map(kernel => {
        const { line, trace, ...cell } = at(kernel, example);
        return {
          ...cameOf(cell),
          disagree: group.filter(place => at(kernel, place).agreement === 'disagree').length,
          ...(line === undefined ? {} : { line }),
          ...(trace === undefined ? {} : { trace }),
        };
      }),
      always: alwaysOf(space, of, all),
      simplest,
    };
  });
  return {
    schemaVersion: 1,
    space: name,
    title,
    kernels: kernels.map(({ kernel }) => kernel),
    points: whole.length,
    partly: places.size - whole.length,
    agreement,
    classes: classes.toSorted((a, b) => b.points - a.points),
  };
}

/** What points that two kernels treat differently come to on each. */
interface MapChange {
  space: string;
  points: number;
  from: Came;
  to: Came;
  always: Record<string, string[]>;
  simplest: Point;
  /** The lines that tell most of the simplest. */
  fromLine?: string;
  toLine?: string;
}

/** What `diff-map --json` prints. */
export interface MapDiff {
  schemaVersion: 1;
  from: string;
  to: string;
  /** Known on both, by space. */
  spaces: { space: string; points: number; same: number }[];
  /** The most points first. */
  changes: MapChange[];
}

/** Both kernels of a space. */
interface SpacePair {
  name: string;
  space: Space;
  from: ReadonlyMap<string, PlacedCell>;
  to: ReadonlyMap<string, PlacedCell>;
}

/** What changed between two kernels, over spaces. */
export function diffOf(kernels: { from: string; to: string }, pairs: readonly SpacePair[]): MapDiff {
  const diff: MapDiff = { schemaVersion: 1, ...kernels, spaces: [], changes: [] };
  for (const { name, space, from, to } of pairs) {
    const both = [...from.keys()].filter(place => to.has(place));
    const all = both.map(place => JSON.parse(place) as Point);
    const cellsOf = (place: string): [PlacedCell, PlacedCell] => [
      from.get(place) as PlacedCell,
      to.get(place) as PlacedCell,
    ];
    const groups = Map.groupBy(both, place =>
      cellsOf(place)
        .map(cell => cameWords(cameOf(cell)))
        .join(' → '),
    );
    let same = 0;
    for (const group of groups.values()) {
      const [a, b] = cellsOf(group[0] ?? '').map(cameOf) as [Came, Came];
      if (cameWords(a) === cameWords(b)) {
        same += group.length;
        continue;
      }
      const points = group.map(place => JSON.parse(place) as Point);
      const simplest = simplestOf(space, points);
      const [before, after] = cellsOf(group[points.indexOf(simplest)] ?? '');
      diff.changes.push({
        space: name,
        points: group.length,
        from: a,
        to: b,
        always: alwaysOf(space, points, all),
        simplest,
        ...(before.line === undefined ? {} : { fromLine: before.line }),
        ...(after.line === undefined ? {} : { toLine: after.line }),
      });
    }
    diff.spaces.push({ space: name, points: both.length, same });
  }
  diff.changes.sort((a, b) => b.points - a.points);
  return diff;
}
