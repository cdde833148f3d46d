/** @module A scene as SVG: one text, nothing loaded, the colours in it. */
import { escapeMarkup as escape } from '@syndrome/decode/common/markup.ts';
import { LABEL, paint, type PathStep, type Surface } from './draw.ts';
import type { Palette } from './palette.ts';
import type { Scene } from './scene.ts';

const n = (value: number): string => String(Math.round(value * 100) / 100);

const steps = (d: readonly PathStep[]): string =>
  d.map(([kind, ...numbers]) => kind + numbers.map(n).join(' ')).join('');

/** A line of words over a picture. */
export interface Caption {
  text: string;
  bold: boolean;
  bad?: boolean;
}
export const CAPTION_LINE = 20;

/**
 * The scene with words over it, so that it says by itself what it shows.
 * @returns a whole SVG document; text in it is escaped
 */
export function svgOf(scene: Scene, palette: Palette, captions: readonly Caption[]): string {
  const out: string[] = [];
  const surface: Surface = {
    rect: (x, y, width, height, fill, opacity = 1) =>
      out.push(
        `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${palette[fill]}"${opacity === 1 ? '' : ` opacity="${n(opacity)}"`}/>`,
      ),
    path: (d, color, { width = 1, dash, fill = false, opacity = 1 } = {}) =>
      out.push(
        `<path d="${steps(d)}" ${fill ? `fill="${palette[color]}"` : `fill="none" stroke="${palette[color]}" stroke-width="${n(width)}"`}${dash ? ` stroke-dasharray="${dash.join(' ')}"` : ''}${opacity === 1 ? '' : ` opacity="${n(opacity)}"`}/>`,
      ),
    circle: (x, y, r, fill, stroke, width = 1) =>
      out.push(
        `<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="${fill ? palette[fill] : 'none'}"${stroke ? ` stroke="${palette[stroke]}" stroke-width="${n(width)}"` : ''}/>`,
      ),
    text: (x, y, text, color, { bold = false, size = LABEL, align = 'start', halo } = {}) =>
      out.push(
        `<text x="${n(x)}" y="${n(y)}" font-size="${n(size)}" fill="${palette[color]}"${bold ? ' font-weight="600"' : ''}${align === 'start' ? '' : ` text-anchor="${align}"`}${halo ? ` stroke="${palette[halo]}" stroke-width="3" paint-order="stroke" stroke-linejoin="round"` : ''}>${escape(text)}</text>`,
      ),
  };
  paint(scene, surface);
  const head = captions.length * CAPTION_LINE + (captions.length > 0 ? 12 : 0);
  const words = captions.map(
    ({ text, bold, bad }, i) =>
      `<text x="12" y="${20 + i * CAPTION_LINE}" font-size="${bold ? 14 : 12}" fill="${palette[bad ? 'bad' : bold ? 'text' : 'muted']}"${bold ? ' font-weight="600"' : ''}>${escape(text)}</text>`,
  );
  const [width, height] = [scene.width, scene.height + head + 8];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}" font-family="system-ui, 'DejaVu Sans', sans-serif"><rect width="${n(width)}" height="${n(height)}" fill="${palette.bg}"/>${words.join('')}<g transform="translate(0 ${head})">${out.join('')}</g></svg>\n`;
}
