import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonical, sha256 } from './hash.ts';

test('the hash is the one that everybody computes, for any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 150 }), text => {
      expect(sha256(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
    }),
  );
});

test('the order of keys does not matter, and 64-bit values stay exact', () => {
  expect(canonical({ b: 1, a: { d: 0xffff_ffff_ffff_ffffn, c: [2, 1] } })).toBe(
    '{"a":{"c":[2,1],"d":"0xffffffffffffffff"},"b":1}',
  );
});
