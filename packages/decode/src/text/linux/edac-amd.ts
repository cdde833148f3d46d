/** @module AMD machine checks as the kernel's EDAC decoder prints them (drivers/edac/mce_amd.c), back into a record. */
import type { X86McaRecord } from '../../mca/record.ts';
import type { KindFields } from '../../events/catalog.ts';
import { hexU64 } from '../transport/line.ts';

const PREFIX = '[Hardware Error]: ';
const SEVERITIES: readonly string[] = [
  'Corrected error, no action required.',
  'Deferred error, no action required.',
  'Uncorrected, software restartable error.',
  'Uncorrected, software containable error.',
  'System Fatal error.',
];
/** Of Linux 3.3 to 3.9. */
const ERROR_STATUS = 'Error Status: ';
/**
 * Linux before 3.10 leaves the family out and puts a tab before the bank, 2.6 and the first of 3 name no CPU either. The
 * status has 16 digits in all kernels.
 */
const STATUS =
  /^(?:CPU:(\d{1,6})(?: \(([0-9a-f]{1,3}):([0-9a-f]{1,3}):([0-9a-f]{1,3})\))?[ \t]{1,4})?MC(\d{1,4})_STATUS\[([^\]]{0,128})\]: (0x[0-9a-f]{16})$/;
/** A status line whose end was lost. */
export const EDAC_CUT =
  /\[Hardware Error\]: CPU:(\d{1,6})[ \t(][^[]{0,24}MC\d{1,4}_STATUS\[[^\]]{0,128}(?:\](?:: ?(?:0x?[0-9a-f]{0,15})?)?)?$/;
const ADDR = /^[ \t]{0,4}(?:Error Addr|MC\d{1,4}_ADDR|MC\d{1,4} Error Address): (0x[0-9a-f]{1,16})$/;
const IPID = /^(?:PPIN: (0x[0-9a-f]{1,16}))?(?:, )?(?:IPID: (0x[0-9a-f]{1,16}))?(?:, Syndrome: (0x[0-9a-f]{1,16}))?$/;
/** Lines of the block that carry no register. */
const DETAIL = /^(?:cache level: |.{1,64} Ext\. Error Code: |.{1,64} Error(?: \(node \d{1,3}\))?: )/s;
/** Units of Linux before 3.4, which names no family; from 3.4 to 3.9 only the northbridge's number tells. */
const UNIT =
  /^(?:(Combined Unit|Execution Unit|Floating Point Unit)|Northbridge|Data Cache|Instruction Cache|Bus Unit|Load Store|MC4) Error(?: \(node \d{1,3}\))?: /;
/** Of SMCA banks. */
const EXTENDED = / Ext\. Error Code: (\d{1,2})(?:,|$)/;
const LAST = 'cache level: ';
/** Foreign lines after which the block is given up. */
const MAX_FOREIGN = 8;
/** Lines of a block that stand before its status line, where the newest line of the log is the first: `journalctl -r`. */
const MAX_EARLY = 6;
/** Empty lines between two of a block. */
const MAX_GAP = 3;

/** The words of a block's status line. */
export type EdacHead = KindFields<'edac-amd'>;

/** What the decoder printed of one machine check: its words, the extended error code of an SMCA bank, the record of it. */
interface EdacSink {
  /** At the status line. */
  head(head: EdacHead, lineNumber: number): void;
  /** When the block has ended. */
  record(record: X86McaRecord, head: EdacHead, extended: number | undefined, family: number | undefined): void;
}

interface Open {
  record: X86McaRecord;
  head: EdacHead;
  extended: number | undefined;
  /** By the name of the unit, where no family is printed. */
  family: number | undefined;
  firstLine: number;
}

/** One block at a time. */
export class EdacAmdLines {
  readonly #sink: EdacSink;
  readonly #source: string;
  #severity = '';
  #family: number | undefined;
  #open: Open | undefined;
  #foreign = 0;
  /** What stands before a status line and begins with the last line of a block: one that is turned round, or a rest. */
  #early: { rest: string; line: number }[] = [];

  constructor(sink: EdacSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  /** Takes one stripped kernel line; false when it is not part of a block. */
  take(text: string, line: number): boolean {
    if (!text.startsWith(PREFIX)) return false;
    const rest = text.slice(PREFIX.length);
    const severity = rest.startsWith(ERROR_STATUS) ? rest.slice(ERROR_STATUS.length) : rest;
    if (SEVERITIES.includes(severity)) {
      this.#early = [];
      this.#severity = severity;
      this.#foreign = 0;
      this.end();
      if (severity === rest) this.#family = undefined;
      return true;
    }
    const m = STATUS.exec(rest);
    if (m !== null) {
      const early = this.#early;
      const isTurned = early.length > 1 && line - (early.at(-1)?.line ?? 0) <= MAX_GAP;
      this.end();
      // Of one that is turned round the severity stands behind it.
      if (isTurned) this.#severity = '';
      this.#start(m, line, isTurned ? early[0]?.line : undefined);
      if (isTurned) for (const { rest: before } of early.toReversed()) this.#detail(before, line);
      return true;
    }
    return this.#detail(rest, line) || this.#before(rest, line);
  }

  /** Keeps a line for a status line that follows it. */
  #before(rest: string, line: number): boolean {
    if (this.#open !== undefined) return false;
    const last = this.#early.at(-1);
    if (rest.startsWith(LAST)) {
      this.#early = [];
      this.#foreign = 0;
    } else if (last === undefined || line - last.line > MAX_GAP || this.#early.length >= MAX_EARLY) return false;
    else if (rest === '' || !(ADDR.test(rest) || IPID.test(rest) || DETAIL.test(rest))) return false;
    this.#early.push({ rest, line });
    return true;
  }

  /** Other kernel lines passed. */
  skipped(lines: number): void {
    if (this.#open === undefined && this.#early.length === 0) return;
    this.#foreign += lines;
    if (this.#foreign > MAX_FOREIGN) this.end();
  }

  /** The first line of the open block, or of what may be one; Infinity when none is open. */
  get since(): number {
    return this.#open?.firstLine ?? this.#early[0]?.line ?? Number.POSITIVE_INFINITY;
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    this.#early = [];
    if (open !== undefined) this.#sink.record(open.record, open.head, open.extended, open.family);
  }

  #start(m: RegExpExecArray, line: number, firstLine = line): void {
    const [bank, status] = [Number(m[5]), hexU64(m[7]) ?? 0n];
    const cpu = m[1] === undefined ? {} : { cpu: Number(m[1]) };
    const head: EdacHead = { severity: this.#severity, ...cpu, bank, status, flags: m[6] ?? '' };
    if (m[2] !== undefined) {
      head.family = Number.parseInt(m[2], 16);
      head.model = Number.parseInt(m[3] ?? '0', 16);
      head.stepping = Number.parseInt(m[4] ?? '0', 16);
    }
    const origin = { source: this.#source, firstLine, lastLine: line };
    const record: X86McaRecord = { kind: 'x86-mca', vendor: 'amd', ...cpu, bank, status, origin };
    const family = head.family === undefined ? this.#family : undefined;
    this.#family = undefined;
    this.#open = { record, head, extended: undefined, family, firstLine };
    this.#severity = '';
    this.#foreign = 0;
    this.#sink.head(head, line);
  }

  /** A line behind the status line. */
  #detail(rest: string, line: number): boolean {
    const open = this.#open;
    const unit = UNIT.exec(rest);
    if (unit !== null) {
      const family = unit[1] === undefined ? 0x0f : 0x15;
      // In front of the status line (3.3 to 3.9), or behind it.
      if (open === undefined) this.#family = family;
      else if (open.head.family === undefined) open.family = family;
    }
    if (open === undefined) return false;
    const { record } = open;
    const addr = hexU64(ADDR.exec(rest)?.[1]);
    const ipid = rest === '' ? null : IPID.exec(rest);
    if (addr === undefined && ipid === null && !DETAIL.test(rest)) return false;
    if (addr !== undefined) record.addr = addr;
    const [ppin, id, synd] = [hexU64(ipid?.[1]), hexU64(ipid?.[2]), hexU64(ipid?.[3])];
    if (ppin !== undefined) record.ppin = ppin;
    if (id !== undefined) record.ipid = id;
    if (synd !== undefined) record.synd = synd;
    const code = EXTENDED.exec(rest)?.[1];
    if (code !== undefined) open.extended = Number(code);
    if (record.origin !== undefined) record.origin.lastLine = line;
    // The cache level line is the decoder's last.
    if (rest.startsWith(LAST)) this.end();
    return true;
  }
}
