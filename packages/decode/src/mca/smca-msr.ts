/** @module Where the registers of SMCA banks are: 16 MSRs a bank (AMD APM vol. 2, Scalable MCA; AMD PPR, MCA_DESTAT). */

/** First MSR of bank 0, and the first one behind the last bank. */
export const SMCA_FIRST = 0xc000_2000;
export const SMCA_END = 0xc000_3000;
const PER_BANK = 16;
const DESTAT = 8;

/**
 * The MSR of MCA_DESTAT of a bank.
 * @example destatMsr(9) // 0xc0002098
 */
export const destatMsr = (bank: number): number => SMCA_FIRST + PER_BANK * bank + DESTAT;

/** Whether an MSR is MCA_DESTAT of any bank. */
export const isDestatMsr = (msr: bigint): boolean =>
  msr >= BigInt(SMCA_FIRST) && msr < BigInt(SMCA_END) && Number(msr - BigInt(SMCA_FIRST)) % PER_BANK === DESTAT;
