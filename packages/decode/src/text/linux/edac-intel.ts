/**
 * @module What Intel's EDAC drivers print (drivers/edac: sb_edac.c, skx_common.c, edac_mc.c): the raw machine check, a
 * register a line, and a summary `EDAC MC0: 1 CE memory read error on …` for any memory controller.
 */
import { placed } from '../../registers/field.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import type { KindFields } from '../../events/catalog.ts';
import type { ItemSink } from '../item.ts';
import type { KernelPart } from './kernel-part.ts';
import { hexU64 } from '../transport/line.ts';

const PREFIX = /^EDAC (?:[a-z][\w-]{1,15} )?MC(\d{1,3}): (.*)$/s;
const HEADER =
  /^CPU (\d{1,6}): Machine Check (Event|Exception): (?:0x)?([0-9a-f]{1,16}) Bank (\d{1,4}): (?:0x)?([0-9a-f]{16})$/;
const REGISTER = /^(TSC|ADDR|MISC) (?:0x)?([0-9a-f]{1,16})\s*$/;
const PROCESSOR =
  /^PROCESSOR (\d{1,3}):(?:0x)?([0-9a-f]{1,8}) TIME (\d{1,15}) SOCKET (\d{1,6}) APIC (?:0x)?([0-9a-f]{1,8})/;
const SUMMARY = /^(\d{1,9}) (CE|UE) (.*)$/s;
/** Linux before 3.6: one error a line. */
const OLD_SUMMARY = /^()(CE|UE) ((?:page 0x[0-9a-f]|row \d{1,4}, channel|- no information available).*)$/s;
/** Of sb_edac and i7core_edac in 3.1 to 3.5, and in RHEL 6 and 7: how many, and where, stand in their own words. */
const OLD_COUNT = /": (\d{1,9}) \w{1,16} error\(s\): /;
const OLD_ADDRESS = /, addr = 0x([0-9a-f]{1,16}) => socket=\d/;
const PAGE = /\bpage(?::| )0x([0-9a-f]{1,13})(?:,? offset(?::| )0x([0-9a-f]{1,8}))?/;
/** What only drivers of x86 print: their pages have 4 KiB. */
const X86_WORDS = /\bCPU_SrcID#|\bmc#\d{1,2}csrow#|\berr_code:0x?[0-9a-f]{4}:|\barea:DRAM\b|\blabel "/;
const MAX_FOREIGN = 16;

/** log2 of the page size of the kernel that prints: what its log proves, or what most have; undefined where neither is known. */
type PageShift = { proven: number } | { usual: number } | undefined;

/**
 * The size of pages by an offset in one: it lies within the page. Sizes are 4, 16 and 64 KiB (Arm ARM, D8.1.8).
 * @returns `larger` than 4 KiB where it is not known how much
 */
function sizeBy(offset: bigint, known: PageShift): PageShift | 'larger' {
  if (known !== undefined && 'proven' in known && placed(1n, known.proven) > offset) return known;
  if (offset >= placed(1n, 14)) return { proven: 16 };
  return offset >= placed(1n, 12) ? 'larger' : known;
}

interface Open {
  record: X86McaRecord;
  controller: string;
  exception: boolean;
  firstLine: number;
  lastLine: number;
  foreign: number;
}

export class EdacIntelLines implements KernelPart {
  readonly #sink: ItemSink;
  #open: Open | undefined;
  #learned: number | undefined;

  /** log2 of the page size of the kernel that prints; undefined where it is not known. */
  readonly #pageShift: () => PageShift;

  constructor(sink: ItemSink, pageShift: () => PageShift) {
    this.#sink = sink;
    this.#pageShift = pageShift;
  }

  /** log2 of the page size, where an offset that was printed proves it. */
  get pageShift(): number | undefined {
    return this.#learned;
  }

  /** The first line of what is open; Infinity when nothing is. */
  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  /** True while the lines of a machine check are still to come: they hold no word to look for. */
  get wanted(): boolean {
    return this.#open !== undefined;
  }

  take(text: string, lineNumber: number, firstLine = lineNumber): boolean {
    if (!text.startsWith('EDAC ')) return false;
    const m = PREFIX.exec(text);
    if (m === null) return false;
    const [controller, body] = [m[1] ?? '', m[2] ?? ''];
    const header = HEADER.exec(body);
    if (header !== null) {
      this.end();
      this.#open = {
        record: {
          kind: 'x86-mca',
          vendor: 'intel',
          cpu: Number(header[1]),
          bank: Number(header[4]),
          status: hexU64(header[5]) ?? 0n,
          mcgStatus: hexU64(header[3]) ?? 0n,
        },
        controller,
        exception: header[2] === 'Exception',
        firstLine,
        lastLine: lineNumber,
        foreign: 0,
      };
      return true;
    }
    const summary = SUMMARY.exec(body) ?? OLD_SUMMARY.exec(body);
    if (summary !== null) {
      this.#summary(controller, summary, firstLine, lineNumber);
      return true;
    }
    return this.#register(controller, body, lineNumber);
  }

  skipped(lines: number): void {
    if (this.#open === undefined) return;
    this.#open.foreign += lines;
    if (this.#open.foreign > MAX_FOREIGN) this.end();
  }

  /** Another kernel boots. */
  boot(): void {
    this.end();
    this.#learned = undefined;
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { record, exception, firstLine, lastLine } = open;
    this.#sink({ type: 'mca', form: 'linux', record, exception, notes: [], firstLine, lastLine });
  }

  /** One line, one register; the lines of another controller belong to another machine check. */
  #register(controller: string, body: string, lineNumber: number): boolean {
    const open = this.#open;
    if (open === undefined || open.controller !== controller) return false;
    const register = REGISTER.exec(body);
    if (register !== null) {
      const value = hexU64(register[2]) ?? 0n;
      if (register[1] === 'TSC') open.record.tsc = value;
      else if (register[1] === 'ADDR') open.record.addr = value;
      else open.record.misc = value;
      open.lastLine = lineNumber;
      return true;
    }
    const processor = PROCESSOR.exec(body);
    if (processor === null) return false;
    const { record } = open;
    if (processor[1] !== '0') delete record.vendor;
    record.cpuid = hexU64(processor[2]) ?? 0n;
    record.time = BigInt(processor[3] ?? '0');
    record.socket = Number(processor[4]);
    record.apicId = hexU64(processor[5]) ?? 0n;
    open.lastLine = lineNumber;
    this.end();
    return true;
  }

  #summary(controller: string, m: RegExpExecArray, firstLine: number, lastLine: number): void {
    const message = (m[3] ?? '').slice(0, 512).trim();
    // A count of 0 is what the status of a record says that Linux made of a report of firmware: it is one error.
    const count = Number(m[1] || (OLD_COUNT.exec(message)?.[1] ?? 1)) || 1;
    const fields: KindFields<'edac-corrected'> = { controller: Number(controller), count, message };
    const said = hexU64(OLD_ADDRESS.exec(message)?.[1]);
    if (said !== undefined && said !== 0n) fields.addr = said;
    const page = PAGE.exec(message);
    // A page of 0 is what a driver prints that does not know the address.
    const frame = BigInt(`0x${page?.[1] ?? '0'}`);
    const offset = BigInt(`0x${page?.[2] ?? '0'}`);
    if (frame !== 0n) {
      const known: PageShift = this.#learned === undefined ? this.#pageShift() : { proven: this.#learned };
      const size = sizeBy(offset, X86_WORDS.test(message) ? { proven: 12 } : known);
      if (size !== 'larger' && size !== undefined && 'proven' in size) this.#learned = size.proven;
      if (size === 'larger') fields.pages = 'of 16 or 64 KiB';
      else if (size !== undefined) fields.addr = placed(frame, 'proven' in size ? size.proven : size.usual) | offset;
      if (size === undefined) fields.pages = 'of 4, 16 or 64 KiB';
      else if (size !== 'larger' && 'usual' in size) fields.pages = 'of 4 KiB, if it is no arm64 kernel';
    }
    const name = m[2] === 'CE' ? 'edac-corrected' : 'edac-uncorrected';
    this.#sink({ type: 'event', form: 'linux', name, fields, firstLine, lastLine });
  }
}
