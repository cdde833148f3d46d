/** @module Whether a firmware record is as specified, agrees with itself, and says what software needs. */
import { hasBit, maskOf, placed } from '../registers/field.ts';
import { hex64 } from '../common/hex.ts';
import { bySeverity, findingAt, runsOf } from '../registers/finding.ts';
import type { FindingPlace } from '../registers/finding.ts';
import { ARM_ERROR_LAYOUT, ARM_LAYOUT, armErrorTypeDoubt, armErrorTypeNames } from './arm.ts';
import { BLOCK_STATUS, blockStatus, entryCount, errorKinds } from './block-status.ts';
import { bodyCorrected, classifyCper } from './classify.ts';
import { FLAT_LAYOUTS } from './flat-layouts.ts';
import { isOfWindows } from './guid.ts';
import type { CperKept, Layout } from './layout.ts';
import { CPER_LINT_CODES, sectionOfLint } from './lint-codes.ts';
import type { CperFinding, CperLintCodeId } from './lint-codes.ts';
import { MEMORY2_LAYOUT, MEMORY_ERROR_TYPES, MEMORY_LAYOUT } from './memory.ts';
import { maskLsb } from './page.ts';
import type { CperBody, CperMemoryError, CperMemoryError2, CperRecord, CperSection } from './record.ts';
import { sectionType } from './sections.ts';
import { severityRank } from './severity.ts';
import { decodeTimestamp, timeOfHeader } from './timestamp.ts';
import { HEADER_LAYOUT } from './uefi-record.ts';
import { sectionHead, strayPlaces, validationMask, validationPlaces } from './validation-bits.ts';
import { X86_CHECKS, X86_CONTEXT_LAYOUT, X86_ERROR_LAYOUT, X86_LAYOUT } from './x86.ts';

const hex = (n: number): string => `0x${n.toString(16)}`;
const FRU_TEXT = 20;
const ENTRY_REVISIONS: readonly number[] = [0x201, 0x300];
const RECORD_REVISIONS: readonly number[] = [0x100, 0x101];
/** Of Windows' records: cper.h of the WDK, WHEA_ERROR_RECORD_REVISION. */
const WINDOWS_REVISION = 0x210;

/** Places are relative to what is looked at: the record, a section of it, or the body of one. */
type Add = (code: CperLintCodeId, note: string | undefined, ...places: FindingPlace[]) => void;

const bits = (member: string, register: string, hi: number, lo = hi): FindingPlace => ({ member, register, hi, lo });
/** A place as it is called from one step further out. */
const within = (outer: string, place: FindingPlace): FindingPlace =>
  typeof place === 'string' ? `${outer}.${place}` : { ...place, member: `${outer}.${place.member}` };

/** What is wrong or remarkable about a record, errors first. Empty for one that is as specified. */
export function lintCper(record: CperRecord): CperFinding[] {
  const findings: CperFinding[] = [];
  const hasHeader = record.header !== undefined;
  const found =
    (ofSection: boolean): Add =>
    (code, note, ...places) => {
      const { severity, title } = CPER_LINT_CODES[code];
      const where = sectionOfLint(code, hasHeader, ofSection);
      findings.push(findingAt(code, severity, note === undefined ? title : `${title}: ${note}`, where, places));
    };
  const add = found(false);
  const addOf = found(true);
  if (record.blockStatus !== undefined) lintBlock(record, record.blockStatus, add);
  if (record.header !== undefined) lintHeader(record, add);
  if (record.severityNumber !== undefined)
    add('L_CPER_SEVERITY_RANGE', String(record.severityNumber), 'severityNumber');
  lintSeverity(record, add);
  if (record.trailing !== undefined) add('L_CPER_TRAILING', `${record.trailing.length} bytes`, 'trailing');
  record.sections.forEach((s, i) => {
    const where = record.sections.length > 1 ? `section ${i + 1}` : undefined;
    lintSection(s, record, (code, note, ...places) => {
      const text = [where, note].filter(t => t !== undefined).join(', ') || undefined;
      addOf(code, text, ...places.map(p => within(`sections[${i}]`, p)));
    });
  });
  if (isQemuShape(record)) add('L_CPER_QEMU', undefined);
  return findings.sort(bySeverity);
}

function lintSeverity(record: CperRecord, add: Add): void {
  const [first, ...rest] = record.sections;
  if (first === undefined) return;
  const worst = rest.reduce((a, s) => (severityRank(s.severity) > severityRank(a) ? s.severity : a), first.severity);
  if (worst === record.severity) return;
  const at = record.sections.findIndex(s => s.severity === worst);
  const note = `${record.severity}, the worst section is ${worst}`;
  add('L_CPER_SEVERITY_MISMATCH', note, 'severity', `sections[${at}].severity`);
}

function lintBlock(record: CperRecord, status: number, add: Add): void {
  const expected = blockStatus(record.sections.map(s => s.severity));
  const block = (hi: number, lo: number): FindingPlace => bits('blockStatus', 'BlockStatus', hi, lo);
  if (record.sections.length === 0) add('L_CPER_NO_SECTION', undefined, 'sections');
  if (errorKinds(status) !== errorKinds(expected)) {
    add('L_CPER_STATUS_BITS', `${hex(errorKinds(status))}, ${hex(errorKinds(expected))} expected`, block(3, 0));
  }
  const count = entryCount(status);
  if (count !== record.sections.length) {
    add('L_CPER_STATUS_COUNT', `${count}, ${record.sections.length} are there`, block(13, 4), 'sections');
  }
  if (BLOCK_STATUS.read(BigInt(status)).reserved !== 0n)
    add('L_CPER_RESERVED', 'bits 31:14 of the block status', block(31, 14));
  if (record.dataLength !== undefined) add('L_CPER_LENGTH', `the data length is ${record.dataLength}`, 'dataLength');
  if (record.rawDataLength !== undefined && record.rawData === undefined) {
    const note = `${record.rawDataLength} bytes of raw data at ${record.rawDataOffset ?? 0} are not there`;
    add('L_CPER_LENGTH', note, 'rawDataLength', 'rawDataOffset');
  }
  const revisions = record.sections.map(s => s.revision);
  const where = (is: (revision: number) => boolean): FindingPlace[] =>
    revisions.flatMap((r, i) => (is(r) ? [`sections[${i}].revision`] : []));
  for (const revision of new Set(revisions.filter(r => !ENTRY_REVISIONS.includes(r)))) {
    add('L_CPER_REVISION', `data entry ${hex(revision)}`, ...where(r => r === revision));
  }
  if (revisions.some(r => r < 0x300) && revisions.some(r => r >= 0x300)) {
    add('L_CPER_REVISION_MIXED', undefined, ...where(() => true));
  }
}

/**
 * Whether only the end of a record is missing: all that its sections say of where they lie is within the length that its header says,
 * so that nothing of it need be wrong.
 */
function isCut({ header, sections }: CperRecord): boolean {
  const { recordLength } = header ?? {};
  if (recordLength === undefined) return false;
  return (
    sections.some(s => s.length !== undefined) &&
    sections.every(({ offset = 0, length = 0 }) => offset + length <= recordLength)
  );
}

function lintHeader(record: CperRecord, add: Add): void {
  const header = record.header;
  if (header === undefined) return;
  if (record.sections.length === 0) add('L_CPER_NO_SECTION', undefined, 'sections');
  if (header.signatureEnd !== undefined) add('L_CPER_SIGNATURE', hex(header.signatureEnd), 'header.signatureEnd');
  const isWindows = isOfWindows(header.creatorId) && header.revision === WINDOWS_REVISION;
  if (!RECORD_REVISIONS.includes(header.revision) && !isWindows)
    add('L_CPER_REVISION', `record ${hex(header.revision)}`, 'header.revision');
  if (header.recordLength !== undefined && isCut(record)) {
    add('L_CPER_CUT', `the header says ${header.recordLength} bytes`, 'header.recordLength');
  } else if (header.recordLength !== undefined) {
    add('L_CPER_LENGTH', `the record length is ${header.recordLength}`, 'header.recordLength');
  }
  if (header.sectionCount !== undefined) {
    const note = `${header.sectionCount} sections, ${record.sections.length} were read`;
    add('L_CPER_COUNT', note, 'header.sectionCount', 'sections');
  }
  if (header.timestamp !== undefined && timeOfHeader(header) === undefined) {
    add('L_CPER_TIMESTAMP', hex64(header.timestamp), 'header.timestamp');
  }
  if (classifyCper(record).simulated) add('L_CPER_SIMULATED', undefined, bits('header.flags', 'flags', 2));
  if ((header.kept?.bytes ?? []).length > 0) {
    add('L_CPER_RESERVED', 'in the record header', 'header.kept', ...strayPlaces(HEADER_LAYOUT, header, 'header'));
  }
  if ((record.kept?.bytes ?? []).length > 0) add('L_CPER_TRAILING', 'between or behind the sections', 'kept');
}

/** The member of a body that says whether the error was corrected. */
const SAID_BY: Readonly<Partial<Record<CperBody['kind'], string>>> = {
  processor: 'flags',
  memory2: 'status',
  memory: 'errorType',
  'x86-processor': 'contexts',
};

function lintSection(s: CperSection, record: CperRecord, add: Add): void {
  if (s.severityNumber !== undefined) add('L_CPER_SEVERITY_RANGE', String(s.severityNumber), 'severityNumber');
  const cut = isCut(record);
  if (s.length !== undefined && !cut) add('L_CPER_LENGTH', `the section says it has ${s.length} bytes`, 'length');
  if (s.offset !== undefined && !cut) add('L_CPER_OVERLAP', `offset ${s.offset}`, 'offset');
  if (s.fruTextBytes !== undefined) add('L_CPER_FRU_TEXT', s.fruText, 'fruText', 'fruTextBytes');
  if (s.fruText?.length === FRU_TEXT) add('L_CPER_FRU_UNTERMINATED', s.fruText, 'fruText');
  if (s.timestamp !== undefined && decodeTimestamp(s.timestamp) === undefined) {
    add('L_CPER_TIMESTAMP', hex64(s.timestamp), 'timestamp');
  }
  if ((s.kept?.bytes ?? []).length > 0) {
    add('L_CPER_RESERVED', 'in the header of the section', 'kept', ...strayPlaces(sectionHead(record, s), s));
  }
  const said = bodyCorrected(s.body);
  if (said !== undefined && said !== (s.severity === 'corrected') && s.severity !== 'none') {
    const by = SAID_BY[s.body.kind];
    const note = `${said ? 'corrected' : 'not corrected'}, severity ${s.severity}`;
    add('L_CPER_BODY_SEVERITY', note, 'severity', ...(by === undefined ? [] : [`body.${by}`]));
  }
  lintBody(s, record, add, (code, note, ...places) => add(code, note, ...places.map(p => within('body', p))));
}

/** @param outside takes places of the section, `add` those of its body */
function lintBody(s: CperSection, record: CperRecord, outside: Add, add: Add): void {
  const { body } = s;
  const flat = FLAT_LAYOUTS[body.kind];
  if (flat !== undefined && body.kind !== 'raw') lintKept(flat, body, '', add);
  switch (body.kind) {
    case 'raw': {
      const known = sectionType(s.type);
      if (known === undefined) outside('L_CPER_SECTION_UNKNOWN', s.type, 'type');
      // Text of a kernel log carries no bytes; only what was read from bytes can be too short.
      else if (
        (record.blockStatus !== undefined || record.header !== undefined) &&
        !(s.length !== undefined && isCut(record))
      ) {
        add('L_CPER_SECTION_BROKEN', `${known.name}, ${body.data.length} bytes`, 'data');
      }
      return;
    }
    case 'memory':
    case 'memory2':
      lintMemory(body, add);
      return;
    case 'processor':
      if (body.brandBytes !== undefined) add('L_CPER_FRU_TEXT', body.brand, 'brand', 'brandBytes');
      return;
    case 'x86-processor':
      lintKept(X86_LAYOUT, body, '', add);
      lintLists(body, add);
      for (const [i, e] of body.errors.entries()) {
        lintKept(X86_ERROR_LAYOUT, e, `errors[${i}]`, add);
        if (X86_CHECKS[e.type ?? ''] === undefined) add('L_CPER_X86_CHECK', e.type, `errors[${i}].type`);
      }
      for (const [i, c] of body.contexts.entries()) lintKept(X86_CONTEXT_LAYOUT, c, `contexts[${i}]`, add);
      return;
    case 'arm-processor':
      lintKept(ARM_LAYOUT, body, '', add);
      lintLists(body, add);
      if (body.sectionLength !== undefined) {
        add('L_CPER_LENGTH', `the section says it has ${body.sectionLength} bytes`, 'sectionLength');
      }
      if (body.errors.length === 0) add('L_CPER_ARM_EMPTY', undefined, 'errors');
      for (const [i, e] of body.errors.entries()) {
        lintKept(ARM_ERROR_LAYOUT, e, `errors[${i}]`, add);
        if (e.length !== undefined && e.length !== ARM_ERROR_LAYOUT.length) {
          add('L_CPER_LENGTH', `an error structure of ${e.length} bytes`, `errors[${i}].length`);
        }
        const type = e.type ?? 0;
        const doubt = armErrorTypeDoubt(type, e.version);
        if (armErrorTypeNames(type, e.version).length === 0) {
          add('L_CPER_ARM_TYPE', doubt === undefined ? hex(type) : `${hex(type)}, ${doubt}`, `errors[${i}].type`);
        } else if (doubt !== undefined) {
          add('L_CPER_ARM_TYPE_DOUBT', `${hex(type)}, ${doubt}`, `errors[${i}].type`);
        }
      }
      return;
    default:
  }
}

function lintLists(
  body: { errors: unknown[]; contexts: unknown[]; errorCount?: number; contextCount?: number; trailing?: Uint8Array },
  add: Add,
): void {
  const { errors, contexts, errorCount, contextCount, trailing } = body;
  if (errorCount !== undefined) {
    add('L_CPER_COUNT', `${errorCount} error structures, ${errors.length} are there`, 'errorCount', 'errors');
  }
  if (contextCount !== undefined) {
    add('L_CPER_COUNT', `${contextCount} contexts, ${contexts.length} are there`, 'contextCount', 'contexts');
  }
  if (trailing !== undefined) add('L_CPER_TRAILING', `${trailing.length} bytes in the section`, 'trailing');
}

/** Clear bits between set ones. */
function holesOf(mask: bigint): bigint {
  const lowest = mask & -mask;
  return ~mask & maskOf(mask.toString(2).length - 1, 0) & ~(lowest - 1n);
}

function lintMemory(body: CperMemoryError | CperMemoryError2, add: Add): void {
  const layout = body.kind === 'memory' ? MEMORY_LAYOUT : MEMORY2_LAYOUT;
  const marks = (...names: string[]): FindingPlace[] => validationPlaces(body, validationMask(layout, names));
  if (body.physicalAddress === undefined) {
    add('L_CPER_NO_ADDRESS', undefined, 'physicalAddress', ...marks('physicalAddress'));
  }
  const mask = body.physicalAddressMask;
  if (mask !== undefined && maskLsb(mask) === undefined) {
    const member = 'physicalAddressMask';
    const holes = runsOf(member, member, holesOf(mask));
    add('L_CPER_MASK', hex64(mask), ...(holes.length === 0 ? [member] : holes));
  }
  if (body.errorType !== undefined && MEMORY_ERROR_TYPES[body.errorType] === undefined) {
    add('L_CPER_MEMORY_TYPE', String(body.errorType), 'errorType');
  }
  if (body.bank !== undefined && (body.bankGroup !== undefined || body.bankAddress !== undefined)) {
    const parts = (['bankGroup', 'bankAddress'] as const).filter(name => body[name] !== undefined);
    add('L_CPER_BANK_TWICE', undefined, 'bank', ...parts, ...marks('bank', ...parts));
  }
}

/** Tells what bytes that no member speaks for are: a validation bit, a value without one, reserved, or behind the end. */
function lintKept(
  layout: Layout,
  structure: { kept?: CperKept; validationBits?: bigint },
  where: string,
  add: Add,
): void {
  const { kept } = structure;
  if (kept === undefined) return;
  const name = (text: string): string => (where === '' ? text : `${where}.${text}`);
  const at = name('kept');
  // The error structures of ARM have a length of their own.
  if (kept.length !== undefined && layout !== ARM_ERROR_LAYOUT) {
    add('L_CPER_SECTION_SIZE', `${kept.length} bytes, ${layout.length} expected`, at);
  }
  const unmarked = new Set<string>();
  let validation = 0n;
  let reserved = false;
  let behind = false;
  const v = layout.validation;
  for (const run of kept.bytes ?? []) {
    for (let i = 0; 2 * i < run.hex.length; i++) {
      const byte = Number.parseInt(run.hex.slice(2 * i, 2 * i + 2), 16);
      if (byte === 0) continue;
      const at = run.at + i;
      const field = layout.fields.find(f => at >= f.at && at < f.at + f.size && f.valid !== undefined);
      if (v !== undefined && at >= v.at && at < v.at + v.size) validation |= placed(BigInt(byte), 8 * (at - v.at));
      else if (at >= layout.length) behind = true;
      else if (field === undefined) reserved = true;
      else unmarked.add(field.name);
    }
  }
  const bitsOf = (mask: bigint): FindingPlace[] => validationPlaces(structure, mask, where);
  if (validation !== 0n) {
    const marked = layout.fields
      .filter(f => f.valid !== undefined && hasBit(validation, f.valid))
      .map(f => name(f.name));
    add('L_CPER_VALID_EMPTY', name(`validation ${hex64(validation)}`), at, ...marked, ...bitsOf(validation));
  }
  if (unmarked.size > 0) {
    const names = [...unmarked];
    add(
      'L_CPER_VALUE_UNMARKED',
      names.map(name).join(' '),
      ...names.map(name),
      ...bitsOf(validationMask(layout, names)),
    );
  }
  if (reserved) add('L_CPER_RESERVED', where === '' ? undefined : where, at);
  if (behind) add('L_CPER_TRAILING', where === '' ? undefined : where, at);
}

/** QEMU hw/acpi/ghes.c: block status 1, one memory section, recoverable, error type 0 and a physical address. */
function isQemuShape(record: CperRecord): boolean {
  const [only] = record.sections;
  if (record.blockStatus !== 1 || record.sections.length !== 1 || only?.body.kind !== 'memory') return false;
  const { kind: _, physicalAddress, errorType, validationBits: _bits, ...rest } = only.body;
  return (
    record.severity === 'recoverable' &&
    only.severity === 'recoverable' &&
    physicalAddress !== undefined &&
    errorType === 0 &&
    Object.keys(rest).length === 0
  );
}
