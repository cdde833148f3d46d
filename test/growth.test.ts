/** The fuzzer notices a parser whose time grows too fast, and those that once did no longer do. */
import { describe, expect, test, vi } from 'vitest';
import { Chance } from '../scripts/chance.ts';
import { BOUNDS, growthOf, power } from '../scripts/fuzz/growth/measure.ts';
import { PARSERS } from '../scripts/fuzz/growth/parsers.ts';
import { shapeOf } from '../scripts/fuzz/growth/shapes.ts';
import { growthTarget } from '../scripts/fuzz/growth.ts';
import { LIMITS, runTarget } from '../scripts/fuzz/run.ts';

/** Each measures several times, by its own time of the processor; where others have that it waits. */
vi.setConfig({ testTimeout: 120_000 });

const planted = (text: string): boolean => text.includes('never');

describe('what is planted is noticed:', () => {
  const spaces = (size: number): string => `${' '.repeat(size)}x`;
  test('a quadratic regular expression', () => {
    expect(growthOf(text => /\s+$/.test(text), spaces).wrong).toMatch(/^grows with the power (?:1\.[7-9]|2\.\d) of/);
  });
  test('a cubic one, long before it would have to be waited for', () => {
    const { times, wrong } = growthOf(text => /^\s*\s*\s*$/.test(text), spaces);
    expect(wrong).toMatch(/^grows with the power [23]\.\d of the length: .* ms for \d+ characters, .* ms for \d+$/);
    expect(times.at(-1)?.[0]).toBeLessThan(40_000);
  });
  test('an exponential one, which never ends', () => {
    const { wrong } = growthOf(text => /^(?:\s|\s)*$/.test(text), spaces, { ...BOUNDS, deadlineMs: 200 });
    expect(wrong).toBe('has not ended after 0.2 s on 160 characters');
  });
  test('a quadratic loop, in lines too', () => {
    const seen = (text: string): string[] => {
      const all: string[] = [];
      for (const line of text.split('\n')) if (!all.includes(line)) all.push(line);
      return all;
    };
    const lines = (size: number): string => Array.from({ length: size / 3 }, (_, i) => i.toString(36)).join('\n');
    expect(growthOf(seen, lines).wrong).toMatch(/^grows with the power/);
    expect(growthOf(text => new Set(text.split('\n')), lines).wrong).toBeUndefined();
  });
  test('a recursion as deep as the text', () => {
    const deep = (text: string): number => (text === '' ? 0 : 1 + deep(text.slice(1)));
    expect(growthOf(deep, spaces).wrong).toMatch(/^Maximum call stack size exceeded on \d+ characters$/);
  });
  test('as a target of the fuzzer, with the shape and how to repeat it; and a linear one is not', async () => {
    const quadratic = growthTarget({ name: 'planted', seeds: ['a: b'], run: text => /a+c/.test(text) });
    const { failures, notes } = await runTarget(quadratic, 1, [0, 15]);
    expect(failures.map(f => f.wrong[0])).toContainEqual(
      expect.stringMatching(/of the length: .*: "a" again and again/),
    );
    expect(notes[0]).toMatch(/k +[\d.]+ ms .* exponent \d\.\d\d {2}"/);
    // However long all measurements of a case take together on a busy machine.
    const slow = await runTarget(quadratic, 1, [0, 1], { limits: { ...LIMITS, caseMs: 0 } });
    expect(slow.failures).toEqual([]);
    const linear = growthTarget({ name: 'planted', seeds: ['a: b'], run: planted });
    expect((await runTarget(linear, 1, [0, 15])).failures).toEqual([]);
  }, 120_000);
});

test('the power of growth', () => {
  expect(power([10, 5], [20, 20])).toBe(2);
  expect(power([10, 5], [40, 20])).toBe(1);
});

test('shapes have about the length that is asked for, and depend on the chance alone', () => {
  for (let n = 0; n < 500; n++) {
    const shape = shapeOf(new Chance(1, 'x', n), n, ['a: b=1 [c]', 'deb http://x y']);
    expect(shapeOf(new Chance(1, 'x', n), n, ['a: b=1 [c]', 'deb http://x y']).name).toBe(shape.name);
    for (const size of [625, 40_000]) {
      const { length } = shape.make(size);
      expect(length, shape.name).toBeGreaterThan(size * 0.9);
      expect(length, shape.name).toBeLessThan(size * 1.1 + 100);
    }
  }
});

const lines = (size: number, line: (n: number) => string): string => {
  let text = '';
  for (let n = 0; text.length < size; n++) text += line(n);
  return text;
};

/** What was once super-linear, on the text that showed it. */
test.each<[parser: string, what: string, make: (size: number) => string]>([
  ['lab-scenario', 'many keys', size => lines(size, n => `k${n}: 1\n`)],
  ['lab-scenario', 'many keys in a line', size => `{${lines(size, n => `k${n}: 1, `)}}`],
  ['lab-scenario', 'many aliases', size => `a: &a 1\nb:\n${lines(size, () => '- *a\n')}`],
  ['lab-scenario', 'many anchors and aliases', size => lines(size, n => `- &a${n} 1\n- *a${n}\n`)],
  ['lab-pattern', 'a run of what is repeated', size => `${'a'.repeat(size)}!`],
  ['lab-judge', 'many events', size => lines(size, () => 'a\n')],
  ['lab-judge', 'one long message', size => 'a'.repeat(size)],
  ['lab-judge-large', 'many events', size => lines(size / 4, () => `${'ab'.repeat(100)}\n`)],
  ['lab-judge-large', 'one long message', size => 'ab'.repeat(size / 8)],
  ['lab-interrupts', 'counts before another kind of line end', size => `1:${' 1'.repeat(size / 2)}a\u2028b`],
  ['cli-arguments', 'dots', size => `${'.'.repeat(size)}!`],
  ['decode-mce-inject', 'comments', size => `${'#'.repeat(size / 10)}\u2028x\n`.repeat(10)],
  ['decode-pieces', 'lines in small pieces', size => 'a\n'.repeat(size / 2)],
  ['decode-pieces', 'one line in small pieces', size => 'a'.repeat(size)],
  ['lab-condition', 'quotes that do not end', size => `x.y ${'a\\"'.repeat(size / 3)}`],
  ['supply-apt', 'versions', size => `E: ${"Version '' for '".repeat(size / 16)}`],
  ['supply-apt', 'keyrings', size => `E: ${'keyring'.repeat(size / 7)}`],
  ['supply-apt', 'release files', size => `E: ${'Release file for '.repeat(size / 17)}`],
  ['supply-sources', 'blanks before another kind of line end', size => `deb a b${' '.repeat(size)}c\u2028d`],
  ['supply-sources', 'blanks in a field', size => `Suites:${' '.repeat(size)}c\u2028d`],
  [
    'supply-sources',
    'many addresses and many suites',
    size => `Types: deb\nURIs:${' a'.repeat(size / 4)}\nComponents: main\nSuites:${' b'.repeat(size / 4)}`,
  ],
  ['supply-versions', 'digits that are no version', size => `6.${'1'.repeat(size)}!`],
  ['text-values', 'many names', size => lines(size, n => `a${n}=1 `)],
  ['guest-agent', 'carriage returns', size => `${'\r'.repeat(size / 10)}x\n`.repeat(10)],
  ['common-nearest', 'a long word', size => 'a'.repeat(size)],
])('%s takes no more than in proportion: %s', (parser, _what, make) => {
  const { run: parse } = PARSERS.find(p => p.name === parser) ?? { run: expect.unreachable };
  expect(growthOf(parse, make).wrong).toBeUndefined();
});
