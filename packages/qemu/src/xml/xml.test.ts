import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LibvirtDefinitionError } from './errors.ts';
import { readXml, writeXml, type XmlElement } from './xml.ts';

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

  test.each([
    ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['an entity of its own', '<a>&b;</a>'],
    ['an end that is another', '<a></b>'],
    ['no end', '<a><b></b>'],
    ['two elements', '<a/><b/>'],
    ['text only', 'a'],
    ['nothing', ''],
    ['an attribute twice', '<a b="1" b="2"/>'],
    ['a broken start', '<a b>'],
    ['elements without bottom', '<a>'.repeat(100) + '</a>'.repeat(100)],
    ['a character that is none', '<a>&#x110000;</a>'],
  ])('refuses %s', (_, xml) => {
    expect(() => readXml(xml)).toThrow(LibvirtDefinitionError);
  });

  test('any text is an element or a definition error, and soon', () => {
    const pieces = fc.array(
      fc.constantFrom('<', '>', '/', 'a', '="', '"', ' ', '&', ';', '<!--', '-->', '<![CDATA[', ']]>'),
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
            expect(error).toBeInstanceOf(LibvirtDefinitionError);
          }
        },
      ),
    );
  });
});
