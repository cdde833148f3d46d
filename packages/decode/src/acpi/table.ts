/**
 * @module What all ACPI tables have in common: their header, and the generic address structure, both ways.
 * Sources: ACPI 6.5, 5.2.6 "System Description Table Header", 5.2.3.2 "Generic Address Structure".
 */
import { readLayout, text, u32, u64, u8, writeLayout } from '../cper/layout.ts';
import type { CperKept, Layout } from '../cper/layout.ts';
import { concat } from '../cper/x86.ts';
import type { AcpiDiagnostic, AcpiRead } from './error.ts';

const HEADER_LENGTH = 36;
/** Where the checksum stands in a header. */
const CHECKSUM_AT = 9;

const HEADER: Layout = {
  name: 'table header',
  source: 'ACPI 6.5 5.2.6',
  length: HEADER_LENGTH,
  fields: [
    text('signature', 0, 4),
    u32('length', 4),
    u8('revision', 8),
    u8('checksum', CHECKSUM_AT),
    text('oemId', 10, 6),
    text('oemTableId', 16, 8),
    u32('oemRevision', 24),
    text('creatorId', 28, 4),
    u32('creatorRevision', 32),
  ],
};

/** Who made a table. Length and checksum follow from its bytes. */
export interface AcpiHeader {
  signature: string;
  revision: number;
  oemId: string;
  oemTableId: string;
  oemRevision: number;
  creatorId: string;
  creatorRevision: number;
}

/** The header of a table of ours. */
export function headerOf(signature: string): AcpiHeader {
  return {
    signature,
    revision: 1,
    oemId: 'SYNDRM',
    oemTableId: 'SYNDROME',
    oemRevision: 1,
    creatorId: 'SYND',
    creatorRevision: 1,
  };
}

const sumOf = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => (sum + byte) % 256, 0);

/**
 * The bytes of a table: header, body, and the checksum that makes their sum 0.
 * @throws CperError E_CPER_RANGE for a text or number that does not fit
 */
export function encodeTable(header: AcpiHeader, ...body: readonly Uint8Array[]): Uint8Array {
  const length = body.reduce((sum, part) => sum + part.length, HEADER_LENGTH);
  const table = concat([writeLayout(HEADER, { ...header, length, checksum: 0 }), ...body]);
  table[CHECKSUM_AT] = (256 - sumOf(table)) % 256;
  return table;
}

/** The signature that the bytes of a table begin with. */
export function signatureOf(table: Uint8Array): string {
  return String.fromCharCode(...table.subarray(0, 4));
}

/** What stands behind the header of a table, and where that begins. */
interface Body {
  header: AcpiHeader;
  body: Uint8Array;
  /** Byte offset of the body in the table. */
  at: number;
}

/** Reads the header of a table that has to be one with this signature. Never throws. */
export function decodeTable(signature: string, table: Uint8Array): AcpiRead<Body> {
  const diagnostics: AcpiDiagnostic[] = [];
  if (table.length < HEADER_LENGTH) {
    const message = `${table.length} bytes cannot hold the header of a table, which has ${HEADER_LENGTH}`;
    return { value: undefined, diagnostics: [{ code: 'E_ACPI_TRUNCATED', message, offset: 0 }] };
  }
  if (signatureOf(table) !== signature) {
    const message = `the table does not begin with ${signature}`;
    return { value: undefined, diagnostics: [{ code: 'E_ACPI_SIGNATURE', message, offset: 0 }] };
  }
  const { length, header } = headerIn(table, diagnostics);
  if (length < HEADER_LENGTH || length > table.length) {
    const message = `the table has a length of ${length}, ${table.length} bytes are there`;
    diagnostics.push({ code: 'E_ACPI_TRUNCATED', message, offset: 4 });
  }
  const whole = table.subarray(0, Math.max(HEADER_LENGTH, length));
  if (sumOf(whole) !== 0) {
    diagnostics.push({ code: 'W_ACPI_CHECKSUM', message: 'the checksum is wrong', offset: CHECKSUM_AT });
  }
  return { value: { header, body: whole.subarray(HEADER_LENGTH), at: HEADER_LENGTH }, diagnostics };
}

function headerIn(table: Uint8Array, diagnostics: AcpiDiagnostic[]): { header: AcpiHeader; length: number } {
  const read = readFields<AcpiHeader & { length: number; checksum: number }>(HEADER, table, 0, diagnostics);
  const { length, checksum: _, ...header } = read;
  return { header, length };
}

/** Reads a structure at `at`, whose bytes are all there; what it says of texts goes to `diagnostics`. */
export function readFields<T>(layout: Layout, bytes: Uint8Array, at: number, diagnostics: AcpiDiagnostic[]): T {
  return readLayout(layout, bytes.subarray(at, at + layout.length), at, (_, message, offset) => {
    diagnostics.push({ code: 'W_ACPI_TEXT', message, offset });
  }) as unknown as T;
}

/** Where a register is. */
export interface AcpiAddress {
  /** 0 system memory, 1 system I/O, 0x7f functional fixed hardware. */
  space: number;
  bitWidth: number;
  bitOffset: number;
  /** 1 byte, 2 word, 3 dword, 4 qword; 0 undefined. */
  accessSize: number;
  address: bigint;
  kept?: CperKept;
}

export const ADDRESS: Layout = {
  name: 'generic address',
  source: 'ACPI 6.5 5.2.3.2',
  length: 12,
  fields: [u8('space', 0), u8('bitWidth', 1), u8('bitOffset', 2), u8('accessSize', 3), u64('address', 4)],
};

/** A register of 64 bits in memory. @example memoryRegister(0x1000n).accessSize // 4 */
export function memoryRegister(address: bigint): AcpiAddress {
  return { space: 0, bitWidth: 64, bitOffset: 0, accessSize: 4, address };
}
