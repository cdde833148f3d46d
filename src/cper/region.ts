/**
 * @module Several records or status blocks in one buffer: BERT and ERST regions, files that were put together. Records
 * are told by their signature; status blocks have none and are told by lengths and severities that can be.
 */
import type { CperDiagnostic } from './error.ts';
import { CperError } from './error.ts';
import { decodeGhesBlock, encodeGhesBlock } from './ghes.ts';
import { SECTION_NAMES, guidFromBytes } from './guid.ts';
import type { CperRecord } from './record.ts';
import { decodeCperRecord, encodeCperRecord, isCperRecord } from './uefi-record.ts';

/** What a buffer holds. `gaps` are the bytes between and behind the records that are not all zero. */
export interface CperRegion {
  /** Length of the buffer in bytes. */
  length: number;
  records: { offset: number; record: CperRecord }[];
  gaps: { offset: number; data: Uint8Array }[];
}

const BLOCK_HEADER = 20;
const ENTRY_HEADER = 64;
const MAX_REGION = 1 << 28;

/** Whether a status block can begin at `at`: data entries of a known type, or a severity that exists and entries that fit. */
export function looksLikeGhesBlock(bytes: Uint8Array, at = 0): boolean {
  if (bytes.length - at < BLOCK_HEADER) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
  const dataLength = view.getUint32(12, true);
  const room = bytes.length - at - BLOCK_HEADER;
  if (room < ENTRY_HEADER || dataLength < ENTRY_HEADER) return false;
  const entry = at + BLOCK_HEADER;
  if (SECTION_NAMES[guidFromBytes(bytes, entry)] !== undefined) return true;
  // An unknown section type: both severities, revision and the lengths have to agree.
  if (view.getUint32(16, true) > 3) return false;
  const severity = view.getUint32(BLOCK_HEADER + 16, true);
  const length = view.getUint32(BLOCK_HEADER + 24, true);
  return dataLength <= room && severity <= 3 && length <= dataLength - ENTRY_HEADER;
}

/**
 * Reads everything in a buffer. Zero bytes between records are skipped; what is neither a record nor a block ends the
 * reading and is kept as a gap. Never throws.
 */
export function decodeCper(bytes: Uint8Array): { value: CperRegion; diagnostics: CperDiagnostic[] } {
  const value: CperRegion = { length: bytes.length, records: [], gaps: [] };
  const diagnostics: CperDiagnostic[] = [];
  let at = 0;
  while (at < bytes.length) {
    const rest = bytes.subarray(at);
    const read = isCperRecord(rest)
      ? decodeCperRecord(rest, at)
      : looksLikeGhesBlock(rest)
        ? decodeGhesBlock(rest, at)
        : undefined;
    if (read?.value !== undefined) {
      value.records.push({ offset: at, record: read.value });
      diagnostics.push(...read.diagnostics);
      at += read.length;
      continue;
    }
    const next = rest.findIndex(b => b !== 0);
    if (next < 0) break;
    // A block may begin with zero bytes: step to the word that holds the first other byte.
    const step = next - (next % 4);
    if (step > 0) {
      at += step;
      continue;
    }
    diagnostics.push(...(read?.diagnostics ?? []), {
      code: 'E_CPER_UNKNOWN',
      message: `${rest.length} bytes are neither an error record nor a status block`,
      offset: at,
    });
    value.gaps.push({ offset: at, data: rest.slice() });
    break;
  }
  return { value, diagnostics };
}

/** The bytes of a record: a status block, or an error record when it has a header. Throws {@link CperError}. */
export function encodeCper(record: CperRecord): Uint8Array {
  if (record.header !== undefined) return encodeCperRecord(record);
  const { origin: _, previousBoot: __, ...block } = record;
  return encodeGhesBlock(block);
}

/** The bytes of a region. Throws {@link CperError} for values that do not fit. */
export function encodeCperRegion(region: CperRegion): Uint8Array {
  if (!Number.isInteger(region.length) || region.length < 0 || region.length > MAX_REGION) {
    throw new CperError('E_CPER_RANGE', 'region: length does not fit', { hint: `At most ${MAX_REGION} bytes.` });
  }
  const bytes = new Uint8Array(region.length);
  const parts = [...region.records.map(r => ({ offset: r.offset, data: encodeCper(r.record) })), ...region.gaps];
  for (const { offset, data } of parts) {
    if (offset < 0 || offset + data.length > bytes.length) {
      throw new CperError('E_CPER_RANGE', `region: what is at ${offset} does not fit ${bytes.length} bytes`);
    }
    bytes.set(data, offset);
  }
  return bytes;
}
