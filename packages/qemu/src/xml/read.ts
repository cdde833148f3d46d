/** @module XML as libvirt writes it, both ways: elements, attributes, text. No document types, no entities but the five and numbers. Source: XML 1.0. */
import { LibvirtDefinitionError } from './errors.ts';

export interface XmlElement {
  /** With its prefix, as it is written. */
  name: string;
  attributes: Record<string, string>;
  children: XmlNode[];
}
type XmlNode = XmlElement | string;

/** A definition is some kilobytes; libvirt itself sends at most 4 MiB. */
const MAX_CHARS = 4 * 1024 * 1024;
const MAX_DEPTH = 64;

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const NAME = String.raw`[A-Za-z_][\w.:-]*`;
const TOKENS = {
  skipped: /<!--[^]*?-->|<\?[^]*?\?>/y,
  cdata: /<!\[CDATA\[([^]*?)\]\]>/y,
  end: new RegExp(`</(${NAME})\\s*>`, 'y'),
  start: new RegExp(`<(${NAME})`, 'y'),
  attribute: new RegExp(`\\s+(${NAME})\\s*=\\s*(?:"([^"<]*)"|'([^'<]*)')`, 'y'),
  close: /\s*(\/?)>/y,
  text: /[^<]+/y,
} as const;

function unescaped(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w{1,8}));|&/g, (all, hex, decimal, name) => {
    if (name !== undefined && Object.hasOwn(ENTITIES, name)) return ENTITIES[name] as string;
    const point = Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16);
    if (name !== undefined || !(point <= 0x10_ffff))
      throw new LibvirtDefinitionError(`what ${all} stands for is not known`);
    return String.fromCodePoint(point);
  });
}

/** Reads a document: the element that all others are in. @throws LibvirtDefinitionError */
export function readXml(text: string): XmlElement {
  if (text.length > MAX_CHARS) throw new LibvirtDefinitionError(`it has ${text.length} characters`);
  const document: XmlElement = { name: '', attributes: {}, children: [] };
  const open = [document];
  let at = 0;
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
    if ((m = take(TOKENS.cdata)) !== null) addText(inside, m[1] as string);
    else if ((m = take(TOKENS.end)) !== null) {
      if (inside.name !== m[1]) throw new LibvirtDefinitionError(`</${m[1]}> ends nothing`);
      open.pop();
    } else if ((m = take(TOKENS.start)) !== null) {
      const element: XmlElement = { name: m[1] as string, attributes: {}, children: [] };
      while ((m = take(TOKENS.attribute)) !== null)
        setAttribute(element, m[1] as string, unescaped(m[2] ?? m[3] ?? ''));
      const close = take(TOKENS.close);
      if (close === null) throw new LibvirtDefinitionError(`<${element.name}> is not well formed`);
      inside.children.push(element);
      if (close[1] === '/') continue;
      if (open.push(element) > MAX_DEPTH)
        throw new LibvirtDefinitionError(`more than ${MAX_DEPTH} elements in each other`);
    } else if ((m = take(TOKENS.text)) !== null) addText(inside, unescaped(m[0]));
    else throw new LibvirtDefinitionError(`character ${at} begins nothing that is read here`);
  }
  if (open.length > 1) throw new LibvirtDefinitionError(`<${open.at(-1)?.name}> has no end`);
  const [root, ...more] = document.children.filter(c => typeof c !== 'string' || c.trim() !== '');
  if (root === undefined || typeof root === 'string' || more.length > 0)
    throw new LibvirtDefinitionError('it is not one element');
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
  if (Object.hasOwn(element.attributes, name)) throw new LibvirtDefinitionError(`<${element.name}> has ${name} twice`);
  Object.defineProperty(element.attributes, name, { value, enumerable: true, writable: true, configurable: true });
}

const ESCAPES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };

function escaped(text: string): string {
  // A reader would make blanks of line ends and tabs in an attribute.
  return text.replaceAll(/[<>&"\t\n\r]/g, c => ESCAPES[c] ?? `&#${c.charCodeAt(0)};`);
}

/** The text of an element and all in it; read again it is the same. */
export function writeXml(element: XmlElement): string {
  const attributes = Object.entries(element.attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  const start = `<${element.name}${attributes.join('')}`;
  if (element.children.length === 0) return `${start}/>`;
  const inner = element.children.map(c => (typeof c === 'string' ? c.replaceAll(/[<>&\r]/g, escaped) : writeXml(c)));
  return `${start}>${inner.join('')}</${element.name}>`;
}

/** The elements of a name right in an element. */
export function childrenOf(element: XmlElement | undefined, name?: string): XmlElement[] {
  return (element?.children ?? []).filter((c): c is XmlElement => typeof c !== 'string' && (name ?? c.name) === c.name);
}

/** The first element along a path. @example childOf(domain, 'devices', 'emulator') */
export function childOf(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce((at, name) => childrenOf(at, name)[0], element);
}

/** The text right in an element, without blanks around it. */
export function textOf(element: XmlElement | undefined): string | undefined {
  return element?.children
    .filter(c => typeof c === 'string')
    .join('')
    .trim();
}
