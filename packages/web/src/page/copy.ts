/** @module What people take along: the run as text, its picture as SVG or PNG, a link. */
import { plain } from '@syndrome/trace/style.ts';
import { lanesOf, Timeline } from '@syndrome/trace/timeline.ts';
import { runLine } from '@syndrome/trace/parts-line.ts';
import { outcomeWord, verdictLines } from '@syndrome/trace/verdict-lines.ts';
import { compareLines } from '@syndrome/trace/compare/lines.ts';
import { toText } from '@syndrome/decode/decode/to-text.ts';
import { escapeText, safeText } from '@syndrome/decode/common/screen.ts';
import { paint } from '../view/draw.ts';
import { matrixLines } from '../view/matrix-lines.ts';
import { type Run, stateOf } from '../view/run.ts';
import { type Caption, CAPTION_LINE, svgOf } from '../view/svg.ts';
import { canvasSurface, fontOf, measurer, sized } from './canvas.ts';
import { currentScene } from './lanes.tsx';
import type { DecodeModel } from './decode-model.ts';
import type { MatrixModel } from './matrix-model.ts';
import type { TraceModel } from './model.ts';
import { currentPalette } from './palette.ts';

const LOOK = { style: plain, width: 100 };
/** Width of a picture, px, whatever that of the window. */
const WIDTH = 1280;

/** The runs as the command line prints them. */
function textOfRuns(model: TraceModel): string {
  const [a, b] = model.runs.value;
  const comparison = model.comparison.value;
  if (!a) return '';
  if (comparison && b) return `${compareLines(comparison, [a.name, b.name], LOOK).join('\n')}\n`;
  const { header, events } = a.trace;
  const timeline = new Timeline({ ...LOOK, layers: lanesOf(header) });
  const lines = [
    `${safeText(header.scenario, 200)}  ${safeText(header.startedAt, 100)}`,
    runLine(header),
    timeline.head(),
    ...events.flatMap(event => timeline.lines(event)),
    ...verdictLines(header.scenario, a.judgement, undefined, LOOK),
  ];
  return `${lines.join('\n')}\n`;
}

function captionsOf(model: TraceModel): Caption[] {
  const runs = model.runs.value;
  const line = (run: Run, letter: string): Caption => ({
    text: `${letter}${stateOf(run).toUpperCase()}  ${safeText(run.trace.header.scenario, 80)}  outcome ${outcomeWord(run.judgement)}  ${run.judgement.seconds.toFixed(1)} s`,
    bold: true,
    bad: run.judgement.verdict === 'fail',
  });
  if (runs.length < 2)
    return runs.flatMap(run => [line(run, ''), { text: escapeText(runLine(run.trace.header)), bold: false }]);
  const parts = model.comparison.value?.parts ?? [];
  return [
    ...runs.map((run, i) => line(run, i === 0 ? 'A  ' : 'B  ')),
    {
      text: parts
        .map(({ part, a, b }) => safeText(`${part}: ${a ?? 'none'} in A, ${b ?? 'none'} in B`, 160))
        .join(' · '),
      bold: false,
    },
  ];
}

function svgOfRuns(model: TraceModel): string {
  const scene = currentScene(model, WIDTH, measurer(), model.steps.value);
  return svgOf(scene, currentPalette(), captionsOf(model));
}

async function pngOfRuns(model: TraceModel): Promise<Blob> {
  const scene = currentScene(model, WIDTH, measurer(), model.steps.value);
  const captions = captionsOf(model);
  const head = captions.length * CAPTION_LINE + 12;
  const canvas = document.createElement('canvas');
  const context = sized(canvas, WIDTH, scene.height + head + 8, 2);
  if (!context) throw new Error('no canvas');
  const palette = currentPalette();
  context.fillStyle = palette.bg;
  context.fillRect(0, 0, WIDTH, scene.height + head + 8);
  for (const [i, { text, bold, bad }] of captions.entries()) {
    context.font = fontOf(bold ? 14 : 12, bold);
    context.fillStyle = palette[bad ? 'bad' : bold ? 'text' : 'muted'];
    context.fillText(text, 12, 20 + i * CAPTION_LINE);
  }
  context.translate(0, head);
  paint(scene, canvasSurface(context, palette));
  return await new Promise((resolve, reject) =>
    canvas.toBlob(blob => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'),
  );
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * Puts a text or a picture on the clipboard; saves it as a file where the browser does not allow that.
 * @returns what was done, in words
 */
export async function take(model: TraceModel, what: 'text' | 'SVG' | 'PNG' | 'link'): Promise<string> {
  const name = (model.runs.value[0]?.trace.header.scenario ?? 'run').replace(/[^\w.-]+/g, '-').slice(0, 60);
  if (what === 'PNG') {
    const blob = await pngOfRuns(model);
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
      return 'PNG copied';
    } catch {
      save(blob, `${name}.png`);
      return `${name}.png saved`;
    }
  }
  const text =
    what === 'text'
      ? textOfRuns(model)
      : what === 'SVG'
        ? svgOfRuns(model)
        : location.href.replace(/#.*$/, '') + model.hash();
  try {
    await navigator.clipboard.writeText(text);
    return `${what} copied`;
  } catch {
    if (what === 'link') return `copy it from the address line: ${text.slice(-120)}`;
    const [type, ending] = what === 'SVG' ? ['image/svg+xml', 'svg'] : ['text/plain', 'txt'];
    save(new Blob([text], { type }), `${name}.${ending}`);
    return `${name}.${ending} saved`;
  }
}

/** Takes a record along: as the command line prints it, or as a link. */
export async function takeRecord(model: DecodeModel, what: 'text' | 'link'): Promise<string> {
  const record = model.record.value;
  const hash = model.hash();
  if (!record) return 'no record';
  if (what === 'link' && hash === undefined) return 'the record is too long for a link';
  const text = what === 'text' ? `${toText(record).join('\n')}\n` : addressWith(hash ?? '');
  return put(what, text, 'record.txt');
}

/** Takes a matrix along: as text for a mail, or as a link. */
export async function takeMatrix(model: MatrixModel, what: 'text' | 'link'): Promise<string> {
  const text = what === 'text' ? `${matrixLines(model.shown.value).join('\n')}\n` : addressWith(model.hash());
  return put(what, text, 'matrix.txt');
}

const addressWith = (hash: string): string => location.href.replace(/#.*$/, '') + hash;

/** @returns what was done, in words */
async function put(what: 'text' | 'link', text: string, file: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return `${what} copied`;
  } catch {
    if (what === 'link') return `copy it from the address line: ${text.slice(-120)}`;
    save(new Blob([text], { type: 'text/plain' }), file);
    return `${file} saved`;
  }
}

/** Puts a command on the clipboard. @returns what was done, in words */
export async function takeCommand(command: string): Promise<string> {
  return put('text', `${command}\n`, 'command.txt');
}
