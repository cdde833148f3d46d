import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, alignDown, alignUp, dropBelow, fits, pageOf, pagesOf, pfnOf } from './address.ts';
import {
  byteOf,
  fieldOf,
  hasBit,
  highHalf,
  joined,
  lowHalf,
  placed,
  readLittleEndian,
  writeLittleEndian,
} from './field.ts';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('addresses and frames', () => {
  it('lead to each other', () => {
    expect([pfnOf(0x1234_5678n), addressOf(0x1_2345n), pageOf(0x1234_5678n)]).toEqual([
      0x1_2345n,
      0x1234_5000n,
      0x1234_5000n,
    ]);
    fc.assert(
      fc.property(u64, a => {
        expect(pageOf(a) + (a % 4096n)).toBe(a);
      }),
    );
  });

  it('are aligned to blocks', () => {
    fc.assert(
      fc.property(u64, fc.integer({ min: 0, max: 40 }), (a, bits) => {
        const size = 2n ** BigInt(bits);
        expect(alignDown(a, size)).toBe(a - (a % size));
        expect(alignDown(a, size)).toBe(dropBelow(a, bits));
        expect(alignUp(a, size) - a).toBe((size - (a % size)) % size);
      }),
    );
    expect([0, 12, 13, 21].map(pagesOf)).toEqual([1n, 1n, 2n, 512n]);
    expect([fits(2n ** 64n - 1n, 64), fits(2n ** 64n, 64), fits(-1n, 64)]).toEqual([true, false, false]);
  });
});

describe('fields at computed places', () => {
  it('are cut out and put back', () => {
    fc.assert(
      fc.property(u64, fc.nat(63), fc.nat(63), (value, a, b) => {
        const [hi, lo] = [Math.max(a, b), Math.min(a, b)];
        const field = fieldOf(value, hi, lo);
        expect(field).toBe((value / 2n ** BigInt(lo)) % 2n ** BigInt(hi - lo + 1));
        expect(placed(field, lo)).toBe(field * 2n ** BigInt(lo));
        expect(hasBit(value, lo)).toBe(fieldOf(value, lo, lo) === 1n);
      }),
    );
  });

  it('halves and bytes make up the value', () => {
    fc.assert(
      fc.property(u64, value => {
        expect(joined(highHalf(value), lowHalf(value))).toBe(value);
        const bytes = new Uint8Array(8);
        writeLittleEndian(bytes, 0, 8, value);
        expect([...bytes]).toEqual(Array.from({ length: 8 }, (_, i) => byteOf(value, i)));
        expect(readLittleEndian(bytes, 0, 8)).toBe(value);
      }),
    );
  });
});
