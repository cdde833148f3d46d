/** @module The lanes of the run, painted: time from left to right, a lane a layer. All of it is in the list of events too. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { paint } from '../view/draw.ts';
import { timeOf, wordsOf } from '../view/run.ts';
import { hit, type Mark, type Scene, sceneOf } from '../view/scene.ts';
import { sinceZero } from '../view/time.ts';
import { canvasSurface, measurer, sized } from './canvas.ts';
import type { TraceModel } from './model.ts';
import { currentPalette } from './palette.ts';
import type { ThemeModel } from './theme.ts';
import { useSize } from './use-size.ts';

/** The scene of what the model looks at. */
export function currentScene(
  model: TraceModel,
  width: number,
  measure: (text: string, bold: boolean) => number,
  steps: boolean,
): Scene {
  const [from, to] = model.window.value;
  return sceneOf({
    runs: model.runs.value,
    from,
    to,
    width,
    measure,
    selected: model.selected.value,
    first: model.firstDifference.value,
    steps,
  });
}

interface Hover {
  x: number;
  y: number;
  at: number;
  mark: Mark | undefined;
}

export function Lanes({ model, theme }: { model: TraceModel; theme: ThemeModel }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(box);
  const measure = useMemo(measurer, []);
  const [hover, setHover] = useState<Hover | undefined>(undefined);
  const drag = useRef<{ x: number; from: number; to: number; moved: boolean } | undefined>(undefined);
  const scene = width > 200 ? currentScene(model, width, measure, model.steps.value) : undefined;
  const version = theme.version.value;
  const [from, to] = model.window.value;

  useEffect(() => {
    if (!scene || !canvas.current) return;
    const context = sized(canvas.current, scene.width, scene.height, devicePixelRatio);
    if (context) paint(scene, canvasSurface(context, currentPalette()));
  });
  // Painted anew with the colours of another theme.
  void version;

  const timeAt = (x: number): number => {
    const [left, right] = [scene?.left ?? 0, (scene?.width ?? 1) - 12];
    return from + ((x - left) / (right - left)) * (to - from);
  };

  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 16 : 1;
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey)
        model.pan(((event.shiftKey ? event.deltaY : event.deltaX) * unit) / 900);
      else model.zoom(Math.exp((event.deltaY * unit) / 500), timeAt(event.offsetX));
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  });

  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    drag.current = { x: event.offsetX, from, to, moved: false };
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (!scene) return;
    const { offsetX: x, offsetY: y } = event;
    const held = drag.current;
    if (held) {
      if (Math.abs(x - held.x) > 3) held.moved = true;
      if (held.moved)
        model.moveTo(held.from - ((x - held.x) / (scene.width - 12 - scene.left)) * (held.to - held.from));
    }
    setHover({ x, y, at: timeAt(x), mark: held?.moved ? undefined : hit(scene, x, y) });
  };
  const onPointerUp = (event: PointerEvent): void => {
    const held = drag.current;
    drag.current = undefined;
    if (!held || held.moved || !scene) return;
    const mark = hit(scene, event.offsetX, event.offsetY);
    if (mark) model.choose({ run: mark.run, index: mark.index });
  };

  const runs = model.runs.value;
  const hoveredRun = hover?.mark && runs[hover.mark.run];
  const hovered = hoveredRun?.trace.events[hover?.mark?.index ?? -1];
  const about = runs
    .map(
      (run, i) =>
        `${runs.length > 1 ? `${i === 0 ? 'A' : 'B'}: ` : ''}${run.told.length} events in ${run.lanes.length} layers`,
    )
    .join('; ');
  return (
    <div class="lanes" ref={box}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Time line, ${sinceZero(from)} to ${sinceZero(to)}. ${about}. The list below has every event.`}
        style={{
          width: `${scene?.width ?? 0}px`,
          height: `${scene?.height ?? 0}px`,
          cursor: hover?.mark ? 'pointer' : drag.current?.moved ? 'grabbing' : 'crosshair',
        }}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerLeave={() => setHover(undefined)}
      />
      {hover && scene && hover.x >= scene.left && (
        <div class="lanes-cursor" style={{ left: `${hover.x}px`, height: `${scene.height}px` }} aria-hidden="true">
          <span class={hover.x > scene.width - 110 ? 'is-left' : ''}>{sinceZero(hover.at)}</span>
        </div>
      )}
      {hovered && hoveredRun && hover && scene && (
        <div
          class="lanes-tip"
          aria-hidden="true"
          style={{
            left: `${Math.min(hover.x + 12, scene.width - 380)}px`,
            ...(hover.y > scene.height - 70
              ? { bottom: `${scene.height - hover.y + 12}px` }
              : { top: `${hover.y + 14}px` }),
          }}
        >
          <b>{sinceZero(timeOf(hoveredRun, hovered))}</b> {hovered.layer} · {hovered.name}
          <br />
          {wordsOf(hovered)}
        </div>
      )}
    </div>
  );
}
