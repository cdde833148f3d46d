/** @module Text laid out for a terminal or a mail: at most 100 columns. What is laid out is safe for a screen. */
import { escapeText } from '../common/screen.ts';

export const COLUMNS = 100;
/** Narrower than this nothing is laid out. */
export const MIN_COLUMNS = 48;

/** Whether one blank stands between words and nothing else that separates them. */
function spaced(text: string): boolean {
  return !text.includes('  ') && !text.startsWith(' ') && !text.endsWith(' ') && !/[^\S ]/.test(text);
}

/**
 * Words filled into lines of at most `columns`, each with `indent` before it. A longer word stands alone. For text without
 * styles: whatever a screen would obey is escaped.
 */
export function wrap(text: string, indent = '', columns = COLUMNS): string[] {
  const words = escapeText(spaced(text) ? text : text.trim().replace(/\s+/g, ' '));
  const width = Math.max(1, columns - indent.length);
  const lines: string[] = [];
  let start = 0;
  while (words.length - start > width) {
    let end = words.lastIndexOf(' ', start + width);
    if (end <= start) end = words.indexOf(' ', start + width);
    if (end < 0) break;
    lines.push(indent + words.slice(start, end));
    start = end + 1;
  }
  if (start < words.length) lines.push(indent + words.slice(start));
  return lines;
}

/** {@link labelled} of words that are safe for a screen and hold no blank, such as `addr=0x…`: they need no second look. */
export function labelledWords(label: string, words: readonly string[], width = 13, columns = COLUMNS): string[] {
  if (words.length === 0) return [];
  const pad = ' '.repeat(width + 2);
  const lines: string[] = [];
  let line = `  ${label.padEnd(width)}${words[0]}`;
  for (let i = 1; i < words.length; i++) {
    const word = words[i] as string;
    if (line.length + 1 + word.length <= columns) line += ` ${word}`;
    else {
      lines.push(line);
      line = pad + word;
    }
  }
  lines.push(line);
  return lines;
}

/** `label  text`, wrapped, the text aligned behind the label. */
export function labelled(label: string, text: string, width = 13, columns = COLUMNS): string[] {
  const pad = ' '.repeat(width + 2);
  const lines = wrap(text, pad, columns);
  if (lines.length === 0) return [];
  return [`  ${escapeText(label).padEnd(width)}${(lines[0] ?? '').slice(pad.length)}`, ...lines.slice(1)];
}
