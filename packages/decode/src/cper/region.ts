/** @module Several records or status blocks in one buffer: BERT and ERST regions, files that were put together. */
import type { CperDiagnostic } from './error.ts';
import { CperError, wordOf } from './error.ts';
import { encodeGhesBlock } from './ghes.ts';
import { CperReader } from './reader.ts';
import type { CperRecord } from './record.ts';
import { encodeCperRecord } from './uefi-record.ts';

/** What a buffer holds. `gaps` are the bytes between and behind the records that are not all zero. */
export interface CperRegion {
  /** Length of the buffer in bytes. */
  length: number;
  records: { offset: number; record: CperRecord }[];
  gaps: { offset: number; data: Uint8Array }[];
}

const MAX_REGION = 1 << 28;

/**
 * Reads everything in a buffer. Zero bytes between records are skipped; what is neither a record nor a block is kept as a
 * gap, behind which the next record that has a signature is read. Never throws.
 */
export function decodeCper(bytes: Uint8Array): { value: CperRegion; diagnostics: CperDiagnostic[] } {
  const value: CperRegion = { length: bytes.length, records: [], gaps: [] };
  const diagnostics: CperDiagnostic[] = [];
  const reader = new CperReader({
    record: ({ offset, record, diagnostics: of }) => {
      value.records.push({ offset, record });
      diagnostics.push(...of);
    },
    gap: (offset, end, of) => {
      value.gaps.push({ offset, data: bytes.slice(offset, end) });
      diagnostics.push(...of);
    },
  });
  reader.push(bytes);
  reader.end();
  return { value, diagnostics };
}

/**
 * The bytes of a record: a status block, or an error record when it has a header. Throws {@link CperError}.
 *
 * @example
 * const type = 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1';
 * const body = { kind: 'memory', physicalAddress: 0x50000000n };
 * const sections = [{ type, severity: 'recoverable', revision: 0x300, flags: 0, body }];
 * const bytes = encodeCper({ kind: 'cper', severity: 'recoverable', sections });
 * bytes.length // 172
 * decode(bytes).records[0].address.pfn // 0x50000n
 */
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
    const isPlace = Number.isInteger(offset) && offset >= 0 && data instanceof Uint8Array;
    if (!isPlace || offset + data.length > bytes.length) {
      throw new CperError('E_CPER_RANGE', `region: what is at ${wordOf(offset)} does not fit ${bytes.length} bytes`);
    }
    bytes.set(data, offset);
  }
  return bytes;
}
