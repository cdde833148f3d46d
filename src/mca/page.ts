/** @module The memory a record names. */
import { ADDRESS_MODE_PHYSICAL, MCI_MISC, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import type { X86McaRecord } from './record.ts';

/** A page frame number: a physical address shifted right by 12. Kept apart from addresses on purpose. */
export type Pfn = bigint & { readonly __pfn?: never };

export interface PageRef {
  /** Start of the affected memory, aligned to its granularity. */
  address: bigint;
  /** First 4 KiB page. */
  pfn: Pfn;
  /** log2 of the affected size in bytes. */
  lsb: number;
  /** Number of 4 KiB pages touched, at least 1. */
  pages: bigint;
}

/** Granularity assumed where the record names none: a cache line (AMD legacy banks carry no LSB). */
const CACHE_LINE_LSB = 6;

/**
 * The system memory a record names, or undefined when its address cannot be used as a system physical address:
 * no ADDRV; Intel: no MISCV or not address mode 2 (SDM 16.3.2.4); AMD: no POISON, or an SMCA bank without it, whose
 * address may be a channel-local one (PPR, MCA_ADDR_UMC).
 */
export function pageOf(record: X86McaRecord): PageRef | undefined {
  const { addr, misc, status } = record;
  if (addr === undefined) return undefined;
  let lsb = CACHE_LINE_LSB;
  if (record.vendor === 'amd') {
    const s = MCI_STATUS_AMD.decode(status);
    if (!s.VAL || !s.ADDRV || !s.POISON) return undefined;
    // QEMU's AMD records carry an Intel-shaped MISC; bare metal uses ADDRLSB.
    if (s.ADDRLSB !== 0n) lsb = Number(s.ADDRLSB);
  } else {
    const s = MCI_STATUS_INTEL.decode(status);
    if (!s.VAL || !s.ADDRV || !s.MISCV || misc === undefined) return undefined;
    const m = MCI_MISC.decode(misc);
    if (m.MODE !== ADDRESS_MODE_PHYSICAL) return undefined;
    lsb = Number(m.LSB);
  }
  const address = (addr >> BigInt(lsb)) << BigInt(lsb);
  return { address, pfn: address >> 12n, lsb, pages: lsb > 12 ? 1n << BigInt(lsb - 12) : 1n };
}
