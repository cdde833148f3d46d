import { expect, test } from 'vitest';
import { lookOf } from './link.ts';
import { matrixLookOf, placesOf } from './matrix-link.ts';
import { matricesOf, withMatrices } from './served-link.ts';

test('a link leads to the same matrices, whatever they are called', () => {
  const names = ['matrices/a b&c=#.json', 'results/<img src=x>.json'];
  for (const hash of ['#matrix', '#matrix?line=1.1&version=6.19.6', '#trace?event=a81&from=-0.2&to=4.1&a=1.1%2F6.19.6'])
    expect(matricesOf(withMatrices(hash, names))).toEqual(names);
  expect(withMatrices('#matrix', ['matrices/x.json'])).toBe('#matrix?file=matrices%2Fx.json');
});
test('a link without any is what it was, and none is found in it', () => {
  expect(withMatrices('#matrix?line=1.1&kernel=6', [])).toBe('#matrix?line=1.1&kernel=6');
  for (const hash of ['', '#matrix', '#trace?event=a1', '#decode?file=kern.log']) expect(matricesOf(hash)).toEqual([]);
});
test('what is looked at is found beside them', () => {
  expect(lookOf(withMatrices('#trace?event=b7&from=1&to=2', ['x']))).toEqual({
    event: { run: 'b', seq: 7 },
    from: 1e9,
    to: 2e9,
  });
  const cell = { line: '1.1', version: '6.19.6' };
  expect(matrixLookOf(withMatrices('#matrix?line=1.1&version=6.19.6', ['x']))).toEqual({ cell });
  expect(placesOf(withMatrices('#trace?a=1.1%2F6.19.6', ['x']))).toEqual([cell]);
});
test('more than anybody opens are left out', () => {
  expect(matricesOf(withMatrices('#matrix', Array.from({ length: 100 }, String)))).toHaveLength(20);
});
