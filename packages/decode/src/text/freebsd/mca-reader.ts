/**
 * @module FreeBSD's machine checks, several lines each: `MCA: Bank 1, Status 0x…`, `MCA: Global Cap …`, `MCA: Vendor …`,
 * `MCA: CPU …`, `MCA: Address …`, `MCA: Misc …`. Sources: mca(4), and what public reports of its releases since 8 hold; DragonFly,
 * NetBSD and OpenBSD stop with a line alike.
 */
import { vendorOfId } from '../../mca/cpu.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

export const FREEBSD_NEEDLES: readonly string[] = [
  'MCA: Bank ',
  'MCA: Global Cap 0x',
  'MCA: Vendor ',
  'MCA: CPU ',
  'MCA: Address 0x',
  'MCA: Misc 0x',
  'machine check trap',
  'Unrecoverable machine check',
  'fatal machine check',
];

const HEX = '(0x[0-9a-f]{1,16})(?![0-9a-f])';
/** More digits than a register has: somebody typed it, and which one is too many nobody knows. */
const TOO_LONG = /\bMCA: Bank (\d{1,3}), Status 0x[0-9a-f]{17}/;
const BANK = new RegExp(`\\bMCA: Bank (\\d{1,3}), Status ${HEX}`);
const GLOBAL = new RegExp(`\\bMCA: Global Cap ${HEX}, Status ${HEX}`);
/** A mail broke the line: the status stands in the next. */
const GLOBAL_CUT = new RegExp(`\\bMCA: Global Cap ${HEX},\\s*$`);
const STATUS_REST = new RegExp(`^\\s{0,8}Status ${HEX}\\s*$`);
const VENDOR = new RegExp(`\\bMCA: Vendor "([^"]{1,32})", ID ${HEX}, APIC ID (\\d{1,10})`);
const CPU = /\bMCA: CPU (\d{1,5}) /;
const LAST = new RegExp(`\\bMCA: (Address|Misc) ${HEX}`);
const PANIC =
  /(?:^|\bpanic: |\d: )((?:Fatal trap 28: |fatal )?[Mm]achine check trap\b.{0,64}|fatal machine check \(\d{1,2}\) in \w{4,10} mode|Unrecoverable machine check exception)\s*$/;
/** Lines of one record stand beside each other; other lines between them are few. */
const MAX_LINES = 16;

/** Puts the lines of a record together; the next one, or lines of something else, end it. */
export class FreebsdReader implements Reader {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: { record: X86McaRecord; firstLine: number; lastLine: number; others: number } | undefined;
  /** The line before ended before the global status. */
  #cut = false;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  get wanted(): boolean {
    return this.#cut;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const rest = this.#cut ? STATUS_REST.exec(text) : null;
    this.#cut = false;
    if (rest !== null && this.#open !== undefined) {
      this.#open.record.mcgStatus = hexU64(rest[1]) ?? 0n;
      this.#open.lastLine = lineNumber;
      return true;
    }
    const bank = BANK.exec(text);
    if (bank !== null) {
      this.end();
      const record: X86McaRecord = { kind: 'x86-mca', bank: Number(bank[1]), status: hexU64(bank[2]) ?? 0n };
      this.#open = { record, firstLine: lineNumber, lastLine: lineNumber, others: 0 };
      return true;
    }
    const tooLong = TOO_LONG.exec(text)?.[1];
    if (tooLong !== undefined) {
      this.end();
      const place = { form: 'freebsd', firstLine: lineNumber, lastLine: lineNumber } as const;
      const message = `the status of bank ${tooLong} has more digits than a register; no record was made of it`;
      this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_VALUE', message } });
      return true;
    }
    const panic = PANIC.exec(text);
    if (panic !== null) {
      this.end();
      const fields = { message: panic[1] ?? '' };
      this.#sink(eventItem('freebsd', lineNumber, { name: 'system-halted', fields }));
      return true;
    }
    const open = this.#open;
    if (open === undefined) return false;
    if (!this.#more(open.record, text)) {
      this.skipped(1);
      return false;
    }
    open.lastLine = lineNumber;
    return true;
  }

  skipped(lines: number): void {
    this.#cut = false;
    if (this.#open === undefined) return;
    this.#open.others += lines;
    if (this.#open.others > MAX_LINES) this.end();
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    this.#cut = false;
    if (open === undefined) return;
    const { record, firstLine, lastLine } = open;
    record.origin = { source: this.#source, firstLine, lastLine };
    this.#sink({ type: 'mca', form: 'freebsd', firstLine, lastLine, record, notes: [] });
  }

  /** Takes a further line of the record; false when it is none. */
  #more(record: X86McaRecord, text: string): boolean {
    const global = GLOBAL.exec(text);
    const cut = global === null ? GLOBAL_CUT.exec(text) : null;
    const vendor = VENDOR.exec(text);
    const cpu = CPU.exec(text);
    const last = LAST.exec(text);
    if (global !== null) Object.assign(record, { mcgCap: hexU64(global[1]), mcgStatus: hexU64(global[2]) });
    else if (cut !== null) {
      record.mcgCap = hexU64(cut[1]) ?? 0n;
      this.#cut = true;
    } else if (vendor !== null) {
      const id = vendorOfId(vendor[1] ?? '');
      if (id !== undefined) record.vendor = id;
      record.cpuid = hexU64(vendor[2]) ?? 0n;
      record.apicId = BigInt(vendor[3] ?? '0');
    } else if (cpu !== null) record.cpu = Number(cpu[1]);
    else if (last !== null) record[last[1] === 'Address' ? 'addr' : 'misc'] = hexU64(last[2]) ?? 0n;
    else return false;
    return true;
  }
}
