import { expect, test } from 'vitest';
import { Chance } from '../scripts/chance.ts';
import { applyMutant, describeMutant, mutantsOf } from '../scripts/mutation/mutants.ts';

const changed = (source: string): string[] => mutantsOf('a.ts', source).map(m => applyMutant(source, m));

test.each([
  ['const a = b < 1;', ['const a = b <= 1;', 'const a = b >= 1;', 'const a = b < 2;', 'const a = b < 0;']],
  ['a = b && c;', [';', 'a = b || c;']],
  ['const a = b & ~c;', ['const a = b | ~c;', 'const a = b & c;']],
  ['const a = b << 3n;', ['const a = b >> 3n;', 'const a = b << 4n;', 'const a = b << 2n;']],
  [
    "const a = [bit(5, 'A')];",
    ['const a = [];', "const a = [bit(6, 'A')];", "const a = [bit(4, 'A')];", "const a = [bit(5, '')];"],
  ],
  ["const a = { b, c: 'x' };", ["const a = { c: 'x' };", 'const a = { b };', "const a = { b, c: '' };"]],
  ['const a = (b: X): Y => b as Z;', ['const a = (b: X): Y => undefined;']],
  ['const a = !b;', ['const a = !!b;']],
  [
    'function f() { if (a) return b; }',
    [
      'function f() { if (true) return b; }',
      'function f() { if (false) return b; }',
      'function f() { if (a) return; }',
    ],
  ],
  ['const a = b.filter(c).some(d);', ['const a = b.some(d);', 'const a = b.filter(c).every(d);']],
  ["function f() { throw new E('text', 3); }", ['function f() { ; }']],
])('%s', (source, expected) => {
  expect(changed(source).toSorted()).toEqual(expected.toSorted());
});

test.each([
  "import { a } from './b.ts';",
  "export * from './b.ts';",
  'interface A { b: 3; c: "d" }',
  'type A<T extends 1 | 2> = T[];',
  '/** a < b */ let a: Record<number, true>;',
  'function f() { return undefined; }',
])('nothing to change in %s', source => {
  expect(changed(source)).toEqual([]);
});

test('a mutant says where it is and what it changes', () => {
  const source = 'const a = 1;\nconst b = c === d;\n';
  const [mutant] = mutantsOf('src/a.ts', source).filter(m => m.operator === 'comparison');
  expect(mutant).toMatchObject({ file: 'src/a.ts', line: 2, column: 13 });
  expect(mutant && describeMutant(source, mutant)).toBe('=== -> !==');
});

test('chance is the same for the same seed and not for another', () => {
  const draws = (...seed: (string | number)[]): number[] => {
    const chance = new Chance(...seed);
    return Array.from({ length: 8 }, () => chance.u32());
  };
  expect(draws(1, 'mca', 5)).toEqual(draws(1, 'mca', 5));
  expect(
    new Set([draws(1, 'mca', 5), draws(1, 'mca', 6), draws(2, 'mca', 5), draws(1, 'arm', 5)].map(String)).size,
  ).toBe(4);
  expect(new Chance(7).shuffled([1, 2, 3, 4]).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
});
