import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { descriptorAddress, descriptorFormat, withAddress } from './descriptor.ts';
import type { GranuleBits } from './descriptor.ts';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('descriptors of VMSAv8-64', () => {
  it.each([
    [12, false, 0x0000_ffff_ffff_f000n],
    [14, false, 0x0000_ffff_ffff_c000n],
    [16, false, 0x0000_ffff_ffff_0000n],
    [12, true, 0x000f_ffff_ffff_f000n],
    [14, true, 0x000f_ffff_ffff_c000n],
    [16, true, 0x000f_ffff_ffff_0000n],
  ] as const)(
    'of a granule of 2^%i bytes, 52 bits: %s, hold these bits of an address',
    (granule: GranuleBits, large, all) => {
      const format = descriptorFormat(granule, large);
      expect(descriptorAddress(2n ** 64n - 1n, format)).toBe(all);
      fc.assert(
        fc.property(u64, u64, (descriptor, any) => {
          const address = any & all;
          const moved = withAddress(descriptor, address, format);
          expect(descriptorAddress(moved, format)).toBe(address);
          expect(moved & ~(format.ADDRESS | format.HIGH)).toBe(descriptor & ~(format.ADDRESS | format.HIGH));
          expect(withAddress(descriptor, descriptorAddress(descriptor, format), format)).toBe(descriptor);
        }),
      );
    },
  );

  it('have the high bits where the manual has them', () => {
    expect(descriptorAddress(0xf000n, descriptorFormat(16, true))).toBe(0xfn * 2n ** 48n);
    expect(descriptorAddress(0x300n, descriptorFormat(12, true))).toBe(3n * 2n ** 50n);
    expect(descriptorAddress(0x300n, descriptorFormat(12, false))).toBe(0n);
  });
});
