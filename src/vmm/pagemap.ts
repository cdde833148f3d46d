import { closeSync, openSync, readSync } from 'node:fs';

const ENTRY_BYTES = 8;
const PRESENT = 1n << 63n;
const PFN_MASK = (1n << 55n) - 1n;
const HOST_PAGE_BITS = 12n;

/**
 * The host physical address behind an address of this process (Documentation/admin-guide/mm/pagemap.rst), or undefined
 * when the page is not present or the PFN is hidden (needs CAP_SYS_ADMIN). For hosts with 4 KiB pages.
 */
export function physicalAddress(hva: bigint): bigint | undefined {
  const entry = Buffer.alloc(ENTRY_BYTES);
  let fd: number;
  try {
    fd = openSync('/proc/self/pagemap', 'r');
  } catch {
    return undefined;
  }
  try {
    if (readSync(fd, entry, 0, ENTRY_BYTES, (hva >> HOST_PAGE_BITS) * BigInt(ENTRY_BYTES)) !== ENTRY_BYTES)
      return undefined;
  } finally {
    closeSync(fd);
  }
  const value = entry.readBigUInt64LE(0);
  const pfn = value & PFN_MASK;
  if ((value & PRESENT) === 0n || pfn === 0n) return undefined;
  return (pfn << HOST_PAGE_BITS) | (hva & ((1n << HOST_PAGE_BITS) - 1n));
}
