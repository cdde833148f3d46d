/** @module A value as XML. Source: XML 1.0, sections 2.4 and 2.10. */
import type { XmlElement } from './element.ts';

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
