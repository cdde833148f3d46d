/**
 * @module CPER records as Linux prints them (drivers/firmware/efi/cper.c, cper-arm.c, cper-x86.c) put together again.
 * The sequence number in braces keeps the lines of one report together, so reports of several CPUs may mix.
 */
import * as guid from '../cper/guid.ts';
import type {
  CperArmErrorInfo,
  CperArmProcessor,
  CperBody,
  CperMemoryError,
  CperProcessorGeneric,
  CperRecord,
  CperSeverity,
} from '../cper/record.ts';
import type { ItemSink, TextNote } from './item.ts';
import type { KernelPart } from './kernel-reader.ts';
import { hexU64 } from './line.ts';

/** `{12}[Hardware Error]: `, `BERT: [Hardware Error]: `, `[Hardware Error]: ` (the last only inside a report). */
const PREFIX = /^(?:\{(\d{1,10})\}|(BERT: )?)\[Hardware Error\]:(.*)$/;
const SOURCE = /^Hardware error from APEI Generic Hardware Error Source: (\d{1,6})/;
const SEVERITY = /^event severity: (\w{1,32})/;
const ENTRY = /^Error (\d{1,4}), type: (\w{1,32})/;
const SECTION = /^section_type: (.{1,96})$/;
const UNKNOWN = /^section type: unknown, ([0-9a-fA-F-]{36})/;
const NUMBERED = /([a-z_]{2,24}): ?(0x[0-9a-fA-F]{1,16}|\d{1,10})/g;

const SEVERITIES: Readonly<Record<string, CperSeverity>> = {
  recoverable: 'recoverable',
  fatal: 'fatal',
  corrected: 'corrected',
  info: 'none',
  informational: 'none',
};

/** Printed section name → section type. */
const SECTIONS: Readonly<Record<string, string>> = {
  'memory error': guid.SECTION_MEMORY,
  'ARM processor error': guid.SECTION_PROC_ARM,
  'general processor error': guid.SECTION_PROC_GENERIC,
  'IA32/X64 processor error': guid.SECTION_PROC_X86,
  'PCIe error': guid.SECTION_PCIE,
  'Firmware Error Record Reference': guid.SECTION_FIRMWARE,
  'CXL Protocol Error': guid.SECTION_CXL_PROTOCOL,
};

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

/** Lines of other things after which an unfinished report is given up. */
const MAX_FOREIGN = 64;
const MAX_OPEN = 16;
const MAX_SECTIONS = 64;
const MAX_INFO = 64;
const MAX_TEXT_LINES = 64;

interface Open {
  record: CperRecord;
  firstLine: number;
  lastLine: number;
  foreign: number;
  notes: TextNote[];
  text: string[];
  /** Severity was printed: without it there is no record. */
  severe: boolean;
  armInfo: CperArmErrorInfo | undefined;
}

export class CperLines implements KernelPart {
  readonly #sink: ItemSink;
  readonly #open = new Map<string, Open>();

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  take(text: string, lineNumber: number): boolean {
    const m = PREFIX.exec(text);
    if (m === null) return false;
    const key = m[1] ?? m[2] ?? '';
    const raw = m[3] ?? '';
    const body = raw.trim();
    const source = SOURCE.exec(body);
    if (source !== null) {
      this.#start(key, lineNumber);
      return true;
    }
    let open = this.#open.get(key);
    const severity = SEVERITY.exec(body);
    if (severity !== null) {
      if (open === undefined || open.severe) open = this.#start(key, lineNumber);
      open.record.severity = SEVERITIES[severity[1] ?? ''] ?? 'none';
      open.severe = true;
    }
    if (open === undefined) return false;
    for (const other of this.#open.values()) if (other !== open) this.#age(other, 1);
    open.lastLine = lineNumber;
    open.foreign = 0;
    if (severity === null) this.#line(open, body);
    return true;
  }

  skipped(lines: number): void {
    for (const [key, open] of this.#open) {
      this.#age(open, lines);
      if (open.foreign > MAX_FOREIGN) this.#close(key);
    }
  }

  end(): void {
    for (const key of this.#open.keys()) this.#close(key);
  }

  #age(open: Open, lines: number): void {
    open.foreign += lines;
  }

  #start(key: string, lineNumber: number): Open {
    this.#close(key);
    if (this.#open.size >= MAX_OPEN) {
      const [oldest] = this.#open.keys();
      if (oldest !== undefined) this.#close(oldest);
    }
    const open: Open = {
      record: { kind: 'cper', severity: 'none', sections: [] },
      firstLine: lineNumber,
      lastLine: lineNumber,
      foreign: 0,
      notes: [],
      text: [],
      severe: false,
      armInfo: undefined,
    };
    this.#open.set(key, open);
    return open;
  }

  #close(key: string): void {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    if (!open.severe) return;
    const { record, notes, firstLine, lastLine, text } = open;
    this.#sink({ type: 'cper', form: 'linux', record, notes, firstLine, lastLine, text });
  }

  #line(open: Open, body: string): void {
    const { record } = open;
    const entry = ENTRY.exec(body);
    if (entry !== null) {
      if (record.sections.length >= MAX_SECTIONS) return;
      open.armInfo = undefined;
      record.sections.push({
        type: guid.GUID_NULL,
        severity: SEVERITIES[entry[2] ?? ''] ?? 'none',
        revision: 0x300,
        flags: 0,
        body: { kind: 'raw', data: new Uint8Array(0) },
      });
      return;
    }
    const section = record.sections.at(-1);
    if (section === undefined) return;
    const named = SECTION.exec(body);
    if (named !== null) {
      section.type = SECTIONS[named[1] ?? ''] ?? guid.GUID_NULL;
      section.body = emptyBody(section.type);
      if (section.body.kind === 'raw') note(open, `a ${named[1] ?? ''} is kept as text only`);
      return;
    }
    const unknown = UNKNOWN.exec(body);
    if (unknown !== null) {
      section.type = (unknown[1] ?? '').toLowerCase();
      note(open, `a section of type ${section.type} is kept as text only`);
      return;
    }
    if (body.startsWith('fru_text: ')) section.fruText = body.slice(10, 30);
    else if (body.startsWith('fru_id: ')) section.fruId = body.slice(8, 44).toLowerCase();
    else if (section.body.kind === 'memory') memoryLine(section.body, body);
    else if (section.body.kind === 'arm-processor') open.armInfo = armLine(section.body, open.armInfo, body);
    else if (section.body.kind === 'processor') processorLine(section.body, body);
    else if (open.text.length < MAX_TEXT_LINES) open.text.push(body.slice(0, 256));
  }
}

function note(open: Open, message: string): void {
  if (open.notes.length < MAX_SECTIONS) open.notes.push({ code: 'W_TEXT_SECTION', message });
}

function emptyBody(type: string): CperBody {
  if (type === guid.SECTION_MEMORY) return { kind: 'memory' };
  if (type === guid.SECTION_PROC_ARM) return { kind: 'arm-processor', errors: [], contexts: [] };
  if (type === guid.SECTION_PROC_GENERIC) return { kind: 'processor' };
  return { kind: 'raw', data: new Uint8Array(0) };
}

/** `physical_address: 0x…`, `error_type: 3, multi-bit ECC`, `node:0 card:1 …`; newer kernels put the status behind its name. */
function memoryLine(memory: CperMemoryError, body: string): void {
  const status = /^error_status: (?:.{1,64} \()?(0x[0-9a-fA-F]{1,16})\)?$/.exec(body);
  if (status !== null) {
    const value = hexU64(status[1]);
    if (value !== undefined) memory.errorStatus = value;
    return;
  }
  for (const m of body.slice(0, 512).matchAll(NUMBERED)) {
    const member = Object.hasOwn(MEMORY, m[1] ?? '') ? MEMORY[m[1] ?? ''] : undefined;
    if (member === undefined) continue;
    const value = m[2]?.startsWith('0x') ? hexU64(m[2]) : BigInt(m[2] ?? '0');
    if (value === undefined) continue;
    if (WIDE.has(member)) Object.assign(memory, { [member]: value });
    else if (value <= 0xffffn) Object.assign(memory, { [member]: Number(value) });
  }
}

const ARM_FLAGS: Readonly<Record<string, number>> = {
  'first error captured': 1,
  'last error captured': 2,
  'propagated error captured': 4,
  'overflow occurred, error info is incomplete': 8,
};

/** Lines of an ARM processor section; returns the error information structure that is open. */
function armLine(
  arm: CperArmProcessor,
  info: CperArmErrorInfo | undefined,
  body: string,
): CperArmErrorInfo | undefined {
  if (/^Error info structure \d{1,4}:/.test(body)) {
    if (arm.errors.length >= MAX_INFO) return undefined;
    const next: CperArmErrorInfo = {};
    arm.errors.push(next);
    return next;
  }
  if (/^Context info structure \d{1,4}:/.test(body)) return undefined;
  const m = /^([^:]{1,64}): ?(0x[0-9a-fA-F]{1,16}|\d{1,10})/.exec(body);
  const flag = Object.hasOwn(ARM_FLAGS, body) ? ARM_FLAGS[body] : undefined;
  if (flag !== undefined && info !== undefined) info.flags = (info.flags ?? 0) | flag;
  if (m === null) return info;
  const name = m[1] ?? '';
  const value = m[2]?.startsWith('0x') ? (hexU64(m[2]) ?? 0n) : BigInt(m[2] ?? '0');
  const small = Number(value & 0xffffn);
  if (name === 'MIDR') arm.midr = value;
  else if (name.endsWith('(MPIDR)')) arm.mpidr = value;
  else if (name === 'error affinity level') arm.affinityLevel = small;
  else if (name === 'running state') arm.runningState = small;
  else if (name.startsWith('Power State Coordination')) arm.psciState = small;
  if (info === undefined) return info;
  if (name === 'num errors') info.multipleError = Math.max(0, small - 1);
  else if (name === 'error_type') info.type = small;
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
const WIDE_PROCESSOR: ReadonlySet<string> = new Set([
  'cpuVersion',
  'processorId',
  'targetAddress',
  'requestorId',
  'responderId',
  'instructionPointer',
]);

function processorLine(processor: CperProcessorGeneric, body: string): void {
  const m = /^(\w{1,24}): (0x[0-9a-fA-F]{1,16}|\d{1,10})/.exec(body);
  const member = m !== null && Object.hasOwn(PROCESSOR, m[1] ?? '') ? PROCESSOR[m[1] ?? ''] : undefined;
  if (m === null || member === undefined) return;
  const value = m[2]?.startsWith('0x') ? (hexU64(m[2]) ?? 0n) : BigInt(m[2] ?? '0');
  Object.assign(processor, { [member]: WIDE_PROCESSOR.has(member) ? value : Number(value & 0xffffn) });
}
