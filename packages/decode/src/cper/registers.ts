/** @module The bit fields of a firmware record with their tables: for tables and strips of bits. */
import type { Register } from '../registers/register.ts';
import type { RegisterView } from '../registers/view.ts';
import { armErrorInfoTable } from './arm.ts';
import { BLOCK_STATUS } from './block-status.ts';
import { checkRows } from './describe.ts';
import { CPER_ERROR_STATUS } from './error-status.ts';
import type { CperBody, CperRecord } from './record.ts';
import { X86_CHECKS } from './x86.ts';

function view(member: string, register: Register, value: bigint): RegisterView {
  const { name, width, source } = register;
  return { member, name, value, width, source, rows: register.describe(value) };
}

function ofBody(at: string, body: CperBody): RegisterView[] {
  switch (body.kind) {
    case 'memory':
    case 'memory2':
      return body.errorStatus === undefined ? [] : [view(`${at}.errorStatus`, CPER_ERROR_STATUS, body.errorStatus)];
    case 'x86-processor':
      return body.errors.flatMap(({ type, checkInfo }, i) => {
        const register = X86_CHECKS[type ?? '']?.register;
        if (register === undefined || checkInfo === undefined) return [];
        return [{ ...view(`${at}.errors[${i}].checkInfo`, register, checkInfo), rows: checkRows(type, checkInfo) }];
      });
    case 'arm-processor':
      return body.errors.flatMap(({ type, version, errorInfo }, i) => {
        const register = armErrorInfoTable(type ?? 0, version);
        if (register === undefined || errorInfo === undefined) return [];
        return [view(`${at}.errors[${i}].errorInfo`, register, errorInfo)];
      });
    default:
      return [];
  }
}

/**
 * Every bit field of a record that has a table, in the order of the record; `member` is its path in the record. What is
 * no bit field is described by {@link describeSection}.
 */
export function describeCper(record: CperRecord): RegisterView[] {
  const { blockStatus, sections } = record;
  return [
    ...(blockStatus === undefined ? [] : [view('blockStatus', BLOCK_STATUS, BigInt(blockStatus))]),
    ...sections.flatMap(({ body }, i) => ofBody(`sections[${i}].body`, body)),
  ];
}
