import { styleText } from 'node:util';
import { escapeLines, escapeText } from '@syndrome/decode/common/screen.ts';
import { plain, type Style } from '@syndrome/trace/style.ts';

/** Columns to draw on: those of the terminal within reason, 100 where the stream is none. */
export function widthOf(stream: { isTTY?: boolean; columns?: number }): number {
  if (stream.isTTY !== true || stream.columns === undefined) return 100;
  return Math.min(140, Math.max(60, stream.columns));
}

/**
 * Stands in every escape sequence of a style until it is written. Text from outside cannot hold it, as it is another one in
 * every process: only what this program has styled itself comes out in colour, whatever anybody forgot to escape.
 */
const OURS = `style-${[1, 2].map(() => Math.random().toString(36).slice(2)).join('')}:`;
const MARKED = new RegExp(`\u001b\\[${OURS}([0-9;]+m)`);

/** The style for a stream: honours NO_COLOR, FORCE_COLOR and terminals without colour. For {@link styledLine} to write. */
export function styleFor(stream: NodeJS.WriteStream, color?: boolean): Style {
  if (color === false) return plain;
  const options = color === true ? { validateStream: false } : { stream };
  return (format, text) => {
    const [before = '', after = ''] = styleText(format, '\0', options).split('\0');
    return `${marked(before)}${text}${marked(after)}`;
  };
}

const marked = (sequences: string): string => sequences.replaceAll('\u001b[', `\u001b[${OURS}`);

/** Escapes all that was not styled here. */
function written(text: string, escape: (piece: string) => string): string {
  const escaped = escape(text);
  // A style begins with what is escaped: where nothing was there is none, which is most text, and it was looked through once.
  if (escaped === text || !text.includes(OURS)) return escaped;
  return text
    .split(MARKED)
    .map((piece, i) => (i % 2 === 0 ? escape(piece) : `\u001b[${piece}`))
    .join('');
}

/** A line as it goes to a terminal: its styles in colour, everything else that a terminal would obey escaped. */
export const styledLine = (line: string): string => written(line, escapeText);

/** As {@link styledLine}, for several lines with their line feeds. */
export const styledLines = (lines: string): string => written(lines, escapeLines);
