import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pattern } from './pattern.ts';

/** Patterns of everything that is taken, small enough for JavaScript's own engine to end. */
const atom = fc.constantFrom(
  ...String.raw`a b K . \d \W \s [ab] [^a-c] [\]x-] [] [^] ^ $ \b \B \. \x41 \X41 \u00e9 \u{2} \x \cJ \0 \n \/ { } ] a{,2} é ſ`.split(
    ' ',
  ),
);
const count = fc.constantFrom('', '', '*', '+', '?', '*?', '{2}', '{0}', '{1,}', '{0,2}', '{1,3}?');
const { pattern } = fc.letrec<{ pattern: string; row: string; part: string }>(tie => ({
  pattern: fc.array(tie('row'), { minLength: 1, maxLength: 3 }).map(rows => rows.join('|')),
  row: fc.array(tie('part'), { maxLength: 3 }).map(parts => parts.join('')),
  part: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.tuple(atom, count).map(([what, times]) => (/^(?:[\^$]|\\[bB])$/.test(what) ? what : what + times)),
    fc
      .tuple(fc.constantFrom('(', '(?:', '(?<name>'), tie('pattern'), count)
      .map(([open, inner, times]) => `${open}${inner})${times}`),
  ),
}));
const text = fc.string({
  unit: fc.constantFrom(...'aabbAkK1 .-x]{}é\n\u212a\u017fS_2\r\u2028\ud83d'.split('')),
  maxLength: 12,
});

test('finds what the engine of JavaScript finds', () => {
  let both = 0;
  fc.assert(
    fc.property(
      pattern.filter(source => source.length <= 200),
      fc.array(text, { minLength: 1, maxLength: 6 }),
      (source, texts) => {
        let theirs: RegExp;
        try {
          theirs = new RegExp(source, 'i');
        } catch {
          // Two groups of one name.
          expect(() => new Pattern(source)).toThrow('is not a regular expression');
          return;
        }
        const ours = new Pattern(source);
        both++;
        for (const one of texts) {
          expect(ours.test(one), `${source} in ${JSON.stringify(one)}`).toBe(theirs.test(one));
        }
      },
    ),
    { numRuns: 3000 },
  );
  expect(both).toBeGreaterThan(2000);
});

describe('what sends an engine that tries again back and forth', () => {
  test.each(['^(a|a)*$', '^((a+))+$', '^(a+b?)*$', '^(a*)*$', '^(?:a|a?)+$', '^(.*a){12}$', 'a*a*a*a*a*$'])(
    '%s',
    source => {
      const pattern = new Pattern(`${source}(?:^|\\b)`);
      const long = 'a'.repeat(50_000);
      expect(pattern.test(`${long}!`)).toBe(false);
      expect(pattern.test(long)).toBe(true);
    },
  );
});

test.each([
  ['(?=a)', 'looks ahead or behind'],
  ['(?!a)b', 'looks ahead or behind'],
  ['(?<=a)b', 'looks ahead or behind'],
  ['(?<!a)b', 'looks ahead or behind'],
  ['(?-i:a)', 'changes its flags'],
  ['(a)\\1', 'has \\1, which is not taken'],
  ['(?<x>a)\\k<x>', 'has \\k, which is not taken'],
  ['\\p{L}', 'has \\p, which is not taken'],
  ['(', 'is not a regular expression'],
  ['a**', 'is not a regular expression'],
  ['a'.repeat(201), 'is longer than 200 characters'],
  ['(a{1000}){1000}', 'is too large'],
  ['((((a?){9}){9}){9}){9}', 'is too large'],
  ['(?:(?:){0,1000000000}a){2}', 'is too large'],
  ['a{4294967296,}', 'is too large'],
])('%s is refused: it %s', (source, why) => {
  expect(() => new Pattern(source)).toThrow(why);
});

test('nothing, repeated ever so often, is nothing', () => {
  expect(new Pattern('(?:(?:){1000000000}){1000000000}$').size).toBe(2);
});
