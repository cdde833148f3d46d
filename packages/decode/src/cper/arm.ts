/** @module The ARM processor error section. Source: UEFI 2.10 N.2.4.4. */
import { OPERATION, TRANSACTION } from './operations.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { Register } from '../registers/register.ts';
import { CperError } from './error.ts';
import type { CperDiagnostic } from './error.ts';
import { flag, isMarked, readLayout, u16, u32, u64, u8, writeLayout } from './layout.ts';
import type { Layout, Members, Note } from './layout.ts';
import type { CperArmContext, CperArmErrorInfo, CperArmProcessor } from './record.ts';
import { concat } from './x86.ts';

const HEADER = 40;
const ERROR_INFO = 32;
const CONTEXT = 8;

export const ARM_LAYOUT: Layout = {
  name: 'ARM processor section',
  source: 'UEFI 2.10 N.2.4.4',
  length: HEADER,
  validation: { at: 0, size: 4 },
  fields: [
    u16('errorCount', 4),
    u16('contextCount', 6),
    u32('sectionLength', 8),
    u8('affinityLevel', 12, { valid: 1 }),
    u64('mpidr', 16, { valid: 0 }),
    u64('midr', 24),
    u32('runningState', 32, { valid: 2, meaning: 'bit 0: the processor is running' }),
    u32('psciState', 36, { meaning: 'power state, when the processor is not running' }),
    flag('vendor', 3, 'vendor specific information follows'),
  ],
};

/** What an error type can name, in the order of its bits. */
const ARM_ERROR_TYPES = ['cache error', 'TLB error', 'bus error', 'micro-architectural error'] as const;

/**
 * The lowest bit of the error type. It was never told how to read it for sure: before UEFI 2.9A no encoding was given
 * (Linux read the numbers 0 to 3), 2.9A and 2.10 put the types at bits 1 to 4, and 2.11 at bits 0 to 3, first with the
 * same structure version 0; version 1 is proposed for the new places. Version 0 is read as in UEFI 2.10, as Linux 6.19 does.
 */
const firstBit = (version: number): number => (version === 0 ? 1 : 0);

/** The names in an error type, a bit mask in which several may be set; empty when it is reserved. */
export function armErrorTypeNames(type: number, version = 0): string[] {
  const mask = 0xf << firstBit(version);
  if ((type & ~mask) !== 0) return [];
  return ARM_ERROR_TYPES.filter((_, i) => (type & (1 << (i + firstBit(version)))) !== 0);
}

/** What the other encodings make of a type of version 0; undefined where they all agree or say nothing. */
export function armErrorTypeDoubt(type: number, version = 0): string | undefined {
  if (version !== 0) return undefined;
  const old = ARM_ERROR_TYPES[type];
  const readings = [
    ...(old === undefined ? [] : [`before UEFI 2.9A ${old}`]),
    ...(type !== 0 && type <= 0xf ? [`in UEFI 2.11 ${armErrorTypeNames(type, 1).join(' and ')}`] : []),
  ];
  return readings.length === 0 ? undefined : readings.join(', ');
}

export const ARM_ERROR_LAYOUT: Layout = {
  name: 'ARM error information',
  source: 'UEFI 2.10 N.2.4.4.1',
  length: ERROR_INFO,
  validation: { at: 2, size: 2 },
  fields: [
    u8('version', 0),
    u8('length', 1),
    u8('type', 4, { meaning: 'bit 1 cache, 2 TLB, 3 bus, 4 micro-architectural' }),
    u16('multipleError', 5, { valid: 0 }),
    u8('flags', 7, { valid: 1 }),
    u64('errorInfo', 8, { valid: 2 }),
    u64('virtualAddress', 16, { valid: 3 }),
    u64('physicalAddress', 24, { valid: 4 }),
  ],
};

const ARM_CONTEXT_TYPES: Readonly<Record<number, string>> = {
  0: 'AArch32 general purpose registers',
  1: 'AArch32 EL1 context',
  2: 'AArch32 EL2 context',
  3: 'AArch32 secure context',
  4: 'AArch64 general purpose registers',
  5: 'AArch64 EL1 context',
  6: 'AArch64 EL2 context',
  7: 'AArch64 EL3 context',
  8: 'system register',
};

export const ARM_CONTEXT_LAYOUT: Layout = {
  name: 'ARM context information',
  source: 'UEFI 2.10 N.2.4.4.2',
  length: CONTEXT,
  fields: [u16('version', 0), u16('type', 2, { values: ARM_CONTEXT_TYPES }), u32('arraySize', 4)],
};

const STATE = [
  bit(28, 'RESTARTABLE', 'the program can be restarted'),
  bit(27, 'PRECISE_PC', 'the program counter is that of the error'),
  bit(26, 'CORRECTED', 'corrected'),
  bit(25, 'PCC', 'processor context corrupt'),
  bits(24, 22, 'LEVEL', 'level'),
] as const;
const VALID_STATE = [
  bit(6, 'RESTARTABLE_V'),
  bit(5, 'PRECISE_PC_V'),
  bit(4, 'CORRECTED_V'),
  bit(3, 'PCC_V'),
  bit(2, 'LEVEL_V'),
  bit(1, 'OPERATION_V'),
  bit(0, 'TRANSACTION_V'),
] as const;

export const ARM_CACHE_ERROR = defineRegister({
  name: 'ARM cache error',
  width: 64,
  source: 'UEFI 2.10 N.2.4.4.1, cache error structure',
  fields: [
    ...STATE,
    bits(21, 18, 'OPERATION', 'operation', {
      ...OPERATION,
      7: 'eviction',
      8: 'snooping',
      9: 'snooped',
      10: 'management',
    }),
    bits(17, 16, 'TRANSACTION', 'transaction type', TRANSACTION),
    ...VALID_STATE,
  ],
});

export const ARM_TLB_ERROR = defineRegister({
  name: 'ARM TLB error',
  width: 64,
  source: 'UEFI 2.10 N.2.4.4.1, TLB error structure',
  fields: [
    ...STATE,
    bits(21, 18, 'OPERATION', 'operation', { ...OPERATION, 7: 'local management', 8: 'external management' }),
    bits(17, 16, 'TRANSACTION', 'transaction type', TRANSACTION),
    ...VALID_STATE,
  ],
});

export const ARM_BUS_ERROR = defineRegister({
  name: 'ARM bus error',
  width: 64,
  source: 'UEFI 2.10 N.2.4.4.1, bus error structure',
  fields: [
    bit(43, 'ACCESS_MODE', 'normal (not secure)'),
    bits(42, 34, 'ATTRIBUTES', 'memory access attributes'),
    bits(33, 32, 'SPACE', 'address space', { 0: 'external memory', 1: 'internal memory', 3: 'device memory' }),
    bit(31, 'TIMEOUT', 'timed out'),
    bits(30, 29, 'PARTICIPATION', 'participation', {
      0: 'this processor originated the request',
      1: 'this processor responded to the request',
      2: 'this processor observed the error',
      3: 'generic',
    }),
    ...STATE,
    bits(21, 18, 'OPERATION', 'operation', OPERATION),
    bits(17, 16, 'TRANSACTION', 'transaction type', TRANSACTION),
    bit(11, 'ACCESS_MODE_V'),
    bit(10, 'ATTRIBUTES_V'),
    bit(9, 'SPACE_V'),
    bit(8, 'TIMEOUT_V'),
    bit(7, 'PARTICIPATION_V'),
    ...VALID_STATE,
  ],
});

/** The table of `errorInfo` for an error type; undefined when it is vendor specific or when several bits are set. */
export function armErrorInfoTable(type: number, version = 0): Register | undefined {
  const names = armErrorTypeNames(type, version);
  if (names.length !== 1) return undefined;
  return { 'cache error': ARM_CACHE_ERROR, 'TLB error': ARM_TLB_ERROR, 'bus error': ARM_BUS_ERROR }[names[0] ?? ''];
}

const bytesOfInfo = (length: number | undefined): number => Math.max(ERROR_INFO, length ?? ERROR_INFO);

/** Reads a section; undefined when it has fewer than 40 bytes. Never throws. */
export function decodeArm(
  bytes: Uint8Array,
  base = 0,
): { value: CperArmProcessor | undefined; diagnostics: CperDiagnostic[] } {
  const diagnostics: CperDiagnostic[] = [];
  const note: Note = (code, message, offset) => {
    diagnostics.push({ code, message, offset });
  };
  if (bytes.length < HEADER) {
    note(
      'E_CPER_TRUNCATED',
      `an ${ARM_LAYOUT.name} of ${bytes.length} bytes is too short, ${HEADER} is the least`,
      base,
    );
    return { value: undefined, diagnostics };
  }
  const header = readLayout(ARM_LAYOUT, bytes.subarray(0, HEADER), base, note) as Members & {
    errorCount: number;
    contextCount: number;
    sectionLength: number;
  };
  const { errorCount, contextCount, sectionLength, vendor: _, ...more } = header;
  const inside = sectionLength >= HEADER && sectionLength <= bytes.length;
  const limit = inside ? sectionLength : bytes.length;
  const errors: CperArmErrorInfo[] = [];
  const contexts: CperArmContext[] = [];
  let at = HEADER;
  while (errors.length < errorCount && at + ERROR_INFO <= limit) {
    const size = bytesOfInfo(bytes[at + 1]);
    if (at + size > limit) break;
    if (bytes[at + 1] !== ERROR_INFO) {
      note('W_CPER_LENGTH', `an error structure of ${bytes[at + 1]} bytes, ${ERROR_INFO} expected`, base + at + 1);
    }
    errors.push(readLayout(ARM_ERROR_LAYOUT, bytes.subarray(at, at + size), base + at, note) as CperArmErrorInfo);
    at += size;
  }
  while (errors.length === errorCount && contexts.length < contextCount && at + CONTEXT <= limit) {
    const fields = readLayout(ARM_CONTEXT_LAYOUT, bytes.subarray(at, at + CONTEXT), base + at, note);
    const { arraySize, ...context } = fields as { arraySize: number };
    if (at + CONTEXT + arraySize > limit) break;
    contexts.push({ ...context, data: bytes.slice(at + CONTEXT, at + CONTEXT + arraySize) });
    at += CONTEXT + arraySize;
  }
  const value: CperArmProcessor = { kind: 'arm-processor', ...more, errors, contexts };
  if (errors.length !== errorCount) {
    value.errorCount = errorCount;
    note('E_CPER_TRUNCATED', `${errorCount} error structures are counted, ${errors.length} are there`, base + 4);
  }
  if (contexts.length !== contextCount) {
    value.contextCount = contextCount;
    note('E_CPER_TRUNCATED', `${contextCount} context structures are counted, ${contexts.length} are there`, base + 6);
  }
  // Bytes up to the section length are the vendor's when they are marked valid; behind it they belong to nobody.
  const vendor = isMarked(ARM_LAYOUT, bytes, 'vendor');
  if (vendor) {
    value.vendorInfo = bytes.slice(at, limit);
    at = limit;
  }
  if (at < bytes.length) {
    value.trailing = bytes.slice(at);
    note('W_CPER_TRAILING', `${bytes.length - at} bytes behind the last structure`, base + at);
  }
  if (sectionLength !== at) {
    value.sectionLength = sectionLength;
    note('W_CPER_LENGTH', `the section says that it has ${sectionLength} bytes, its structures have ${at}`, base + 8);
  }
  return { value, diagnostics };
}

/** The bytes of a section; counts and section length follow from what is there. Throws {@link CperError}. */
export function encodeArm(section: CperArmProcessor): Uint8Array {
  const { errors, contexts, trailing, vendorInfo, ...more } = section;
  if (errors.length > 0xffff || contexts.length > 0xffff) {
    throw new CperError('E_CPER_RANGE', `${ARM_LAYOUT.name}: at most 65535 structures of a kind fit`);
  }
  const body: Uint8Array[] = [];
  for (const error of errors) {
    const length = error.length ?? ERROR_INFO;
    const kept = bytesOfInfo(length) === ERROR_INFO ? error.kept : { ...error.kept, length: bytesOfInfo(length) };
    body.push(writeLayout(ARM_ERROR_LAYOUT, { ...error, length, ...(kept === undefined ? {} : { kept }) }));
  }
  for (const { data, ...context } of contexts) {
    body.push(writeLayout(ARM_CONTEXT_LAYOUT, { ...context, arraySize: data.length }), data);
  }
  if (vendorInfo !== undefined) body.push(vendorInfo);
  const length = body.reduce((sum, p) => sum + p.length, HEADER);
  const header: Members = {
    ...more,
    errorCount: section.errorCount ?? errors.length,
    contextCount: section.contextCount ?? contexts.length,
    sectionLength: section.sectionLength ?? length,
    ...(vendorInfo === undefined ? {} : { vendor: true }),
  };
  return concat([writeLayout(ARM_LAYOUT, header), ...body, ...(trailing === undefined ? [] : [trailing])]);
}
