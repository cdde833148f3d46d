/** @module The whole run in a strip, and the window in it, which can be moved and made longer. */
import { useEffect, useRef } from 'preact/hooks';
import { layerColor } from '../view/palette.ts';
import { wholeWindow } from '../view/run.ts';
import { LAYERS } from '@syndrome/trace/event.ts';
import { sized } from './canvas.ts';
import type { TraceModel } from './model.ts';
import { currentPalette } from './palette.ts';
import type { ThemeModel } from './theme.ts';
import { useSize } from './use-size.ts';

const HEIGHT = 26;
const EDGE = 7;

export function Minimap({ model, theme }: { model: TraceModel; theme: ThemeModel }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(box);
  const runs = model.runs.value;
  const version = theme.version.value;
  const [low, high] = wholeWindow(runs);
  const left = runs.length > 1 ? 96 : 78;
  const right = width - 12;
  const xOf = (at: number): number => left + ((at - low) / (high - low)) * (right - left);
  const timeOf = (x: number): number => low + ((x - left) / (right - left)) * (high - low);
  const [from, to] = model.window.value;
  const drag = useRef<{ kind: 'move' | 'from' | 'to'; at: number; from: number; to: number } | undefined>(undefined);

  useEffect(() => {
    if (width < 200 || !canvas.current) return;
    const context = sized(canvas.current, width, HEIGHT, devicePixelRatio);
    if (!context) return;
    const palette = currentPalette();
    context.fillStyle = palette.lane;
    context.fillRect(left, 2, right - left, HEIGHT - 4);
    const rows = runs.length;
    for (const [number, run] of runs.entries()) {
      const counts = new Map<number, { count: number; layer: number }>();
      for (let i = 0; i < run.times.length; i++) {
        const x = Math.round(xOf((run.times[i] ?? 0) - run.zero));
        const there = counts.get(x);
        if (there) there.count++;
        else counts.set(x, { count: 1, layer: run.layers[i] ?? 0 });
      }
      const room = (HEIGHT - 6) / rows;
      const base = 3 + room * (number + 1);
      for (const [x, { count, layer }] of counts) {
        const tall = Math.min(room - 1, 2 + Math.log2(count + 1) * (room / 8));
        context.fillStyle = palette[layerColor(LAYERS[layer] ?? 'lab')];
        context.globalAlpha = 0.75;
        context.fillRect(x, base - tall, 1, tall);
      }
      context.globalAlpha = 1;
    }
    context.fillStyle = palette.bad;
    context.fillRect(Math.round(xOf(0)), 1, 1.5, HEIGHT - 2);
  }, [runs, width, version]);

  const kindAt = (x: number): 'move' | 'from' | 'to' => {
    const [a, b] = [xOf(from), xOf(to)];
    if (Math.abs(x - a) <= EDGE && (b - a > 3 * EDGE || x < a)) return 'from';
    return Math.abs(x - b) <= EDGE && (b - a > 3 * EDGE || x > b) ? 'to' : 'move';
  };
  const place = (event: PointerEvent): number => event.clientX - (box.current?.getBoundingClientRect().left ?? 0);
  const onPointerDown = (event: PointerEvent): void => {
    const x = place(event);
    const at = timeOf(x);
    const kind = kindAt(x);
    let [start, end] = [from, to];
    if (kind === 'move' && (at < from || at > to)) {
      model.moveTo(at - (to - from) / 2);
      [start, end] = model.window.value;
    }
    drag.current = { kind, at, from: start, to: end };
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent): void => {
    const held = drag.current;
    if (!held) return;
    const away = timeOf(place(event)) - held.at;
    if (held.kind === 'move') model.moveTo(held.from + away);
    else if (held.kind === 'from') model.setWindow(Math.min(held.from + away, held.to - 1), held.to);
    else model.setWindow(held.from, Math.max(held.to + away, held.from + 1));
  };
  const [a, b] = [Math.max(left, xOf(from)), Math.min(right, xOf(to))];
  return (
    <div
      class="minimap"
      ref={box}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => (drag.current = undefined)}
      onDblClick={() => model.whole()}
    >
      <span class="minimap-label" aria-hidden="true" style={{ width: `${left - 12}px` }}>
        whole run
      </span>
      <canvas
        ref={canvas}
        role="img"
        aria-label="The whole run; the keys w, a, s, d move the window in it"
        style={{ width: `${width}px`, height: `${HEIGHT}px` }}
      />
      {width > 200 && (
        <div class="minimap-window" style={{ left: `${a}px`, width: `${Math.max(3, b - a)}px` }} aria-hidden="true">
          <i />
          <i />
        </div>
      )}
    </div>
  );
}
