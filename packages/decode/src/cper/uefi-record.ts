/** @module The UEFI error record: header, section descriptors, sections, both ways. Source: UEFI 2.10 N.2.1, N.2.2. */
import { CperError } from './error.ts';
import type { CperDiagnostic } from './error.ts';
import { typeOf } from './ghes.ts';
import type { GhesSectionInput } from './ghes.ts';
import { guid, keep, keptBytes, readLayout, text, u16, u32, u64, writeLayout } from './layout.ts';
import type { Layout } from './layout.ts';
import { GUID_NULL } from './guid.ts';
import type { CperRecord, CperRecordHeader, CperSection, CperSeverity } from './record.ts';
import { decodeSection, encodeSection } from './sections.ts';
import { severityNumber, severityOf } from './severity.ts';

export const RECORD_HEADER_LENGTH = 128;
const DESCRIPTOR = 72;
/** `CPER`, little endian. */
const SIGNATURE = 0x52455043;
const SIGNATURE_END = 0xffffffff;
const REVISION = 0x0101;
const REVISION_1_0 = 0x0100;
/** Of Windows: cper.h of the WDK, WHEA_ERROR_RECORD_REVISION. */
const REVISION_WINDOWS = 0x0210;
const MAX_SECTIONS = 1023;
const MAX_RECORD = 1 << 26;

export const HEADER_LAYOUT: Layout = {
  name: 'record header',
  source: 'UEFI 2.10 N.2.1',
  length: RECORD_HEADER_LENGTH,
  validation: { at: 16, size: 4 },
  fields: [
    u32('signature', 0),
    u16('revision', 4),
    u32('signatureEnd', 6),
    u16('sectionCount', 10),
    u32('severity', 12),
    u32('recordLength', 20),
    u64('timestamp', 24, { valid: 1 }),
    guid('platformId', 32, { valid: 0 }),
    guid('partitionId', 48, { valid: 2 }),
    guid('creatorId', 64),
    guid('notificationType', 80),
    u64('recordId', 96),
    u32('flags', 104),
    u64('persistenceInfo', 108),
  ],
};

export const DESCRIPTOR_LAYOUT: Layout = {
  name: 'section descriptor',
  source: 'UEFI 2.10 N.2.2',
  length: DESCRIPTOR,
  validation: { at: 10, size: 1 },
  fields: [
    u32('offset', 0),
    u32('length', 4),
    u16('revision', 8),
    u32('flags', 12),
    guid('type', 16),
    guid('fruId', 32, { valid: 0 }),
    u32('severity', 48),
    text('fruText', 52, 20, { valid: 1 }),
  ],
};

/** Whether bytes begin with the signature of an error record. */
export function isCperRecord(bytes: Uint8Array, at = 0): boolean {
  return bytes[at] === 0x43 && bytes[at + 1] === 0x50 && bytes[at + 2] === 0x45 && bytes[at + 3] === 0x52;
}

interface RecordRead {
  value: CperRecord | undefined;
  diagnostics: CperDiagnostic[];
  /** Bytes the record takes. */
  length: number;
}

interface Head extends Partial<CperRecordHeader> {
  severity: number;
  sectionCount: number;
  recordLength: number;
  signatureEnd: number;
  signature: number;
}
interface Descriptor extends Partial<Omit<CperSection, 'severity'>> {
  offset: number;
  length: number;
  severity: number;
  type: string;
  revision: number;
  flags: number;
}

/** Reads an error record. Never throws: `value` is undefined only when signature or header are not there. */
export function decodeCperRecord(input: Uint8Array, base = 0): RecordRead {
  const diagnostics: CperDiagnostic[] = [];
  const note = (code: CperDiagnostic['code'], message: string, offset: number): void => {
    diagnostics.push({ code, message, offset: base + offset });
  };
  const noteAt = (code: CperDiagnostic['code'], message: string, offset: number): void => {
    diagnostics.push({ code, message, offset });
  };
  if (input.length < RECORD_HEADER_LENGTH) {
    note('E_CPER_TRUNCATED', `${input.length} bytes cannot hold a record header, which has 128`, 0);
    return { value: undefined, diagnostics, length: input.length };
  }
  if (!isCperRecord(input)) {
    note('E_CPER_SIGNATURE', 'the record does not begin with CPER', 0);
    return { value: undefined, diagnostics, length: input.length };
  }
  const claimed = new DataView(input.buffer, input.byteOffset, input.byteLength).getUint32(20, true);
  let extent = claimed;
  if (claimed < RECORD_HEADER_LENGTH) {
    note('E_CPER_LENGTH', `the record length is ${claimed}, less than its header; all bytes were taken`, 20);
    extent = input.length;
  } else if (claimed > input.length) {
    note('E_CPER_TRUNCATED', `the record length is ${claimed}, ${input.length} bytes are there`, 20);
    extent = input.length;
  }
  const bytes = input.subarray(0, extent);
  const {
    severity,
    sectionCount,
    recordLength,
    signatureEnd,
    signature: _,
    ...rest
  } = readLayout(HEADER_LAYOUT, bytes.subarray(0, RECORD_HEADER_LENGTH), base, noteAt) as unknown as Head;
  const head = rest as CperRecordHeader;
  const readSeverity = (n: number, offset: number): ReturnType<typeof severityOf> => {
    const s = severityOf(n);
    if (s.severityNumber !== undefined) note('E_CPER_SEVERITY', `severity ${n} does not exist; read as none`, offset);
    return s;
  };
  if (signatureEnd !== SIGNATURE_END) note('E_CPER_SIGNATURE', 'the end of the signature is not 0xffffffff', 6);
  if (![REVISION, REVISION_1_0, REVISION_WINDOWS].includes(head.revision)) {
    note('W_CPER_REVISION', `record revision 0x${head.revision.toString(16)}, 0x101 expected`, 4);
  }
  const value: CperRecord = { kind: 'cper', ...readSeverity(severity, 12), header: head, sections: [] };
  if (signatureEnd !== SIGNATURE_END) head.signatureEnd = signatureEnd;

  const fits = Math.min(sectionCount, MAX_SECTIONS, Math.floor((extent - RECORD_HEADER_LENGTH) / DESCRIPTOR));
  if (fits !== sectionCount) {
    const code = fits === MAX_SECTIONS ? 'E_CPER_TOO_MANY' : 'E_CPER_TRUNCATED';
    note(code, `${sectionCount} sections are counted, ${fits} descriptors were read`, 10);
    head.sectionCount = sectionCount;
  }
  const owned = new Uint8Array(extent);
  let next = RECORD_HEADER_LENGTH + fits * DESCRIPTOR;
  let end = next;
  owned.fill(0xff, 0, next);
  // Sections of a sound record do not overlap, so that together they are no longer than it: this bounds the work.
  let budget = extent;
  for (let i = 0; i < fits; i++) {
    const at = RECORD_HEADER_LENGTH + i * DESCRIPTOR;
    const descriptor = readLayout(DESCRIPTOR_LAYOUT, bytes.subarray(at, at + DESCRIPTOR), base + at, noteAt);
    const { offset, length, severity: n, ...more } = descriptor as unknown as Descriptor;
    const start = Math.min(offset, extent);
    let stop = Math.min(offset + length, extent);
    if (offset + length > extent) {
      note('E_CPER_TRUNCATED', `a section of ${length} bytes at ${offset} does not fit the record`, at);
    }
    if (stop - start > budget) {
      note('E_CPER_OVERLAP', `a section of ${length} bytes at ${offset} lies on top of others; it was not read`, at);
      stop = start;
    }
    budget -= stop - start;
    owned.fill(0xff, start, stop);
    const body = decodeSection(more.type, bytes.subarray(start, stop), base + start);
    diagnostics.push(...body.diagnostics);
    value.sections.push({
      ...more,
      ...readSeverity(n, at + 48),
      body: body.value,
      ...(length === stop - start ? {} : { length }),
      ...(offset === next ? {} : { offset }),
    });
    if (stop > start) next = stop;
    end = Math.max(end, next);
  }
  if (recordLength !== extent) head.recordLength = recordLength;
  const kept = keep(bytes, owned, end);
  if (kept !== undefined) value.kept = kept;
  return { value, diagnostics, length: extent };
}

interface Placed {
  at: number;
  bytes: Uint8Array;
}

/** Where everything goes: the parts in order of writing, and the end of the last one. */
function place(record: CperRecord): { parts: Placed[]; end: number } {
  const { header, sections } = record;
  const parts: Placed[] = [];
  let next = RECORD_HEADER_LENGTH + sections.length * DESCRIPTOR;
  let end = next;
  sections.forEach((section, i) => {
    const { body, severity, severityNumber: raw, offset: given, length, timestamp, ...more } = section;
    if (timestamp !== undefined) {
      throw new CperError('E_CPER_FIELD', 'a section descriptor has no timestamp', {
        hint: 'The record header has one.',
      });
    }
    const data = encodeSection(body);
    const offset = given ?? next;
    const descriptor = writeLayout(DESCRIPTOR_LAYOUT, {
      ...more,
      offset,
      length: length ?? data.length,
      severity: severityNumber(severity, raw),
    });
    parts.push({ at: RECORD_HEADER_LENGTH + i * DESCRIPTOR, bytes: descriptor });
    if (data.length === 0) return;
    parts.push({ at: offset, bytes: data });
    next = offset + data.length;
    end = Math.max(end, next);
  });
  if (header === undefined) throw new CperError('E_CPER_FIELD', 'an error record needs a header');
  if (end > MAX_RECORD) {
    throw new CperError('E_CPER_RANGE', `a record of ${end} bytes is too long`, {
      hint: 'Look at the section offsets.',
    });
  }
  return { parts, end };
}

function headerBytes(record: CperRecord, total: number): Uint8Array {
  const { header, severity, severityNumber: raw, sections } = record;
  return writeLayout(HEADER_LAYOUT, {
    signatureEnd: SIGNATURE_END,
    sectionCount: sections.length,
    recordLength: total,
    ...header,
    signature: SIGNATURE,
    severity: severityNumber(severity, raw),
  });
}

/** The bytes of an error record. Throws {@link CperError} for values that do not fit. */
export function encodeCperRecord(record: CperRecord): Uint8Array {
  const { parts, end } = place(record);
  const bytes = keptBytes('record', record.kept, end);
  for (const { at, bytes: data } of [{ at: 0, bytes: headerBytes(record, bytes.length) }, ...parts]) {
    if (at + data.length > bytes.length) {
      throw new CperError('E_CPER_RANGE', `record: a section at ${at} does not fit kept.length ${bytes.length}`);
    }
    bytes.set(data, at);
  }
  return bytes;
}

/** A record made of sections, with the defaults of a fresh one. */
export function makeCperRecord(
  severity: CperSeverity,
  sections: readonly GhesSectionInput[],
  header: Partial<CperRecordHeader> = {},
): CperRecord {
  return {
    kind: 'cper',
    severity,
    header: {
      revision: REVISION,
      creatorId: GUID_NULL,
      notificationType: GUID_NULL,
      recordId: 0n,
      flags: 0,
      persistenceInfo: 0n,
      ...header,
    },
    sections: sections.map(s => ({ severity, revision: 0x0300, flags: 0, ...s, type: typeOf(s) })),
  };
}
