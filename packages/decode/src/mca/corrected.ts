/** @module What an Intel bank counts of the errors that it corrected. */
import { cpuOf } from './cpu.ts';
import type { McaDeciding } from './deciding.ts';
import { MCG_CAP, MCI_STATUS_INTEL } from './registers.ts';

export interface Corrected {
  /** Errors since the bank was cleared; missing where the bank counts none. */
  count?: number;
  /** `yellow`: more than the vendor allows of the unit. */
  threshold?: 'green' | 'yellow';
}

const { VAL, UC } = MCI_STATUS_INTEL.masks;
const NONE: Corrected = {};

/** Family 6 models that have CMCI, and so the count, begin with Nehalem (06_1AH); the first Atoms came after it without. */
const NEHALEM = 0x1a;
const ATOMS_WITHOUT: ReadonlySet<number> = new Set([0x1c, 0x26, 0x27, 0x35, 0x36]);

/** Whether bits 52:38 are a count: MCG_CAP.CMCI_P says so; without it the model does, as far as it is known. */
function counts(record: Pick<McaDeciding, 'mcgCap' | 'cpuid'>): boolean {
  const { mcgCap } = record;
  if (mcgCap !== undefined && mcgCap !== 0n) return MCG_CAP.read(mcgCap).CMCI_P;
  const cpu = cpuOf(record);
  return cpu === undefined || (cpu.family === 6 && cpu.model >= NEHALEM && !ATOMS_WITHOUT.has(cpu.model));
}

/** Whether bits 54:53 are green and yellow: MCG_CAP.TES_P says so; without it they are model-specific. */
function hasThresholds({ mcgCap }: Pick<McaDeciding, 'mcgCap'>): boolean {
  return mcgCap === undefined || mcgCap === 0n || MCG_CAP.read(mcgCap).TES_P;
}

/**
 * Count and threshold status of a corrected error. SDM vol. 3B, IA32_MCi_STATUS MSRs: bits 52:38, where MCG_CAP.CMCI_P is set,
 * and 54:53, where MCG_CAP.TES_P is set and UC is clear; AMD has other fields there.
 *
 * @example correctedOf({ vendor: 'intel', status: 0xcc59dec000041152n }) // { count: 26491, threshold: 'yellow' }
 */
export function correctedOf(record: Pick<McaDeciding, 'vendor' | 'status' | 'mcgCap' | 'cpuid'>): Corrected {
  const { vendor, status } = record;
  if (vendor !== 'intel' || (status & VAL) === 0n || (status & UC) !== 0n) return NONE;
  const { CEC, TES } = MCI_STATUS_INTEL.read(status);
  const threshold = !hasThresholds(record) ? undefined : TES === 1n ? 'green' : TES === 2n ? 'yellow' : undefined;
  const count = CEC === 0n || !counts(record) ? undefined : Number(CEC);
  if (count === undefined && threshold === undefined) return NONE;
  return { ...(count === undefined ? {} : { count }), ...(threshold === undefined ? {} : { threshold }) };
}
