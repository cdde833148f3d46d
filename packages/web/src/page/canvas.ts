/** @module A canvas as a surface for scenes. */
import { LABEL, type PathStep, type Surface } from '../view/draw.ts';
import type { Palette } from '../view/palette.ts';

const FONT = "system-ui, 'DejaVu Sans', sans-serif";
export const fontOf = (size: number, bold: boolean): string => `${bold ? '600 ' : ''}${size}px ${FONT}`;

function trace(context: CanvasRenderingContext2D, steps: readonly PathStep[]): void {
  context.beginPath();
  for (const step of steps) {
    if (step[0] === 'M') context.moveTo(step[1], step[2]);
    else if (step[0] === 'L') context.lineTo(step[1], step[2]);
    else if (step[0] === 'C') context.bezierCurveTo(step[1], step[2], step[3], step[4], step[5], step[6]);
    else context.closePath();
  }
}

/** Paints on a canvas, whose size in px and in points has been set. */
export function canvasSurface(context: CanvasRenderingContext2D, palette: Palette): Surface {
  return {
    rect(x, y, width, height, fill, opacity = 1) {
      context.globalAlpha = opacity;
      context.fillStyle = palette[fill];
      context.fillRect(x, y, width, height);
      context.globalAlpha = 1;
    },
    path(steps, color, { width = 1, dash = [], fill = false, opacity = 1 } = {}) {
      trace(context, steps);
      context.globalAlpha = opacity;
      if (fill) {
        context.fillStyle = palette[color];
        context.fill();
      } else {
        context.strokeStyle = palette[color];
        context.lineWidth = width;
        context.setLineDash([...dash]);
        context.stroke();
        context.setLineDash([]);
      }
      context.globalAlpha = 1;
    },
    circle(x, y, r, fill, stroke, width = 1) {
      context.beginPath();
      context.arc(x, y, r, 0, 2 * Math.PI);
      if (fill) {
        context.fillStyle = palette[fill];
        context.fill();
      }
      if (stroke) {
        context.strokeStyle = palette[stroke];
        context.lineWidth = width;
        context.stroke();
      }
    },
    text(x, y, text, color, { bold = false, size = LABEL, align = 'start', halo } = {}) {
      context.font = fontOf(size, bold);
      context.textAlign = align === 'middle' ? 'center' : align;
      if (halo) {
        context.strokeStyle = palette[halo];
        context.lineWidth = 3;
        context.lineJoin = 'round';
        context.strokeText(text, x, y);
      }
      context.fillStyle = palette[color];
      context.fillText(text, x, y);
    },
  };
}

/** Sets a canvas to a size in px and clears it; undefined where there is no context. */
export function sized(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  ratio: number,
): CanvasRenderingContext2D | undefined {
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d') ?? undefined;
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** Measures texts as the canvas draws them; what was measured is kept. */
export function measurer(): (text: string, bold: boolean) => number {
  const context = document.createElement('canvas').getContext('2d');
  const known = new Map<string, number>();
  return (text, bold) => {
    if (!context) return text.length * 6.5;
    const key = `${bold ? 'b' : ' '}${text}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    context.font = fontOf(LABEL, bold);
    const { width } = context.measureText(text);
    if (known.size > 20_000) known.clear();
    known.set(key, width);
    return width;
  };
}
