/**
 * @module The error injection table, both ways: an operating system asks the platform for an error through it.
 * Source: ACPI 6.5, 18.6 "Error Injection": 18.6.1 table, 18.6.2 instructions, 18.6.4 trigger table.
 */
import { u32, u64, u8, writeLayout } from '../cper/layout.ts';
import type { CperKept, Layout } from '../cper/layout.ts';
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { AcpiRead } from './error.ts';
import { ADDRESS, decodeTable, encodeTable, headerOf, readFields } from './table.ts';
import type { AcpiAddress, AcpiHeader } from './table.ts';
import { concat } from '../cper/x86.ts';

/** Injection actions. Source: ACPI 6.5, 18.6.1, table "Error Injection Actions". */
export const EINJ_ACTION = {
  begin: 0,
  getTriggerTable: 1,
  setErrorType: 2,
  getErrorType: 3,
  end: 4,
  execute: 5,
  checkBusy: 6,
  getStatus: 7,
  setErrorTypeWithAddress: 8,
} as const;

/** Instructions. Source: ACPI 6.5, 18.6.2. */
export const EINJ_INSTRUCTION = { read: 0, readValue: 1, write: 2, writeValue: 3, nothing: 4 } as const;

/** The register that GET_STATUS reads. Source: ACPI 6.5, 18.6.1, table "Command Status Definition". */
const STATUS = defineRegister({
  name: 'EinjStatus',
  width: 64,
  source: 'ACPI 6.5 18.6.1, command status',
  fields: [bits(8, 1, 'STATUS', 'what came of the last injection')],
});

/** What the platform can say of the last injection. */
const STATUSES = { success: 0n, 'unknown failure': 1n, 'invalid access': 2n } as const;
export type EinjStatus = keyof typeof STATUSES;

/** The bits of that register. */
export const EINJ_STATUS_MASK: bigint = STATUS.masks.STATUS;

/** The register that says so. @example einjStatus('invalid access') // 4n */
export function einjStatus(status: EinjStatus): bigint {
  return STATUS.encode({ STATUS: STATUSES[status] });
}

/** The error types. Source: ACPI 6.5, 18.6.4, table "Error Type Definition". */
export const EINJ_ERROR_TYPES = defineRegister({
  name: 'EinjErrorType',
  width: 32,
  source: 'ACPI 6.5 18.6.4, error type',
  fields: [
    bit(0, 'PROCESSOR_CE', 'processor correctable'),
    bit(1, 'PROCESSOR_UE', 'processor uncorrectable non-fatal'),
    bit(2, 'PROCESSOR_FATAL', 'processor uncorrectable fatal'),
    bit(3, 'MEMORY_CE', 'memory correctable'),
    bit(4, 'MEMORY_UE', 'memory uncorrectable non-fatal'),
    bit(5, 'MEMORY_FATAL', 'memory uncorrectable fatal'),
    bit(6, 'PCIE_CE', 'PCI Express correctable'),
    bit(7, 'PCIE_UE', 'PCI Express uncorrectable non-fatal'),
    bit(8, 'PCIE_FATAL', 'PCI Express uncorrectable fatal'),
    bit(9, 'PLATFORM_CE', 'platform correctable'),
    bit(10, 'PLATFORM_UE', 'platform uncorrectable non-fatal'),
    bit(11, 'PLATFORM_FATAL', 'platform uncorrectable fatal'),
    bit(31, 'VENDOR', 'vendor defined'),
  ],
});

/** The words for error types. @example errorTypeWords(0x10) // 'memory uncorrectable non-fatal' */
export function errorTypeWords(errorTypes: number): string {
  const types = EINJ_ERROR_TYPES.decode(BigInt(errorTypes));
  const found = EINJ_ERROR_TYPES.fields.filter(f => types[f.name]).map(f => f.meaning ?? f.name);
  return found.length === 0 ? 'no known' : found.join(', ');
}

/** Which members of a request count. Source: ACPI 6.5, table "SET_ERROR_TYPE_WITH_ADDRESS Data Structure", flags. */
const REQUEST_FLAGS = defineRegister({
  name: 'EinjFlags',
  width: 32,
  source: 'ACPI 6.5 18.6.4, flags of SET_ERROR_TYPE_WITH_ADDRESS',
  fields: [
    bit(0, 'PROCESSOR', 'the processor is named'),
    bit(1, 'MEMORY', 'the memory address is named'),
    bit(2, 'PCIE', 'the PCIe function is named'),
  ],
});

const HEAD: Layout = {
  name: 'injection header',
  source: 'ACPI 6.5 18.6.1',
  length: 12,
  fields: [u32('headerLength', 0), u8('flags', 4), u32('count', 8)],
};
const ENTRY_HEAD: Layout = {
  name: 'injection instruction',
  source: 'ACPI 6.5 18.6.2',
  length: 4,
  fields: [u8('action', 0), u8('instruction', 1), u8('flags', 2)],
};
const ENTRY_TAIL: Layout = {
  name: 'injection instruction',
  source: 'ACPI 6.5 18.6.2',
  length: 16,
  fields: [u64('value', 0), u64('mask', 8)],
};
const TAIL_AT = ENTRY_HEAD.length + ADDRESS.length;
const ENTRY_LENGTH = TAIL_AT + ENTRY_TAIL.length;

/** One step of an action. */
export interface EinjEntry {
  action: number;
  instruction: number;
  flags: number;
  register: AcpiAddress;
  value: bigint;
  mask: bigint;
  kept?: CperKept;
}

interface Einj {
  header?: AcpiHeader;
  flags: number;
  entries: readonly EinjEntry[];
}

function encodeEntry({ register, value, mask, ...head }: EinjEntry): Uint8Array {
  return concat([
    writeLayout(ENTRY_HEAD, head),
    writeLayout(ADDRESS, register),
    writeLayout(ENTRY_TAIL, { value, mask }),
  ]);
}

/** The bytes of an EINJ. */
export function encodeEinj({ header = headerOf('EINJ'), flags, entries }: Einj): Uint8Array {
  const head = writeLayout(HEAD, { headerLength: HEAD.length, flags, count: entries.length });
  return encodeTable(header, head, ...entries.map(encodeEntry));
}

/** Reads an EINJ. Never throws. */
export function decodeEinj(table: Uint8Array): AcpiRead<Einj> {
  const { value, diagnostics } = decodeTable('EINJ', table);
  if (value === undefined) return { value, diagnostics };
  const { header, body, at: base } = value;
  if (body.length < HEAD.length) {
    diagnostics.push({ code: 'E_ACPI_TRUNCATED', message: 'the injection header is cut off', offset: base });
    return { value: undefined, diagnostics };
  }
  const { flags, count } = readFields<{ flags: number; count: number }>(HEAD, body, 0, diagnostics);
  const entries: EinjEntry[] = [];
  for (let at = HEAD.length; at + ENTRY_LENGTH <= body.length; at += ENTRY_LENGTH) {
    entries.push({
      ...readFields<Pick<EinjEntry, 'action' | 'instruction' | 'flags'>>(ENTRY_HEAD, body, at, diagnostics),
      register: readFields<AcpiAddress>(ADDRESS, body, at + ENTRY_HEAD.length, diagnostics),
      ...readFields<Pick<EinjEntry, 'value' | 'mask'>>(ENTRY_TAIL, body, at + TAIL_AT, diagnostics),
    });
  }
  if (count !== entries.length) {
    const message = `the table counts ${count} instructions, ${entries.length} were read`;
    diagnostics.push({ code: 'W_ACPI_COUNT', message, offset: base + 8 });
  }
  return { value: { header, flags, entries }, diagnostics };
}

const REQUEST: Layout = {
  name: 'SET_ERROR_TYPE_WITH_ADDRESS',
  source: 'ACPI 6.5 18.6.4',
  length: 36,
  fields: [
    u32('errorType', 0),
    u32('vendorOffset', 4),
    u32('flags', 8),
    u32('apicId', 12),
    u64('address', 16),
    u64('mask', 24),
    u32('sbdf', 32),
  ],
};

/** Bytes of a request. */
export const EINJ_REQUEST_LENGTH: number = REQUEST.length;

/** What an operating system asks for. Members that its flags do not name are missing. */
export interface EinjRequest {
  /** A bit of {@link EINJ_ERROR_TYPES}. */
  errorType: number;
  apicId?: number;
  address?: bigint;
  /** Of the address: set bits have to be as they are. */
  mask?: bigint;
  /** PCIe segment, bus, device and function. */
  sbdf?: number;
}

/** Reads a request; undefined for fewer bytes than it has. Never throws. */
export function decodeEinjRequest(bytes: Uint8Array): EinjRequest | undefined {
  if (bytes.length < REQUEST.length) return undefined;
  const { errorType, flags, apicId, address, mask, sbdf } = readFields<Required<EinjRequest> & { flags: number }>(
    REQUEST,
    bytes,
    0,
    [],
  );
  const named = REQUEST_FLAGS.read(BigInt(flags));
  return {
    errorType,
    ...(named.PROCESSOR ? { apicId } : {}),
    ...(named.MEMORY ? { address, mask } : {}),
    ...(named.PCIE ? { sbdf } : {}),
  };
}

const TRIGGER: Layout = {
  name: 'trigger error table',
  source: 'ACPI 6.5 18.6.4',
  length: 16,
  fields: [u32('headerLength', 0), u32('revision', 4), u32('length', 8), u32('count', 12)],
};

/** A trigger action table without actions: whoever reads it has nothing to do. */
export function emptyTriggerTable(): Uint8Array {
  return writeLayout(TRIGGER, { headerLength: TRIGGER.length, revision: 0, length: TRIGGER.length, count: 0 });
}
