/** The edges of register tables: fields across the halves, gaps of one bit, what encode and define refuse. */
import { describe, expect, it } from 'vitest';
import { bit, bits, defineRegister } from './register.ts';
import type { Field } from './register.ts';

const U64 = (1n << 64n) - 1n;
const register = (fields: readonly Field[], width = 64) =>
  defineRegister({ name: 'R', width, source: 'manual', fields });

describe('declarations', () => {
  it('keep what they were given', () => {
    expect(bit(3, 'B', 'set')).toStrictEqual({ kind: 'bit', name: 'B', hi: 3, lo: 3, meaning: 'set' });
    const code = bits(15, 8, 'C', 'code', { 3: 'three' });
    expect(code).toStrictEqual({ kind: 'bits', name: 'C', hi: 15, lo: 8, meaning: 'code', values: { 3: 'three' } });
    expect(register([code], 32)).toMatchObject({ name: 'R', width: 32, source: 'manual', fields: [code] });
  });

  it('may not reach below bit 0, be upside down, or make a register of more than 64 bits', () => {
    expect(() => register([bits(3, -1, 'A')])).toThrow(/bits 3:-1 are outside/);
    expect(() => register([bits(2, 3, 'A')])).toThrow(/bits 2:3 are outside/);
    expect(() => register([bit(0, 'A')], 65)).toThrow(/outside/);
    expect(() => register([bit(0, 'A'), bit(1, 'A')])).toThrow(/repeats its name/);
    expect(() => register([bit(0, 'reserved')])).toThrow(/repeats its name/);
    expect(register([bits(63, 0, 'A')]).decode(U64)).toStrictEqual({ A: U64, reserved: 0n });
  });
});

describe('decode', () => {
  it('cuts every field out of either half and across both', () => {
    const wrong: unknown[] = [];
    for (let hi = 0; hi < 64; hi++) {
      for (let lo = 0; lo <= hi; lo++) {
        const reg = register([bits(hi, lo, 'F')]);
        const mask = ((1n << BigInt(hi - lo + 1)) - 1n) << BigInt(lo);
        for (const v of [U64, mask, 0x9e37_79b9_7f4a_7c15n]) {
          if (reg.decode(v)['F'] !== (v & mask) >> BigInt(lo)) wrong.push([hi, lo, v]);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('encode', () => {
  it('takes reserved bits of 64 bits and no more', () => {
    const none = register([]);
    expect(none.encode({ reserved: U64 })).toBe(U64);
    expect(none.encode({ reserved: 0n })).toBe(0n);
    expect(() => none.encode({ reserved: U64 + 1n })).toThrow(/may only hold bits/);
    expect(() => none.encode({ reserved: -1n })).toThrow(/may only hold bits/);
    expect(() => none.encode({ reserved: true as never })).toThrow(/may only hold bits/);
  });

  it('measures a field by its own width, wherever it stands', () => {
    const reg = register([bits(15, 8, 'C'), bit(40, 'B')]);
    expect(reg.encode({ C: 0xffn, B: true })).toBe(0x100_0000_ff00n);
    expect(() => reg.encode({ C: 0x100n })).toThrow(/256 does not fit in bits 15:8/);
    expect(() => reg.encode({ B: 2n as never })).toThrow(/does not fit/);
  });
});

describe('rows', () => {
  const reg = register([bits(3, 2, 'LOW', 'low', { 1: 'one' }), bits(12, 11, 'MID'), bit(9, 'B', 'set')], 16);

  it('gives the fields from the top down, however they were declared, and no row for clear gaps', () => {
    expect(reg.describe(0n)).toStrictEqual([
      { name: 'MID', hi: 12, lo: 11, value: 0n },
      { name: 'B', hi: 9, lo: 9, value: 0n },
      { name: 'LOW', hi: 3, lo: 2, value: 0n, meaning: 'low' },
    ]);
    expect(reg.describe(0x1a04n)).toStrictEqual([
      { name: 'MID', hi: 12, lo: 11, value: 3n },
      { name: 'B', hi: 9, lo: 9, value: 1n, meaning: 'set' },
      { name: 'LOW', hi: 3, lo: 2, value: 1n, meaning: 'one' },
    ]);
  });

  it('shows stray bits in a gap of one bit, at the top and below the lowest field', () => {
    const stray = (value: bigint) => reg.describe(value).filter(r => r.name === 'reserved');
    const meaning = 'bits without a defined meaning';
    expect(stray(1n << 10n)).toStrictEqual([{ name: 'reserved', hi: 10, lo: 10, value: 1n, meaning }]);
    expect(stray(1n << 63n)).toStrictEqual([{ name: 'reserved', hi: 63, lo: 13, value: 1n << 50n, meaning }]);
    expect(stray(3n)).toStrictEqual([{ name: 'reserved', hi: 1, lo: 0, value: 3n, meaning }]);
    expect(register([bit(1, 'B')]).describe(1n)).toStrictEqual([
      { name: 'B', hi: 1, lo: 1, value: 0n },
      { name: 'reserved', hi: 0, lo: 0, value: 1n, meaning },
    ]);
  });
});
