import { alignUp } from '@syndrome/decode/registers/address.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';

/** Where things are in the guest's physical address space. */
export const MAP = {
  gicDistributor: { base: 0x0800_0000n, size: 0x1_0000 },
  /** One redistributor per vCPU, one behind the other. */
  gicRedistributor: { base: 0x080a_0000n, sizePerVcpu: 0x2_0000 },
  consoleUart: { base: 0x0900_0000n, size: 0x1000, spi: 1 },
  agentUart: { base: 0x0900_1000n, size: 0x1000, spi: 2 },
  ram: { base: 0x4000_0000n },
} as const;

/** Interrupts that the in-kernel distributor holds: 32 private ones and 32 shared ones. */
export const GIC_INTERRUPTS = 64;
export const MAX_VCPUS = 8;
export const PAGE = 4096n;

/** The kernel and its data are placed on this boundary (Documentation/arch/arm64/booting.rst). */
const ALIGN = 0x20_0000n;
const MIB = 0x10_0000n;
/** The device tree may not cross a 2 MiB boundary and has the first such block of RAM for itself. */
export const FDT_MAX_BYTES = 0x1_0000;

interface BootLayout {
  fdt: bigint;
  kernel: bigint;
  initrd: { start: bigint; end: bigint } | undefined;
}

/**
 * Places device tree, kernel and initramfs in RAM: tree at its start, kernel 2 MiB above, initramfs behind what the
 * kernel says it needs. Throws UsageError E_VMM_RAM when they do not fit.
 */
export function bootLayout(input: {
  memoryBytes: bigint;
  textOffset: bigint;
  /** Memory from its start that the kernel takes, with what is not in the file. */
  kernelBytes: bigint;
  initrdBytes: bigint;
}): BootLayout {
  const base = MAP.ram.base;
  const kernel = base + ALIGN + input.textOffset;
  const start = alignUp(kernel + input.kernelBytes, ALIGN);
  const end = start + input.initrdBytes;
  if (end > base + input.memoryBytes) {
    throw new UsageError('E_VMM_RAM', `kernel and initramfs need ${(end - base) / MIB} MiB of guest memory`, {
      hint: 'Raise --memory.',
    });
  }
  return { fdt: base, kernel, initrd: input.initrdBytes === 0n ? undefined : { start, end } };
}
