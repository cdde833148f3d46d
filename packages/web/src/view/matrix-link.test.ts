import { expect, test } from 'vitest';
import { hashOfMatrix, matrixLookOf, originOf, placesOf } from './matrix-link.ts';

test('a link leads to the same look', () => {
  const look = { cell: { line: '1.2', version: '/boot/a&b #1' }, find: 'fail', across: 'versions' } as const;
  expect(matrixLookOf(hashOfMatrix(look))).toEqual(look);
  expect(hashOfMatrix({ cell: { line: '1.1', version: '6.19.6' } })).toBe('#matrix?line=1.1&version=6.19.6');
  expect(hashOfMatrix({})).toBe('#matrix');
});
test.each(['#matrix?line=x&version=1', '#matrix?across=up', '#matrix?line=1.1', '#trace?line=1.1&version=6'])(
  'what is wrong in it is left out: %s',
  hash => {
    expect(matrixLookOf(hash)).toEqual({});
  },
);
test('a link from before there were other axes than kernels leads to the same', () => {
  expect(matrixLookOf('#matrix?line=1.1&kernel=6.19.6&across=kernels')).toEqual({
    cell: { line: '1.1', version: '6.19.6' },
    across: 'versions',
  });
});
test('a link to traces knows their cells', () => {
  const places = [
    { line: '1.1', version: '6.19.6' },
    { line: '1.1', version: 'a/b&c' },
  ];
  expect(placesOf(`#trace?event=a85&${originOf(places)}`)).toEqual(places);
  expect(placesOf('#trace?a=6.19.6')).toEqual([]);
});
