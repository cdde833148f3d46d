/** @module The memory a record names. */
import { ADDRESS_MODE_PHYSICAL, MCI_MISC, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import type { X86McaRecord } from './record.ts';

/** A page frame number: a physical address shifted right by 12. A type of its own, so that no address passes for one. */
export type Pfn = bigint & { readonly __brand: 'Pfn' };

/** The frame of a physical address. */
export function pfnOf(address: bigint): Pfn {
  return (address >> 12n) as Pfn;
}

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
 * The system memory a record names, or undefined when its address cannot be taken for a system physical one: no
 * ADDRV; vendor not known; Intel: no MISCV or another address mode than 2 (SDM 16.3.2.4); AMD: no POISON, because
 * the address of a memory controller bank may be local to its channel (PPR, MCA_ADDR_UMC).
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
  } else if (record.vendor === 'intel') {
    const s = MCI_STATUS_INTEL.decode(status);
    if (!s.VAL || !s.ADDRV || !s.MISCV || misc === undefined) return undefined;
    const m = MCI_MISC.decode(misc);
    if (m.MODE !== ADDRESS_MODE_PHYSICAL) return undefined;
    lsb = Number(m.LSB);
  } else {
    return undefined;
  }
  const address = (addr >> BigInt(lsb)) << BigInt(lsb);
  return { address, pfn: pfnOf(address), lsb, pages: lsb > 12 ? 1n << BigInt(lsb - 12) : 1n };
}
