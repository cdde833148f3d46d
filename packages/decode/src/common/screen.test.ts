import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOSTILE } from '../../../../scripts/fuzz/oracles.ts';
import { escapeJson, escapeLines, escapeText, isHostile, safeText } from './screen.ts';

describe('of all code points', () => {
  // The planes that hold characters which are no ideographs, and the last two of every plane, which are none at all.
  const every = Array.from({ length: 0x11_0000 }, (_, code) => code)
    .filter(code => [0, 1, 14].includes(code >> 16) || (code & 0xffff) >= 0xfffe)
    .map(code => String.fromCodePoint(code))
    .filter(c => c !== '\t');

  test('those that a screen obeys or hides are escaped in every form, and no other', () => {
    const wrong = every.filter(character => {
      const escaped = escapeText(character);
      const hostile = HOSTILE.test(character);
      const right = hostile ? /^\\(?:x[0-9a-f]{2}|u\{[0-9a-f]+\})$/.test(escaped) : escaped === character;
      return (
        !right || isHostile(character) !== hostile || escapeLines(character) !== (character === '\n' ? '\n' : escaped)
      );
    });
    expect(wrong.map(c => c.codePointAt(0)?.toString(16))).toEqual([]);
  });

  test('in JSON they are escaped too, and the value stays', () => {
    const wrong = every.filter(character => {
      const json = escapeJson(JSON.stringify(character));
      return HOSTILE.test(json) || JSON.parse(json) !== character;
    });
    expect(wrong.map(c => c.codePointAt(0)?.toString(16))).toEqual([]);
  });
});

test.each([
  ['plain', 'plain'],
  ['é × … 日本 \u{1f600} ’', 'é × … 日本 \u{1f600} ’'],
  ['a\tb', 'a\tb'],
  ['\u001b]0;P\u0007', '\\x1b]0;P\\x07'],
  ['\u009b31m', '\\x9b31m'],
  ['\u200b0', '\\u{200b}0'],
  ['\u{e0041}', '\\u{e0041}'],
  ['a\ud800b', 'a\\u{d800}b'],
  ['one\ntwo\r\n', 'one\\x0atwo\\x0d\\x0a'],
])('%j is shown as %j', (text, shown) => {
  expect(escapeText(text)).toBe(shown);
  expect(escapeText(shown)).toBe(shown);
});

test('lines keep their line feeds and nothing else', () => {
  expect(escapeLines('one\ntwo\r\n\u001b[2J\u2028')).toBe('one\ntwo\\x0d\n\\x1b[2J\\u{2028}');
  expect(escapeJson('{\n  "a": "\u202e\u{e0041}"\n}')).toBe('{\n  "a": "\\u202e\\udb40\\udc41"\n}');
});

test('text is cut to a length, never inside of a pair of surrogates', () => {
  expect(safeText('abc', 3)).toBe('abc');
  expect(safeText('abcd', 3)).toBe('abc…');
  expect(safeText('ab\u{1f600}d', 3)).toBe('ab…');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, length) => {
      const cut = safeText(text, length);
      expect(cut.isWellFormed()).toBe(true);
      expect(cut).not.toMatch(/\\u\{d[89a-f]/);
    }),
  );
});
