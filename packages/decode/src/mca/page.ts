/** @module The memory a record names. */
import { dropBelow, pagesOf, pfnOf } from '../registers/address.ts';
import type { Pfn } from '../registers/address.ts';
import { maskOf, placed } from '../registers/field.ts';
import { MCA_ADDR, MCA_CONFIG, MCI_STATUS_AMD_LEGACY } from './amd-registers.ts';
import { isLegacyAmd } from './amd-legacy.ts';
import { isFirmwareBank } from './component.ts';
import { cpuOf } from './cpu.ts';
import type { CpuModel } from './cpu.ts';
import type { AddressShape, McaDeciding } from './deciding.ts';
import { decodeMcacod, errorCodeOf, isIoCode } from './mcacod.ts';
import type { McacodClass } from './mcacod.ts';
import { ADDRESS_MODE_PHYSICAL, MAX_PHYSICAL_BITS, MCG_CAP, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import { bankId, smcaBank } from './smca-banks.ts';
import { hasQemuPlace } from './vmm-made.ts';

export interface PageRef {
  /** Start of the affected memory, aligned to its granularity. */
  address: bigint;
  /** First 4 KiB page. */
  pfn: Pfn;
  /** log2 of the affected size in bytes. */
  lsb: number;
  /** The record does not say the size; a cache line was taken. */
  assumed?: true;
  /** Number of 4 KiB pages touched, at least 1. */
  pages: bigint;
}

/** Granularity assumed where the record names none: a cache line (AMD legacy banks carry no LSB). */
const CACHE_LINE_LSB = 6;

/** MCA_ADDR without what some AMD banks keep above the address, and of those that keep nothing there. */
const AMD_ADDRESS = maskOf(55, 0);
const AMD_ADDRESS_WIDE = maskOf(56, 0);
const ALL_BITS = maskOf(63, 0);

/** How the page of a record follows from its address register. */
export interface PageShape {
  /** log2 of the granularity in bytes. */
  lsb: number;
  /** The record does not say the granularity. */
  assumed?: true;
  /** Bits of the address register that are the start of the affected memory. */
  mask: bigint;
  /** Number of 4 KiB pages touched, at least 1. */
  pages: bigint;
}

function shape(bits: bigint, lsb: number): PageShape {
  return { lsb, mask: dropBelow(bits, lsb), pages: pagesOf(lsb) };
}

/** Family 6 of Intel: the first models with software error recovery are 06_2EH and later, but for these (SDM vol. 3B, 06_2EH). */
const FIRST_SER = 0x26;
const WITHOUT_SER: ReadonlySet<number> = new Set([0x26, 0x27, 0x2c, 0x35, 0x36]);

/**
 * Whether MCi_MISC says what kind of address it is: with MCG_CAP.SER_P (SDM vol. 3B, IA32_MCi_MISC MSRs). Where the record does
 * not have MCG_CAP the model of the CPU says it; virtual CPUs of any model have SER_P.
 */
export function saysAddressMode(record: McaDeciding): boolean {
  const { mcgCap } = record;
  if (mcgCap !== undefined && mcgCap !== 0n) return MCG_CAP.read(mcgCap).SER_P;
  const cpu = cpuOf(record);
  const isOld = cpu?.family === 6 && (cpu.model < FIRST_SER || WITHOUT_SER.has(cpu.model));
  return !isOld || hasQemuPlace(record);
}

/** SDM vol. 3B, IA32_MCi_MISC MSRs: MISCV, and address mode 2. */
function intelPage(record: McaDeciding): PageShape | undefined {
  const { misc, status } = record;
  const s = MCI_STATUS_INTEL.read(status);
  if (misc === undefined || !s.VAL || !s.ADDRV || !s.MISCV || !saysAddressMode(record)) return undefined;
  // There MCi_MISC is the address of the root port.
  if (isIoCode(Number(s.MCACOD))) return undefined;
  const lsb = Number(misc.LSB);
  return misc.MODE === ADDRESS_MODE_PHYSICAL && lsb < MAX_PHYSICAL_BITS ? shape(ALL_BITS, lsb) : undefined;
}

type AmdStatus = Pick<McaDeciding, 'status' | 'config' | 'cpuid'>;
type AmdAddress = AmdStatus & Pick<McaDeciding, 'addr' | 'ipid'>;

/** PPR: family 19h is the first whose banks keep the granularity in MCA_STATUS. */
const FIRST_LSB_IN_STATUS = 0x19;

/**
 * Whether a scalable bank keeps the granularity in MCA_STATUS.ADDRLSB and the address in MCA_ADDR[56:0], as
 * MCA_CONFIG.LSB_IN_STATUS says; without MCA_CONFIG as the status or the CPU family says.
 */
export function isLsbInStatus(record: AmdStatus): boolean {
  if (record.config !== undefined) return MCA_CONFIG.read(record.config).LSB_IN_STATUS;
  if (MCI_STATUS_AMD.read(record.status).ADDRLSB !== 0n) return true;
  return (cpuOf(record)?.family ?? 0) >= FIRST_LSB_IN_STATUS;
}

/**
 * The granularity of an AMD address: MCA_STATUS.ADDRLSB ({@link isLsbInStatus}), MCA_ADDR[61:56] of the first Zen
 * processors, else a cache line. QEMU's AMD records carry an Intel-shaped MISC; it does not count.
 */
export function amdAddressLsb(record: AmdAddress): number {
  return amdGivenLsb(record) ?? CACHE_LINE_LSB;
}

/** An address register without the bits that a physical address may have. */
function highBits(addr: AddressShape | undefined): bigint {
  return placed(addr?.high ?? 0n, MAX_PHYSICAL_BITS);
}

function amdGivenLsb(record: AmdAddress): number | undefined {
  if (isLsbInStatus(record)) {
    const inStatus = Number(MCI_STATUS_AMD.read(record.status).ADDRLSB);
    return inStatus === 0 ? undefined : inStatus;
  }
  const inAddr = record.ipid === undefined ? 0 : Number(MCA_ADDR.read(highBits(record.addr)).LSB);
  return inAddr === 0 ? undefined : inAddr;
}

/** BKDG, NB MCA Status: the extended code of a DRAM ECC error, the one whose address Linux takes for physical. */
const NORTHBRIDGE = 4;
const NORTHBRIDGE_DRAM_ECC = 8n;

/** The address of a northbridge of family 0Fh: bits 39:3. BKDG 26094, MCA NB Address; Linux amd64_edac.c, get_error_address(). */
const K8_ADDRESS = maskOf(39, 0);
const K8_LSB = 3;
const K8 = 0xf;

/** Families 0Fh to 16h: no syndrome bit or address form of scalable MCA exists. */
function legacyPage(record: McaDeciding, { family, model }: CpuModel): PageShape | undefined {
  const isNorthbridge = record.bank === NORTHBRIDGE;
  const usable = isNorthbridge
    ? MCI_STATUS_AMD_LEGACY.read(record.status).XEC === NORTHBRIDGE_DRAM_ECC
    : MCI_STATUS_AMD.read(record.status).POISON;
  if (!usable) return undefined;
  // Model 0 is none: so a record is read of which only the words of its text say that it is of one of these families.
  return isNorthbridge && family === K8 && model !== 0
    ? shape(K8_ADDRESS, K8_LSB)
    : { ...shape(ALL_BITS, CACHE_LINE_LSB), assumed: true };
}

/**
 * AMD says outright that an address is a system physical one only from family 1Ah on (PADDRV). Before, consumed poison is
 * the safe sign, but not in a memory controller bank, whose addresses are local to its channel (PPR, MCA_ADDR_UMC).
 */
function amdPage(record: McaDeciding): PageShape | undefined {
  const { ipid } = record;
  const s = MCI_STATUS_AMD.read(record.status);
  if (!s.VAL || !s.ADDRV) return undefined;
  const cpu = cpuOf(record);
  const scalable = ipid !== undefined && ipid !== 0n;
  const id = bankId(record);
  const channelLocal = id !== undefined && smcaBank(id, cpu)?.area === 'memory';
  if (!scalable && cpu !== undefined && isLegacyAmd(cpu)) return legacyPage(record, cpu);
  const usable = (scalable && s.PADDRV) || (s.POISON && !channelLocal);
  const lsb = amdGivenLsb(record);
  if (!usable || (lsb ?? 0) >= MAX_PHYSICAL_BITS) return undefined;
  const bits = !scalable ? ALL_BITS : isLsbInStatus(record) ? AMD_ADDRESS_WIDE : AMD_ADDRESS;
  return lsb === undefined ? { ...shape(bits, CACHE_LINE_LSB), assumed: true } : shape(bits, lsb);
}

/**
 * Linux makes the record of a firmware bank from a report whose address is a physical one, of either vendor. Older
 * kernels give no MCi_MISC (mce/apei.c, apei_mce_report_mem_error()).
 */
function firmwarePage({ misc, status }: McaDeciding): PageShape | undefined {
  const s = MCI_STATUS_INTEL.read(status);
  if (!s.VAL || !s.ADDRV) return undefined;
  const lsb = s.MISCV && misc !== undefined ? Number(misc.LSB) : 0;
  if (lsb >= MAX_PHYSICAL_BITS) return undefined;
  return lsb === 0 ? { ...shape(ALL_BITS, CACHE_LINE_LSB), assumed: true } : shape(ALL_BITS, lsb);
}

/** How a record's address is read; undefined under the conditions of {@link pageOf}. */
export function pageShape(record: McaDeciding): PageShape | undefined {
  if (record.addr === undefined) return undefined;
  if (isFirmwareBank(record.bank)) return firmwarePage(record);
  if (record.vendor === 'amd') return amdPage(record);
  return record.vendor === 'intel' ? intelPage(record) : undefined;
}

/** The memory that an address register of this shape names. */
export function pageIn({ lsb, assumed, mask, pages }: PageShape, addr: bigint): PageRef {
  const address = addr & mask;
  const page = { address, pfn: pfnOf(address), lsb, pages };
  return assumed === true ? { ...page, assumed } : page;
}

const DATA_CODES: ReadonlySet<McacodClass> = new Set([
  'generic-cache-hierarchy',
  'cache-hierarchy',
  'memory-controller',
  'extended-memory',
]);

/** Whether what should be a physical address has bits that none has. */
export function isTooWide(record: McaDeciding): boolean {
  const found = pageShape(record);
  return found !== undefined && (highBits(record.addr) & found.mask) !== 0n;
}

/** Whether an uncorrected error is known to be about data in memory: an AMD deferred one always is, else its code or page says so. */
export function concernsData(record: McaDeciding): boolean {
  if (record.vendor === 'amd') return true;
  return (
    DATA_CODES.has(decodeMcacod(errorCodeOf(record.status), record.vendor).class) || pageShape(record) !== undefined
  );
}
