import { describe, expect, test } from 'vitest';
import { parseImageHeader } from './image.ts';
import { bootLayout } from './layout.ts';

/** The first 64 bytes of Debian's linux-binary-7.2.12+deb13-cloud-arm64. */
const DEBIAN_7_2_12 = Buffer.from(
  '4d5a40fa3b207c1400000000000000000000650200000000' + '0a00000000000000' + '00'.repeat(24) + '41524d6440000000',
  'hex',
);

describe('parseImageHeader', () => {
  test('a real kernel', () => {
    expect(DEBIAN_7_2_12.length).toBe(64);
    expect(parseImageHeader(DEBIAN_7_2_12)).toEqual({ textOffset: 0n, imageSize: 0x265_0000n });
  });

  test.each([
    ['gzip', Buffer.concat([Buffer.from('1f8b08', 'hex'), Buffer.alloc(61)]), /Uncompress/],
    ['EFI zboot', Buffer.concat([Buffer.from('4d5a00007a696d67', 'hex'), Buffer.alloc(56)]), /Uncompress/],
    ['something else', Buffer.alloc(64), /Image/],
    ['nothing', Buffer.alloc(0), /Image/],
  ])('%s is refused with what to do', (_name, bytes, hint) => {
    expect(() => parseImageHeader(bytes)).toThrow(
      expect.objectContaining({ code: 'E_VMM_IMAGE', hint: expect.stringMatching(hint) }),
    );
  });
});

describe('bootLayout', () => {
  const MIB = 1n << 20n;

  test('tree first, kernel 2 MiB above, initramfs behind it on a 2 MiB boundary', () => {
    const layout = bootLayout({ memoryBytes: 256n * MIB, textOffset: 0n, kernelBytes: 0x265_0000n, initrdBytes: 5n });
    expect(layout).toEqual({
      fdt: 0x4000_0000n,
      kernel: 0x4020_0000n,
      initrd: { start: 0x42a0_0000n, end: 0x42a0_0005n },
    });
  });

  test('without an initramfs there is none', () => {
    const layout = bootLayout({ memoryBytes: 256n * MIB, textOffset: 0n, kernelBytes: MIB, initrdBytes: 0n });
    expect(layout.initrd).toBeUndefined();
  });

  test('what does not fit is refused', () => {
    const input = { memoryBytes: 64n * MIB, textOffset: 0n, kernelBytes: 0x265_0000n, initrdBytes: 40n * MIB };
    expect(() => bootLayout(input)).toThrow(expect.objectContaining({ code: 'E_VMM_RAM' }));
  });
});
