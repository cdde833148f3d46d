/** @module The bit fields of a firmware record with their tables: for tables and strips of bits. */
import type { FieldRow, Register } from '../registers/register.ts';
import type { RegisterView } from '../registers/view.ts';
import { armErrorInfoTable } from './arm.ts';
import { BLOCK_STATUS } from './block-status.ts';
import { CPER_ERROR_STATUS, MEMORY2_STATUS } from './error-status.ts';
import { ARM_ERROR_FLAGS, CPER_PROCESSOR_FLAGS, CPER_RECORD_FLAGS, CPER_SECTION_FLAGS } from './flags.ts';
import type { CperBody, CperRecord, CperSection } from './record.ts';
import { X86_CHECKS } from './x86.ts';

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
  switch (body.kind) {
    case 'memory':
    case 'memory2': {
      const { errorStatus } = body;
      const status = body.kind === 'memory2' ? body.status : undefined;
      return [
        ...(errorStatus === undefined ? [] : [view(`${at}.errorStatus`, CPER_ERROR_STATUS, errorStatus)]),
        ...(status === undefined ? [] : [view(`${at}.status`, MEMORY2_STATUS, BigInt(status))]),
      ];
    }
    case 'x86-processor':
      return body.errors.flatMap(({ type, checkInfo }, i) => {
        const register = X86_CHECKS[type ?? '']?.register;
        if (register === undefined || checkInfo === undefined) return [];
        return [{ ...view(`${at}.errors[${i}].checkInfo`, register, checkInfo), rows: checkRows(type, checkInfo) }];
      });
    case 'arm-processor':
      return body.errors.flatMap(({ type, version, flags, errorInfo }, i) => {
        const register = armErrorInfoTable(type ?? 0, version);
        const info = register === undefined || errorInfo === undefined ? [] : [view('errorInfo', register, errorInfo)];
        const all = [...(flags === undefined ? [] : [view('flags', ARM_ERROR_FLAGS, BigInt(flags))]), ...info];
        return all.map(v => ({ ...v, member: `${at}.errors[${i}].${v.member}` }));
      });
    case 'processor':
      return body.flags === undefined ? [] : [view(`${at}.flags`, CPER_PROCESSOR_FLAGS, BigInt(body.flags))];
    default:
      return [];
  }
}

/** Flags that every header has: those of which none is set say nothing. */
const flagView = (member: string, register: Register, flags = 0): RegisterView[] =>
  flags === 0 ? [] : [view(member, register, BigInt(flags))];

/** The bit fields of the record itself, without those of its sections. */
export function describeHead({ blockStatus, header }: CperRecord): RegisterView[] {
  return [
    ...(blockStatus === undefined ? [] : [view('blockStatus', BLOCK_STATUS, BigInt(blockStatus))]),
    ...flagView('header.flags', CPER_RECORD_FLAGS, header?.flags),
  ];
}

/** The bit fields of one section; `at` is its place among the sections. */
export function describeSectionBits({ flags, body }: CperSection, at: number): RegisterView[] {
  return [...flagView(`sections[${at}].flags`, CPER_SECTION_FLAGS, flags), ...ofBody(`sections[${at}].body`, body)];
}

/**
 * Every bit field of a record that has a table, in the order of the record; `member` is its path in the record. What is
 * no bit field is described by {@link describeSection}.
 */
export function describeCper(record: CperRecord): RegisterView[] {
  return [...describeHead(record), ...record.sections.flatMap(describeSectionBits)];
}
