import { VmmError } from './errors.ts';

/** What the header of an arm64 `Image` says (Documentation/arch/arm64/booting.rst, section 4). */
interface ImageHeader {
  textOffset: bigint;
  /** Bytes of memory from the start of the image that the kernel uses. */
  imageSize: bigint;
}

export const IMAGE_HEADER_BYTES = 64;
const MAGIC = 0x644d5241; // "ARM\x64" at 56

/** Reads the header of a raw arm64 kernel image. Throws E_VMM_IMAGE for compressed and for other files. */
export function parseImageHeader(head: Uint8Array): ImageHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < IMAGE_HEADER_BYTES || view.getUint32(56, true) !== MAGIC) {
    const zboot = head.length >= 8 && view.getUint32(4, true) === 0x676d697a; // "zimg" at 4: EFI zboot
    const gzip = head[0] === 0x1f && head[1] === 0x8b;
    throw new VmmError('E_VMM_IMAGE', 'the kernel is not an uncompressed arm64 Image', {
      hint: zboot || gzip ? 'Uncompress it first.' : 'Give arch/arm64/boot/Image, or the vmlinuz of an arm64 package.',
    });
  }
  const imageSize = view.getBigUint64(16, true);
  if (imageSize === 0n) {
    throw new VmmError('E_VMM_IMAGE', 'the kernel does not say how much memory it needs', {
      hint: 'Kernels from 3.17 on do.',
    });
  }
  return { textOffset: view.getBigUint64(8, true), imageSize };
}
