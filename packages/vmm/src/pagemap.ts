import { PAGEMAP } from '@syndrome/decode/registers/linux-pages.ts';
import { closeSync, openSync, readSync } from 'node:fs';
import type { EventAddress } from './events.ts';

const ENTRY_BYTES = 8;

/**
 * The host physical address behind an address of this process (Documentation/admin-guide/mm/pagemap.rst), or undefined
 * when the page is not present or the PFN is hidden (needs CAP_SYS_ADMIN). `pageBytes` is the host's page size.
 */
function physicalAddress(hva: bigint, pageBytes: bigint): bigint | undefined {
  const entry = Buffer.alloc(ENTRY_BYTES);
  let fd: number;
  try {
    fd = openSync('/proc/self/pagemap', 'r');
  } catch {
    return undefined;
  }
  try {
    if (readSync(fd, entry, 0, ENTRY_BYTES, (hva / pageBytes) * BigInt(ENTRY_BYTES)) !== ENTRY_BYTES) return undefined;
  } finally {
    closeSync(fd);
  }
  const { PRESENT, PFN } = PAGEMAP.read(entry.readBigUInt64LE(0));
  if (!PRESENT || PFN === 0n) return undefined;
  return PFN * pageBytes + (hva % pageBytes);
}

/** The same as an event says it: not valid where it cannot be had. */
export function hostPlace(hva: bigint, pageBytes: bigint): EventAddress {
  const value = physicalAddress(hva, pageBytes);
  return value === undefined ? { valid: false } : { valid: true, value };
}
