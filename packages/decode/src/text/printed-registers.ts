/** @module Registers of a bank as programs print them whether or not they are valid. */
import { MCI_STATUS_INTEL } from '../mca/registers.ts';
import type { X86McaRecord } from '../mca/record.ts';

const { ADDRV, MISCV } = MCI_STATUS_INTEL.masks;

/**
 * Takes out of a record the ADDR and MISC that are 0 because they are not valid: a register that is not valid is printed as 0, and 0
 * of one that MCi_STATUS calls valid (ADDRV, MISCV) is what it holds. Source: SDM vol. 3B, IA32_MCi_ADDR and IA32_MCi_MISC.
 *
 * @example
 * const record: X86McaRecord = { kind: 'x86-mca', bank: 0, status: 1n << 58n, addr: 0n, misc: 0n };
 * dropInvalid(record); // record.addr is 0n, record.misc is gone
 */
export function dropInvalid(record: X86McaRecord): void {
  if (record.addr === 0n && (record.status & ADDRV) === 0n) delete record.addr;
  if (record.misc === 0n && (record.status & MISCV) === 0n) delete record.misc;
}
