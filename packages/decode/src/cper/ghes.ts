/**
 * @module The generic error status block that firmware hands to an operating system, both ways.
 * Sources: ACPI 6.5 18.3.2.7.1, tables "Generic Error Status Block" and "Generic Error Data Entry".
 */
import { MAX_SECTIONS, blockStatus, entryCount } from './block-status.ts';
import { CperError } from './error.ts';
import type { CperDiagnostic } from './error.ts';
import { guid, readLayout, text, u16, u32, u64, u8, writeLayout } from './layout.ts';
import type { Layout } from './layout.ts';
import type { CperBody, CperRecord, CperSection, CperSeverity } from './record.ts';
import { decodeSection, encodeSection, sectionOfKind } from './sections.ts';
import { CPER_SEVERITIES, severityNumber, severityOf } from './severity.ts';
import { concat } from './x86.ts';

export { CPER_SEVERITIES };

const BLOCK_HEADER = 20;
const ENTRY_HEADER = 72;
/** Revisions below 3.0 have no time stamp. */
const ENTRY_HEADER_V2 = 64;
const REVISION_3 = 0x300;
/** The revision of ACPI 4 to 5. */
const REVISION_2 = 0x201;

const ENTRY_FIELDS: Layout['fields'] = [
  guid('type', 0),
  u32('severity', 16),
  u16('revision', 20),
  u8('flags', 23),
  u32('length', 24),
  guid('fruId', 28, { valid: 0 }),
  text('fruText', 44, 20, { valid: 1 }),
];
export const ENTRY_V2: Layout = {
  name: 'data entry',
  source: 'ACPI 6.5 18.3.2.7.1',
  length: ENTRY_HEADER_V2,
  validation: { at: 22, size: 1 },
  fields: ENTRY_FIELDS,
};
export const ENTRY_V3: Layout = {
  ...ENTRY_V2,
  length: ENTRY_HEADER,
  fields: [...ENTRY_FIELDS, u64('timestamp', 64, { valid: 2 })],
};

/** The header of a data entry of a revision. */
export function entryLayout(revision: number): Layout {
  return revision < REVISION_3 ? ENTRY_V2 : ENTRY_V3;
}

/** What stands in the header of a data entry or section descriptor. */
interface Header extends Partial<Omit<CperSection, 'severity' | 'body'>> {
  type: string;
  severity: number;
  revision: number;
  flags: number;
  length: number;
}

/** A section to encode: severity defaults to the block's, type to the body's own, revision to 0x300. */
export interface GhesSectionInput extends Partial<Omit<CperSection, 'body'>> {
  body: CperBody;
}

/** A block to encode; block status, lengths and counts follow from the sections unless they are given. */
interface GhesBlockInput extends Partial<Omit<CperRecord, 'severity' | 'sections'>> {
  severity: CperSeverity;
  sections: readonly GhesSectionInput[];
}

/** The type of a section to encode. */
export function typeOf(input: { type?: string; body: CperBody }): string {
  const type = input.type ?? sectionOfKind(input.body.kind)?.type;
  if (type === undefined) {
    throw new CperError('E_CPER_GUID', 'a raw section needs a type', { hint: 'Give the GUID of the section type.' });
  }
  return type;
}

function encodeEntry(input: GhesSectionInput, severity: CperSeverity): Uint8Array {
  const { body, offset, severityNumber: raw, ...more } = input;
  if (offset !== undefined) {
    throw new CperError('E_CPER_FIELD', 'a data entry has no offset', { hint: 'Offsets belong to error records.' });
  }
  const data = encodeSection(body);
  const header: Header = {
    flags: 0,
    revision: REVISION_3,
    length: data.length,
    ...more,
    type: typeOf(input),
    severity: severityNumber(input.severity ?? severity, raw),
  };
  const layout = entryLayout(header.revision);
  if (layout === ENTRY_V2 && input.timestamp !== undefined) {
    throw new CperError('E_CPER_RANGE', 'a timestamp needs revision 0x300 of the data entry');
  }
  return concat([writeLayout(layout, header), data]);
}

const BLOCK: Layout = {
  name: 'status block',
  source: 'ACPI 6.5 18.3.2.7.1',
  length: BLOCK_HEADER,
  fields: [
    u32('blockStatus', 0),
    u32('rawDataOffset', 4),
    u32('rawDataLength', 8),
    u32('dataLength', 12),
    u32('severity', 16),
  ],
};

/** The bytes of a generic error status block with its data entries. Throws {@link CperError} for values that do not fit. */
export function encodeGhesBlock(input: GhesBlockInput): Uint8Array {
  if (input.sections.length > MAX_SECTIONS) {
    throw new CperError('E_CPER_RANGE', `at most ${MAX_SECTIONS} sections fit into one block`);
  }
  const data = concat([...input.sections.map(s => encodeEntry(s, input.severity)), input.trailing ?? new Uint8Array()]);
  const header = writeLayout(BLOCK, {
    blockStatus: input.blockStatus ?? blockStatus(input.sections.map(s => s.severity ?? input.severity)),
    rawDataOffset: input.rawDataOffset ?? 0,
    rawDataLength: input.rawDataLength ?? 0,
    dataLength: input.dataLength ?? data.length,
    severity: severityNumber(input.severity, input.severityNumber),
  });
  return concat([header, data, input.rawData ?? new Uint8Array()]);
}

interface GhesRead {
  value: CperRecord | undefined;
  diagnostics: CperDiagnostic[];
  /** Bytes the block takes, its raw data included. */
  length: number;
}

/**
 * Reads a generic error status block. Never throws: what can be read is in `value` (undefined only when not even
 * the block header is there), what is wrong in `diagnostics`. `base` is added to the offsets of diagnostics.
 */
export function decodeGhesBlock(bytes: Uint8Array, base = 0): GhesRead {
  const diagnostics: CperDiagnostic[] = [];
  const note = (code: CperDiagnostic['code'], message: string, offset: number): void => {
    diagnostics.push({ code, message, offset: base + offset });
  };
  if (bytes.length < BLOCK_HEADER) {
    note('E_CPER_TRUNCATED', `${bytes.length} bytes cannot hold a generic error status block, which has 20`, 0);
    return { value: undefined, diagnostics, length: bytes.length };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const severityAt = (offset: number): ReturnType<typeof severityOf> => {
    const severity = severityOf(view.getUint32(offset, true));
    if (severity.severityNumber !== undefined) {
      note('E_CPER_SEVERITY', `severity ${severity.severityNumber} does not exist; read as none`, offset);
    }
    return severity;
  };
  const status = view.getUint32(0, true);
  const rawOffset = view.getUint32(4, true);
  const rawLength = view.getUint32(8, true);
  const dataLength = view.getUint32(12, true);
  const value: CperRecord = { kind: 'cper', ...severityAt(16), blockStatus: status, sections: [] };
  if (rawOffset !== 0) value.rawDataOffset = rawOffset;
  if (rawLength !== 0) value.rawDataLength = rawLength;

  let end = BLOCK_HEADER + dataLength;
  if (end > bytes.length) {
    note('E_CPER_TRUNCATED', `the data length is ${dataLength}, ${bytes.length - BLOCK_HEADER} bytes are there`, 12);
    end = bytes.length;
    value.dataLength = dataLength;
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
    const layout = entryLayout(revision);
    if (revision !== REVISION_3 && revision !== REVISION_2) {
      note('W_CPER_REVISION', `data entry revision 0x${revision.toString(16)}, 0x300 expected`, offset + 20);
    }
    const start = offset + layout.length;
    if (start > end) {
      note('E_CPER_TRUNCATED', 'the header of a data entry is cut off', offset);
      break;
    }
    const header = readLayout(layout, bytes.subarray(offset, start), base + offset, (code, message, at) => {
      diagnostics.push({ code, message, offset: at });
    }) as unknown as Header;
    let stop = start + header.length;
    if (stop > end) {
      note('E_CPER_TRUNCATED', `a section of ${header.length} bytes, ${end - start} are there`, offset + 24);
      stop = end;
    }
    const body = decodeSection(header.type, bytes.subarray(start, stop), base + start);
    diagnostics.push(...body.diagnostics);
    const { length, severity: _, ...more } = header;
    value.sections.push({
      ...more,
      ...severityAt(offset + 16),
      body: body.value,
      ...(length === stop - start ? {} : { length }),
    });
    offset = stop;
  }
  if (offset < end) value.trailing = bytes.slice(offset, end);
  const count = entryCount(status);
  // QEMU's own records carry a count of 0, so only a count that says something is compared.
  if (count !== 0 && count !== value.sections.length) {
    note('W_CPER_COUNT', `the block status counts ${count} entries, ${value.sections.length} were found`, 0);
  }
  let length = end;
  if (rawLength !== 0) {
    const rawEnd = rawOffset + rawLength;
    if (rawEnd > bytes.length)
      note('E_CPER_TRUNCATED', `raw data ends at ${rawEnd}, ${bytes.length} bytes are there`, 4);
    else if (rawOffset < end) note('E_CPER_OVERLAP', `raw data at ${rawOffset} lies inside the data entries`, 4);
    else {
      value.rawData = bytes.slice(end, rawEnd);
      length = rawEnd;
    }
  }
  return { value, diagnostics, length };
}
