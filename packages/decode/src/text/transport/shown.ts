/**
 * @module What shows lines of a log to people: pages in HTML, tables of Markdown, numbers before each line, borders of a terminal,
 * quotation marks of a chat, texts in which the ends of lines are escaped. Sources: HTML 13.3 and 13.5 (serializing, named references);
 * GitHub Flavored Markdown 4.10; less(1) -N, cat(1) -n, grep(1) -n; kubectl logs --prefix; logcli (Loki); aws logs tail.
 */

/** Elements that are laid around or within lines; those of XML that carry data have other names. */
const TAG =
  /<\/?(?:a|b|br|body|code|dd|div|dl|dt|em|font|html|i|kbd|li|ol|p|pre|samp|span|strong|table|tbody|td|th|thead|tr|tt|ul)(?:\s[^<>]{0,400})?\/?>/gi;
/** Any element of XML. */
const ELEMENT = /<[/?]?[A-Za-z][\w.:-]{0,64}(?:\s[^<>]{0,400})?\/?>/;
/** A line that is laid out as a page begins or ends with an element; within a line one may be the name of a process, which anybody chooses. */
const LAID_OUT = /^\s{0,64}<\/?[a-z][^<>]{0,400}>|<\/?[a-z][^<>]{0,400}>\s{0,64}$/i;
/** The elements that end a line. */
const BREAK = /<br\s{0,4}\/?>|<\/(?:p|div|li|tr|pre|dd|dt)>/gi;
const ENTITY = /&(?:#(\d{2,5})|#x([0-9a-f]{2,4})|(lt|gt|amp|quot|apos|nbsp));/gi;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: ' ' };
/** Blanks of other kinds, and characters of no width at the ends of a line, that come with what was copied from a page. */
const BLANKS = /[\u00a0\u2007\u202f]/g;
const NO_WIDTH = /^[\u200b\u200c\u2060\ufeff]+|[\u200b\u200c\u2060\ufeff]+$/g;
/** Borders of panes and boxes, with the blanks that fill a row up to them. */
const BORDERS = /^\s{0,4}[│┃║▏]\s?|\s{0,512}[│┃║▕]\s{0,4}$/g;
/** A row of a table of Markdown: it begins and ends with a bar, and holds none that is escaped. */
const ROW = /^\s{0,4}\|\s.{1,8192}\s\|\s{0,4}$/s;
/** A text in quotation marks as a program shows it, with its ends of lines escaped. */
const ESCAPED_TEXT =
  /^\s{0,16}(?:\w{1,32}\s{0,2}[=:]\s{0,2})?[bu]?(["'])(.{0,65536}\\n.{0,65536})\1[,;)]{0,2}\s{0,4}$/s;
const MAX_PARTS = 4096;

/** Anything of it in a line, so that most are looked at once. */
const ANY = /[\u00a0\u2007\u202f\u200b\u200c\u2060\ufeff│┃║▏▕]|<\/?[a-z]|&(?:#|[a-z]{2,4};)|^\s{0,4}\|\s|\\n/i;

const character = (all: string, code: number): string => (code > 0 && code < 0xd800 ? String.fromCharCode(code) : all);

/** `a &lt; b` → `a < b`. */
function unescapedEntities(text: string): string {
  return text.replaceAll(ENTITY, (all: string, decimal?: string, hex?: string, name?: string) => {
    if (decimal !== undefined) return character(all, Number(decimal));
    if (hex !== undefined) return character(all, Number.parseInt(hex, 16));
    return NAMED[(name ?? '').toLowerCase()] ?? all;
  });
}

/** The cells of a row of Markdown, without the marks of code around them. */
function cellsOfRow(row: string): string[] {
  return row
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map(cell => cell.trim().replaceAll('\\|', '|'))
    .map(cell => /^(`{1,3})([^`].*)\1$/s.exec(cell)?.[2] ?? cell);
}

/**
 * The lines that a line shows, without what is there for people only; undefined for a line that is what it is.
 * @example unwrapped('<span>a &lt; b</span><br>') // → ['a < b']
 */
export function unwrapped(line: string): string[] | undefined {
  if (!ANY.test(line)) return undefined;
  let text = line.replaceAll(BLANKS, ' ').replaceAll(NO_WIDTH, '').replaceAll(BORDERS, '');
  const escaped = ESCAPED_TEXT.exec(text)?.[2];
  if (escaped !== undefined) {
    return escaped.split('\\n', MAX_PARTS).map(part => part.replaceAll(/\\(["'\\])/g, '$1').replaceAll('\\t', '\t'));
  }
  // The last line of a text in XML that has several.
  if (!/<[A-Za-z?]/.test(text)) text = text.replace(/(\S)\s{0,8}(?:<\/[A-Za-z][\w.:-]{0,64}>){1,16}\s{0,4}$/, '$1');
  if (ROW.test(text)) return cellsOfRow(text).filter(cell => cell !== '');
  const isPage = LAID_OUT.test(text);
  const parts = isPage ? text.replaceAll(BREAK, '\n').split('\n', MAX_PARTS) : [text];
  // A page shows a line in elements of which the last one ends it; what carries data in others is read by these.
  text = parts
    .map(part => (isPage ? part.replaceAll(TAG, '') : part))
    .map(part => (ELEMENT.test(part) ? part : unescapedEntities(part)))
    .join('\n');
  if (text === line) return undefined;
  return text.split('\n').filter((part, _, all) => part !== '' || all.length === 1);
}

/**
 * What may stand before a line of any program: the number of the line, its file, the pod or stream or host that it came from, a time, the
 * mark of a quotation. It is taken off only where the line says nothing with it.
 */
const BEFORE =
  /^(?:\s{0,8}L?\d{1,7}(?:[:|]\s?|\t| {1,8}(?=\S)|\s\|\s)|\[[\w./:-]{3,160}\] |\{[^{}]{3,400}\} |\d{4}-\d{2}-\d{2}T[\d:.]{8,18}(?:Z|[+-]\d{2}:?\d{2})\s|i-[0-9a-f]{8,17} |[|>]{1,4}\s|\/[\w./@-]{1,200}[:-]\d{1,7}[:-]|[\w.-]{1,64}\t)/;
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
