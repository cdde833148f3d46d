/** @module The bit fields of a firmware record with their tables: for tables and strips of bits. */
import type { FieldRow, Register } from '../registers/register.ts';
import type { RegisterView } from '../registers/view.ts';
import { ARM_ERROR_LAYOUT, ARM_LAYOUT, armErrorInfoTable } from './arm.ts';
import { BLOCK_STATUS } from './block-status.ts';
import { CPER_ERROR_STATUS, MEMORY2_STATUS } from './error-status.ts';
import { FLAT_LAYOUTS } from './flat-layouts.ts';
import { ARM_ERROR_FLAGS, CPER_PROCESSOR_FLAGS, CPER_RECORD_FLAGS, CPER_SECTION_FLAGS } from './flags.ts';
import type { Layout } from './layout.ts';
import type { CperArmErrorInfo, CperBody, CperRecord, CperX86ErrorInfo } from './record.ts';
import { sectionRegisters } from './section-registers.ts';
import { rowsOf } from './tabled.ts';
import { isTabled, tableOf } from './tables.ts';
import { HEADER_LAYOUT } from './uefi-record.ts';
import { describeValidation, sectionHead } from './validation-bits.ts';
import { X86_CHECKS, X86_ERROR_LAYOUT, X86_LAYOUT } from './x86.ts';

function view(member: string, register: Register, value: bigint): RegisterView {
  const { name, width, source } = register;
  return { member, name, value, width, source, rows: register.describe(value) };
}

/** UEFI 2.10 N.2.4.2: a field of the check information means something only while its own validation bit is set. */
function checkRows(type: string | undefined, checkInfo: bigint): FieldRow[] {
  const rows = X86_CHECKS[type ?? '']?.register.describe(checkInfo) ?? [];
  const clear = new Set(rows.filter(r => r.value === 0n).map(r => r.name));
  return rows.map(r => (clear.has(`${r.name}_V`) ? { ...r, meaning: `not valid: ${r.name}_V is clear` } : r));
}

function ofBody(at: string, body: CperBody): RegisterView[] {
  const flat = FLAT_LAYOUTS[body.kind];
  const marks = flat === undefined || body.kind === 'raw' ? [] : describeValidation(flat, body, at);
  switch (body.kind) {
    case 'memory':
    case 'memory2': {
      const { errorStatus } = body;
      const status = body.kind === 'memory2' ? body.status : undefined;
      return [
        ...marks,
        ...(errorStatus === undefined ? [] : [view(`${at}.errorStatus`, CPER_ERROR_STATUS, errorStatus)]),
        ...(status === undefined ? [] : [view(`${at}.status`, MEMORY2_STATUS, BigInt(status))]),
      ];
    }
    case 'x86-processor':
      return [
        ...describeValidation(X86_LAYOUT, body, at),
        ...ofRegisters(body, at),
        ...body.errors.flatMap((error, i) => ofX86Error(`${at}.errors[${i}]`, error)),
      ];
    case 'arm-processor':
      return [
        ...describeValidation(ARM_LAYOUT, body, at),
        ...body.errors.flatMap((error, i) => ofArmError(`${at}.errors[${i}]`, error)),
      ];
    case 'processor':
      if (body.flags === undefined) return marks;
      return [...marks, view(`${at}.flags`, CPER_PROCESSOR_FLAGS, BigInt(body.flags))];
    default:
      return [...marks, ...rowMarks(body, at), ...ofRegisters(body, at)];
  }
}

/** The registers of a section that have a table. */
const ofRegisters = (body: CperBody, at: string): RegisterView[] =>
  sectionRegisters(body).flatMap(({ name, value, table }) =>
    table === undefined ? [] : [{ ...view(`${at}.${name}`, table, value), name }],
  );

/** The validation bits of the structures behind the first one. */
function rowMarks(body: CperBody, at: string): RegisterView[] {
  const rows = isTabled(body) ? tableOf(body)?.rows : undefined;
  if (rows === undefined || !isTabled(body)) return [];
  return rowsOf(body, rows.member).flatMap((row, i) =>
    describeValidation(rows.layout, row, `${at}.${rows.member}[${i}]`),
  );
}

function ofX86Error(at: string, error: CperX86ErrorInfo): RegisterView[] {
  const { type, checkInfo } = error;
  const marks = describeValidation(X86_ERROR_LAYOUT, error, at);
  const register = X86_CHECKS[type ?? '']?.register;
  if (register === undefined || checkInfo === undefined) return marks;
  return [...marks, { ...view(`${at}.checkInfo`, register, checkInfo), rows: checkRows(type, checkInfo) }];
}

function ofArmError(at: string, error: CperArmErrorInfo): RegisterView[] {
  const { type, version, flags, errorInfo } = error;
  const register = armErrorInfoTable(type ?? 0, version);
  return [
    ...describeValidation(ARM_ERROR_LAYOUT, error, at),
    ...(flags === undefined ? [] : [view(`${at}.flags`, ARM_ERROR_FLAGS, BigInt(flags))]),
    ...(register === undefined || errorInfo === undefined ? [] : [view(`${at}.errorInfo`, register, errorInfo)]),
  ];
}

/** The validation bits of a header, of which many have none set: those say nothing. */
const headMarks = (layout: Layout, head: { validationBits?: bigint }, at: string): RegisterView[] =>
  head.validationBits === 0n ? [] : describeValidation(layout, head, at);

/** Flags that every header has: those of which none is set say nothing. */
const flagView = (member: string, register: Register, flags = 0): RegisterView[] =>
  flags === 0 ? [] : [view(member, register, BigInt(flags))];

/** The bit fields of the record itself, without those of its sections. */
export function describeHead({ blockStatus, header }: CperRecord): RegisterView[] {
  return [
    ...(blockStatus === undefined ? [] : [view('blockStatus', BLOCK_STATUS, BigInt(blockStatus))]),
    ...(header === undefined ? [] : headMarks(HEADER_LAYOUT, header, 'header')),
    ...flagView('header.flags', CPER_RECORD_FLAGS, header?.flags),
  ];
}

/** The bit fields of one section of a record, the one at `index`. */
export function describeSectionBits(record: CperRecord, index: number): RegisterView[] {
  const section = record.sections[index];
  if (section === undefined) return [];
  const at = `sections[${index}]`;
  return [
    ...headMarks(sectionHead(record, section), section, at),
    ...flagView(`${at}.flags`, CPER_SECTION_FLAGS, section.flags),
    ...ofBody(`${at}.body`, section.body),
  ];
}

/**
 * Every bit field of a record that has a table, in the order of the record; `member` is its path in the record. What is
 * no bit field is described by {@link describeSection}.
 */
export function describeCper(record: CperRecord): RegisterView[] {
  return [...describeHead(record), ...record.sections.flatMap((_, i) => describeSectionBits(record, i))];
}
