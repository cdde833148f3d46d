/** @module The memory a record names. */
import { MCA_ADDR } from './amd-registers.ts';
import { cpuOf } from './cpu.ts';
import { ADDRESS_MODE_PHYSICAL, MCI_MISC, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import type { X86McaRecord } from './record.ts';
import { smcaBank } from './smca-banks.ts';

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

/** MCA_ADDR without what some AMD banks keep above the address. */
const AMD_ADDRESS = (1n << 56n) - 1n;
const ALL_BITS = (1n << 64n) - 1n;

/** How the page of a record follows from its address register. */
export interface PageShape {
  /** log2 of the granularity in bytes. */
  lsb: number;
  /** Bits of the address register that are the start of the affected memory. */
  mask: bigint;
  /** Number of 4 KiB pages touched, at least 1. */
  pages: bigint;
}

function shape(bits: bigint, lsb: number): PageShape {
  return { lsb, mask: (bits >> BigInt(lsb)) << BigInt(lsb), pages: lsb > 12 ? 1n << BigInt(lsb - 12) : 1n };
}

/** SDM vol. 3B, IA32_MCi_MISC MSRs: MISCV, and address mode 2. */
function intelPage({ misc, status }: X86McaRecord): PageShape | undefined {
  const s = MCI_STATUS_INTEL.decode(status);
  if (misc === undefined || !s.VAL || !s.ADDRV || !s.MISCV) return undefined;
  const m = MCI_MISC.decode(misc);
  return m.MODE === ADDRESS_MODE_PHYSICAL ? shape(ALL_BITS, Number(m.LSB)) : undefined;
}

/**
 * The granularity of an AMD address: MCA_STATUS.ADDRLSB (PPR, when MCA_CONFIG says so), MCA_ADDR[61:56] of the first Zen
 * processors, else a cache line. QEMU's AMD records carry an Intel-shaped MISC; it does not count.
 */
export function amdAddressLsb(record: Pick<X86McaRecord, 'status' | 'addr' | 'ipid'>): number {
  const inStatus = Number(MCI_STATUS_AMD.decode(record.status).ADDRLSB);
  if (inStatus !== 0) return inStatus;
  const inAddr = record.ipid === undefined ? 0 : Number(MCA_ADDR.decode(record.addr ?? 0n).LSB);
  return inAddr === 0 ? CACHE_LINE_LSB : inAddr;
}

/**
 * AMD says outright that an address is a system physical one only from family 1Ah on (PADDRV). Before, consumed poison is
 * the safe sign, but not in a memory controller bank, whose addresses are local to its channel (PPR, MCA_ADDR_UMC).
 */
function amdPage(record: X86McaRecord): PageShape | undefined {
  const { ipid } = record;
  const s = MCI_STATUS_AMD.decode(record.status);
  if (!s.VAL || !s.ADDRV) return undefined;
  const scalable = ipid !== undefined && ipid !== 0n;
  const channelLocal = scalable && smcaBank(ipid, cpuOf(record))?.area === 'memory';
  const usable = (scalable && s.PADDRV) || (s.POISON && !channelLocal);
  return usable ? shape(scalable ? AMD_ADDRESS : ALL_BITS, amdAddressLsb(record)) : undefined;
}

/**
 * How a record's address is read; undefined under the conditions of {@link pageOf}. Of the address itself only AMD's bits
 * 63:56 count.
 */
export function pageShape(record: X86McaRecord): PageShape | undefined {
  if (record.addr === undefined) return undefined;
  if (record.vendor === 'amd') return amdPage(record);
  return record.vendor === 'intel' ? intelPage(record) : undefined;
}

/** The memory that an address register of this shape names. */
export function pageIn({ lsb, mask, pages }: PageShape, addr: bigint): PageRef {
  const address = addr & mask;
  return { address, pfn: pfnOf(address), lsb, pages };
}

/**
 * The system memory a record names, or undefined when its address cannot be taken for a system physical one: no
 * ADDRV; vendor not known; Intel: no MISCV or another address mode than physical; AMD: neither PADDRV nor POISON.
 */
export function pageOf(record: X86McaRecord): PageRef | undefined {
  const found = pageShape(record);
  return found === undefined || record.addr === undefined ? undefined : pageIn(found, record.addr);
}
