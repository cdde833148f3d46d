/** A packed script is the script, whatever stands in it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LETTERS, packed } from './pack.ts';
import { unpacked } from './view/phrases.ts';

test('what was packed is the same again', () => {
  const piece = fc.constantFrom('return', ' ', 'this.#e', 'Ā', 'ā', '|', '\n', '$&', '🙂', '0x80', '</script', '\\');
  const text = fc.array(fc.oneof(piece, fc.string())).map(pieces => pieces.join(''));
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 40 }), (given, most) => {
      expect(unpacked(packed(given, most))).toBe(given);
    }),
  );
});

test('phrases are made of phrases, and what comes once stays', () => {
  const given = 'error severity, error severity; error severity: error severity! once';
  const [parts, ...rest] = packed(given);
  expect(rest.join('').split(parts ?? '')).toEqual(['ā severity', 'Ăerrorā', 'Ă, Ă; Ă: Ă! once']);
});

test('the same text is packed in the same way, into less', () => {
  const given = Array.from({ length: 400 }, (_, i) => `if(e===void 0)return this.#${i % 7}.explanation;`).join('');
  expect(packed(given)).toBe(packed(given));
  expect(packed(given).length).toBeLessThan(given.length / 3);
});

test('a text with every letter in it cannot be packed', () => {
  expect(() => packed(LETTERS.join(''))).toThrow('all letters');
});
