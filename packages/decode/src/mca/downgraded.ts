/** @module Uncorrected errors that firmware has the hardware report as corrected ones. */
import { cpuOf } from './cpu.ts';
import type { McaDeciding } from './deciding.ts';
import { MCG_CAP, MCI_STATUS_INTEL } from './registers.ts';

const { VAL, UC, MISCV, ADDRV, MSCOD } = MCI_STATUS_INTEL.masks;
/** Of MCACOD all but the filter bit and the channel. */
const MASK = VAL | UC | MISCV | ADDRV | MSCOD | MCI_STATUS_INTEL.encode({ MCACOD: 0xeff0n });
const SCRUB = VAL | MISCV | ADDRV | MCI_STATUS_INTEL.encode({ MSCOD: 0x0010n, MCACOD: 0x00c0n });
const BANKS = { first: 13, last: 18 } as const;
const SKYLAKE_SP = { family: 6, model: 0x55, firstStepping: 4 } as const;

/** What of a record decides. */
export type Downgradable = Pick<McaDeciding, 'status' | 'vendor' | 'mcgCap' | 'cpuid'> & { bank?: number };

/**
 * Whether a record with UC clear is an uncorrected patrol scrub error: memory controllers of 06_55H from stepping 4
 * (Skylake-SP, Cascade Lake) say so in MSCOD only, so that the error comes as a corrected machine check interrupt. Linux
 * grades it action optional (arch/x86/kernel/cpu/mce/severity.c).
 */
export function isDowngradedScrub(record: Downgradable): boolean {
  const { status, vendor, bank, mcgCap } = record;
  if (vendor !== 'intel' || (status & MASK) !== SCRUB) return false;
  if (bank === undefined || bank < BANKS.first || bank > BANKS.last) return false;
  if (mcgCap !== undefined && !MCG_CAP.read(mcgCap).SER_P) return false;
  const cpu = cpuOf(record);
  const { family, model, firstStepping } = SKYLAKE_SP;
  return cpu?.family === family && cpu.model === model && cpu.stepping >= firstStepping;
}
