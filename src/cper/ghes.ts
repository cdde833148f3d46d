/**
 * @module The generic error status block that firmware hands to an operating system, both ways.
 * Sources: ACPI 6.5 18.3.2.7.1, tables "Generic Error Status Block" and "Generic Error Data Entry".
 */
import { CperError } from './error.ts';
import type { CperDiagnostic } from './error.ts';
import { SECTION_MEMORY, guidFromBytes, guidToBytes } from './guid.ts';
import { decodeMemoryError, encodeMemoryError } from './memory.ts';
import type { CperRecord, CperSection, CperSeverity } from './record.ts';

/** What QEMU's `inject-ghes-v2-error` accepts at most. */
export const QEMU_GHES_MAX_BYTES = 1024;

const BLOCK_HEADER = 20;
const ENTRY_HEADER = 72;
/** Revisions below 3.0 have no time stamp. */
const ENTRY_HEADER_V2 = 64;
const REVISION_3 = 0x300;
/** More sections than any firmware sends; the entry count has 10 bits. */
const MAX_SECTIONS = 1023;
const FRU_TEXT = 20;
const VALID_FRU_ID = 1;
const VALID_FRU_TEXT = 2;
const VALID_TIMESTAMP = 4;

/** Block status bits. */
const STATUS_UE = 1;
const STATUS_CE = 2;
const STATUS_MULTIPLE_UE = 4;
const STATUS_MULTIPLE_CE = 8;

/** Severity numbers, the same in the block and in its entries. */
export const CPER_SEVERITIES: readonly CperSeverity[] = ['recoverable', 'fatal', 'corrected', 'none'];

/** A section to encode: severity defaults to the block's, type to the body's own. */
export interface GhesSectionInput {
  body: CperSection['body'];
  type?: string;
  severity?: CperSeverity;
  revision?: number;
  flags?: number;
  fruId?: string;
  fruText?: string;
  timestamp?: bigint;
}

export interface GhesBlockInput {
  severity: CperSeverity;
  sections: readonly GhesSectionInput[];
}

function encodeEntry(input: GhesSectionInput, severity: CperSeverity): Uint8Array {
  const { body } = input;
  const type = input.type ?? (body.kind === 'memory' ? SECTION_MEMORY : undefined);
  if (type === undefined) {
    throw new CperError('E_CPER_GUID', 'a raw section needs a type', { hint: 'Give the GUID of the section type.' });
  }
  const revision = input.revision ?? REVISION_3;
  if (!Number.isInteger(revision) || revision < 0 || revision > 0xffff) {
    throw new CperError('E_CPER_RANGE', 'revision does not fit 16 bits');
  }
  const header = revision < REVISION_3 ? ENTRY_HEADER_V2 : ENTRY_HEADER;
  if (header === ENTRY_HEADER_V2 && input.timestamp !== undefined) {
    throw new CperError('E_CPER_RANGE', 'a time stamp needs revision 0x300 of the data entry');
  }
  const data = body.kind === 'memory' ? encodeMemoryError(body) : body.data;
  const bytes = new Uint8Array(header + data.length);
  const view = new DataView(bytes.buffer);
  bytes.set(guidToBytes(type), 0);
  view.setUint32(16, CPER_SEVERITIES.indexOf(input.severity ?? severity), true);
  view.setUint16(20, revision, true);
  let valid = 0;
  view.setUint8(23, (input.flags ?? 0) & 0xff);
  view.setUint32(24, data.length, true);
  if (input.fruId !== undefined) {
    bytes.set(guidToBytes(input.fruId), 28);
    valid |= VALID_FRU_ID;
  }
  if (input.fruText !== undefined) {
    if (!/^[\x20-\x7e]{0,20}$/.test(input.fruText)) {
      throw new CperError('E_CPER_RANGE', 'FRU text does not fit', { hint: 'At most 20 printable ASCII characters.' });
    }
    bytes.set(
      Uint8Array.from(input.fruText, c => c.charCodeAt(0)),
      44,
    );
    valid |= VALID_FRU_TEXT;
  }
  if (input.timestamp !== undefined) {
    if (input.timestamp < 0n || input.timestamp >> 64n !== 0n) {
      throw new CperError('E_CPER_RANGE', 'timestamp does not fit 64 bits');
    }
    view.setBigUint64(64, input.timestamp, true);
    valid |= VALID_TIMESTAMP;
  }
  view.setUint8(22, valid);
  bytes.set(data, header);
  return bytes;
}

/** Block status: which kinds of error the sections hold, whether several of a kind, and the entry count. */
function blockStatus(severities: readonly CperSeverity[]): number {
  const uncorrected = severities.filter(s => s === 'recoverable' || s === 'fatal').length;
  const corrected = severities.filter(s => s === 'corrected').length;
  return (
    (uncorrected > 0 ? STATUS_UE : 0) |
    (corrected > 0 ? STATUS_CE : 0) |
    (uncorrected > 1 ? STATUS_MULTIPLE_UE : 0) |
    (corrected > 1 ? STATUS_MULTIPLE_CE : 0) |
    (severities.length << 4)
  );
}

/** The bytes of a generic error status block with its data entries. Throws {@link CperError} for values that do not fit. */
export function encodeGhesBlock(input: GhesBlockInput): Uint8Array {
  if (input.sections.length > MAX_SECTIONS) {
    throw new CperError('E_CPER_RANGE', `at most ${MAX_SECTIONS} sections fit into one block`);
  }
  const entries = input.sections.map(s => encodeEntry(s, input.severity));
  const length = entries.reduce((sum, e) => sum + e.length, 0);
  const bytes = new Uint8Array(BLOCK_HEADER + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, blockStatus(input.sections.map(s => s.severity ?? input.severity)), true);
  view.setUint32(12, length, true);
  view.setUint32(16, CPER_SEVERITIES.indexOf(input.severity), true);
  let offset = BLOCK_HEADER;
  for (const entry of entries) {
    bytes.set(entry, offset);
    offset += entry.length;
  }
  return bytes;
}

/**
 * Reads a generic error status block. Never throws: what can be read is in `value` (undefined only when not even
 * the block header is there), what is wrong in `diagnostics`.
 */
export function decodeGhesBlock(bytes: Uint8Array): { value: CperRecord | undefined; diagnostics: CperDiagnostic[] } {
  const diagnostics: CperDiagnostic[] = [];
  const note = (code: CperDiagnostic['code'], message: string, offset: number): void => {
    diagnostics.push({ code, message, offset });
  };
  if (bytes.length < BLOCK_HEADER) {
    note('E_CPER_TRUNCATED', `${bytes.length} bytes cannot hold a generic error status block, which has 20`, 0);
    return { value: undefined, diagnostics };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const severityAt = (offset: number): CperSeverity => {
    const n = view.getUint32(offset, true);
    const severity = CPER_SEVERITIES[n];
    if (severity === undefined) note('E_CPER_SEVERITY', `severity ${n} does not exist; read as none`, offset);
    return severity ?? 'none';
  };
  const status = view.getUint32(0, true);
  const dataLength = view.getUint32(12, true);
  const value: CperRecord = { kind: 'cper', severity: severityAt(16), blockStatus: status, sections: [] };

  let end = BLOCK_HEADER + dataLength;
  if (end > bytes.length) {
    note('E_CPER_TRUNCATED', `the data length is ${dataLength}, ${bytes.length - BLOCK_HEADER} bytes are there`, 12);
    end = bytes.length;
  }
  let offset = BLOCK_HEADER;
  while (offset < end) {
    if (end - offset < ENTRY_HEADER_V2) {
      note('W_CPER_TRAILING', `${end - offset} bytes behind the last data entry`, offset);
      break;
    }
    if (value.sections.length >= MAX_SECTIONS) {
      note('E_CPER_TOO_MANY', `more than ${MAX_SECTIONS} data entries; the rest was not read`, offset);
      break;
    }
    const revision = view.getUint16(offset + 20, true);
    const header = revision < REVISION_3 ? ENTRY_HEADER_V2 : ENTRY_HEADER;
    if (revision !== REVISION_3) {
      note('W_CPER_REVISION', `data entry revision 0x${revision.toString(16)}, 0x300 expected`, offset + 20);
    }
    const start = offset + header;
    if (start > end) {
      note('E_CPER_TRUNCATED', 'the header of a data entry is cut off', offset);
      break;
    }
    const length = view.getUint32(offset + 24, true);
    let stop = start + length;
    if (stop > end) {
      note('E_CPER_TRUNCATED', `a section of ${length} bytes, ${end - start} are there`, offset + 24);
      stop = end;
    }
    const type = guidFromBytes(bytes, offset);
    const data = bytes.subarray(start, stop);
    let body: CperSection['body'] = { kind: 'raw', data: data.slice() };
    if (type === SECTION_MEMORY) {
      const memory = decodeMemoryError(data, start);
      diagnostics.push(...memory.diagnostics);
      if (memory.value !== undefined) body = memory.value;
    }
    const valid = view.getUint8(offset + 22);
    const section: CperSection = {
      type,
      severity: severityAt(offset + 16),
      revision,
      flags: view.getUint8(offset + 23),
      body,
    };
    if ((valid & VALID_FRU_ID) !== 0) section.fruId = guidFromBytes(bytes, offset + 28);
    if ((valid & VALID_FRU_TEXT) !== 0) {
      const raw = bytes.subarray(offset + 44, offset + 44 + FRU_TEXT);
      const nul = raw.indexOf(0);
      const text = nul < 0 ? raw : raw.subarray(0, nul);
      // Firmware writes what it likes here: other bytes than printable ASCII become a question mark.
      if (text.some(c => c < 0x20 || c > 0x7e)) note('W_CPER_TEXT', 'FRU text is not printable ASCII', offset + 44);
      section.fruText = Array.from(text, c => (c < 0x20 || c > 0x7e ? '?' : String.fromCharCode(c))).join('');
    }
    if ((valid & VALID_TIMESTAMP) !== 0 && header === ENTRY_HEADER) {
      section.timestamp = view.getBigUint64(offset + 64, true);
    }
    value.sections.push(section);
    offset = stop;
  }
  const count = (status >>> 4) & 0x3ff;
  // QEMU's own records carry a count of 0, so only a count that says something is compared.
  if (count !== 0 && count !== value.sections.length) {
    note('W_CPER_COUNT', `the block status counts ${count} entries, ${value.sections.length} were found`, 0);
  }
  return { value, diagnostics };
}
