/** @module Text laid out for a terminal or a mail: at most 100 columns. */

export const COLUMNS = 100;

/** Words filled into lines of at most `columns`, each with `indent` before it. A longer word stands alone. */
export function wrap(text: string, indent = '', columns = COLUMNS): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (word === '') continue;
    if (line !== '' && indent.length + line.length + 1 + word.length > columns) {
      lines.push(indent + line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(indent + line);
  return lines;
}

/** `label  text`, wrapped, the text aligned behind the label. */
export function labelled(label: string, text: string, width = 13): string[] {
  const pad = ' '.repeat(width + 2);
  const lines = wrap(text, pad);
  if (lines.length === 0) return [];
  return [`  ${label.padEnd(width)}${(lines[0] ?? '').slice(pad.length)}`, ...lines.slice(1)];
}
