/** @module The block status of a generic error status block: which kinds of error it holds, and how many sections. */
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { CperSeverity } from './record.ts';

/** Block status. */
export const BLOCK_STATUS = defineRegister({
  name: 'BlockStatus',
  width: 32,
  source: 'ACPI 6.5 18.3.2.7.1, Generic Error Status Block',
  fields: [
    bits(13, 4, 'ENTRY_COUNT', 'data entries'),
    bit(3, 'MULTIPLE_CE', 'several correctable errors'),
    bit(2, 'MULTIPLE_UE', 'several uncorrectable errors'),
    bit(1, 'CE_VALID', 'a correctable error'),
    bit(0, 'UE_VALID', 'an uncorrectable error'),
  ],
});

const { MULTIPLE_CE, MULTIPLE_UE, CE_VALID, UE_VALID } = BLOCK_STATUS.masks;
/** More sections than any firmware sends; the entry count has 10 bits. */
export const MAX_SECTIONS = 1023;

/** Block status: which kinds of error the sections hold, whether several of a kind, and the entry count (at most 1023). */
export function blockStatus(severities: readonly CperSeverity[]): number {
  const uncorrected = severities.filter(s => s === 'recoverable' || s === 'fatal').length;
  const corrected = severities.filter(s => s === 'corrected').length;
  return Number(
    BLOCK_STATUS.encode({
      UE_VALID: uncorrected > 0,
      CE_VALID: corrected > 0,
      MULTIPLE_UE: uncorrected > 1,
      MULTIPLE_CE: corrected > 1,
      ENTRY_COUNT: BigInt(Math.min(severities.length, MAX_SECTIONS)),
    }),
  );
}

/** The data entries that a block status counts. */
export function entryCount(status: number): number {
  return Number(BLOCK_STATUS.read(BigInt(status)).ENTRY_COUNT);
}

/** The bits of a block status that say which kinds of error there are. */
export function errorKinds(status: number): number {
  return Number(BigInt(status) & (MULTIPLE_CE | MULTIPLE_UE | CE_VALID | UE_VALID));
}
