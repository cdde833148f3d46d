import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from './classify.ts';
import type { McaClass } from './classify.ts';
import type { McaVendor } from './record.ts';

/** Rows of the SDM's error classification table and of the APM's status bits. */
const CASES: readonly (readonly [status: bigint, vendor: McaVendor | undefined, cls: McaClass])[] = [
  [0x0000000000000000n, 'intel', 'invalid'],
  [0x3fffffffffffffffn, 'amd', 'invalid'],
  [0x8000000000000000n, 'intel', 'CE'],
  [0x9c000000000000c0n, 'intel', 'CE'],
  [0xbc00000080000136n, 'intel', 'UCNA'],
  [0xbd000000000000c0n, 'intel', 'SRAO'],
  [0xbd80000000000134n, 'intel', 'SRAR'],
  [0xbd80000000000150n, 'intel', 'SRAR'],
  [0xb200000000000000n, 'intel', 'PCC'],
  // PCC wins over S and AR, which have no meaning beside it.
  [0xbf80000000000134n, 'intel', 'PCC'],
  // AR without S is not in the table.
  [0xbc80000000000134n, 'intel', 'UC'],
  [0x9c00180000000000n, 'amd', 'Deferred'],
  [0xbc00080000000000n, 'amd', 'UC'],
  [0xbe00080000000000n, 'amd', 'PCC'],
  [0x9c00000000000000n, 'amd', 'CE'],
  // Without a vendor only what both read the same way is said.
  [0xb200000000000000n, undefined, 'PCC'],
  [0x8000000000000000n, undefined, 'CE'],
  [0x9c00180000000000n, undefined, 'unknown'],
  [0xbd000000000000c0n, undefined, 'unknown'],
];

describe('classify', () => {
  it.each(CASES)('reads %s of %s as %s', (status, vendor, cls) => {
    expect(classify(vendor === undefined ? { status } : { status, vendor })).toBe(cls);
  });

  it('gives S and AR no meaning on a CPU without software error recovery', () => {
    expect(classify({ status: 0xbd80000000000134n, vendor: 'intel', mcgCap: 0x1_0000_0000n })).toBe('UC');
    expect(classify({ status: 0xbd80000000000134n, vendor: 'intel', mcgCap: 0x0100010an })).toBe('SRAR');
  });

  it('never contradicts a vendor when it does not know it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), status => {
        const without = classify({ status });
        const both = [classify({ status, vendor: 'intel' }), classify({ status, vendor: 'amd' })];
        expect(without === 'unknown' ? both[0] !== both[1] : both.every(c => c === without)).toBe(true);
      }),
    );
  });
});
