/**
 * @module A space of variants as data: axes with the values that each may have, and the combinations that make no sense. One
 * language for whoever varies something: a scenario with parameters, a matrix over them, a sweep. Pure.
 *
 *     params:
 *       kill: [early, late]
 *       page:
 *         anon: { sharing: private, lsb: 12 }
 *         huge: { sharing: hugetlb, lsb: 21 }
 *     except:
 *       - { page: huge, kill: late }
 */
import { z } from 'zod';

/** What a value is called: it stands in names of runs, files and tests. */
const LABEL = /^[A-Za-z0-9][\w+-]{0,39}$/;
/** Names that are no parameters: `$name` in a file are values that steps save. */
const NAME = /^[a-z][a-z0-9-]{0,31}$/;

const label = z.string().regex(LABEL, 'use letters, digits, _, + and - (40 at most)');
const name = z.string().regex(NAME, 'use lower-case letters, digits and dashes');
/** A value that is its own name. */
const plain = z.union([label, z.number(), z.boolean()]);

/** Values of one axis: a list of plain ones, or by name what each stands for. */
const axis = z.union([
  z.array(plain).min(1).max(1000),
  z
    .record(label, z.record(z.string().regex(/^[A-Za-z][\w-]*$/), z.unknown()))
    .refine(rows => Object.keys(rows).length > 0, 'expected at least one value'),
]);

/** The `params:` of a file. */
export const paramsSchema = z
  .record(name, axis)
  .describe(
    'axes: a list of values, or named values with fields; ${axis} and ${axis.field} in the file stand for them',
  );

/** The `except:` of a file. */
export const exceptSchema = z
  .array(z.record(name, z.union([plain, z.array(plain).min(1)])))
  .describe('combinations that are left out: those that have all that one entry says');

/** One value of an axis. */
interface AxisValue {
  label: string;
  /** What `${axis}` stands for, and by their names what `${axis.field}` stands for. */
  value: unknown;
  fields: Readonly<Record<string, unknown>>;
}

interface ParamAxis {
  name: string;
  values: readonly AxisValue[];
}

/** Axes and what is left out of their product. */
export interface Space {
  axes: readonly ParamAxis[];
  /** Labels by axis: a point that has one of each is none. */
  except: readonly (readonly (readonly [axis: string, labels: readonly string[]])[])[];
}

/** One combination: the label of the value on each axis, in the order of the axes. */
export type Point = Readonly<Record<string, string>>;

type Params = z.infer<typeof paramsSchema>;
type Except = z.infer<typeof exceptSchema>;

/** The space that a file describes. */
export function spaceOf(params: Params, except: Except = []): Space {
  return {
    axes: Object.entries(params).map(([axisName, values]) => ({
      name: axisName,
      values: Array.isArray(values)
        ? values.map(value => ({ label: String(value), value, fields: {} }))
        : Object.entries(values).map(([key, fields]) => ({ label: key, value: key, fields })),
    })),
    except: except.map(entry =>
      Object.entries(entry).map(([axisName, of]) => [axisName, (Array.isArray(of) ? of : [of]).map(String)] as const),
    ),
  };
}

/** How many points the product of the axes has, before anything is left out. */
export function sizeOf({ axes }: Space): number {
  return axes.reduce((size, { values }) => size * values.length, 1);
}

/** Whether a point is one of the combinations that make no sense. */
export function isLeftOut({ except }: Space, point: Point): boolean {
  return except.some(entry => entry.every(([axisName, labels]) => labels.includes(point[axisName] ?? '')));
}

/** A combination by its place in the product, the first axis varying slowest; it may be one that is left out. */
export function pointAt({ axes }: Space, index: number): Point {
  let rest = index;
  const labels = axes.toReversed().map(({ name: axisName, values }) => {
    const label = values[rest % values.length]?.label ?? '';
    rest = Math.floor(rest / values.length);
    return [axisName, label] as const;
  });
  return Object.fromEntries(labels.toReversed());
}

/**
 * All points, the first axis varying slowest.
 * @example [...pointsOf(spaceOf({ kill: ['early', 'late'] }))] // [{ kill: 'early' }, { kill: 'late' }]
 */
export function* pointsOf(space: Space): Generator<Point> {
  for (let i = 0; i < sizeOf(space); i++) {
    const point = pointAt(space, i);
    if (!isLeftOut(space, point)) yield point;
  }
}

/** The values of a point by the names under which a file refers to them: `kill`, `page`, `page.lsb`. */
export function valuesOf({ axes }: Space, point: Point): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const { name: axisName, values: of } of axes) {
    const one = of.find(value => value.label === point[axisName]);
    if (one === undefined) continue;
    values.set(axisName, one.value);
    for (const [field, value] of Object.entries(one.fields)) values.set(`${axisName}.${field}`, value);
  }
  return values;
}

/** Whether one point has earlier values than another: fewer that are not the first, then the earlier on the first axis that differs. */
export function isSimpler({ axes }: Space, a: Point, b: Point): boolean {
  const placesOf = (point: Point): number[] =>
    axes.map(({ name: axisName, values }) => values.findIndex(({ label }) => label === point[axisName]));
  const [left, right] = [placesOf(a), placesOf(b)];
  const others = (places: readonly number[]): number => places.filter(place => place > 0).length;
  if (others(left) !== others(right)) return others(left) < others(right);
  const at = left.findIndex((place, i) => place !== right[i]);
  return at !== -1 && (left[at] ?? 0) < (right[at] ?? 0);
}

/** What a point is called. @example labelOf({ page: 'anon', kill: 'early' }) // 'anon early' */
export const labelOf = (point: Point): string => Object.values(point).join(' ');
