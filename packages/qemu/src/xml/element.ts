/** @module An XML document as a value, and ways through it. */

export interface XmlElement {
  /** With its prefix, as it is written. */
  name: string;
  attributes: Record<string, string>;
  children: XmlNode[];
}
export type XmlNode = XmlElement | string;

/** The elements of a name right in an element. */
export function childrenOf(element: XmlElement | undefined, name?: string): XmlElement[] {
  return (element?.children ?? []).filter((c): c is XmlElement => typeof c !== 'string' && (name ?? c.name) === c.name);
}

/** The first element along a path. @example childOf(domain, 'devices', 'emulator') */
export function childOf(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce((at, name) => childrenOf(at, name)[0], element);
}

/** An element and all in it, in the order of their start tags. */
export function* elementsOf(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const child of childrenOf(element)) yield* elementsOf(child);
}

/** The text right in an element, without blanks around it. */
export function textOf(element: XmlElement | undefined): string | undefined {
  return element?.children
    .filter(c => typeof c === 'string')
    .join('')
    .trim();
}
