/** @module The time line of an incident, painted as the lanes of a run are. All of it is in the table below, too. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Explanation } from '@syndrome/supervisor/client/types.ts';
import { paint } from '../../view/draw.ts';
import { incidentRun } from '../../view/fleet/timeline.ts';
import { fittedWindow } from '../../view/run.ts';
import { sceneOf } from '../../view/scene.ts';
import { canvasSurface, measurer, sized } from '../canvas.ts';
import { currentPalette } from '../palette.ts';
import type { ThemeModel } from '../theme.ts';
import { useSize } from '../use-size.ts';

export function IncidentLanes({ explained, theme }: { explained: Explanation; theme: ThemeModel }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(box);
  const measure = useMemo(measurer, []);
  const run = useMemo(() => incidentRun(explained), [explained]);
  const [from, to] = run ? fittedWindow([run]) : [0, 1];
  const scene = run && width > 200 ? sceneOf({ runs: [run], from, to, width, measure, steps: true }) : undefined;
  const version = theme.version.value;
  useEffect(() => {
    if (!scene || !canvas.current) return;
    const context = sized(canvas.current, scene.width, scene.height, devicePixelRatio);
    if (context) paint(scene, canvasSurface(context, currentPalette()));
  });
  // Painted anew with the colours of another theme.
  void version;
  return (
    <div class="lanes" ref={box}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Time line of the incident: ${run?.told.length ?? 0} moments in ${run?.lanes.length ?? 0} lanes. The table below has what was decided.`}
        style={{ width: `${scene?.width ?? 0}px`, height: `${scene?.height ?? 0}px` }}
      />
    </div>
  );
}
