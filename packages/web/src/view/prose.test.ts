import { expect, test } from 'vitest';
import { pieces } from './prose.ts';

test.each([
  ['look for `Memory failure:` lines', 'look for |<Memory failure:>| lines'],
  ['`a` and `b`', '<a>| and |<b>'],
  ['one ` alone', 'one ` alone'],
  ['``', '``'],
  ['', ''],
])('%s', (text, told) => {
  expect(
    pieces(text)
      .map(piece => (piece.code ? `<${piece.text}>` : piece.text))
      .join('|'),
  ).toBe(told);
});
