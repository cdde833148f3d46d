import { expect, test } from 'vitest';
import { parseObject } from './json.ts';

test('an object, and nothing else', () => {
  expect(parseObject('{"a": [1], "__proto__": 2}')).toEqual(
    Object.fromEntries([
      ['a', [1]],
      ['__proto__', 2],
    ]),
  );
  for (const text of ['', '{', 'null', '5', '"a"', '[]', '[{}]', '{} x']) expect(parseObject(text)).toBeUndefined();
});
