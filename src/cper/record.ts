/** @module CPER records: raw values only. Sources: UEFI 2.10 appendix N; ACPI 6.5 18.3.2.7. */
import type { RecordOrigin } from '../registers/origin.ts';

/** ACPI 6.5 table 18.12: 0 recoverable, 1 fatal, 2 corrected, 3 none. */
export type CperSeverity = 'recoverable' | 'fatal' | 'corrected' | 'none';

/** UEFI N.2.5 memory error section. A missing member is one whose validation bit is clear. */
export interface CperMemoryError {
  kind: 'memory';
  errorStatus?: bigint;
  physicalAddress?: bigint;
  physicalAddressMask?: bigint;
  node?: number;
  card?: number;
  module?: number;
  bank?: number;
  device?: number;
  row?: number;
  column?: number;
  bitPosition?: number;
  requestorId?: bigint;
  responderId?: bigint;
  targetId?: bigint;
  /** Memory error type number, see MEMORY_ERROR_TYPES. */
  errorType?: number;
  rank?: number;
  cardHandle?: number;
  moduleHandle?: number;
  /** Row address bits 17:16. */
  rowExtended?: number;
  chipId?: number;
  /** Validation bits 19 and 20: `bank` holds a bank group (15:8) and a bank address (7:0). */
  bankGroupValid?: true;
  bankAddressValid?: true;
}

/** A section this version does not take apart: its bytes as they are. */
export interface CperRawSection {
  kind: 'raw';
  data: Uint8Array;
}

export interface CperSection {
  /** Section type, GUID in its text form, lower case. */
  type: string;
  severity: CperSeverity;
  /** Generic error data entry revision, 0x300 for version 3. */
  revision: number;
  flags: number;
  /** FRU identity, GUID text; missing when not valid. */
  fruId?: string;
  /** FRU text, at most 20 characters; missing when not valid. */
  fruText?: string;
  /** Raw 8-byte BCD time stamp, little endian; missing when not valid. */
  timestamp?: bigint;
  body: CperMemoryError | CperRawSection;
}

export interface CperRecord {
  kind: 'cper';
  severity: CperSeverity;
  /** Raw block status of the generic error status block. */
  blockStatus: number;
  sections: CperSection[];
  origin?: RecordOrigin;
}
