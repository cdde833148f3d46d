/** @module The shapes of a scene in the order in which they are painted, for any surface: a canvas, or SVG. */
import { type Color, layerColor, runColor } from './palette.ts';
import { type Mark, type Scene, segments } from './scene.ts';

/** What a surface can do. Coordinates are px, `y` of a text is its base line. */
export interface Surface {
  rect(x: number, y: number, width: number, height: number, fill: Color, opacity?: number): void;
  /** A path of `M`, `L`, `C` and `Z` with numbers; stroked unless `fill` is true. */
  path(d: readonly PathStep[], color: Color, options?: PathOptions): void;
  circle(x: number, y: number, r: number, fill: Color | undefined, stroke?: Color, width?: number): void;
  text(x: number, y: number, text: string, color: Color, options?: TextOptions): void;
}
export type PathStep =
  | readonly ['M' | 'L', number, number]
  | readonly ['C', number, number, number, number, number, number]
  | readonly ['Z'];
interface PathOptions {
  width?: number;
  dash?: readonly number[];
  fill?: boolean;
  opacity?: number;
}
interface TextOptions {
  bold?: boolean;
  size?: number;
  align?: 'start' | 'middle' | 'end';
  /** A border in the colour of the ground, so that lines below do not disturb. */
  halo?: Color;
}

export const LABEL = 11.5;
/** Width of the flag where two runs part. */
const FLAG = 98;

const diamond = (x: number, y: number, r: number): PathStep[] => [
  ['M', x, y - r],
  ['L', x + r, y],
  ['L', x, y + r],
  ['L', x - r, y],
  ['Z'],
];
const triangle = (x: number, y: number, r: number): PathStep[] => [
  ['M', x - r, y - r * 0.8],
  ['L', x + r, y - r * 0.8],
  ['L', x, y + r],
  ['Z'],
];

/** Shape says what an event is, also where colours are not seen: ▼ the injection, ◆ fatal, ◉ evidence, ● any other. */
function paintMark(surface: Surface, mark: Mark): void {
  const { x, y, weight, layer, selected, evidence, broke } = mark;
  const color = layerColor(layer);
  if (selected) surface.circle(x, y, 11, undefined, 'accent', 2.5);
  if (evidence) surface.circle(x, y, 7.5, 'bg', broke ? 'bad' : 'good', 2);
  if (weight === 'fatal') surface.path(diamond(x, y, evidence ? 5.5 : 6.5), 'bad', { fill: true });
  else if (weight === 'injection') surface.path(triangle(x, y, 6.5), 'bad', { fill: true });
  else if (weight === 'step') surface.circle(x, y, 2.5, color);
  else surface.circle(x, y, weight === 'plain' ? 3.5 : 4.5, color);
}

/** Paints a scene. */
export function paint(scene: Scene, surface: Surface): void {
  const { width, height, left, axis, lanes } = scene;
  surface.rect(0, 0, width, height, 'bg');
  for (const [i, lane] of lanes.entries()) {
    if (i % 2 === 0) surface.rect(0, lane.y, width, lane.height, 'lane');
  }
  for (const { x, at } of scene.ticks) {
    if (at === 0 && scene.zero !== undefined) continue;
    surface.path(
      [
        ['M', x, axis],
        ['L', x, height],
      ],
      'grid',
      { width: 1 },
    );
  }
  for (const lane of lanes) {
    for (const y of lane.lines)
      surface.path(
        [
          ['M', left, y],
          ['L', width - 12, y],
        ],
        'grid',
        { width: 1 },
      );
  }
  for (const { x, y, layer, strength } of scene.bins)
    surface.path(
      [
        ['M', x, y - 6],
        ['L', x, y + 6],
      ],
      layerColor(layer),
      { width: 1, opacity: strength * 0.8 },
    );
  if (scene.zero !== undefined)
    surface.path(
      [
        ['M', scene.zero, axis - 4],
        ['L', scene.zero, height],
      ],
      'bad',
      { width: 1.5, dash: [4, 3] },
    );
  for (const curve of scene.way) {
    const color = scene.way.length > 1 ? runColor(curve.run) : 'accent';
    for (const [x1 = 0, y1 = 0, a = 0, b = 0, c = 0, d = 0, x2 = 0, y2 = 0] of segments(curve))
      surface.path(
        [
          ['M', x1, y1],
          ['C', a, b, c, d, x2, y2],
        ],
        color,
        { width: 2, opacity: 0.75 },
      );
  }
  for (const mark of scene.marks) paintMark(surface, mark);
  // What the curves run into while they are out of sight.
  surface.rect(0, 0, left - 6, height, 'bg');
  for (const [i, lane] of lanes.entries()) {
    if (i % 2 === 0) surface.rect(0, lane.y, left - 6, lane.height, 'lane');
    surface.text(
      left - (lane.lines.length > 1 ? 30 : 12),
      lane.y + lane.height / 2 + 4,
      lane.name,
      layerColor(lane.layer),
      {
        bold: true,
        size: 12.5,
        align: 'end',
      },
    );
    for (const [run, y] of lane.lines.entries()) {
      if (lane.lines.length > 1)
        surface.text(left - 12, y + 4, run === 0 ? 'A' : 'B', runColor(run), { bold: true, size: 11, align: 'end' });
    }
  }
  for (const { x, y, text, bold, weight } of scene.labels) {
    const color: Color = weight === 'fatal' || weight === 'injection' ? 'bad' : bold ? 'text' : 'muted';
    surface.text(x, y, text, color, { bold, size: LABEL, halo: 'bg' });
  }
  const flag = scene.first && (scene.first.flip ? scene.first.x - FLAG : scene.first.x);
  for (const { x, label, at } of scene.ticks) {
    if (x < left || x > width - 16) continue;
    if (flag !== undefined && x > flag - 30 && x < flag + FLAG + 30) continue;
    surface.text(x, axis - 8, label, at === 0 ? 'bad' : 'muted', { size: 11, align: 'middle', bold: at === 0 });
  }
  if (scene.first && flag !== undefined) {
    const { x, y } = scene.first;
    surface.path(
      [
        ['M', x, 18],
        ['L', x, height],
      ],
      'bad',
      { width: 1.5 },
    );
    surface.circle(x, y, 10, undefined, 'bad', 2);
    surface.rect(flag, 3, FLAG, 16, 'bad');
    surface.text(flag + FLAG / 2, 14.5, 'first difference', 'bg', { bold: true, size: 10.5, align: 'middle' });
  }
}
