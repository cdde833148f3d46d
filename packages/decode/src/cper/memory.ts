/** @module The two platform memory error sections. Sources: UEFI 2.10 N.2.5 and N.2.6. */
import { CperError } from './error.ts';
import type { CperDiagnostic } from './error.ts';
import { knownValidationBits, part, readLayout, u16, u32, u64, u8, validationBits, writeLayout } from './layout.ts';
import type { Layout } from './layout.ts';
import type { CperMemoryError, CperMemoryError2 } from './record.ts';

/** Length since UEFI 2.3; 73 bytes are the UEFI 2.1 layout, without rank and handles; 77 appears in the field. */
const MEMORY_SECTION_LENGTH = 80;
const MEMORY_SECTION_LENGTH_2_1 = 73;
const MEMORY2_SECTION_LENGTH = 96;

/** Memory error type numbers, the same in both sections. */
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

/** The number of a type by its name, in whatever case; undefined for no name of one. */
export function memoryErrorTypeByName(name: string): number | undefined {
  const found = Object.entries(MEMORY_ERROR_TYPES).find(([, known]) => known.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : Number(found[0]);
}

export const MEMORY_LAYOUT: Layout = {
  name: 'memory section',
  source: 'UEFI 2.10 N.2.5',
  length: MEMORY_SECTION_LENGTH,
  validation: { at: 0, size: 8, shared: { 18: 'extendedRow' } },
  fields: [
    u64('errorStatus', 8, { valid: 0 }),
    u64('physicalAddress', 16, { valid: 1 }),
    u64('physicalAddressMask', 24, { valid: 2 }),
    u16('node', 32, { valid: 3 }),
    u16('card', 34, { valid: 4 }),
    u16('module', 36, { valid: 5 }),
    u16('bank', 38, { valid: 6 }),
    u16('device', 40, { valid: 7 }),
    u16('row', 42, { valid: 8 }),
    u16('column', 44, { valid: 9 }),
    u16('bitPosition', 46, { valid: 10 }),
    u64('requestorId', 48, { valid: 11 }),
    u64('responderId', 56, { valid: 12 }),
    u64('targetId', 64, { valid: 13 }),
    u8('errorType', 72, { valid: 14, values: MEMORY_ERROR_TYPES }),
    u16('rank', 74, { valid: 15 }),
    u16('cardHandle', 76, { valid: 16, meaning: 'SMBIOS handle of the memory array' }),
    u16('moduleHandle', 78, { valid: 17, meaning: 'SMBIOS handle of the memory device' }),
    u16('rowLow', 42, { valid: 18, meaning: 'row address bits 15:0' }),
    part('rowExtended', 73, 1, 1, 0, { valid: 18, meaning: 'row address bits 17:16' }),
    u8('bankGroup', 39, { valid: 19 }),
    u8('bankAddress', 38, { valid: 20 }),
    part('chipId', 73, 1, 7, 5, { valid: 21 }),
  ],
};

export const MEMORY2_LAYOUT: Layout = {
  name: 'memory section 2',
  source: 'UEFI 2.10 N.2.6',
  length: MEMORY2_SECTION_LENGTH,
  validation: { at: 0, size: 8 },
  fields: [
    u64('errorStatus', 8, { valid: 0 }),
    u64('physicalAddress', 16, { valid: 1 }),
    u64('physicalAddressMask', 24, { valid: 2 }),
    u16('node', 32, { valid: 3 }),
    u16('card', 34, { valid: 4 }),
    u16('module', 36, { valid: 5 }),
    u16('bank', 38, { valid: 6 }),
    u32('device', 40, { valid: 7 }),
    u32('row', 44, { valid: 8 }),
    u32('column', 48, { valid: 9 }),
    u32('rank', 52, { valid: 10 }),
    u32('bitPosition', 56, { valid: 11 }),
    u8('chipId', 60, { valid: 12 }),
    u8('errorType', 61, { valid: 13, values: MEMORY_ERROR_TYPES }),
    u8('status', 62, { valid: 14, meaning: 'bit 0: uncorrected' }),
    u64('requestorId', 64, { valid: 15 }),
    u64('responderId', 72, { valid: 16 }),
    u64('targetId', 80, { valid: 17 }),
    u32('cardHandle', 88, { valid: 18, meaning: 'SMBIOS handle of the memory array' }),
    u32('moduleHandle', 92, { valid: 19, meaning: 'SMBIOS handle of the memory device' }),
    u8('bankGroup', 39, { valid: 20 }),
    u8('bankAddress', 38, { valid: 21 }),
  ],
};

/** Bank, group and address share two bytes; what is given must agree. */
function checkBank(layout: Layout, error: CperMemoryError | CperMemoryError2): void {
  const { bank, bankGroup, bankAddress } = error;
  if (bank === undefined) return;
  if ((bankGroup ?? bank >> 8) !== bank >> 8 || (bankAddress ?? bank & 0xff) !== (bank & 0xff)) {
    throw new CperError('E_CPER_RANGE', `${layout.name}: bank disagrees with bankGroup or bankAddress`, {
      hint: 'The group is bits 15:8 of bank and the address bits 7:0; give either, or values that agree.',
    });
  }
}

/** The row with the two bits that memory section 1 keeps elsewhere. */
export function rowOf(body: CperMemoryError | CperMemoryError2): number | undefined {
  if (body.kind === 'memory2') return body.row;
  const low = body.row ?? body.rowLow;
  return body.rowExtended === undefined ? low : (body.rowExtended << 16) | (low ?? 0);
}

/** The row has one place and two validation bits, of which firmware should set one; what is given must agree. */
function checkRow({ row, rowLow }: CperMemoryError): void {
  if (row === undefined || rowLow === undefined || row === rowLow) return;
  throw new CperError('E_CPER_RANGE', `${MEMORY_LAYOUT.name}: row disagrees with rowLow`, {
    hint: 'A row of up to 16 bits is row; a longer one is rowLow and rowExtended, its bits 15:0 and 17:16.',
  });
}

/** The bytes of a memory error, 80 unless `kept` says otherwise; validation bits follow from the members that are there. */
export function encodeMemoryError(error: CperMemoryError): Uint8Array {
  checkBank(MEMORY_LAYOUT, error);
  checkRow(error);
  return writeLayout(MEMORY_LAYOUT, error, ['dimmLocation']);
}

/** The 96 bytes of a memory error 2; validation bits follow from the members that are there. */
export function encodeMemoryError2(error: CperMemoryError2): Uint8Array {
  checkBank(MEMORY2_LAYOUT, error);
  return writeLayout(MEMORY2_LAYOUT, error);
}

interface Read<T> {
  value: T | undefined;
  diagnostics: CperDiagnostic[];
}

function read(layout: Layout, least: number, usual: readonly number[], bytes: Uint8Array, base: number): Read<object> {
  const diagnostics: CperDiagnostic[] = [];
  const note = (code: CperDiagnostic['code'], message: string, offset = base): void => {
    diagnostics.push({ code, message, offset });
  };
  if (bytes.length < least) {
    note('E_CPER_TRUNCATED', `a ${layout.name} of ${bytes.length} bytes is too short, ${least} is the least`);
    return { value: undefined, diagnostics };
  }
  if (!usual.includes(bytes.length)) {
    note('W_CPER_LENGTH', `a ${layout.name} of ${bytes.length} bytes, ${layout.length} expected`);
  }
  const value = readLayout(layout, bytes, base, note);
  if ((validationBits(layout, bytes) & ~knownValidationBits(layout)) !== 0n) {
    note('W_CPER_RESERVED', 'reserved validation bits are set');
  }
  return { value, diagnostics };
}

/**
 * Reads a memory error from `bytes` (73, 77, 80 or more bytes). Members whose validation bit is clear, or that lie
 * behind the end, are missing. Never throws; `base` is added to the offsets of diagnostics.
 */
export function decodeMemoryError(bytes: Uint8Array, base = 0): Read<CperMemoryError> {
  const { value, diagnostics } = read(
    MEMORY_LAYOUT,
    MEMORY_SECTION_LENGTH_2_1,
    [MEMORY_SECTION_LENGTH, MEMORY_SECTION_LENGTH_2_1],
    bytes,
    base,
  );
  return { value: value && ({ kind: 'memory', ...value } as CperMemoryError), diagnostics };
}

/** Reads a memory error 2 from `bytes` (96 or more). Never throws. */
export function decodeMemoryError2(bytes: Uint8Array, base = 0): Read<CperMemoryError2> {
  const { value, diagnostics } = read(MEMORY2_LAYOUT, MEMORY2_SECTION_LENGTH, [MEMORY2_SECTION_LENGTH], bytes, base);
  return { value: value && ({ kind: 'memory2', ...value } as CperMemoryError2), diagnostics };
}
