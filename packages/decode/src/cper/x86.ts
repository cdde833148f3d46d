/** @module The IA32/X64 processor error section. Source: UEFI 2.10 N.2.4.2. */
import { OPERATION, TRANSACTION } from './operations.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { Register } from '../registers/register.ts';
import type { CperDiagnostic } from './error.ts';
import { CperError } from './error.ts';
import { bytesOf, guid, part, readLayout, u16, u32, u64, writeLayout } from './layout.ts';
import type { Layout, Members, Note } from './layout.ts';
import type { CperX86Context, CperX86ErrorInfo, CperX86Processor } from './record.ts';

const HEADER = 64;
const ERROR_INFO = 64;
const CONTEXT = 16;
/** Both counts have six bits. */
const MAX_COUNT = 63;

/** The counts stand between the validation bits. */
export const X86_LAYOUT: Layout = {
  name: 'IA32/X64 processor section',
  source: 'UEFI 2.10 N.2.4.2',
  length: HEADER,
  validation: { at: 0, size: 8 },
  fields: [
    part('errorCount', 0, 8, 7, 2),
    part('contextCount', 0, 8, 13, 8),
    u64('apicId', 8, { valid: 0 }),
    bytesOf('cpuid', 16, 48, { valid: 1 }),
  ],
};

export const X86_CHECK_CACHE = 'a55701f5-e3ef-43de-ac72-249b573fad2c';
export const X86_CHECK_TLB = 'fc06b535-5e1f-4562-9f25-0a3b9adb63c3';
export const X86_CHECK_BUS = '1cf3f8b3-c5b1-49a2-aa59-5eef92ffa63c';
export const X86_CHECK_MS = '48ab7f57-dc34-4f6c-a7d3-b0b5b0a74314';

export const X86_ERROR_LAYOUT: Layout = {
  name: 'processor error information',
  source: 'UEFI 2.10 N.2.4.2.1',
  length: ERROR_INFO,
  validation: { at: 16, size: 8 },
  fields: [
    guid('type', 0),
    u64('checkInfo', 24, { valid: 0 }),
    u64('targetId', 32, { valid: 1 }),
    u64('requestorId', 40, { valid: 2 }),
    u64('responderId', 48, { valid: 3 }),
    u64('instructionPointer', 56, { valid: 4 }),
  ],
};

const X86_CONTEXT_TYPES: Readonly<Record<number, string>> = {
  0: 'unclassified data',
  1: 'MSR registers',
  2: '32-bit mode execution context',
  3: '64-bit mode execution context',
  4: 'FXSAVE context',
  5: '32-bit mode debug registers',
  6: '64-bit mode debug registers',
  7: 'memory mapped registers',
};

export const X86_CONTEXT_LAYOUT: Layout = {
  name: 'processor context information',
  source: 'UEFI 2.10 N.2.4.2, IA32/X64 Processor Context Information Structure',
  length: CONTEXT,
  fields: [
    u16('type', 0, { values: X86_CONTEXT_TYPES }),
    u16('arraySize', 2),
    u32('msrAddress', 4),
    u64('mmAddress', 8),
  ],
};

const STATE = [
  bit(29, 'OVERFLOW', 'an error was lost'),
  bit(28, 'RESTARTABLE', 'the program can be restarted'),
  bit(27, 'PRECISE_IP', 'the instruction pointer is that of the error'),
  bit(26, 'UC', 'uncorrected'),
  bit(25, 'PCC', 'processor context corrupt'),
] as const;
const VALID_STATE = [
  bit(7, 'OVERFLOW_V'),
  bit(6, 'RESTARTABLE_V'),
  bit(5, 'PRECISE_IP_V'),
  bit(4, 'UC_V'),
  bit(3, 'PCC_V'),
  bit(2, 'LEVEL_V'),
  bit(1, 'OPERATION_V'),
  bit(0, 'TRANSACTION_V'),
] as const;

export const X86_CACHE_CHECK = defineRegister({
  name: 'cache check',
  width: 64,
  source: 'UEFI 2.10 N.2.4.2, IA32/X64 Cache Check Structure',
  fields: [
    ...STATE,
    bits(24, 22, 'LEVEL', 'cache level'),
    bits(21, 18, 'OPERATION', 'operation', { ...OPERATION, 7: 'eviction', 8: 'snoop' }),
    bits(17, 16, 'TRANSACTION', 'transaction type', TRANSACTION),
    ...VALID_STATE,
  ],
});

export const X86_TLB_CHECK = defineRegister({
  name: 'TLB check',
  width: 64,
  source: 'UEFI 2.10 N.2.4.2, IA32/X64 TLB Check Structure',
  fields: [
    ...STATE,
    bits(24, 22, 'LEVEL', 'TLB level'),
    bits(21, 18, 'OPERATION', 'operation', OPERATION),
    bits(17, 16, 'TRANSACTION', 'transaction type', TRANSACTION),
    ...VALID_STATE,
  ],
});

export const X86_BUS_CHECK = defineRegister({
  name: 'bus check',
  width: 64,
  source: 'UEFI 2.10 N.2.4.2, IA32/X64 Bus Check Structure',
  fields: [
    bits(34, 33, 'SPACE', 'address space', { 0: 'memory access', 1: 'reserved', 2: 'I/O', 3: 'other transaction' }),
    bit(32, 'TIMEOUT', 'timed out'),
    bits(31, 30, 'PARTICIPATION', 'participation', {
      0: 'this processor originated the request',
      1: 'this processor responded to the request',
      2: 'this processor observed the error',
      3: 'generic',
    }),
    ...STATE,
    bits(24, 22, 'LEVEL', 'level of the bus hierarchy'),
    bits(21, 18, 'OPERATION', 'operation', OPERATION),
    bits(17, 16, 'TRANSACTION', 'transaction type', TRANSACTION),
    bit(10, 'SPACE_V'),
    bit(9, 'TIMEOUT_V'),
    bit(8, 'PARTICIPATION_V'),
    ...VALID_STATE,
  ],
});

export const X86_MS_CHECK = defineRegister({
  name: 'micro-architecture specific check',
  width: 64,
  source: 'UEFI 2.10 N.2.4.2, IA32/X64 MS Check Field Description',
  fields: [
    bit(23, 'OVERFLOW', 'an error was lost'),
    bit(22, 'RESTARTABLE', 'the program can be restarted'),
    bit(21, 'PRECISE_IP', 'the instruction pointer is that of the error'),
    bit(20, 'UC', 'uncorrected'),
    bit(19, 'PCC', 'processor context corrupt'),
    bits(18, 16, 'TYPE', 'error type', {
      0: 'no error',
      1: 'unclassified',
      2: 'microcode ROM parity error',
      3: 'external error',
      4: 'FRC error',
      5: 'internal unclassified',
    }),
    bit(5, 'OVERFLOW_V'),
    bit(4, 'RESTARTABLE_V'),
    bit(3, 'PRECISE_IP_V'),
    bit(2, 'UC_V'),
    bit(1, 'PCC_V'),
    bit(0, 'TYPE_V'),
  ],
});

/** Kinds of check by the GUID of an error information structure. */
export const X86_CHECKS: Readonly<Record<string, { name: string; register: Register }>> = {
  [X86_CHECK_CACHE]: { name: 'cache error', register: X86_CACHE_CHECK },
  [X86_CHECK_TLB]: { name: 'TLB error', register: X86_TLB_CHECK },
  [X86_CHECK_BUS]: { name: 'bus error', register: X86_BUS_CHECK },
  [X86_CHECK_MS]: { name: 'micro-architectural error', register: X86_MS_CHECK },
};

/** Reads a section; undefined when it has fewer than 64 bytes. Never throws. */
export function decodeX86(
  bytes: Uint8Array,
  base = 0,
): { value: CperX86Processor | undefined; diagnostics: CperDiagnostic[] } {
  const diagnostics: CperDiagnostic[] = [];
  const note: Note = (code, message, offset) => {
    diagnostics.push({ code, message, offset });
  };
  if (bytes.length < HEADER) {
    note(
      'E_CPER_TRUNCATED',
      `an ${X86_LAYOUT.name} of ${bytes.length} bytes is too short, ${HEADER} is the least`,
      base,
    );
    return { value: undefined, diagnostics };
  }
  const header = readLayout(X86_LAYOUT, bytes.subarray(0, HEADER), base, note);
  const { errorCount, contextCount, ...more } = header as { errorCount: number; contextCount: number };
  const errors: CperX86ErrorInfo[] = [];
  const contexts: CperX86Context[] = [];
  let at = HEADER;
  while (errors.length < errorCount && at + ERROR_INFO <= bytes.length) {
    errors.push(readLayout(X86_ERROR_LAYOUT, bytes.subarray(at, at + ERROR_INFO), base + at, note) as CperX86ErrorInfo);
    at += ERROR_INFO;
  }
  while (errors.length === errorCount && contexts.length < contextCount && at + CONTEXT <= bytes.length) {
    const fields = readLayout(X86_CONTEXT_LAYOUT, bytes.subarray(at, at + CONTEXT), base + at, note);
    const { arraySize, ...context } = fields as { arraySize: number };
    if (at + CONTEXT + arraySize > bytes.length) break;
    contexts.push({ ...context, data: bytes.slice(at + CONTEXT, at + CONTEXT + arraySize) });
    at += CONTEXT + arraySize;
  }
  const value: CperX86Processor = { kind: 'x86-processor', ...more, errors, contexts };
  if (errors.length !== errorCount) {
    value.errorCount = errorCount;
    note('E_CPER_TRUNCATED', `${errorCount} error structures are counted, ${errors.length} are there`, base);
  }
  if (contexts.length !== contextCount) {
    value.contextCount = contextCount;
    note('E_CPER_TRUNCATED', `${contextCount} context structures are counted, ${contexts.length} are there`, base);
  }
  if (at < bytes.length) {
    value.trailing = bytes.slice(at);
    note('W_CPER_TRAILING', `${bytes.length - at} bytes behind the last structure`, base + at);
  }
  return { value, diagnostics };
}

/** The bytes of a section; the counts follow from the structures that are there. Throws {@link CperError}. */
export function encodeX86(section: CperX86Processor): Uint8Array {
  if (section.errors.length > MAX_COUNT || section.contexts.length > MAX_COUNT) {
    throw new CperError('E_CPER_RANGE', `${X86_LAYOUT.name}: at most ${MAX_COUNT} structures of a kind fit`);
  }
  const { errors, contexts, trailing, ...more } = section;
  const header: Members = {
    ...more,
    errorCount: section.errorCount ?? errors.length,
    contextCount: section.contextCount ?? contexts.length,
  };
  const parts = [writeLayout(X86_LAYOUT, header)];
  for (const error of errors) parts.push(writeLayout(X86_ERROR_LAYOUT, error));
  for (const { data, ...context } of contexts) {
    parts.push(writeLayout(X86_CONTEXT_LAYOUT, { ...context, arraySize: data.length }), data);
  }
  if (trailing !== undefined) parts.push(trailing);
  return concat(parts);
}

/** One array of all. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    bytes.set(p, at);
    at += p.length;
  }
  return bytes;
}
