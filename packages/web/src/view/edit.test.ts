import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { describe as registersOf } from '@syndrome/decode/decode/record-rules.ts';
import type { RawRecord } from '@syndrome/decode/decode/record.ts';
import { encodeCper } from '@syndrome/decode/cper/region.ts';
import { bitRows, namedBits } from './bits.ts';
import { changedBits, flipped, isSet, withValue } from './edit.ts';

const raw = (input: string | Uint8Array): RawRecord => {
  const [record] = decode(input).records;
  if (record === undefined) throw new Error('no record');
  return record.raw;
};
const MCA = raw('status=0x9c00180000000000 addr=0x87ee000 misc=0x8c bank=9 vendor=amd');
const ARM = raw('esr=0x92000410 far=0xffff80001000');
const CPER = raw(
  encodeCper({
    kind: 'cper',
    severity: 'fatal',
    sections: [
      {
        type: 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1',
        severity: 'fatal',
        revision: 0x300,
        flags: 0,
        body: { kind: 'memory', physicalAddress: 0x1000n, errorType: 3 },
      },
    ],
  } as Parameters<typeof encodeCper>[0]),
);

describe.each([
  ['a machine check', MCA],
  ['an abort', ARM],
  ['a firmware record', CPER],
])('%s', (_, record) => {
  test('each register can be given another value, and nothing else changes', () => {
    const views = registersOf(record);
    expect(views.length).toBeGreaterThan(0);
    for (const { member, value, width } of views) {
      for (const bit of [0, width - 1]) {
        const changed = registersOf(withValue(record, member, flipped(value, bit)));
        const now = changed.find(view => view.member === member);
        expect(now?.value, member).toBe(flipped(value, bit));
      }
    }
  });
  test('is itself again when a bit was turned twice', () => {
    for (const { member, value } of registersOf(record))
      expect(withValue(withValue(record, member, flipped(value, 3)), member, value)).toEqual(record);
  });
  test('what was given stays as it was', () => {
    const before = structuredClone(record);
    for (const { member, value } of registersOf(record)) withValue(record, member, flipped(value, 1));
    expect(record).toEqual(before);
  });
});

test('a member that is not there is not made, and nothing is written into a prototype', () => {
  expect(withValue(MCA, 'sections[0].body.x', 1n)).toEqual(MCA);
  expect(withValue(MCA, '__proto__.x', 1n)).toEqual(MCA);
  expect(({} as { x?: unknown }).x).toBeUndefined();
});

test('changed bits are those that differ', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.uniqueArray(fc.nat(63)), (value, bits) => {
      const after = bits.reduce(flipped, value);
      expect(changedBits(value, after)).toEqual(bits.toSorted((a, b) => a - b));
      for (const bit of bits) expect(isSet(after, bit)).toBe(!isSet(value, bit));
    }),
  );
});

describe('the strip', () => {
  test.each([
    ['a machine check', MCA],
    ['an abort', ARM],
    ['a firmware record', CPER],
  ])('of %s has each bit once, and each name over its bits', (_, record) => {
    for (const view of registersOf(record)) {
      const rows = bitRows(view);
      const bits = rows.flatMap(row => row.bits);
      expect(bits.map(({ bit }) => bit)).toEqual(Array.from({ length: view.width }, (__, i) => view.width - 1 - i));
      const value = bits.reduce((sum, { bit, set }) => (set ? flipped(sum, bit) : sum), 0n);
      expect(value).toBe(view.value);
      for (const { names, high, low } of rows) {
        for (const { column, span, hi, lo } of names) {
          expect(column).toBe(high - Math.min(hi, high) + 1);
          expect(column + span - 1).toBe(high - Math.max(lo, low) + 1);
        }
      }
    }
  });
  test('names what findings speak of', () => {
    const [record] = decode('status=0x9c00180000000000 addr=0x87ee000 misc=0x8c bank=9 vendor=amd').records;
    expect(namedBits(record?.lint ?? [], 'status')).toEqual(new Set([43, 44]));
    expect(namedBits(record?.lint ?? [], 'addr')).toEqual(new Set());
  });
});
