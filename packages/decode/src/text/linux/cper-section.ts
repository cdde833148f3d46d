/** @module The lines of one section of a printed CPER record (drivers/firmware/efi/cper.c, cper-arm.c, cper-x86.c). */
import { joined, lowHalf } from '../../registers/field.ts';
import * as guid from '../../cper/guid.ts';
import type {
  CperArmErrorInfo,
  CperArmProcessor,
  CperBody,
  CperFirmwareReference,
  CperMemoryError,
  CperPcieError,
  CperProcessorGeneric,
  CperX86Processor,
} from '../../cper/record.ts';
import { ARM_CONTEXT_NAMES, FIRMWARE_TYPES, PRINTED_CHECKS, X86_CONTEXT_NAMES } from './cper-names.ts';
import { hexU64 } from '../transport/line.ts';

const NUMBERED = /([a-z_]{2,24}): ?(0x[0-9a-fA-F]{1,16}|\d{1,10})/g;

/** Names in a memory section → members. */
const MEMORY: Readonly<Record<string, keyof CperMemoryError>> = {
  node: 'node',
  card: 'card',
  module: 'module',
  rank: 'rank',
  bank: 'bank',
  bank_group: 'bankGroup',
  bank_address: 'bankAddress',
  device: 'device',
  row: 'row',
  column: 'column',
  bit_position: 'bitPosition',
  chip_id: 'chipId',
  requestor_id: 'requestorId',
  responder_id: 'responderId',
  target_id: 'targetId',
  physical_address: 'physicalAddress',
  physical_address_mask: 'physicalAddressMask',
  error_type: 'errorType',
};
const WIDE: ReadonlySet<string> = new Set([
  'requestorId',
  'responderId',
  'targetId',
  'physicalAddress',
  'physicalAddressMask',
]);

const MAX_INFO = 64;
const MAX_DUMP = 65_536;
const CPUID_BYTES = 48;

/** The body of a section of this type before its first line. */
function emptyBody(type: string): CperBody {
  if (type === guid.SECTION_MEMORY) return { kind: 'memory' };
  if (type === guid.SECTION_PROC_ARM) return { kind: 'arm-processor', errors: [], contexts: [] };
  if (type === guid.SECTION_PROC_X86) return { kind: 'x86-processor', errors: [], contexts: [] };
  if (type === guid.SECTION_PROC_GENERIC) return { kind: 'processor' };
  if (type === guid.SECTION_PCIE) return { kind: 'pcie' };
  if (type === guid.SECTION_FIRMWARE) return { kind: 'firmware' };
  return { kind: 'raw', data: new Uint8Array(0) };
}

const DUMP = /^([0-9a-f]{8}): ((?:[0-9a-f]{2}|[0-9a-f]{8}|[0-9a-f]{16})(?: [0-9a-f]{2,16}){0,15})(?: {2}|$)/;

/** Bytes that the kernel prints in rows, as numbers of 32 or 64 bits; a last row that is no whole number as bytes. */
interface Dump {
  bytes: number[];
  /** How many there have to be, where the text says so. */
  length: number | undefined;
  what: string;
  put(bytes: Uint8Array): void;
  /** A row did not follow the one before. */
  broken: boolean;
  /** It has more bytes than are read. */
  over: boolean;
}

/** Puts a section together from its lines; what is missing is told at the end. */
export class SectionLines {
  readonly body: CperBody;
  /** What its text says against itself. */
  readonly remarks: string[] = [];
  /** What it has more of than is read, each said once. */
  readonly lost = new Set<string>();
  readonly #missing: string[] = [];
  #dump: Dump | undefined;
  #armInfo: CperArmErrorInfo | undefined;

  constructor(type: string) {
    this.body = emptyBody(type);
  }

  /** Takes a line without its prefix; false when it says nothing that is known. */
  take(text: string): boolean {
    const row = DUMP.exec(text);
    if (row !== null) return this.#row(row[1] ?? '', (row[2] ?? '').split(' '));
    const { body } = this;
    switch (body.kind) {
      case 'memory':
        return memoryLine(body, text);
      case 'arm-processor':
        return this.#arm(body, text);
      case 'x86-processor':
        return this.#x86(body, text);
      case 'processor':
        return processorLine(body, text);
      case 'pcie':
        return pcieLine(body, text);
      case 'firmware':
        return firmwareLine(body, text);
      default: {
        const length = /^section length: (0x[0-9a-f]{1,6})$/.exec(text);
        if (length === null || body.kind !== 'raw') return false;
        this.#expect('the section', Number(length[1]), bytes => (body.data = bytes));
        return true;
      }
    }
  }

  /** The section ended: what its text did not give. */
  end(): string[] {
    this.#close();
    return this.#missing;
  }

  #expect(what: string, length: number | undefined, put: (bytes: Uint8Array) => void): void {
    this.#close();
    const over = length !== undefined && length > MAX_DUMP;
    this.#dump = { bytes: [], length, what, put, broken: false, over };
  }

  #row(offset: string, groups: readonly string[]): boolean {
    const { body } = this;
    if (this.#dump === undefined && body.kind === 'raw' && body.data.length === 0) {
      this.#expect('the section', undefined, bytes => (body.data = bytes));
    }
    const dump = this.#dump;
    if (dump === undefined) return false;
    if (Number.parseInt(offset, 16) !== dump.bytes.length) dump.broken = true;
    if (dump.bytes.length >= MAX_DUMP) dump.over = true;
    if (dump.broken || dump.over) return true;
    for (const group of groups) {
      const bytes = (group.match(/../gs) ?? []).map(d => Number.parseInt(d, 16));
      dump.bytes.push(...bytes.toReversed());
    }
    return true;
  }

  #close(): void {
    const dump = this.#dump;
    this.#dump = undefined;
    if (dump === undefined) return;
    if (dump.over) {
      this.lost.add(`the dump of ${dump.what} has more than ${MAX_DUMP} bytes; it was left out`);
      return;
    }
    if (dump.broken || dump.bytes.length === 0 || (dump.length !== undefined && dump.bytes.length !== dump.length)) {
      this.#missing.push(`rows of the dump of ${dump.what} are missing`);
      return;
    }
    dump.put(Uint8Array.from(dump.bytes));
  }

  /** Whether there is room for one more; where there is none, that is said. */
  #room(list: readonly unknown[], what: string): boolean {
    if (list.length < MAX_INFO) return true;
    this.lost.add(`the section has more than ${MAX_INFO} ${what}; the others were left out`);
    return false;
  }

  #arm(arm: CperArmProcessor, text: string): boolean {
    if (/^Context info structure \d{1,4}:/.test(text)) {
      this.#close();
      this.#armInfo = undefined;
      return true;
    }
    const context = /^register context type: (.{1,64})$/s.exec(text);
    if (context !== null) {
      const type = ARM_CONTEXT_NAMES.indexOf(context[1] ?? '');
      if (type < 0 || !this.#room(arm.contexts, 'register contexts')) return false;
      this.#expect('a register context', undefined, data => arm.contexts.push({ type, data }));
      return true;
    }
    const vendor = /^Vendor specific error info has (\d{1,6}) bytes:$/.exec(text);
    if (vendor !== null) {
      this.#armInfo = undefined;
      this.#expect('the vendor information', Number(vendor[1]), bytes => (arm.vendorInfo = bytes));
      return true;
    }
    if (/^(?:section length is too small|Invalid context type: )/.test(text)) {
      this.#missing.push('the kernel found the section too short');
      return true;
    }
    if (text.startsWith('Error info structure ')) {
      this.#close();
      this.#armInfo = undefined;
      if (!this.#room(arm.errors, 'error structures')) return true;
    }
    const doubt = armTypeDoubt(text);
    if (doubt !== undefined && this.remarks.length < MAX_INFO) this.remarks.push(doubt);
    this.#armInfo = armLine(arm, this.#armInfo, text);
    return true;
  }

  #x86(x86: CperX86Processor, text: string): boolean {
    if (text === 'CPUID Info:') {
      this.#expect('CPUID', CPUID_BYTES, bytes => (x86.cpuid = bytes));
      return true;
    }
    if (/^Error Information Structure \d{1,4}:/.test(text)) {
      this.#close();
      this.#noRoom = !this.#room(x86.errors, 'error structures');
      if (!this.#noRoom) x86.errors.push({});
      return true;
    }
    if (/^Context Information Structure \d{1,4}:/.test(text)) {
      this.#close();
      this.#noRoom = !this.#room(x86.contexts, 'register contexts');
      if (!this.#noRoom) x86.contexts.push({ data: new Uint8Array(0) });
      return true;
    }
    if (this.#noRoom) return false;
    const context = x86.contexts.at(-1);
    if (text === 'Register Array:' && context !== undefined) {
      const length = this.#arraySize;
      this.#expect('a register array', length, bytes => (context.data = bytes));
      this.#arraySize = undefined;
      return true;
    }
    const m = /^([A-Za-z_ ]{4,32}): (.{1,64})$/s.exec(text);
    const [, name = '', value = ''] = m ?? [];
    const number = value.startsWith('0x') ? hexU64(value) : undefined;
    if (name === 'Local APIC_ID' && number !== undefined) x86.apicId = number;
    else if (context !== undefined) {
      const type = X86_CONTEXT_NAMES.indexOf(value);
      if (name === 'Register Context Type' && type >= 0) context.type = type;
      else if (name === 'Register Array Size' && number !== undefined)
        this.#arraySize = Number(BigInt.asUintN(16, number));
      else if (name === 'MSR Address' && number !== undefined) context.msrAddress = lowHalf(number);
      else if (name === 'MM Register Address' && number !== undefined) context.mmAddress = number;
      else return false;
    } else return checkLine(x86.errors.at(-1), name, value, number);
    return true;
  }
  /** Of the register array that is announced. */
  #arraySize: number | undefined;
  /** The lines that come are of a structure that was left out. */
  #noRoom = false;
}

const CHECK_MEMBERS: Readonly<
  Record<string, 'checkInfo' | 'targetId' | 'requestorId' | 'responderId' | 'instructionPointer'>
> = {
  'Check Information': 'checkInfo',
  'Target Identifier': 'targetId',
  'Requestor Identifier': 'requestorId',
  'Responder Identifier': 'responderId',
  'Instruction Pointer': 'instructionPointer',
};

/** A line of an IA32/X64 error structure; what takes the check information apart says nothing new. */
function checkLine(
  error: CperX86Processor['errors'][number] | undefined,
  name: string,
  value: string,
  number: bigint | undefined,
): boolean {
  if (error === undefined) return false;
  if (name === 'Error Structure Type') {
    const type = Object.hasOwn(PRINTED_CHECKS, value) ? PRINTED_CHECKS[value] : undefined;
    if (type !== undefined) error.type = type;
    else if (/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(value)) error.type = value.toLowerCase();
    return true;
  }
  const member = Object.hasOwn(CHECK_MEMBERS, name) ? CHECK_MEMBERS[name] : undefined;
  if (member !== undefined && number !== undefined) error[member] = number;
  return member !== undefined;
}

const PCIE: readonly (readonly [RegExp, readonly (keyof CperPcieError)[], 10 | 16])[] = [
  [/^port_type: (\d{1,3}),/, ['portType'], 10],
  [/^command: 0x([0-9a-f]{1,4}), status: 0x([0-9a-f]{1,4})$/, ['command', 'status'], 16],
  [
    /^device_id: ([0-9a-f]{1,4}):([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-9a-f]{1,2})$/,
    ['segment', 'bus', 'device', 'function'],
    16,
  ],
  [/^slot: (\d{1,4})$/, ['slot'], 10],
  [/^secondary_bus: 0x([0-9a-f]{1,2})$/, ['secondaryBus'], 16],
  [/^vendor_id: 0x([0-9a-f]{1,4}), device_id: 0x([0-9a-f]{1,4})$/, ['vendorId', 'deviceId'], 16],
  [/^class_code: ([0-9a-f]{6})$/, ['classCode'], 16],
  [
    /^bridge: secondary_status: 0x([0-9a-f]{1,4}), control: 0x([0-9a-f]{1,4})$/,
    ['bridgeSecondaryStatus', 'bridgeControl'],
    16,
  ],
];

/** Registers of AER as cper.c prints them, and where each stands in the capability. PCIe 6.0, 7.8.4. */
const AER_LINES: readonly (readonly [re: RegExp, at: readonly number[]])[] = [
  [/^aer_uncor_status: 0x([0-9a-f]{8}), aer_uncor_mask: 0x([0-9a-f]{8})$/, [4, 8]],
  [/^aer_uncor_severity: 0x([0-9a-f]{8})$/, [12]],
  [/^aer_cor_status: 0x([0-9a-f]{8}), aer_cor_mask: 0x([0-9a-f]{8})$/, [16, 20]],
  [/^TLP Header: ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8})$/, [28, 32, 36, 40]],
];
const AER_LENGTH = 96;

/** A line of AER registers into the capability of a section. */
function aerLine(pcie: CperPcieError, text: string): boolean {
  for (const [re, places] of AER_LINES) {
    const m = re.exec(text);
    if (m === null) continue;
    const aer = (pcie.aer ??= new Uint8Array(AER_LENGTH));
    const view = new DataView(aer.buffer);
    places.forEach((at, i) => view.setUint32(at, Number.parseInt(m[i + 1] ?? '0', 16), true));
    return true;
  }
  return false;
}

function pcieLine(pcie: CperPcieError, text: string): boolean {
  if (aerLine(pcie, text)) return true;
  const version = /^version: (\d{1,3})\.(\d{1,3})$/.exec(text);
  if (version !== null) {
    pcie.version = ((Number(version[1]) & 0xff) << 8) | (Number(version[2]) & 0xff);
    return true;
  }
  const serial = /^serial number: 0x([0-9a-f]{1,8}), 0x([0-9a-f]{1,8})$/.exec(text);
  if (serial !== null) {
    pcie.serialNumber = joined(hexU64(serial[2]) ?? 0n, hexU64(serial[1]) ?? 0n);
    return true;
  }
  for (const [re, members, base] of PCIE) {
    const m = re.exec(text);
    if (m === null) continue;
    members.forEach((member, i) => Object.assign(pcie, { [member]: Number.parseInt(m[i + 1] ?? '0', base) }));
    return true;
  }
  return false;
}

function firmwareLine(firmware: CperFirmwareReference, text: string): boolean {
  const m = /^(Firmware Error Record Type|Revision|Record Identifier): (.{1,64})$/s.exec(text);
  if (m === null) return false;
  const value = m[2] ?? '';
  if (m[1] === 'Revision') firmware.revision = Number(value) & 0xff;
  else if (m[1] === 'Record Identifier') {
    if (value.length === 36) firmware.recordGuid = value.toLowerCase();
    else firmware.recordId = hexU64(value) ?? 0n;
  } else {
    const type = FIRMWARE_TYPES.indexOf(value);
    if (type >= 0) firmware.recordType = type;
  }
  return true;
}

/** `physical_address: 0x…`, `error_type: 3, multi-bit ECC`, `node:0 card:1 …`; newer kernels put the status behind its name. */
function memoryLine(memory: CperMemoryError, body: string): boolean {
  const status = /^error_status: (?:.{1,64} \()?(0x[0-9a-fA-F]{1,16})\)?$/s.exec(body);
  if (status !== null) {
    const value = hexU64(status[1]);
    if (value !== undefined) memory.errorStatus = value;
    return true;
  }
  const handle = /^DIMM location: not present\. DMI handle: 0x([0-9a-f]{1,4})\s*$/.exec(body);
  if (handle !== null) {
    memory.moduleHandle = Number.parseInt(handle[1] ?? '0', 16);
    return true;
  }
  const dimm = /^DIMM location: (.{1,128})$/s.exec(body);
  if (dimm !== null) {
    memory.dimmLocation = (dimm[1] ?? '').trim();
    return true;
  }
  let taken = false;
  for (const m of body.slice(0, 512).matchAll(NUMBERED)) {
    const member = Object.hasOwn(MEMORY, m[1] ?? '') ? MEMORY[m[1] ?? ''] : undefined;
    if (member === undefined) continue;
    const value = m[2]?.startsWith('0x') ? hexU64(m[2]) : BigInt(m[2] ?? '0');
    if (value === undefined) continue;
    taken = true;
    if (WIDE.has(member)) Object.assign(memory, { [member]: value });
    else if (value <= 0xffffn) Object.assign(memory, { [member]: Number(value) });
    else if (member === 'row' && value <= 0x3ffffn) {
      memory.row = Number(BigInt.asUintN(16, value));
      memory.rowExtended = Number(value / ROWS);
    }
  }
  return taken;
}

const ARM_FLAGS: Readonly<Record<string, number>> = {
  'first error captured': 1,
  'last error captured': 2,
  'propagated error captured': 4,
  'overflow occurred, error info is incomplete': 8,
};

const ARM_TYPES: readonly string[] = ['cache error', 'TLB error', 'bus error', 'micro-architectural error'];

/**
 * The type as UEFI 2.10 encodes it, from the word that stands beside the number: Linux before 6.19 prints `2, bus error`,
 * the number of a list that UEFI never had; later ones print `0x02: cache error`, a bit mask.
 */
function armErrorType(body: string): number | undefined {
  const name = /^error_type: \d{1,10}, (.{1,64})$/s.exec(body)?.[1] ?? '';
  const index = ARM_TYPES.indexOf(name);
  return index < 0 ? undefined : 2 << index;
}

/** Where number and word of an error type disagree in both encodings, what they say. */
function armTypeDoubt(body: string): string | undefined {
  const m = /^error_type: (0x[0-9a-f]{1,2}|\d{1,10})(?:,|:) (.{1,96})$/s.exec(body);
  if (m === null) return undefined;
  const number = Number(m[1]);
  const word = m[2] ?? '';
  const agrees = m[1]?.startsWith('0x')
    ? ARM_TYPES.every((name, i) => word.includes(name) === ((number & (2 << i)) !== 0)) || word.includes('unknown')
    : ARM_TYPES.indexOf(word) === number || !ARM_TYPES.includes(word);
  return agrees
    ? undefined
    : `the error type is printed as ${m[1]} and called ${word}; the ${m[1]?.startsWith('0x') ? 'number' : 'word'} was taken`;
}

/** Lines of an ARM processor section; returns the error information structure that is open. */
function armLine(
  arm: CperArmProcessor,
  info: CperArmErrorInfo | undefined,
  body: string,
): CperArmErrorInfo | undefined {
  if (/^Error info structure \d{1,4}:/.test(body)) {
    const next: CperArmErrorInfo = {};
    arm.errors.push(next);
    return next;
  }
  const m = /^([^:]{1,64}): ?(0x[0-9a-fA-F]{1,16}|\d{1,10})/.exec(body);
  const flag = Object.hasOwn(ARM_FLAGS, body) ? ARM_FLAGS[body] : undefined;
  if (flag !== undefined && info !== undefined) info.flags = (info.flags ?? 0) | flag;
  if (m === null) return info;
  const name = m[1] ?? '';
  const value = m[2]?.startsWith('0x') ? (hexU64(m[2]) ?? 0n) : BigInt(m[2] ?? '0');
  const small = lowHalf(value);
  if (name === 'MIDR') arm.midr = value;
  else if (name.endsWith('(MPIDR)')) arm.mpidr = value;
  else if (name === 'error affinity level') arm.affinityLevel = small & 0xff;
  else if (name === 'running state') arm.runningState = small;
  else if (name.startsWith('Power State Coordination')) arm.psciState = small;
  if (info === undefined) return info;
  if (name === 'num errors') info.multipleError = Math.max(0, (small % 0x2_0000) - 1) % 0x1_0000;
  else if (name === 'error_type') info.type = armErrorType(body) ?? small & 0xff;
  else if (name === 'error_info') info.errorInfo = value;
  else if (name === 'virtual fault address') info.virtualAddress = value;
  else if (name === 'physical fault address') info.physicalAddress = value;
  return info;
}

const PROCESSOR: Readonly<Record<string, keyof CperProcessorGeneric>> = {
  processor_type: 'processorType',
  processor_isa: 'isa',
  error_type: 'errorType',
  operation: 'operation',
  flags: 'flags',
  level: 'level',
  version_info: 'cpuVersion',
  processor_id: 'processorId',
  target_address: 'targetAddress',
  requestor_id: 'requestorId',
  responder_id: 'responderId',
  IP: 'instructionPointer',
};
/** Rows that the row of a memory error counts without its extension. */
const ROWS = 0x1_0000n;
const WIDE_PROCESSOR: ReadonlySet<string> = new Set([
  'cpuVersion',
  'processorId',
  'targetAddress',
  'requestorId',
  'responderId',
  'instructionPointer',
]);

function processorLine(processor: CperProcessorGeneric, body: string): boolean {
  const m = /^(\w{1,24}): (0x[0-9a-fA-F]{1,16}|\d{1,10})/.exec(body);
  const member = m !== null && Object.hasOwn(PROCESSOR, m[1] ?? '') ? PROCESSOR[m[1] ?? ''] : undefined;
  if (m === null || member === undefined) return false;
  const value = m[2]?.startsWith('0x') ? (hexU64(m[2]) ?? 0n) : BigInt(m[2] ?? '0');
  Object.assign(processor, { [member]: WIDE_PROCESSOR.has(member) ? value : Number(BigInt.asUintN(16, value)) });
  return true;
}
