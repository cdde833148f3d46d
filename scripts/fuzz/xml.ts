/** Fuzz targets of the room `xml`: documents as libvirt and gdbstubs write them, whole and damaged. */
import { elementsOf, type XmlElement, type XmlNode } from '@syndrome/qemu/xml/element.ts';
import { readXml, XmlError } from '@syndrome/qemu/xml/read.ts';
import { writeXml } from '@syndrome/qemu/xml/write.ts';
import type { Chance } from '../chance.ts';
import { anyText, spoiledText } from './junk.ts';
import { attempt, differences } from './oracles.ts';
import type { Target } from './target.ts';

const DOCUMENTS = [
  `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">
<target><architecture>aarch64</architecture><xi:include href="core.xml"/>
<feature name="org.gnu.gdb.aarch64.core"><!-- a > b --><reg name="x0" bitsize="64" regnum="0"/></feature></target>`,
  `<domain type='kvm'><name>a&amp;b &#65;</name><metadata><s:vm xmlns:s="urn:x" act="yes"/></metadata></domain>`,
  '<a b="&lt;&amp;"><![CDATA[<x>]]></a>',
];
const NAMES = ['target', 'feature', 'reg', 'xi:include', 'a-b', '_', '__proto__', 'constructor'];

function anyTree(chance: Chance, depth: number): XmlElement {
  const element: XmlElement = { name: chance.pick(NAMES), attributes: {}, children: [] };
  for (let n = chance.below(4); n > 0; n--)
    Object.defineProperty(element.attributes, chance.pick(NAMES), {
      value: anyText(chance),
      enumerable: true,
      configurable: true,
    });
  if (depth < 4) element.children = Array.from({ length: chance.below(3) }, () => anyTree(chance, depth + 1));
  return element;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&apos;',
};

/** The tree as another program may write it: with text, comments and instructions between its elements. */
function written({ name, attributes, children }: XmlElement, chance: Chance): string {
  const noise = (): string => chance.pick(['', '', ' ', 'text', '<!-- <a> -->', '<?pi <b> ?>']);
  const start = `<${name}${Object.entries(attributes)
    .map(([k, v]) => ` ${k}="${v.replace(/[<>&"']/g, c => ESCAPES[c] ?? c)}"`)
    .join('')}`;
  if (children.length === 0 && chance.oneIn(2)) return `${start}/>`;
  const inner = children.map((c: XmlNode) => (typeof c === 'string' ? c : written(c, chance)) + noise());
  return `${start}>${noise()}${inner.join('')}</${name}>`;
}

const starts = (tree: XmlElement): unknown[] =>
  [...elementsOf(tree)].map(({ name, attributes }) => [name, Object.entries(attributes)]);

const DOCUMENT: Target = {
  name: 'xml:document',
  holds: 'XML: the elements that were written, in their order, and the same once more; damage is an error in one line',
  weight: 12,
  open: () => chance => {
    const tree = anyTree(chance, 0);
    const wrong = differences('written and read', starts(readXml(written(tree, chance))), starts(tree));
    const text = spoiledText(chance, chance.pick(DOCUMENTS), DOCUMENTS);
    const { value, error, wrong: thrown } = attempt(() => readXml(text), [XmlError]);
    wrong.push(...thrown);
    if (error instanceof XmlError && error.message.includes('\n')) wrong.push(String(error.stack));
    if (value === undefined) return wrong;
    if (starts(value).length * 3 > text.length) wrong.push('more elements than text');
    return [...wrong, ...differences('written again and read', readXml(writeXml(value)), value)];
  },
};

export const XML: readonly Target[] = [DOCUMENT];
