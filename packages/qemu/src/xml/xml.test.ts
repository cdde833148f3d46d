import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementsOf, type XmlElement } from './element.ts';
import { readXml, XmlError } from './read.ts';
import { writeXml } from './write.ts';

const name = fc.stringMatching(/^[A-Za-z_][\w.-]{0,8}(:[a-z]{1,4})?$/);
/** Characters that XML can hold. */
const text = fc.string({ unit: 'grapheme', minLength: 1 });
const { element } = fc.letrec<{ element: XmlElement; node: XmlElement | string }>(tie => ({
  element: fc.record({
    name,
    attributes: fc.dictionary(name, text, { maxKeys: 3, noNullPrototype: true }),
    children: fc.array(tie('node'), { maxLength: 4 }).map(joined),
  }),
  node: fc.oneof({ depthSize: 'small', maxDepth: 4 }, text, tie('element')),
}));

/** Two texts beside each other are one. */
function joined(nodes: (XmlElement | string)[]): (XmlElement | string)[] {
  const all: (XmlElement | string)[] = [];
  for (const node of nodes) {
    const last = all.at(-1);
    if (typeof node === 'string' && typeof last === 'string') all[all.length - 1] = last + node;
    else all.push(node);
  }
  return all;
}

describe('XML', () => {
  test('what was written is read back', () => {
    fc.assert(
      fc.property(element, e => {
        expect(readXml(writeXml(e))).toEqual(e);
      }),
    );
  });

  test('comments, CDATA, entities and both quotes are read', () => {
    const xml = `<?xml version="1.0"?><!-- <x> -->\n<a b='"' c="&lt;&#65;&#x42;">x<!-- y -->z<![CDATA[<&]]><d/></a>\n`;
    expect(readXml(xml)).toEqual({
      name: 'a',
      attributes: { b: '"', c: '<AB' },
      children: ['xz<&', { name: 'd', attributes: {}, children: [] }],
    });
  });

  test('elements stand in the order of their start tags', () => {
    const root = readXml('<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "a.dtd"><a><b><c/></b >x<d/></a>');
    expect([...elementsOf(root)].map(e => e.name)).toEqual(['a', 'b', 'c', 'd']);
  });

  test.each([
    ['a document type with declarations', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', /declarations/],
    ['a document type that is not in front', '<a/><!DOCTYPE a>', /in front/],
    ['an entity of its own', '<a>&b;</a>', /&b;/],
    ['an entity without end', '<a b="&amp"/>', /what & stands for/],
    ['an end that is another', '<a></b>', /<\/b> ends nothing/],
    ['an end without a start', '</a>', /<\/a> ends nothing/],
    ['no end', '<a><b></b>', /<a> has no end/],
    ['a comment without end', '<!-- <a/>', /character 0/],
    ['a tag without end', '<a', /<a> is not well formed/],
    ['a tag without a name', '<>', /character 0/],
    ['a tag in an attribute', '<a b="<"/>', /<a> is not well formed/],
    ['two elements', '<a/><b/>', /not one element/],
    ['text beside the element', '<a/>b', /not one element/],
    ['text only', 'a', /no element/],
    ['nothing', '', /no element/],
    ['an attribute twice', '<a b="1" b="2"/>', /<a> has b twice/],
    ['a broken start', '<a b>', /<a> is not well formed/],
    ['a character beyond Unicode', '<a>&#x110000;</a>', /&#x110000;/],
    ['half a pair', '<a>&#xd800;</a>', /&#xd800;/],
    ['a control character', '<a>&#0;</a>', /&#0;/],
    ['elements without bottom', '<a>'.repeat(100) + '</a>'.repeat(100), /more than 64 elements in each other/],
    ['elements without end', `<r>${'<a/>'.repeat(50_001)}</r>`, /more than 50000 elements/],
    ['attributes without end', `<r ${Array.from({ length: 65 }, (_, i) => `a${i}=""`).join(' ')}/>`, /64 attributes/],
    ['a name without end', `<${'a'.repeat(200)}/>`, /not well formed/],
    ['too much text', ' '.repeat(4 * 1024 * 1024 + 1), /more than 4194304 characters/],
  ])('refuses %s', (_, xml, message) => {
    expect(() => readXml(xml)).toThrow(XmlError);
    expect(() => readXml(xml)).toThrow(message);
  });

  test('what was written is refused without its end, and says why in one line', () => {
    fc.assert(
      fc.property(element, fc.double({ min: 0, max: 0.999, noNaN: true }), (e, part) => {
        const xml = writeXml(e);
        // oxlint-disable-next-line no-control-regex
        expect(() => readXml(xml.slice(0, Math.floor(xml.length * part)))).toThrow(/^[^\u0000-\u001f]+$/);
      }),
    );
  });

  test('any text is an element or an error of its own, and soon', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '<',
        '>',
        '/',
        'a',
        '="',
        '"',
        ' ',
        '&',
        ';',
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<!DOCTYPE ',
        '<?',
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map(p => p.join('')),
        ),
        xml => {
          try {
            readXml(xml);
          } catch (error) {
            expect(error).toBeInstanceOf(XmlError);
          }
        },
      ),
    );
  });
});
