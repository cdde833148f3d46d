/**
 * @module Machine check banks of AMD families 0Fh to 16h: here the bank number says which unit reports. Sources: BKDG
 * 26094 (0Fh), 31116 (10h), 41131 (12h), 43170 (14h), 42301 (15h) and 48751 (16h), "Machine Check Registers", tables
 * "Error signatures" of each bank. The words are ours.
 */
import type { CpuModel } from './cpu.ts';
import type { Mcacod } from './mcacod.ts';
import type { CodeTable } from './smca-codes.ts';

interface LegacyBank {
  /** Short name of the BKDG. */
  id: string;
  name: string;
}

const OLD: readonly LegacyBank[] = [
  { id: 'DC', name: 'L1 data cache' },
  { id: 'IC', name: 'L1 instruction cache' },
  { id: 'BU', name: 'bus unit and L2 cache' },
  { id: 'LS', name: 'load-store unit' },
  { id: 'NB', name: 'northbridge' },
  { id: 'FR', name: 'reorder buffer' },
];
const F15: readonly (LegacyBank | undefined)[] = [
  { id: 'LS', name: 'load-store unit and L1 data cache' },
  { id: 'IF', name: 'instruction fetch unit and L1 instruction cache' },
  { id: 'CU', name: 'combined unit and L2 cache' },
  undefined,
  { id: 'NB', name: 'northbridge' },
  { id: 'EX', name: 'execution unit' },
  { id: 'FP', name: 'floating point unit' },
];

/** Whether the banks of a CPU are numbered by unit (families 0Fh to 16h). */
export function isLegacyAmd(cpu: CpuModel): boolean {
  return cpu.family >= 0x0f && cpu.family <= 0x16;
}

/** The unit behind a bank number; undefined for other families and for banks that do not exist or are reserved. */
export function legacyBank(bank: number, cpu: CpuModel): LegacyBank | undefined {
  if (!isLegacyAmd(cpu)) return undefined;
  if (cpu.family === 0x15) return F15[bank];
  // Bank 5 came with family 10h; family 11h has none. Bank 3 reports nothing from family 14h on.
  if (bank === 5 && (cpu.family === 0x0f || cpu.family === 0x11)) return undefined;
  if (bank === 3 && cpu.family >= 0x14) return undefined;
  return OLD[bank];
}

/** Northbridge, families 0Fh to 16h, as far as all of them share the number. */
const NB: CodeTable = {
  0x00: 'DRAM ECC error',
  0x01: 'CRC error on a HyperTransport link',
  0x02: 'sync packets on a HyperTransport link',
  0x03: 'master abort on a HyperTransport link',
  0x04: 'target abort on a HyperTransport link',
  0x05: 'invalid entry in the graphics address table',
  0x06: 'unsupported atomic request from an I/O link',
  0x07: 'the northbridge watchdog expired',
  0x08: 'DRAM ECC error',
  0x0d: 'parity error on the DRAM address or control signals',
};
/** Northbridge, from family 10h on. */
const NB_10H: CodeTable = {
  ...NB,
  0x09: 'error in the DMA exclusion vector',
  0x0a: 'data error on a HyperTransport link',
  0x0b: 'protocol error (link, L3 or probe filter)',
  0x0c: 'parity error in an array of the northbridge',
  0x0e: 'retry of an I/O link',
  0x1c: 'ECC error in the L3 data',
  0x1d: 'ECC error in the L3 tags',
  0x1e: 'parity error in the L3 replacement bits',
  0x1f: 'ECC error in the probe filter directory',
};

const F15_LS: CodeTable = {
  0x00: 'error in the data array',
  0x01: 'bad data while a line was filled from the L2 or the northbridge',
  0x02: 'error in the store queue',
  0x03: 'error in the store coalescing buffer',
  0x10: 'error in the tags',
  0x11: 'error in the store queue',
  0x12: 'error in the load queue',
};
const F15_IF: CodeTable = {
  0x00: 'bad data while a line was filled from the L2',
  0x01: 'parity error in data loaded from the instruction cache',
  0x02: 'parity error in a valid bit of the instruction cache',
  0x03: 'parity error in the main tags',
  0x04: 'parity error in the prediction queue',
  0x05: 'parity error in data or address of the prefetch buffer',
  0x06: 'parity error in the branch status register',
  0x07: 'address error at a prefetch buffer promotion',
  0x08: 'tag error during a probe or eviction',
  0x09: 'parity error in a valid bit of the probe tags',
  0x0a: 'parity error in the non-cacheable bit of the prefetch buffer',
  0x0d: 'parity error in a valid bit of the prefetch buffer',
  0x10: 'parity error in the microcode patch buffer',
  0x11: 'parity error in the micro-op queue',
  0x12: 'parity error in the instruction buffer',
  0x13: 'parity error in the predecode buffer',
  0x14: 'parity error in the fetch address queue',
  0x15: 'parity error in the dispatch micro-op queue',
};
const F15_CU: CodeTable = {
  0x04: 'ECC error while data was filled',
  0x05: 'parity error while instructions were filled',
  0x06: 'parity error in the prefetcher request queue',
  0x07: 'parity error in the PRQ address',
  0x08: 'parity error in the PRQ data',
  0x09: 'ECC error in the write coalescing cache tags',
  0x0a: 'ECC error in the write coalescing cache data',
  0x0b: 'parity error in the WCB data',
  0x0c: 'ECC or parity error in the victim buffer',
  0x10: 'ECC error in the L2 tags',
  0x11: 'hard ECC error in the L2 tags',
  0x12: 'several L2 tags hit at once',
  0x13: 'parity error in the XAB',
  0x14: 'parity error in the PRB address',
};
const F15_EX: CodeTable = {
  0x00: 'the watchdog timer expired: no instruction retired',
  0x01: 'parity error in the wakeup array',
  0x02: 'parity error in the address generator payload',
  0x03: 'parity error in the execution payload',
  0x04: 'parity error in the immediate and displacement register file',
  0x05: 'parity error in the retire dispatch queue',
  0x06: 'parity error in the mapper checkpoints',
  0x07: 'parity error in the register file, port EX0',
  0x08: 'parity error in the register file, port EX1',
  0x09: 'parity error in the register file, port AG0',
  0x0a: 'parity error in the register file, port AG1',
  0x0b: 'parity error in the flag register file',
  0x0c: 'error from the decoder',
  0x0d: 'parity error in the retire status queue',
};
const F15_FP: CodeTable = {
  0x00: 'hardware assertion',
  0x01: 'parity error in the free list',
  0x02: 'parity error in the register file',
  0x03: 'parity error in the retire queue',
  0x04: 'parity error in the scheduler',
  0x05: 'parity error in the status register file',
};
const OLD_BU: CodeTable = {
  0x01: 'error in the write data buffer',
  0x02: 'error in the L2 tags',
  0x03: 'error in the victim data buffer',
};

const BY_BANK_15H: readonly (CodeTable | undefined)[] = [F15_LS, F15_IF, F15_CU, undefined, undefined, F15_EX, F15_FP];

/** The TLB forms of the cache banks number their causes the same way in every family. */
function tlbText(bank: number, xec: number): string | undefined {
  if (xec === 0) return 'parity error in the TLB';
  if (xec === 2 && bank === 0) return 'miss of a locked TLB entry';
  return xec === 1 ? 'several TLB entries hit at once' : undefined;
}

function northbridge(xec: number, code: Mcacod, cpu: CpuModel): string | undefined {
  if (xec === 0x0f && cpu.family >= 0x10) {
    if (code.class === 'tlb') return 'bad data in a walk of the graphics address table';
    return code.class === 'bus-interconnect' ? 'bad data in a walk of the DMA exclusion vector' : undefined;
  }
  if (xec === 0x19) return cpu.family === 0x15 ? 'data error from a compute unit' : undefined;
  return (cpu.family >= 0x10 ? NB_10H : NB)[xec];
}

/**
 * What the extended code of a bank says together with the error code, where the BKDG gives one; undefined otherwise (the
 * error code itself then says all that is known).
 */
export function legacyText(bank: number, xec: number, code: Mcacod, cpu: CpuModel): string | undefined {
  if (legacyBank(bank, cpu) === undefined) return undefined;
  if (bank === 4) return northbridge(xec, code, cpu);
  if (code.class === 'tlb' && (bank === 0 || bank === 1)) return tlbText(bank, xec);
  if (cpu.family === 0x15) {
    if (code.class === 'cache-hierarchy' || bank >= 5) return BY_BANK_15H[bank]?.[xec];
    return undefined;
  }
  if (bank === 2) return OLD_BU[xec];
  return bank === 5 && xec === 0 ? 'the watchdog timer expired: no instruction retired' : undefined;
}
