import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegisterError, bit, bits, defineRegister } from './register.ts';

const REG = defineRegister({
  name: 'TEST',
  width: 32,
  source: 'this test',
  fields: [bit(31, 'VAL', 'valid'), bits(15, 8, 'CODE', 'code', { 3: 'three' }), bits(3, 0, 'LOW')],
});
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

describe('defineRegister', () => {
  it('encodes what it decoded, for every u64', () => {
    fc.assert(
      fc.property(u64, v => {
        expect(REG.encode(REG.decode(v))).toBe(v);
      }),
    );
  });

  it('cuts out every field of every place and width exactly', () => {
    const field = fc.tuple(fc.nat(63), fc.nat(63)).map(([a, b]) => [Math.max(a, b), Math.min(a, b)] as const);
    fc.assert(
      fc.property(field, u64, ([hi, lo], v) => {
        const reg = defineRegister({ name: 'ONE', width: 64, source: '', fields: [bits(hi, lo, 'F')] });
        const mask = ((1n << BigInt(hi - lo + 1)) - 1n) << BigInt(lo);
        expect(reg.decode(v)).toStrictEqual({ F: (v & mask) >> BigInt(lo), reserved: v & ~mask });
        expect(reg.encode(reg.decode(v))).toBe(v);
      }),
    );
    for (let n = 0; n < 64; n++) {
      const one = defineRegister({ name: 'BIT', width: 64, source: '', fields: [bit(n, 'B')] });
      const all = (1n << 64n) - 1n;
      const set = 1n << BigInt(n);
      expect(one.decode(set)).toStrictEqual({ B: true, reserved: 0n });
      expect(one.decode(all ^ set)).toStrictEqual({ B: false, reserved: all ^ set });
    }
  });

  it('reads each member as decode() does, and keeps nothing of a value for the next', () => {
    fc.assert(
      fc.property(u64, u64, (v, other) => {
        const [read, all] = [REG.read(v), REG.decode(v)];
        REG.decode(other);
        REG.read(other);
        const { VAL, CODE, LOW, reserved } = read;
        expect({ VAL, CODE, LOW, reserved }).toStrictEqual(all);
      }),
    );
    expect(REG.decode(5n)).not.toBe(REG.decode(5n));
    expect([REG.read(-1n).VAL, REG.read(-1n).CODE, REG.read((1n << 64n) | 3n).reserved]).toEqual([true, 0xffn, 0n]);
  });

  it('reads 64 bits of any bigint', () => {
    expect(REG.decode((1n << 64n) | 3n)).toStrictEqual({ VAL: false, CODE: 0n, LOW: 3n, reserved: 0n });
    expect(REG.decode(-1n)).toMatchObject({ VAL: true, CODE: 0xffn, LOW: 0xfn });
  });

  it('keeps bits without a field visible', () => {
    expect(REG.decode(0x1_0040_0300n)).toEqual({ VAL: false, CODE: 3n, LOW: 0n, reserved: 0x1_0040_0000n });
    expect(REG.describe(0x1_8040_0310n).map(r => [r.name, r.hi, r.lo, r.value, r.meaning])).toEqual([
      ['reserved', 63, 32, 1n, 'bits without a defined meaning'],
      ['VAL', 31, 31, 1n, 'valid'],
      ['reserved', 30, 16, 0x40n, 'bits without a defined meaning'],
      ['CODE', 15, 8, 3n, 'three'],
      ['reserved', 7, 4, 1n, 'bits without a defined meaning'],
      ['LOW', 3, 0, 0n, undefined],
    ]);
  });

  it('describes every bit exactly once: the rows add up to the value', () => {
    fc.assert(
      fc.property(u64, v => {
        expect(REG.describe(v).reduce((sum, row) => sum | (row.value << BigInt(row.lo)), 0n)).toBe(v);
      }),
    );
  });

  it('refuses values that do not fit, unknown names and reserved bits that belong to a field', () => {
    expect(() => REG.encode({ LOW: 16n })).toThrow(/does not fit/);
    expect(() => REG.encode({ LOW: -1n })).toThrow(RegisterError);
    expect(() => REG.encode({ NOPE: 1n } as never)).toThrow(/no field NOPE/);
    expect(() => REG.encode({ reserved: 1n })).toThrow(/reserved/);
  });

  it('refuses a table whose fields overlap or leave the register', () => {
    const define = (...fields: Parameters<typeof bits>[]) =>
      defineRegister({ name: 'BAD', width: 8, source: '', fields: fields.map(f => bits(...f)) });
    expect(() => define([3, 0, 'A'], [3, 3, 'B'])).toThrow(/overlaps/);
    expect(() => define([8, 0, 'A'])).toThrow(/outside/);
  });
});
