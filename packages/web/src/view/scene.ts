/** @module The lanes of one run or two as shapes: what the canvas paints, what becomes SVG, and what lies under the pointer. */
import type { Layer } from '@syndrome/trace/event.ts';
import { LAYERS } from '@syndrome/trace/event.ts';
import { type Run, timeOf, type Weight, WEIGHT, weightOf, wordsOf } from './run.ts';
import { type Tick, ticksOf } from './time.ts';

/** What is drawn, ns from the zero of each run. */
interface SceneInput {
  /** One run, or two that are compared. */
  runs: readonly Run[];
  from: number;
  to: number;
  width: number;
  /** Width of a text in px, as it is going to be drawn. */
  measure: (text: string, bold: boolean) => number;
  /** Events of other runs are left out; index into `runs` and into its events. */
  selected?: EventPlace | undefined;
  /** Where the runs part. */
  first?: EventPlace | undefined;
  /** Steps of the lab are drawn too. */
  steps: boolean;
}
export interface EventPlace {
  run: number;
  index: number;
}

export interface Mark extends EventPlace {
  x: number;
  y: number;
  weight: Weight;
  layer: Layer;
  selected: boolean;
  /** An expectation that it decided failed. */
  broke: boolean;
  evidence: boolean;
}
interface Label {
  x: number;
  y: number;
  text: string;
  bold: boolean;
  weight: Weight;
  layer: Layer;
}
interface Lane {
  layer: Layer;
  name: string;
  y: number;
  height: number;
  /** Middle of the line of each run. */
  lines: number[];
}
/** Raw lines of one pixel of a lane. */
interface Bin {
  x: number;
  y: number;
  layer: Layer;
  /** 0 to 1. */
  strength: number;
}
interface Curve {
  run: number;
  points: readonly { x: number; y: number }[];
}
export interface Scene {
  width: number;
  height: number;
  /** Where the lanes begin, px; before it stand their names. */
  left: number;
  axis: number;
  ticks: (Tick & { x: number })[];
  zero: number | undefined;
  lanes: Lane[];
  bins: Bin[];
  marks: Mark[];
  labels: Label[];
  way: Curve[];
  first: { x: number; y: number; flip: boolean } | undefined;
}

const AXIS = 24;
/** Above and below the line of a single run there is a row for words; of two runs each has one above. */
const SINGLE = { height: 48, line: 24 };
const DOUBLE = { height: 66, line: 22, next: 32 };
/** Between two labels. */
const GAP = 8;
const WIDEST = 340;
const NARROWEST = 70;

/** A text cut so that it fits; undefined where not even a few letters do. */
function fitted(text: string, bold: boolean, room: number, measure: SceneInput['measure']): string | undefined {
  if (measure(text, bold) <= room) return text;
  if (room < NARROWEST) return undefined;
  let [low, high] = [3, text.length];
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    if (measure(`${text.slice(0, middle)}…`, bold) <= room) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low).trimEnd()}…`;
}

/** First index of a sorted array whose value is not below `value`. */
function lowerBound(sorted: ArrayLike<number>, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rows of words of a lane: what is taken of each. */
class Rows {
  readonly #taken = new Map<number, [from: number, to: number][]>();

  fits(y: number, from: number, to: number): boolean {
    return (this.#taken.get(y) ?? []).every(([a, b]) => to < a || from > b);
  }

  /** Room from a place on to the next words, or to the right end; 0 where something is there already. */
  roomAfter(y: number, x: number, right: number): number {
    let end = right;
    for (const [a, b] of this.#taken.get(y) ?? []) {
      if (x >= a - GAP && x <= b + GAP) return 0;
      if (a > x) end = Math.min(end, a - GAP);
    }
    return end - x;
  }

  take(y: number, from: number, to: number): void {
    this.#taken.set(y, [...(this.#taken.get(y) ?? []), [from, to]]);
  }
}

/** All lanes that any of the runs has, in the order of the layers. */
const lanesOfRuns = (runs: readonly Run[]): Layer[] => {
  const [first] = runs;
  if (first !== undefined && runs.length === 1) return first.lanes;
  return LAYERS.filter(layer => runs.some(run => run.lanes.includes(layer)));
};

/**
 * Lays out the lanes.
 * @returns shapes in px; `marks` are what can be hit
 */
export function sceneOf(input: SceneInput): Scene {
  const { runs, from, to, width, measure, selected, first, steps } = input;
  const double = runs.length > 1;
  // Names that are no layers are longer.
  const left = double || runs[0]?.laneNames ? 96 : 78;
  const right = width - 12;
  const { height: laneHeight, line } = double ? DOUBLE : SINGLE;
  const layers = lanesOfRuns(runs);
  const lanes = layers.map((layer, i): Lane => {
    const y = AXIS + i * laneHeight;
    const name = runs[0]?.laneNames?.[layer] ?? layer;
    return { layer, name, y, height: laneHeight, lines: runs.map((_, run) => y + line + run * DOUBLE.next) };
  });
  const scale = (right - left) / (to - from);
  const xOf = (ns: number): number => left + (ns - from) * scale;
  const lineOf = (layer: Layer, run: number): number | undefined => lanes[layers.indexOf(layer)]?.lines[run];

  const bins: Bin[] = [];
  const marks: Mark[] = [];
  for (const [number, run] of runs.entries()) {
    bins.push(...binsOf(run, number));
    marks.push(...marksOf(run, number));
  }
  const zero = xOf(0);
  return {
    width,
    height: AXIS + lanes.length * laneHeight,
    left,
    axis: AXIS,
    ticks: ticksOf(from, to, Math.max(2, (right - left) / 110)).map(tick => ({ ...tick, x: xOf(tick.at) })),
    zero: zero >= left && zero <= right ? zero : undefined,
    lanes,
    bins,
    marks,
    labels: labelsOf(),
    way: runs.map((run, number) => ({ run: number, points: curveOf(run, number) })),
    first: firstPlace(),
  };

  /** Where the runs part; its flag stands to the left where there is no room to the right. */
  function firstPlace(): Scene['first'] {
    const run = first && runs[first.run];
    const event = run?.trace.events[first?.index ?? -1];
    const y = event && first && lineOf(event.layer, first.run);
    if (run === undefined || event === undefined || y === undefined) return undefined;
    const x = xOf(timeOf(run, event));
    return x < left || x > right ? undefined : { x, y, flip: x > right - 110 };
  }

  function binsOf(run: Run, number: number): Bin[] {
    const counts = new Map<number, number>();
    const { times, layers: of, zero: start } = run;
    const end = lowerBound(times, to + start);
    const lineOfLayer = LAYERS.map(layer => lineOf(layer, number) ?? -1);
    for (let i = lowerBound(times, from + start); i < end; i++) {
      const layer = of[i] ?? 0;
      if ((lineOfLayer[layer] ?? -1) < 0) continue;
      const x = Math.round(xOf((times[i] ?? 0) - start));
      const key = layer * 65_536 + x;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([key, count]) => {
      const layer = Math.floor(key / 65_536);
      return {
        x: key % 65_536,
        y: lineOfLayer[layer] ?? 0,
        layer: LAYERS[layer] ?? 'lab',
        strength: Math.min(1, 0.25 + Math.log2(count) / 8),
      };
    });
  }

  function marksOf(run: Run, number: number): Mark[] {
    const { events } = run.trace;
    const best = new Map<string, Mark>();
    for (const index of run.told) {
      const event = events[index];
      const at = event === undefined ? from - 1 : timeOf(run, event);
      if (at < from || at > to) continue;
      const y = event && lineOf(event.layer, number);
      if (event === undefined || y === undefined) continue;
      const weight = weightOf(run, index);
      if (weight === 'step' && !steps) continue;
      const x = xOf(at);
      const isSelected = selected?.run === number && selected.index === index;
      const decided = run.decides.get(event.seq) ?? [];
      const mark: Mark = {
        run: number,
        index,
        x,
        y,
        weight,
        layer: event.layer,
        selected: isSelected,
        evidence: decided.length > 0,
        broke: decided.some(e => run.judgement.expectations[e]?.status === 'fail'),
      };
      // Of many at one place the weightiest stands for all.
      const key = `${y} ${Math.round(x / 2)}`;
      const there = best.get(key);
      if (there === undefined || isSelected || (!there.selected && WEIGHT[weight] < WEIGHT[there.weight]))
        best.set(key, mark);
    }
    return [...best.values()];
  }

  function labelsOf(): Label[] {
    const rows = new Rows();
    const order = marks.toSorted(
      (a, b) => Number(b.selected) - Number(a.selected) || WEIGHT[a.weight] - WEIGHT[b.weight] || a.x - b.x,
    );
    const labels: Label[] = [];
    // Behind so many there is no room for another one.
    for (const mark of order.slice(0, 400)) {
      const event = runs[mark.run]?.trace.events[mark.index];
      const words = runs[mark.run]?.words?.[mark.index] ?? (event && wordsOf(event));
      if (words === undefined) continue;
      const bold = mark.weight !== 'plain' && mark.weight !== 'step';
      const places = double ? [mark.y - 11] : [mark.y - 11, mark.y + 18];
      const label = placed(mark, words, bold, places, rows);
      if (label) labels.push(label);
    }
    return labels;
  }

  /** Where the words of a mark overlap nothing: whole if they can be, else where there is most room. */
  function placed(mark: Mark, words: string, bold: boolean, places: number[], rows: Rows): Label | undefined {
    const wide = Math.min(WIDEST, measure(words, bold));
    const start = Math.max(left + 2, mark.x - 4);
    const put = (x: number, y: number, text: string): Label => {
      rows.take(y, x, x + measure(text, bold));
      return { x, y, text, bold, weight: mark.weight, layer: mark.layer };
    };
    const rooms = places.map(y => ({ y, room: rows.roomAfter(y, start, right) }));
    const enough = rooms.find(({ room }) => room >= wide);
    if (enough) return put(start, enough.y, fitted(words, bold, wide, measure) ?? words);
    // Before the mark as a whole; cut only where nothing fits behind it, for people read on from a mark.
    const end = Math.min(mark.x + 4, right);
    const before = (most: number): Label | undefined => {
      const text = fitted(words, bold, Math.min(most, end - left), measure);
      const from = text === undefined ? left : end - measure(text, bold);
      const y = places.find(place => rows.fits(place, from - GAP, end + GAP));
      return text === undefined || from < left || y === undefined ? undefined : put(from, y, text);
    };
    const best = rooms.toSorted((a, b) => b.room - a.room)[0];
    const whole = measure(words, bold) <= WIDEST ? before(wide) : undefined;
    if (whole) return whole;
    const text = best && fitted(words, bold, best.room, measure);
    if (best && text !== undefined) return put(start, best.y, text);
    return before(WIDEST) ?? before(WIDEST / 2);
  }

  function curveOf(run: Run, number: number): { x: number; y: number }[] {
    return run.way.flatMap(index => {
      const event = run.trace.events[index];
      const y = event && lineOf(event.layer, number);
      return y === undefined || event === undefined ? [] : [{ x: xOf(timeOf(run, event)), y }];
    });
  }
}

/** The cubic curve from one station to the next: `[x1, y1, cx1, cy1, cx2, cy2, x2, y2]`. */
export function segments({ points }: Curve): number[][] {
  return points.slice(1).map((end, i) => {
    const start = points[i] ?? end;
    const bend = Math.min(90, Math.max(10, (end.x - start.x) / 2));
    return [start.x, start.y, start.x + bend, start.y, end.x - bend, end.y, end.x, end.y];
  });
}

/** The mark under a point, the nearest within reach. */
export function hit(scene: Scene, x: number, y: number): Mark | undefined {
  let best: Mark | undefined;
  let nearest = 12;
  for (const mark of scene.marks) {
    const away = Math.hypot(mark.x - x, (mark.y - y) * 0.8);
    if (away < nearest) [best, nearest] = [mark, away];
  }
  return best;
}
