/**
 * @module Machine checks as 32-bit x86 kernels before 2.6.32 print them (arch/i386/kernel/cpu/mcheck): the exception
 * with its CPU, then `Bank 4: b200000000070f0f[misc] at address` for each bank, or the same after a poll.
 */
import type { X86McaRecord } from '../../mca/record.ts';
import { holdsError } from '../../mca/registers.ts';
import type { ItemSink } from '../item.ts';
import { readAsFamily } from './edac-flags.ts';
import type { KernelPart } from './kernel-part.ts';
import { hexU64 } from '../transport/line.ts';

const EXCEPTION = /^CPU ?(\d{1,4}): Machine Check Exception: {0,20}([0-9a-f]{1,16})$/;
const POLLED = /^MCE: The hardware reports a non fatal, correctable incident occurred on CPU (\d{1,4})\.?$/;
const BANK = /^Bank (\d{1,2}): ([0-9a-f]{16})(?:\[([0-9a-f]{16})\])?(?: at ([0-9a-f]{16}))?$/;
/** Of x86-64 kernels before 2.6.4 on AMD's K8 (arch/x86_64/kernel/bluesmoke.c): bank 4 alone, register by register. */
const NORTHBRIDGE = /^CPU (\d{1,4}): (Silent )?Northbridge (?:MCE|Machine Check Exception)\b/;
const NORTHBRIDGE_STATUS = /^Northbridge status ([0-9a-f]{16})\s*$/;
const NORTHBRIDGE_ADDRESS = /^\s{0,8}error address ([0-9a-f]{16})\s*$/;
const NORTHBRIDGE_BANK = 4;
/** Lines after the first that may hold a bank; with registers of the CPU between them. */
const MAX_LINES = 40;

/** The record of a bank line alone; undefined for other text, and for a bank that holds no error. */
export function oldBankLine(text: string): X86McaRecord | undefined {
  const m = BANK.exec(text);
  const status = hexU64(m?.[2]);
  if (m === null || status === undefined || !holdsError(status)) return undefined;
  const record: X86McaRecord = { kind: 'x86-mca', bank: Number(m[1]), status };
  const [misc, addr] = [hexU64(m[3]), hexU64(m[4])];
  if (misc !== undefined) record.misc = misc;
  if (addr !== undefined) record.addr = addr;
  return record;
}

export class OldMceLines implements KernelPart {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: { cpu: number; mcgStatus?: bigint; exception: boolean; left: number } | undefined;
  /** The northbridge's, whose lines still come. */
  #northbridge: { record: X86McaRecord; firstLine: number; lastLine: number } | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  /** True while banks may follow: their lines hold no word to look for. */
  get wanted(): boolean {
    return this.#open !== undefined;
  }

  /** The first line of the northbridge's record that is open; Infinity when none is. */
  get since(): number {
    return this.#northbridge?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  take(text: string, lineNumber: number): boolean {
    if (this.#northbridgeLine(text, lineNumber)) return true;
    const exception = EXCEPTION.exec(text);
    if (exception !== null) {
      const mcgStatus = hexU64(exception[2]) ?? 0n;
      this.#open = { cpu: Number(exception[1]), mcgStatus, exception: true, left: MAX_LINES };
      return true;
    }
    const polled = POLLED.exec(text);
    if (polled !== null) {
      this.#open = { cpu: Number(polled[1]), exception: false, left: MAX_LINES };
      return true;
    }
    const open = this.#open;
    const record = oldBankLine(text);
    if (record === undefined) return false;
    // A bank line alone, its header lost, still says what it says.
    if (open !== undefined) record.cpu = open.cpu;
    if (open?.mcgStatus !== undefined) record.mcgStatus = open.mcgStatus;
    const place = { form: 'linux', firstLine: lineNumber, lastLine: lineNumber } as const;
    record.origin = { source: this.#source, firstLine: lineNumber, lastLine: lineNumber };
    this.#sink({
      type: 'mca',
      ...place,
      record,
      notes: [],
      ...(open === undefined ? {} : { exception: open.exception }),
    });
    return true;
  }

  #northbridgeLine(text: string, lineNumber: number): boolean {
    const head = NORTHBRIDGE.exec(text);
    if (head !== null) {
      this.#closeNorthbridge();
      this.#open = { cpu: Number(head[1]), exception: head[2] === undefined, left: MAX_LINES };
      return true;
    }
    const status = hexU64(NORTHBRIDGE_STATUS.exec(text)?.[1]);
    if (status !== undefined) {
      this.#closeNorthbridge();
      const record: X86McaRecord = { kind: 'x86-mca', bank: NORTHBRIDGE_BANK, status };
      if (this.#open !== undefined) record.cpu = this.#open.cpu;
      this.#northbridge = { record, firstLine: lineNumber, lastLine: lineNumber };
      this.#open ??= { cpu: 0, exception: false, left: MAX_LINES };
      return true;
    }
    const open = this.#northbridge;
    const addr = open === undefined ? undefined : hexU64(NORTHBRIDGE_ADDRESS.exec(text)?.[1]);
    if (open === undefined || addr === undefined) return false;
    open.record.addr = addr;
    open.lastLine = lineNumber;
    this.#closeNorthbridge();
    return true;
  }

  #closeNorthbridge(): void {
    const open = this.#northbridge;
    this.#northbridge = undefined;
    if (open === undefined) return;
    const { record, firstLine, lastLine } = open;
    record.origin = { source: this.#source, firstLine, lastLine };
    this.#sink({ type: 'mca', form: 'linux', firstLine, lastLine, record, notes: readAsFamily(record) });
  }

  skipped(lines: number): void {
    if (this.#open === undefined) return;
    this.#open.left -= lines;
    if (this.#open.left > 0) return;
    this.#closeNorthbridge();
    this.#open = undefined;
  }

  end(): void {
    this.#closeNorthbridge();
    this.#open = undefined;
  }
}
