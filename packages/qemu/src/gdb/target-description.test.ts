import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTargetDescription } from './target-description.ts';
import { xmlElements } from './xml.ts';

const documents = (files: Record<string, string>) => (annex: string) =>
  Promise.resolve(files[annex] ?? expect.fail(`${annex} was asked for`));

describe('readTargetDescription', () => {
  test('numbers registers on over features and documents, as QEMU means it', async () => {
    const description = await readTargetDescription(
      documents({
        'target.xml': `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target>
          <architecture>aarch64</architecture>
          <xi:include href="core.xml"/><xi:include href="system-registers.xml"/></target>`,
        'core.xml': `<!-- <reg name="no" bitsize="64"/> --><feature name="core"><vector id="v" type="int" count="4"/>
          <flags id="f" size="4"><field name="" start="0" end="1"/></flags>
          <reg name="x0" bitsize="64"/><reg name='pc' bitsize='64' type="code_ptr"/></feature>`,
        'system-registers.xml': `<feature name="sys"><reg name="VTTBR_EL2" bitsize="64" regnum="144" group="a&amp;b"/>
          <reg name="next" bitsize="32"></reg></feature>`,
      }),
    );
    expect(description).toEqual({
      architecture: 'aarch64',
      registers: [
        { name: 'x0', regnum: 0, bitsize: 64, feature: 'core' },
        { name: 'pc', regnum: 1, bitsize: 64, feature: 'core' },
        { name: 'VTTBR_EL2', regnum: 144, bitsize: 64, feature: 'sys' },
        { name: 'next', regnum: 145, bitsize: 32, feature: 'sys' },
      ],
    });
  });

  test.each([
    ['<target><reg bitsize="8"/></target>', /without a usable name/],
    ['<target><reg name="a" bitsize="0"/></target>', /bitsize/],
    ['<target><reg name="a" bitsize="9999999"/></target>', /bitsize/],
    ['<target><reg name="a" bitsize="8" regnum="-1"/></target>', /regnum/],
    ['<target><reg name="a" bitsize="8" regnum="65536"/></target>', /regnum/],
    ['<target><reg name="a" bitsize="8" regnum="65535"/><reg name="b" bitsize="8"/></target>', /register b .*regnum/],
    ['<target><xi:include href="../x"/></target>', /include/],
    [`<target>${'<reg name="a" bitsize="8"/>'.repeat(16_385)}</target>`, /more than 16384 registers/],
  ])('refuses %.60s', async (text, message) => {
    await expect(readTargetDescription(documents({ 'target.xml': text }))).rejects.toThrow(message);
  });

  test('what fetching throws passes through', async () => {
    await expect(readTargetDescription(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  });
});

describe('xmlElements', () => {
  test.each([
    ['', /no element/],
    ['<a>', /not closed/],
    ['<a></b>', /<\/b> where <\/a>/],
    ['</a>', /is open/],
    ['<a/><b/>', /more than one root/],
    ['<a b/>', /not an attribute/],
    ['<a b="1" b="2"/>', /twice/],
    ['<a b="&lol;"/>', /the entity &lol;/],
    ['<a b="&amp"/>', /the entity/],
    ['<!-- <a/>', /not closed/],
    ['<a b="<"/>', /not an attribute/],
    ['<a', /not closed/],
    ['<>', /without a name/],
    ['<a>'.repeat(40) + '</a>'.repeat(40), /deeper than 32/],
    [`<r>${'<a/>'.repeat(20_001)}</r>`, /more than 20000/],
    [' '.repeat(1024 * 1024 + 1), /more than 1048576/],
  ])('refuses %.30s', (text, message) => {
    expect(() => xmlElements(text)).toThrow(message);
  });

  test('says what is wrong in one line, whatever a name holds', () => {
    for (const text of ['<a></a\n\u001b[2Jb>', '<a b="&\n\u001b;"/>']) {
      // oxlint-disable-next-line no-control-regex
      expect(() => xmlElements(text)).toThrow(/^[^\u0000-\u001f]+$/);
    }
  });

  test('gives back what a document of any shape was made of', () => {
    type Node = { name: string; attributes: Record<string, string>; children: Node[] };
    const name = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,8}$/);
    const node: fc.Memo<Node> = fc.memo(depth =>
      fc.record({
        name,
        attributes: fc.dictionary(name, fc.string(), { maxKeys: 4 }),
        children: depth <= 1 ? fc.constant<Node[]>([]) : fc.array(node(depth - 1), { maxLength: 3 }),
      }),
    );
    const escape = (text: string): string =>
      text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;').replace(/>/g, '&gt;');
    const write = (n: Node): string => {
      const attributes = Object.entries(n.attributes).map(([k, v]) => ` ${k}="${escape(v)}"`);
      return `<${n.name}${attributes.join('')}>text<!-- <x> -->${n.children.map(write).join('')}</${n.name} >`;
    };
    const flat = (n: Node, depth = 0): unknown[] => [
      { name: n.name, attributes: new Map(Object.entries(n.attributes)), depth },
      ...n.children.flatMap(child => flat(child, depth + 1)),
    ];
    fc.assert(
      fc.property(node(4), root => {
        expect(xmlElements(`<?xml?>${write(root)}`)).toEqual(flat(root));
      }),
    );
  });

  test('any text at all gives elements or an error', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('<', '>', '</', '/>', '"', "'", '<!--', '-->', '<a ', 'b="', '<?'),
    );
    const outcome = (text: string): string => {
      try {
        return xmlElements(text).length > 0 ? 'elements' : 'nothing';
      } catch (error) {
        // Its own errors only: an engine's own would be a subclass.
        return Object.getPrototypeOf(error) === Error.prototype ? 'refused' : String(error);
      }
    };
    fc.assert(
      fc.property(fc.array(piece), pieces => {
        expect(['elements', 'refused']).toContain(outcome(pieces.join('')));
      }),
    );
  });
});
