/** @module Linux kernel messages → items: machine check blocks, the AMD decoder, firmware reports, page handling. */
import { MCI_STATUS_AMD_LEGACY } from '../../mca/amd-registers.ts';
import type { X86McaRecord } from '../../mca/record.ts';
import { placed } from '../../registers/field.ts';
import { MCI_STATUS_AMD } from '../../mca/registers.ts';
import { AerLines } from './aer-lines.ts';
import { ArmLines } from './arm-lines.ts';
import { ascii } from '../bytes.ts';
import { CperLines } from './cper-lines.ts';
import { cpuidOf, edacFlagBits, edacFlagMismatch, readAsFamily } from './edac-flags.ts';
import { EDAC_CUT, EdacAmdLines } from './edac-amd.ts';
import type { EdacHead } from './edac-amd.ts';
import { EdacDeviceLines } from './edac-device.ts';
import { EdacIntelLines } from './edac-intel.ts';
import { GpuLines } from './gpu-lines.ts';
import { gluedParts } from './glued.ts';
import { eventItem } from '../item.ts';
import type { ItemSink, PageFacts, TextNote } from '../item.ts';
import { beginsLine } from '../transport/begins.ts';
import { isPrinted, isSourceCode, linuxLine, MAX_LINE, writerOf } from '../transport/line.ts';
import type { KernelPart } from './kernel-part.ts';
import { LINUX_LINES, LINUX_STEPS } from './linux-lines.ts';
import { MceAssembler } from './mce-assembler.ts';
import { MceLexer } from './mce-lexer.ts';
import { OtherCpuLines } from './other-cpus.ts';
import { OldMceLines } from './old-mce-lines.ts';
import { checkItem } from '../thermal.ts';
import { StampReader } from './stamp-reader.ts';
import { MAX_PIECES, wrappedState } from './wrapped.ts';
import { matchPattern } from '../patterns.ts';
import type { Reader } from '../reader.ts';

/** Lines after a header of an old kernel, whose other lines carry no mark, that are looked at. */
const BARE_LINES = 8;
/** In front of the page tables of an arm64 crash: arch/arm64/mm/fault.c, `show_pte()`. */
const PAGES = /^\s{0,4}(?:user|swapper|init) pgtable: (4|16|64)k pages, /;
const TAG = ascii('[Hardware Error]: ');
/** A line of a machine check block, whole or not. */
const BLOCK_LINE =
  /^(?:mce: )?\[Hardware Error\]:(?: (?:CPU \d{1,6}: Machine Check|TSC |PROCESSOR |(?:CPU(?: \d{1,6}:?(?: Machine)?)?|TSC|PROCESSOR|RIP(?: !INEXACT!)?)\s*$)|\s{0,4}$)/;
/** The marks of a quoted mail, or blanks: a line with no more before its text may be the rest of the line before. */
const MARGIN = /^[>|\s]{0,16}/;

/** The extended error code in bits 21:16 of MCA_STATUS. PPR, MCA_STATUS[ErrorCodeExt]. */

const CUT_LINE = 'a line of a machine check ends within a register, or was damaged; nothing of it was taken';

const INCOMPLETE: TextNote = {
  code: 'W_TEXT_INCOMPLETE',
  message: 'lines of this record are missing or mixed with those of other CPUs; only what is certain was taken',
};

/** Reads kernel messages, as bytes where it is fast and as strings else. */
export class KernelReader implements Reader {
  readonly #sink: ItemSink;
  readonly #stamp = new StampReader();
  readonly #lexer = new MceLexer();
  readonly #assembler: MceAssembler;
  readonly #arm: ArmLines;
  readonly #cper: CperLines;
  readonly #edacIntel: EdacIntelLines;
  readonly #device: EdacDeviceLines;
  readonly #gpu: GpuLines;
  readonly #aer: AerLines;
  readonly #old: OldMceLines;
  readonly #other: OtherCpuLines;
  readonly #parts: readonly KernelPart[];
  readonly #edac: EdacAmdLines;
  readonly #steps: boolean;
  #bare = 0;
  /** A line that ends too early: a mail may have broken it. */
  #held: { text: string; first: string; caller: string | undefined; lineNumber: number; pieces: number } | undefined;
  /** The last message of a line that holds several, not read yet (`held`), or a line that may be the first of such. */
  #tail: { text: string; lineNumber: number; held: boolean } | undefined;
  /** The first line of what is read, where it was put together of several. */
  #firstLine: number | undefined;
  /** log2 of the page size, where the log says it: x86 has one, arm64 three. */
  #pageShift: number | undefined;
  #arm64 = false;

  /** @param steps hand on, too, what single lines of a record say, at once: its end may be long in coming */
  constructor(sink: ItemSink, input: string, steps = false) {
    this.#sink = sink;
    this.#steps = steps;
    this.#arm = new ArmLines(sink, steps);
    this.#edacIntel = new EdacIntelLines(sink, () => {
      if (this.#pageShift !== undefined) return { proven: this.#pageShift };
      return this.#arm64 || this.#arm.seen ? undefined : { usual: 12 };
    });
    this.#old = new OldMceLines(sink, input);
    this.#cper = new CperLines(sink);
    this.#device = new EdacDeviceLines(sink);
    this.#gpu = new GpuLines(sink);
    this.#aer = new AerLines(sink, device => this.#cper.tellsOf(device));
    this.#other = new OtherCpuLines(sink);
    this.#parts = [this.#cper, this.#arm, this.#edacIntel, this.#device, this.#gpu, this.#aer, this.#other, this.#old];
    this.#edac = new EdacAmdLines(
      {
        head: (head, lineNumber) => {
          if (steps) sink(eventItem('linux', lineNumber, { name: 'edac-amd', fields: head }));
        },
        record: (record, head, extended, family) => this.#edacRecord(record, head, extended, family),
      },
      input,
    );
    this.#assembler = new MceAssembler(input, {
      header: ({ cpu, exception, mcgStatus, bank, status }, lineNumber) => {
        if (!steps) return;
        sink(eventItem('linux', lineNumber, { name: 'mce', fields: { cpu, exception, mcgStatus, bank, status } }));
      },
      record: ({ record, exception, firstLine, lastLine }, complete) =>
        sink(
          checkItem({
            type: 'mca',
            form: 'linux',
            record,
            exception,
            firstLine,
            lastLine,
            notes: complete ? [] : [INCOMPLETE],
          }),
        ),
      unattributed: (line, lineNumber) =>
        sink({
          type: 'note',
          form: 'linux',
          firstLine: lineNumber,
          lastLine: lineNumber,
          note: {
            code: 'W_TEXT_UNATTRIBUTED',
            message: `a ${line.kind === 'rip' ? 'RIP' : line.kind === 'tsc' ? 'TSC' : 'PROCESSOR'} line belongs to a machine check that cannot be told from its neighbours`,
          },
        }),
      cut: ({ cpu }, lineNumber) => this.#cut(cpu, lineNumber),
    });
  }

  /** True while something is open whose lines carry no word to look for. */
  get wanted(): boolean {
    return (
      this.#held !== undefined ||
      this.#bare > 0 ||
      this.#arm.wanted ||
      this.#edacIntel.wanted ||
      this.#old.wanted ||
      this.#other.wanted ||
      this.#aer.wanted ||
      this.#tail !== undefined ||
      this.#cper.wanted
    );
  }

  /** The first line of the oldest record that is open; Infinity when none is. */
  get since(): number {
    return Math.min(
      this.#assembler.since,
      this.#edac.since,
      this.#arm.since,
      this.#edacIntel.since,
      this.#device.since,
      this.#gpu.since,
      this.#aer.since,
      this.#cper.since,
      this.#old.since,
      this.#other.since,
      this.#held?.lineNumber ?? Number.POSITIVE_INFINITY,
      this.#tail?.held === true ? this.#tail.lineNumber : Number.POSITIVE_INFINITY,
    );
  }

  /** Takes a line of a machine check block with no more than a time stamp before it; false for any other line. */
  bytes(bytes: Uint8Array, start: number, end: number, lineNumber: number): boolean {
    let stop = end;
    if (stop > start && bytes[stop - 1] === 0x0d) stop--;
    const at = this.#stamp.end(bytes, start, stop);
    if (at < 0) return false;
    const line = this.#lexer.line(bytes, at, stop);
    if (line === undefined || line.kind === 'cut' || this.#held !== undefined || this.#tail?.held === true)
      return false;
    this.#tail = undefined;
    this.#edac.skipped(1);
    this.#pageShift = 12;
    this.#assembler.take(line, this.#stamp.caller, lineNumber);
    if (line.kind === 'header') this.#bare = hasTag(bytes, at, stop) ? 0 : BARE_LINES;
    return true;
  }

  /**
   * Takes a message as the kernel said it, with nothing around it: its first character begins it, and it is one. Nothing is guessed.
   * @param caller the task or CPU that printed it (`T12`, `C3`), where it is known
   */
  message(text: string, caller: string | undefined, lineNumber: number): boolean {
    return this.#message(text.trim(), caller, lineNumber);
  }

  /** Takes any line of a log, with its prefixes. */
  push(raw: string, lineNumber: number): boolean {
    const { text, caller, kernel } = linuxLine(raw);
    if (!kernel || (text === '' && raw.trim() !== '')) {
      this.#release();
      return false;
    }
    if (isSourceCode(text) && !isPrinted(raw)) return false;
    const flowed = this.#flowed(raw, text, lineNumber);
    if (flowed !== undefined) return flowed;
    if (text === '') {
      this.#release();
      return false;
    }
    const bare = raw.replace(MARGIN, '').trimEnd();
    if (bare.endsWith(' [') && TAGGED.test(bare)) {
      // The stamp of the next message begins here, and goes on in the next line.
      const taken = this.push(bare.slice(0, -2), lineNumber);
      this.#tail = { text: '[', lineNumber, held: true };
      return taken;
    }
    const taken = this.#taken(text, caller, text.replace(MARGIN, '') === bare, lineNumber);
    // It may be the first line of a paragraph of messages, and end in the middle of one.
    const unread = this.#held?.lineNumber === lineNumber || !taken;
    if (unread && TAGGED_BEGIN.test(text)) this.#tail = { text: bare, lineNumber, held: false };
    return taken;
  }

  /**
   * Messages that stand in one line, also where a mail has set them as a paragraph: then the last of a line ends in the next, and
   * another begins there. Undefined for a line that is one message.
   */
  #flowed(raw: string, text: string, lineNumber: number): boolean | undefined {
    const tail = this.#tail;
    this.#tail = undefined;
    const line = raw.slice(0, MAX_LINE).replace(MARGIN, '').trimEnd();
    const follows = tail !== undefined && tail.lineNumber === lineNumber - 1 && !beginsLine(line);
    const joined = follows && isRest(line) ? gluedParts(`${tail.text} ${line}`, true) : undefined;
    if (joined !== undefined) this.#held = undefined;
    else if (follows && tail.text === '[') return this.#part(`[ ${line}`, lineNumber);
    else if (tail?.held === true) this.#part(tail.text, tail.lineNumber);
    const parts = joined ?? gluedParts(line, true);
    if (parts === undefined || (joined === undefined && !beginsError(raw, text))) return undefined;
    if (joined === undefined) this.#release();
    const last = parts.at(-1) ?? '';
    let taken = false;
    parts.slice(0, -1).forEach((part, i) => {
      if (i === 0 && joined !== undefined) this.#firstLine = tail?.lineNumber;
      taken = this.#part(part, lineNumber) || taken;
      this.#firstLine = undefined;
    });
    this.#tail = { text: last, lineNumber, held: true };
    return taken || TAGGED.test(last);
  }

  /** One of several messages that stand in one line. */
  #part(part: string, lineNumber: number): boolean {
    const { text, caller } = linuxLine(part.trimEnd());
    return text !== '' && this.#taken(text, caller, text === part.replace(MARGIN, '').trimEnd(), lineNumber);
  }

  /**
   * Takes a message without prefixes; returns whether anything was made of it.
   * @param plain nothing stood before it
   */
  #taken(text: string, caller: string | undefined, plain: boolean, lineNumber: number): boolean {
    const held = this.#held;
    if (held !== undefined) {
      const joined = `${held.text.trimEnd()} ${text.replace(MARGIN, '').trimEnd()}`;
      const state = this.#state(joined);
      // What begins as such a message does is no rest of another, though it ends as that would.
      const isOwn = wrappedState(text.replace(MARGIN, '')) !== undefined;
      if (
        (state === 'whole' && !isOwn && (plain || BLOCK_LINE.test(joined))) ||
        (PANIC.test(held.text) && held.lineNumber === lineNumber - 1)
      ) {
        this.#held = undefined;
        this.#firstLine = held.lineNumber;
        const taken = this.#message(joined, held.caller, lineNumber);
        this.#firstLine = undefined;
        return taken;
      }
      if (plain && !isOwn && state === 'cut' && held.pieces < MAX_PIECES && !BLOCK_LINE.test(text)) {
        this.#held = { ...held, text: joined, pieces: held.pieces + 1 };
        return true;
      }
      this.#release();
    }
    if (this.#state(text) === 'cut') {
      this.#held = { text, first: text, caller, lineNumber, pieces: 1 };
      return true;
    }
    return this.#message(text, caller, lineNumber);
  }

  /** Whether a line is one of several that may be broken, and is. */
  #state(text: string): 'cut' | 'whole' | undefined {
    if (!BLOCK_LINE.test(text)) return wrappedState(text);
    return (this.#lexer.lineOf(text)?.kind ?? 'cut') === 'cut' ? 'cut' : 'whole';
  }

  /** What ended too early did end there. */
  #release(): void {
    const tail = this.#tail;
    this.#tail = undefined;
    if (tail?.held === true) this.#part(tail.text, tail.lineNumber);
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || this.#message(held.text, held.caller, held.lineNumber)) return;
    // What was taken for its rest was none.
    if (held.pieces > 1 && this.#message(held.first, held.caller, held.lineNumber)) return;
    if (!/\[Hardware Error\]: TSC(?: |$)/.test(held.text)) return;
    const place = { form: 'linux', firstLine: held.lineNumber, lastLine: held.lineNumber } as const;
    this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_TRUNCATED', message: CUT_LINE } });
  }

  #message(text: string, caller: string | undefined, lineNumber: number): boolean {
    const pieces = blockPieces(text);
    if (pieces.length > 1) {
      let taken = false;
      for (const piece of pieces) taken = this.#message(piece, caller, lineNumber) || taken;
      return taken;
    }
    const bare = this.#bare > 0;
    if (bare) this.#bare--;
    if (text.includes('[Hardware Error]: ') || text.includes('Machine Check') || bare) {
      const line = this.#lexer.lineOf(text, bare);
      if (line !== undefined) {
        this.#edac.skipped(1);
        this.#pageShift = 12;
        this.#assembler.take(line, caller ?? '', lineNumber, this.#firstLine);
        if (line.kind === 'header') this.#bare = text.includes('[Hardware Error]: ') ? 0 : BARE_LINES;
        return true;
      }
    }
    if (this.#edac.take(text, lineNumber)) {
      this.#pageShift = 12;
      return true;
    }
    if (text.includes('[Hardware Error]: ')) {
      const cut = EDAC_CUT.exec(text);
      if (cut !== null) {
        this.#cut(Number(cut[1]), lineNumber);
        return true;
      }
      if (text.endsWith('ARM processor error')) this.#arm64 = true;
    }
    const pages = PAGES.exec(text);
    if (pages !== null) this.#pageShift = 10 + Math.log2(Number(pages[1]));
    const taken =
      this.#parts.some(part => part.take(text, lineNumber, this.#firstLine)) || this.#oneLine(text, lineNumber);
    if (this.#steps) this.#step(text, lineNumber);
    return taken;
  }

  /** What a line says beside the record that it belongs to. */
  #step(text: string, lineNumber: number): void {
    const step = matchPattern(LINUX_STEPS, text);
    if (step !== undefined) this.#sink(eventItem('linux', lineNumber, step));
  }

  skipped(lines: number): void {
    this.#release();
    this.#assembler.other(false, lines);
    this.#edac.skipped(lines);
    for (const part of this.#parts) part.skipped(lines);
  }

  end(): void {
    this.#release();
    this.#assembler.end();
    this.#edac.end();
    for (const part of this.#parts) part.end();
  }

  #cut(cpu: number, lineNumber: number): void {
    const place = { form: 'linux', firstLine: lineNumber, lastLine: lineNumber } as const;
    const message = `the line of a machine check on CPU ${cpu} ends before its status register does; no record was made of it`;
    this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_TRUNCATED', message } });
  }

  /** What the kernel's page frame numbers count, as far as it is known. */
  #pageFacts(text: string): void {
    this.#arm64 = /aarch64|arm64/.test(text);
    this.#pageShift = /x86_64|amd64|i[3-6]86/.test(text) ? 12 : undefined;
  }

  #oneLine(text: string, lineNumber: number): boolean {
    const event = matchPattern(LINUX_LINES, text);
    if (event === undefined) {
      this.skipped(1);
      return false;
    }
    const { name, fields } = event;
    this.#assembler.other(name === 'panic' || name === 'mce-severity' || name === 'boot');
    if (name === 'boot') this.#edac.end();
    else this.#edac.skipped(1);
    for (const part of this.#parts) {
      if (name === 'boot' || name === 'panic') part.end();
      else part.skipped(1);
    }
    if (name === 'boot') {
      this.#pageFacts(text);
      this.#edacIntel.boot();
    }
    if ('pfn' in fields && typeof fields.pfn === 'bigint') this.#learnPages(fields.pfn);
    const item = eventItem('linux', lineNumber, event);
    item.firstLine = this.#firstLine ?? lineNumber;
    if ('pfn' in fields) item.pages = this.#pages();
    this.#sink(item);
    return true;
  }

  /** A page that the kernel deals with right after a report of its address proves what its page frame numbers count. */
  #learnPages(pfn: bigint): void {
    const { lastAddress } = this.#cper;
    if (this.#pageShift !== undefined || lastAddress === undefined || pfn === 0n) return;
    this.#pageShift = PAGE_SHIFTS.find(
      shift => placed(pfn, shift) <= lastAddress && lastAddress < placed(pfn + 1n, shift),
    );
  }

  #pages(): PageFacts {
    const pageShift = this.#pageShift ?? this.#edacIntel.pageShift;
    if (pageShift !== undefined) return { pageShift };
    return this.#arm64 || this.#arm.seen ? { arch: 'arm64' } : undefined;
  }

  /** Of the words that the decoder printed beside the status, those that do not fit it are told. */
  #edacRecord(record: X86McaRecord, head: EdacHead, extended: number | undefined, family: number | undefined): void {
    const notes: TextNote[] = family === undefined ? [] : readAsFamily(record, family);
    if (head.family !== undefined) record.cpuid = cpuidOf(head.family, head.model ?? 0, head.stepping ?? 0);
    const ofStatus = Number(MCI_STATUS_AMD.read(record.status).XEC);
    const ofLegacy = Number(MCI_STATUS_AMD_LEGACY.read(record.status).XEC);
    // Linux before 4.16 cuts it to five bits.
    if (extended !== undefined && extended !== ofStatus && extended !== ofLegacy) {
      notes.push({
        code: 'W_TEXT_FLAGS',
        message: `the printed extended error code is ${extended}, that of the status beside it ${ofStatus}`,
      });
    }
    const wrong = edacFlagMismatch(head.flags, record.status);
    if (wrong.length > 0) {
      notes.push({
        code: 'W_TEXT_FLAGS',
        message: `the printed flags say ${edacFlagBits(head.flags).toString(16).padStart(16, '0')}, the status beside them is ${record.status.toString(16).padStart(16, '0')} (${wrong.join(' ')})`,
      });
    }
    const { firstLine = 0, lastLine = firstLine } = record.origin ?? {};
    this.#sink({ type: 'mca', form: 'linux', record, notes, firstLine, lastLine });
  }
}

/** Of pages of 4, 16 and 64 KiB. Arm ARM, D8.1.8. */
const PAGE_SHIFTS: readonly number[] = [12, 14, 16];
/** A message, so that what stands behind it is looked at. */
const FILLER = '[Hardware Error]: .';
/** A panic whose reason stands in the next line. */
const PANIC = /^Kernel panic - not syncing:\s*$/;
/** What a message of an error holds, so that its rest may stand in the next line. */
const TAGGED = /\[Hardware Error\]/;
const TAGGED_BEGIN = /^(?:mce: |\{\d{1,10}\})?\[Hardware Error\]/;

/** What a shipper of logs or grep puts before a line, and no rest of a message is: a path, a name with a colon, a host. */
const FOREIGN = /^\S{0,255}[/\\]|["'`]|(?<! kernel)[:|>]\s*$|^(?![0-9a-f]{8,16}\s*$)(?=\S{0,255}\d)\S{1,255}\s*$/;

/** Whether what a line begins with, up to the message in it, may be the rest of the one before. */
function isRest(line: string): boolean {
  const before = gluedParts(`${FILLER} ${line}`, true)?.[0]?.slice(FILLER.length + 1) ?? line;
  return !FOREIGN.test(before);
}

/** What messages of errors begin with: in any other one of the kernel stands what somebody else said. */
const ERROR =
  /^(?:mce|MCE|CPU ?\d|Bank \d|Machine [Cc]heck|HARDWARE ERROR|Kernel panic|EDAC |Memory failure|\{\d{1,10}\}|\[)/;

/** Whether a line may hold several messages: one of the kernel begins with an error. */
const beginsError = (line: string, text: string): boolean => writerOf(line) !== 'kernel' || ERROR.test(text);

/** Where a line of a machine check block begins that was put behind the one before: Linux before 3.0 broke them at other places. */
const PIECE =
  / (?=(?:RIP(?: !INEXACT!)? [0-9a-f]{2}:<|TSC [0-9a-f]{1,16}(?: |$)|PROCESSOR \d{1,3}:[0-9a-f]{1,8} TIME ))/;
const BLOCK_TEXT = /^((?:mce: )?(?:\[Hardware Error\]: )?)(?:CPU ?\d{1,6}: Machine Check|TSC |RIP)/;

/** The lines of a machine check block that stand in one; any other text is one piece. */
function blockPieces(text: string): string[] {
  const tag = text.includes(' PROCESSOR ') || text.includes(' TSC ') ? BLOCK_TEXT.exec(text)?.[1] : undefined;
  if (tag === undefined) return [text];
  return text
    .slice(tag.length)
    .split(PIECE)
    .map(piece => tag + piece);
}

function hasTag(bytes: Uint8Array, at: number, end: number): boolean {
  const from = bytes[at] === 0x6d ? at + 5 : at;
  return from + TAG.length <= end && bytes[from] === TAG[0] && bytes[from + 1] === TAG[1];
}
