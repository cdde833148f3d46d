/** @module The platform memory error section. Source: UEFI 2.10 N.2.5, table "Memory Error Record". */
import { bit, bits, defineRegister } from '../registers/register.ts';
import { CperError } from './error.ts';
import type { CperDiagnostic } from './error.ts';
import type { CperMemoryError } from './record.ts';

/** Length since UEFI 2.3; 73 bytes are the UEFI 2.1 layout, without rank and handles; 77 appears in the field. */
export const MEMORY_SECTION_LENGTH = 80;
const MEMORY_SECTION_LENGTH_2_1 = 73;

/** Memory error type numbers. */
export const MEMORY_ERROR_TYPES: Readonly<Record<number, string>> = {
  0: 'unknown',
  1: 'no error',
  2: 'single-bit ECC',
  3: 'multi-bit ECC',
  4: 'single-symbol chipkill ECC',
  5: 'multi-symbol chipkill ECC',
  6: 'master abort',
  7: 'target abort',
  8: 'parity error',
  9: 'watchdog timeout',
  10: 'invalid address',
  11: 'mirror broken',
  12: 'memory sparing',
  13: 'scrub corrected error',
  14: 'scrub uncorrected error',
  15: 'physical memory map-out event',
};

/** The name of a memory error type, or `reserved`. */
export function memoryErrorTypeName(type: number): string {
  return MEMORY_ERROR_TYPES[type] ?? 'reserved';
}

/** Error status of a memory section. */
export const CPER_ERROR_STATUS = defineRegister({
  name: 'ErrorStatus',
  width: 64,
  source: 'UEFI 2.10 N.2.13',
  fields: [
    bit(22, 'OVERFLOW', 'an error was lost'),
    bit(21, 'FIRST', 'the first error'),
    bit(20, 'REQUESTOR', 'found by the requestor'),
    bit(19, 'RESPONDER', 'found by the responder'),
    bit(18, 'DATA', 'on the data signals'),
    bit(17, 'CONTROL', 'on the control signals'),
    bit(16, 'ADDRESS', 'on the address signals'),
    bits(15, 8, 'TYPE', 'error type', {
      1: 'internal error',
      4: 'storage error in memory (DRAM)',
      5: 'storage error in a TLB',
      6: 'storage error in a cache',
      7: 'error in a functional unit',
      8: 'self-test failed',
      9: 'overflow or underflow of an internal queue',
      16: 'error on the bus',
      17: 'virtual address not found',
      18: 'improper access',
      19: 'access to an unimplemented address',
      20: 'loss of lockstep',
      21: 'response not associated with a request',
      22: 'bus parity error',
      23: 'protocol error',
      24: 'no such path',
      25: 'bus timeout',
      26: 'poisoned data was read',
    }),
  ],
});

interface Slot {
  field: Exclude<keyof CperMemoryError, 'kind' | 'rowExtended' | 'chipId' | 'bankGroupValid' | 'bankAddressValid'>;
  /** Validation bit. */
  bit: number;
  offset: number;
  size: 1 | 2 | 8;
}

const SLOTS: readonly Slot[] = [
  { field: 'errorStatus', bit: 0, offset: 8, size: 8 },
  { field: 'physicalAddress', bit: 1, offset: 16, size: 8 },
  { field: 'physicalAddressMask', bit: 2, offset: 24, size: 8 },
  { field: 'node', bit: 3, offset: 32, size: 2 },
  { field: 'card', bit: 4, offset: 34, size: 2 },
  { field: 'module', bit: 5, offset: 36, size: 2 },
  { field: 'bank', bit: 6, offset: 38, size: 2 },
  { field: 'device', bit: 7, offset: 40, size: 2 },
  { field: 'row', bit: 8, offset: 42, size: 2 },
  { field: 'column', bit: 9, offset: 44, size: 2 },
  { field: 'bitPosition', bit: 10, offset: 46, size: 2 },
  { field: 'requestorId', bit: 11, offset: 48, size: 8 },
  { field: 'responderId', bit: 12, offset: 56, size: 8 },
  { field: 'targetId', bit: 13, offset: 64, size: 8 },
  { field: 'errorType', bit: 14, offset: 72, size: 1 },
  { field: 'rank', bit: 15, offset: 74, size: 2 },
  { field: 'cardHandle', bit: 16, offset: 76, size: 2 },
  { field: 'moduleHandle', bit: 17, offset: 78, size: 2 },
];
/** Byte 73: bits 1:0 row bits 17:16 (validation bit 18), bits 7:5 chip identification (validation bit 21). */
const EXTENDED = 73;
const BIT_EXTENDED_ROW = 18;
/** The bank group stands in bank bits 15:8, the bank address in bits 7:0. */
const BIT_BANK_GROUP = 19;
const BIT_BANK_ADDRESS = 20;
const BIT_CHIP_ID = 21;
const KNOWN_BITS = (1n << 22n) - 1n;

function check(name: string, value: number | bigint, limit: bigint): void {
  if ((typeof value === 'number' && !Number.isInteger(value)) || value < 0 || BigInt(value) > limit) {
    throw new CperError('E_CPER_RANGE', `memory section: ${name} does not fit its field`, {
      hint: `It is an integer from 0 to ${limit}.`,
    });
  }
}

/** The 80 bytes of a memory error; validation bits follow from the members that are there. */
export function encodeMemoryError(error: CperMemoryError): Uint8Array {
  const bytes = new Uint8Array(MEMORY_SECTION_LENGTH);
  const view = new DataView(bytes.buffer);
  let valid = 0n;
  const set = (position: number): void => {
    valid |= 1n << BigInt(position);
  };
  for (const { field, bit: position, offset, size } of SLOTS) {
    const value = error[field];
    if (value === undefined) continue;
    check(field, value, (1n << BigInt(8 * size)) - 1n);
    if (size === 8) view.setBigUint64(offset, BigInt(value), true);
    else if (size === 2) view.setUint16(offset, Number(value), true);
    else view.setUint8(offset, Number(value));
    set(position);
  }
  let extended = 0;
  if (error.rowExtended !== undefined) {
    check('rowExtended', error.rowExtended, 3n);
    extended |= error.rowExtended;
    set(BIT_EXTENDED_ROW);
  }
  if (error.chipId !== undefined) {
    check('chipId', error.chipId, 7n);
    extended |= error.chipId << 5;
    set(BIT_CHIP_ID);
  }
  if (error.bankGroupValid) set(BIT_BANK_GROUP);
  if (error.bankAddressValid) set(BIT_BANK_ADDRESS);
  // Bits 19 and 20 say how `bank` is to be read; without a bank they would promise a value that is not there.
  if ((error.bankGroupValid || error.bankAddressValid) && error.bank === undefined) {
    throw new CperError('E_CPER_RANGE', 'memory section: bank group or address without a bank', {
      hint: 'Give `bank` with the group in bits 15:8 and the address in bits 7:0.',
    });
  }
  view.setUint8(EXTENDED, extended);
  view.setBigUint64(0, valid, true);
  return bytes;
}

/**
 * Reads a memory error from `bytes` (73, 77, 80 or more bytes). Members whose validation bit is clear, or that lie
 * behind the end, are missing. Never throws; `base` is added to the offsets of diagnostics.
 */
export function decodeMemoryError(
  bytes: Uint8Array,
  base = 0,
): { value: CperMemoryError | undefined; diagnostics: CperDiagnostic[] } {
  const diagnostics: CperDiagnostic[] = [];
  const note = (code: CperDiagnostic['code'], message: string, offset = 0): void => {
    diagnostics.push({ code, message, offset: base + offset });
  };
  if (bytes.length < MEMORY_SECTION_LENGTH_2_1) {
    note('E_CPER_TRUNCATED', `a memory error section of ${bytes.length} bytes is too short, 73 is the least`);
    return { value: undefined, diagnostics };
  }
  if (bytes.length !== MEMORY_SECTION_LENGTH && bytes.length !== MEMORY_SECTION_LENGTH_2_1) {
    note('W_CPER_LENGTH', `a memory error section of ${bytes.length} bytes, 80 (or 73 before UEFI 2.3) expected`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const valid = view.getBigUint64(0, true);
  const has = (position: number): boolean => (valid & (1n << BigInt(position))) !== 0n;
  const value: CperMemoryError = { kind: 'memory' };
  const numbers = value as unknown as Record<string, number | bigint>;
  for (const { field, bit: position, offset, size } of SLOTS) {
    if (!has(position)) continue;
    if (offset + size > bytes.length) {
      note('E_CPER_TRUNCATED', `${field} is marked valid but lies behind the end of the section`, offset);
      continue;
    }
    if (size === 8) numbers[field] = view.getBigUint64(offset, true);
    else numbers[field] = size === 2 ? view.getUint16(offset, true) : view.getUint8(offset);
  }
  if (has(BIT_EXTENDED_ROW) || has(BIT_CHIP_ID)) {
    if (EXTENDED >= bytes.length) note('E_CPER_TRUNCATED', 'the extended byte lies behind the end', EXTENDED);
    else {
      const extended = view.getUint8(EXTENDED);
      if (has(BIT_EXTENDED_ROW)) value.rowExtended = extended & 3;
      if (has(BIT_CHIP_ID)) value.chipId = extended >> 5;
    }
  }
  if (has(BIT_BANK_GROUP) && value.bank !== undefined) value.bankGroupValid = true;
  if (has(BIT_BANK_ADDRESS) && value.bank !== undefined) value.bankAddressValid = true;
  if ((valid & ~KNOWN_BITS) !== 0n) note('W_CPER_RESERVED', 'reserved validation bits are set');
  return { value, diagnostics };
}
