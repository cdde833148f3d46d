/** @module What pages and XML put around the text of a line: elements, and names for characters; rows of Markdown. Sources: HTML 13.3, 13.5; XML 1.0, 4.6; GitHub Flavored Markdown 4.10. */

const MAX_CELLS = 64;

/** Elements that are laid around or within lines of a page; those of XML that carry data have other names. */
export const PAGE_TAG =
  /<\/?(?:a|b|br|body|code|dd|div|dl|dt|em|font|html|i|kbd|li|ol|p|pre|samp|span|strong|table|tbody|td|th|thead|tr|tt|ul)(?:\s[^<>]{0,400})?\/?>/gi;
/** The elements that end a line. */
export const BREAK = /<br\s{0,4}\/?>|<\/(?:p|div|li|tr|pre|dd|dt)>/gi;
/** Any element of XML. */
export const ELEMENT = /<[/?]?[A-Za-z][\w.:-]{0,64}(?:\s[^<>]{0,400})?\/?>/;
/** Elements that a line begins with, and those that it closes at its end: what it holds began or ends in another one. */
export const OUTER = /^(?:<[A-Za-z?/][^<>]{0,400}>){1,16}|(?:<\/[A-Za-z][^<>]{0,64}>){1,16}\s{0,4}$/g;
/** The element that a line begins with, by its name. */
export const OPENS = /^\s{0,64}<(?:!doctype )?([a-z][\w.:-]{0,64})(?:\s[^<>]{0,400})?>/i;
/** Elements behind the text of a line. */
export const BEHIND = /(?:<\/?[a-z][^<>]{0,400}>){1,16}\s{0,64}$/i;

const ENTITY = /&(?:#(\d{1,5})|#x([0-9a-f]{1,4})|(lt|gt|amp|quot|apos|nbsp));/gi;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: ' ' };

/** What controls, ends a line, or is half of a character. */
const isControl = (code: number): boolean =>
  code < 0x20 ||
  (code >= 0x7f && code < 0xa0) ||
  code === 0x2028 ||
  code === 0x2029 ||
  (code >= 0xd800 && code < 0xe000);

/** A character by its number; one that controls stays as it is written: no line of a log holds it, and it would end this one. */
function character(all: string, code: number): string {
  if (code === 0x09 || code === 0xa0) return ' ';
  return isControl(code) ? all : String.fromCodePoint(code);
}

/**
 * The text of an element.
 * @example unescaped('a &lt; b') // → 'a < b'
 */
export function unescaped(text: string): string {
  return text.replaceAll(ENTITY, (all: string, decimal?: string, hex?: string, name?: string) => {
    if (decimal !== undefined) return character(all, Number(decimal));
    if (hex !== undefined) return character(all, Number.parseInt(hex, 16));
    return NAMED[(name ?? '').toLowerCase()] ?? all;
  });
}

/** The cells of a row of Markdown, without the marks of code around them; undefined where it is none. */
export function cellsOfRow(row: string): string[] | undefined {
  const text = row.trim();
  if (!/^\|.*(?<!\\)\|$/s.test(text) || text.length < 3) return undefined;
  return text
    .slice(1, -1)
    .split(/(?<!\\)\|/, MAX_CELLS)
    .map(cell => cell.replace(/^ /, '').replace(/ $/, '').replaceAll('\\|', '|'))
    .map(cell => /^\s{0,8}(`{1,3})([^`].*|)\1\s{0,8}$/s.exec(cell)?.[2] ?? cell);
}
