/**
 * @module What shows lines of a log to people: pages in HTML, tables of Markdown, numbers before each line, borders of a terminal,
 * quotation marks of a chat, texts in which the ends of lines are escaped. Sources: HTML 13.3 and 13.5 (serializing, named references);
 * GitHub Flavored Markdown 4.10; less(1) -N, cat(1) -n, grep(1) -n; kubectl logs --prefix; logcli (Loki); aws logs tail.
 */
import { BEHIND, BREAK, ELEMENT, OPENS, PAGE_TAG, cellsOfRow, unescaped } from './markup.ts';
import { MAX_LINE, writerOf } from './line.ts';
import type { Writer } from './line.ts';

/** A line that is laid out as a page begins or ends with an element; within a line one may be the name of a process, which anybody chooses. */
const LAID_OUT = /^\s{0,64}<\/?[a-z][^<>]{0,400}>|<\/?[a-z][^<>]{0,400}>\s{0,64}$/i;
/** Blanks of other kinds, and characters of no width at the ends of a line, that come with what was copied from a page. */
const BLANKS = /[\u00a0\u2007\u202f]/g;
const LEADING = /^[\u200b\u200c\u2060\ufeff]{1,64}/;
const TRAILING = /(?<![\u200b\u200c\u2060\ufeff])[\u200b\u200c\u2060\ufeff]{1,64}$/;
/** Borders of panes and boxes; blanks fill a row up to the second. */
const LEFT_BORDER = /^\s{0,4}[│┃║▏]\s?/;
const RIGHT_BORDER = /[│┃║▕]\s{0,4}$/;
/** The marks of a quotation, as a chat exports them. */
const QUOTATION = /^(?:&gt; ?){1,8}/i;
/** A row of a table of Markdown: it begins and ends with a bar, and holds none that is escaped. */
const ROW = /^\s{0,4}\|\s.{1,8192}\s\|\s{0,4}$/s;
/** What stands before a text in quotation marks, as a program shows it, and behind it. */
const OPENS_TEXT = /^\s{0,16}(?:\w{1,32}\s{0,2}[=:]\s{0,2})?[bu]?(["'])/;
const BARE_DOUBLE = /(?<!\\)"/;
const BARE_SINGLE = /(?<!\\)'/;
const ENDS_TEXT = /(["'])[,;)]{0,2}\s{0,4}$/;
const MAX_PARTS = 4096;

/** Anything of it in a line, so that most are looked at once. */
const ANY = /[\u00a0\u2007\u202f\u200b\u200c\u2060\ufeff│┃║▏▕]|<\/?[a-z]|&(?:#|[a-z]{2,4};)|^\s{0,4}\|\s|\\n/i;

/** A text in quotation marks whose ends of lines are escaped; undefined for any other line. */
function escapedText(line: string): string | undefined {
  const opens = OPENS_TEXT.exec(line);
  const ends = opens === null ? null : ENDS_TEXT.exec(line.slice(opens[0].length));
  if (opens === null || ends === null || ends[1] !== opens[1]) return undefined;
  const text = line.slice(opens[0].length, opens[0].length + ends.index);
  // A quotation mark within it would have ended it.
  return text.includes('\\n') && !(ends[1] === '"' ? BARE_DOUBLE : BARE_SINGLE).test(text) ? text : undefined;
}

/** Without the blanks, borders and characters of no width that came with what showed a line: nothing of the line itself. */
function cleaned(line: string): string {
  if (!ANY.test(line)) return line;
  const text = line
    .replaceAll(BLANKS, ' ')
    .replace(LEADING, '')
    .replace(TRAILING, '')
    .replace(LEFT_BORDER, '')
    .replace(QUOTATION, marks => marks.replaceAll(/&gt;/gi, '>'));
  return RIGHT_BORDER.test(text) ? text.replace(RIGHT_BORDER, '').trimEnd() : text;
}

/**
 * The lines that a line shows, without what is there for people only; undefined for a line that is what it is.
 * @param line one that names no program, as it is without what stands around it: what a program wrote is its text
 * @example unwrapped('<span>a &lt; b</span><br>') // → ['a < b']
 */
function unwrapped(line: string): string[] | undefined {
  if (!ANY.test(line)) return undefined;
  let text = line;
  const escaped = escapedText(text);
  if (escaped !== undefined) {
    return escaped.split('\\n', MAX_PARTS).map(part => part.replaceAll(/\\(["'\\])/g, '$1').replaceAll('\\t', '\t'));
  }
  // The last line of a text in XML that has several.
  if (!/<[A-Za-z?]/.test(text)) text = text.replace(/(\S)\s{0,8}(?:<\/[A-Za-z][\w.:-]{0,64}>){1,16}\s{0,4}$/, '$1');
  if (ROW.test(text)) return cellsOfRow(text)?.filter(cell => cell.trim() !== '');
  const isPage = LAID_OUT.test(text);
  const parts = isPage ? text.replaceAll(BREAK, '\n').split('\n', MAX_PARTS) : [text];
  // A page shows a line in elements of which the last one ends it; what carries data in others is read by these.
  text = parts
    .map(part => (isPage ? part.replaceAll(PAGE_TAG, '') : part))
    .map(part => (ELEMENT.test(part) ? part : unescaped(part)))
    .join('\n');
  if (text === line) return undefined;
  return text.split('\n').filter((part, _, all) => part !== '' || all.length === 1);
}

/** A line as its program wrote it, as far as that is known. */
export interface WrittenLine {
  text: string;
  /** Who wrote it, where the line says so; undefined where something else may stand before it. */
  writer: Writer | undefined;
}

/** The line, or what is written behind one or several of what may stand before any line. */
function writtenIn(line: string): WrittenLine {
  for (const text of [line, ...bare(line.slice(0, MAX_LINE))]) {
    const writer = writerOf(text);
    if (writer !== undefined) return { text, writer };
  }
  return { text: line, writer: undefined };
}

/**
 * Takes off lines what shows them to people, one line after another. What begins as a line of the kernel or of a program is one line and
 * stays one, whatever it holds: anybody may write into it. Within a page only the characters of such a line are put back.
 */
export class Shown {
  /** The element that a page or a text in XML began with, until it ends. */
  #page: string | undefined;

  /** The lines that a line shows. */
  lines(line: string): WrittenLine[] {
    const text = cleaned(line);
    const written = writtenIn(text);
    if (written.writer === undefined) this.#page ??= OPENS.exec(text)?.[1]?.toLowerCase();
    const isPage = this.#page !== undefined || QUOTATION.test(line);
    this.#ends(text);
    if (written.writer === undefined) return (unwrapped(text) ?? [text]).map(writtenIn);
    return [isPage ? { ...written, text: unescaped(written.text.replace(BEHIND, '')) } : written];
  }

  #ends(text: string): void {
    if (this.#page !== undefined && text.toLowerCase().trimEnd().endsWith(`</${this.#page}>`)) this.#page = undefined;
  }
}

/**
 * What may stand before a line of any program: the number of the line, its file, the pod or stream or host that it came from, a time, the
 * mark of a quotation. It is taken off only where the line says nothing with it.
 */
const BEFORE =
  /^(?:\s{0,8}L?\d{1,7}(?:[:|]\s?|\.\s|\t| {1,8}(?=\S)|\s\|\s)|\[[\w./:-]{3,160}\] |\{[^{}]{3,400}\} |\d{4}-\d{2}-\d{2}T[\d:.]{8,18}(?:Z|[+-]\d{2}:?\d{2})\s|i-[0-9a-f]{8,17} |[|>]{1,4}\s|[-*•]\s|\/[\w./@-]{1,200}[:-]\d{1,7}[:-]|[\w.-]{1,64}\t)/;
const MAX_BEFORE = 3;

/** The line behind one of what may stand before it, then behind two; none where nothing does. */
export function bare(line: string): string[] {
  const out: string[] = [];
  let rest = line;
  while (out.length < MAX_BEFORE) {
    const length = BEFORE.exec(rest)?.[0].length;
    if (length === undefined) break;
    rest = rest.slice(length);
    out.push(rest);
  }
  return out;
}
