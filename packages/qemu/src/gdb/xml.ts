/**
 * The part of XML that target descriptions use: elements and attributes. Text, comments, processing instructions and
 * the document type are skipped; there are no entities but the five predefined ones, no DTD, no external anything.
 */
import { safeText } from '@syndrome/decode/common/screen.ts';

/** One start tag; `depth` is 0 for the root element. */
export type XmlElement = { name: string; attributes: ReadonlyMap<string, string>; depth: number };

/** Longest document, deepest nesting and most elements accepted. QEMU's largest is about 25 KiB with 300 elements. */
const MAX_CHARS = 1024 * 1024;
const MAX_DEPTH = 32;
const MAX_ELEMENTS = 20_000;
const MAX_ATTRIBUTES = 64;

/** Lists the elements in document order. Throws Error with a one-line reason; never reads beyond its bounds. */
export function xmlElements(text: string): XmlElement[] {
  if (text.length > MAX_CHARS) throw new Error(`a document of more than ${MAX_CHARS} characters`);
  const elements: XmlElement[] = [];
  const open: string[] = [];
  let at = 0;
  let roots = 0;
  for (;;) {
    const start = text.indexOf('<', at);
    if (start === -1) break;
    const skipped = skip(text, start);
    if (skipped !== undefined) {
      at = skipped;
      continue;
    }
    const end = tagEnd(text, start);
    const inner = text.slice(start + 1, end);
    at = end + 1;
    if (inner.startsWith('/')) {
      const name = inner.slice(1).trim();
      const expected = open.pop();
      if (expected !== name) throw new Error(`</${safeText(name, 40)}> where </${expected ?? ''}> is open`);
      continue;
    }
    const empty = inner.endsWith('/');
    const element = readTag(empty ? inner.slice(0, -1) : inner, open.length);
    if (open.length === 0 && ++roots > 1) throw new Error('more than one root element');
    if (elements.push(element) > MAX_ELEMENTS) throw new Error(`more than ${MAX_ELEMENTS} elements`);
    if (!empty && open.push(element.name) > MAX_DEPTH) throw new Error(`elements nested deeper than ${MAX_DEPTH}`);
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)!.slice(0, 40)}> is not closed`);
  if (roots === 0) throw new Error('no element');
  return elements;
}

/** Where to go on after a comment, CDATA, processing instruction or document type at `start`; undefined for a tag. */
function skip(text: string, start: number): number | undefined {
  for (const [opening, closing] of [
    ['<!--', '-->'],
    ['<![CDATA[', ']]>'],
    ['<?', '?>'],
    ['<!', '>'],
  ] as const) {
    if (!text.startsWith(opening, start)) continue;
    const end = text.indexOf(closing, start + opening.length);
    if (end === -1) throw new Error(`${opening} is not closed`);
    if (opening === '<!' && text.slice(start, end).includes('[')) throw new Error('a document type with declarations');
    return end + closing.length;
  }
  return undefined;
}

/** Index of the `>` that ends the tag at `start`, outside of quotes. */
function tagEnd(text: string, start: number): number {
  let quote: string | undefined;
  for (let i = start + 1; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== undefined) {
      if (c === quote) quote = undefined;
    } else if (c === '"' || c === "'") {
      quote = c;
    } else if (c === '>') {
      return i;
    } else if (c === '<') {
      break;
    }
  }
  throw new Error('a tag that is not closed');
}

const NAME = /[A-Za-z_][\w.:-]{0,127}/y;
const ATTRIBUTE = /\s+([A-Za-z_][\w.:-]{0,127})\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;

function readTag(inner: string, depth: number): XmlElement {
  NAME.lastIndex = 0;
  const name = NAME.exec(inner)?.[0];
  if (name === undefined) throw new Error('a tag without a name');
  const attributes = new Map<string, string>();
  let at = name.length;
  while (inner.slice(at).trim() !== '') {
    ATTRIBUTE.lastIndex = at;
    const match = ATTRIBUTE.exec(inner);
    if (match === null) throw new Error(`<${name}> has something that is not an attribute`);
    const key = match[1]!;
    if (attributes.has(key)) throw new Error(`<${name}> has the attribute ${key} twice`);
    if (attributes.size >= MAX_ATTRIBUTES) throw new Error(`<${name}> has more than ${MAX_ATTRIBUTES} attributes`);
    attributes.set(key, unescape(match[2] ?? match[3]!));
    at = ATTRIBUTE.lastIndex;
  }
  return { name, attributes, depth };
}

const predefined: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&([^;&]{0,32});?/g, (whole, entity: string) => {
    const value = whole.endsWith(';') && Object.hasOwn(predefined, entity) ? predefined[entity] : undefined;
    if (value === undefined) throw new Error(`the entity ${safeText(whole, 40)}`);
    return value;
  });
}
