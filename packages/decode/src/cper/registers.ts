/** @module The bit fields of a firmware record with their tables: for tables and strips of bits. */
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { Register } from '../registers/register.ts';
import type { RegisterView } from '../registers/view.ts';
import { armErrorInfoTable } from './arm.ts';
import { checkRows } from './describe.ts';
import { CPER_ERROR_STATUS } from './error-status.ts';
import type { CperBody, CperRecord } from './record.ts';
import { X86_CHECKS } from './x86.ts';

/** Block status of a generic error status block. */
const BLOCK_STATUS = defineRegister({
  name: 'BlockStatus',
  width: 32,
  source: 'ACPI 6.5 18.3.2.7.1, Generic Error Status Block',
  fields: [
    bits(13, 4, 'ENTRY_COUNT', 'data entries'),
    bit(3, 'MULTIPLE_CE', 'several correctable errors'),
    bit(2, 'MULTIPLE_UE', 'several uncorrectable errors'),
    bit(1, 'CE_VALID', 'a correctable error'),
    bit(0, 'UE_VALID', 'an uncorrectable error'),
  ],
});

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
