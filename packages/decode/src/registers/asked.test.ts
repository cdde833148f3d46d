import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AskedBits, bitsOf, hasBits } from './asked.ts';
import { bit, bits, defineRegister } from './register.ts';

const u64 = fc.bigInt(0n, (1n << 64n) - 1n);

const REGISTER = defineRegister({
  name: 'R',
  width: 64,
  source: 'none',
  fields: [bit(61, 'UC', 'uncorrected'), bits(15, 0, 'CODE', 'error code')],
});

describe('bits that are asked for', () => {
  it('are those of the value, and are noted', () => {
    const value = new AskedBits(0xbd80_0000_0010_0134n, 1n << 63n);
    expect([bitsOf(value, 0xffffn), value.asked]).toEqual([0x134n, 0x8000_0000_0000_ffffn]);
    expect([hasBits(value, 0xffff_0000n, 0x10_0000n), value.asked]).toEqual([true, 0x8000_0000_ffff_ffffn]);
    expect(bitsOf(0x1234n, 0xffn)).toBe(0x34n);
    expect([hasBits(0x1234n, 0xffn, 0x34n), hasBits(0x1234n, 0xffn, 0x35n)]).toEqual([true, false]);
  });

  it('are read as fields, one by one', () => {
    const value = new AskedBits(0xbd80_0000_0010_0134n);
    const status = REGISTER.read(value);
    expect(value.asked).toBe(0n);
    expect([status.UC, status.CODE]).toEqual([true, 0x134n]);
    expect(value.asked).toBe(REGISTER.masks.UC | REGISTER.masks.CODE);
  });

  it('decide: a value that is the same there gets the same answers', () => {
    fc.assert(
      fc.property(u64, u64, fc.array(fc.tuple(u64, u64, fc.boolean()), { maxLength: 5 }), (one, other, questions) => {
        const ask = (bits: AskedBits): unknown[] =>
          questions.map(([mask, wanted, compares]) =>
            compares ? bits.is(mask, wanted & mask) : bits.and(mask & 0xf0f0n),
          );
        const first = new AskedBits(one);
        const answers = ask(first);
        const alike = (one & first.asked) | (other & ~first.asked);
        expect(ask(new AskedBits(alike))).toEqual(answers);
      }),
    );
  });
});
