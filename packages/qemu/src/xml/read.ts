/**
 * @module XML as libvirt and gdbstubs write it: elements, attributes, text, CDATA. Comments, processing instructions and a
 * document type without declarations are passed over; no entities but the five and numbers, nothing external. Source: XML 1.0.
 */
import type { XmlElement } from './element.ts';

/** Why a text is no such document, in one line. Whoever asked for the text says what it was to be. */
export class XmlError extends Error {}

/**
 * A definition is some kilobytes, and libvirt itself sends at most 4 MiB; QEMU's largest target description is about 25 KiB with
 * 300 elements.
 */
const MAX_CHARS = 4 * 1024 * 1024;
const MAX_DEPTH = 64;
const MAX_ELEMENTS = 50_000;
const MAX_ATTRIBUTES = 64;

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const NAME = String.raw`[A-Za-z_][\w.:-]{0,127}`;
const TOKENS = {
  skipped: /<!--[^]*?-->|<\?[^]*?\?>/y,
  doctype: /<!DOCTYPE\s[^[<>]{0,1024}>/y,
  cdata: /<!\[CDATA\[([^]*?)\]\]>/y,
  end: new RegExp(`</(${NAME})\\s*>`, 'y'),
  start: new RegExp(`<(${NAME})`, 'y'),
  attribute: new RegExp(`\\s+(${NAME})\\s*=\\s*(?:"([^"<]*)"|'([^'<]*)')`, 'y'),
  close: /\s*(\/?)>/y,
  text: /[^<]+/y,
} as const;

/** What a character of XML can be, section 2.2: no other control characters than these three, and no half of a pair. */
const isChar = (point: number): boolean =>
  point === 0x9 ||
  point === 0xa ||
  point === 0xd ||
  (point >= 0x20 && point <= 0xd7ff) ||
  (point >= 0xe000 && point <= 0xfffd) ||
  (point >= 0x1_0000 && point <= 0x10_ffff);

function unescaped(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w{1,8}));|&/g, (all, hex, decimal, name) => {
    if (name !== undefined && Object.hasOwn(ENTITIES, name)) return ENTITIES[name] as string;
    const point = Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16);
    if (name !== undefined || !isChar(point)) throw new XmlError(`what ${all} stands for is not known`);
    return String.fromCodePoint(point);
  });
}

/** Reads a document: the element that all others are in. Takes time in proportion to its length. @throws XmlError */
export function readXml(text: string): XmlElement {
  if (text.length > MAX_CHARS) throw new XmlError(`it has more than ${MAX_CHARS} characters`);
  const document: XmlElement = { name: '', attributes: {}, children: [] };
  const open = [document];
  let at = 0;
  let elements = 0;
  const take = (token: RegExp): RegExpExecArray | null => {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match !== null) at = token.lastIndex;
    return match;
  };
  while (at < text.length) {
    const inside = open.at(-1) as XmlElement;
    let m: RegExpExecArray | null;
    if (take(TOKENS.skipped) !== null) continue;
    if (elements === 0 && take(TOKENS.doctype) !== null) continue;
    if ((m = take(TOKENS.cdata)) !== null) addText(inside, m[1] as string);
    else if ((m = take(TOKENS.end)) !== null) {
      if (inside.name !== m[1]) throw new XmlError(`</${m[1]}> ends nothing`);
      open.pop();
    } else if ((m = take(TOKENS.start)) !== null) {
      const element: XmlElement = { name: m[1] as string, attributes: {}, children: [] };
      let attributes = 0;
      while ((m = take(TOKENS.attribute)) !== null) {
        if (++attributes > MAX_ATTRIBUTES)
          throw new XmlError(`<${element.name}> has more than ${MAX_ATTRIBUTES} attributes`);
        setAttribute(element, m[1] as string, unescaped(m[2] ?? m[3] ?? ''));
      }
      const close = take(TOKENS.close);
      if (close === null) throw new XmlError(`<${element.name}> is not well formed`);
      if (++elements > MAX_ELEMENTS) throw new XmlError(`it has more than ${MAX_ELEMENTS} elements`);
      inside.children.push(element);
      if (close[1] === '/') continue;
      if (open.push(element) > MAX_DEPTH) throw new XmlError(`more than ${MAX_DEPTH} elements in each other`);
    } else if ((m = take(TOKENS.text)) !== null) addText(inside, unescaped(m[0]));
    else if (text.startsWith('<!DOCTYPE', at))
      throw new XmlError('a document type that has declarations or is not in front');
    else throw new XmlError(`character ${at} begins nothing that is read here`);
  }
  if (open.length > 1) throw new XmlError(`<${open.at(-1)?.name}> has no end`);
  if (elements === 0) throw new XmlError('there is no element in it');
  const [root, ...more] = document.children.filter(c => typeof c !== 'string' || c.trim() !== '');
  if (root === undefined || typeof root === 'string' || more.length > 0) throw new XmlError('it is not one element');
  return root;
}

function addText(element: XmlElement, text: string): void {
  const { children } = element;
  const last = children.at(-1);
  // Text on both sides of a comment is one.
  if (typeof last === 'string') children[children.length - 1] = last + text;
  else if (text !== '') children.push(text);
}

function setAttribute(element: XmlElement, name: string, value: string): void {
  if (Object.hasOwn(element.attributes, name)) throw new XmlError(`<${element.name}> has ${name} twice`);
  Object.defineProperty(element.attributes, name, { value, enumerable: true, writable: true, configurable: true });
}
