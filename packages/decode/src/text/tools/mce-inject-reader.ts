/**
 * @module The language of mce-inject (mce-inject(8)): `CPU 0 BANK 5`, `STATUS CORRECTED ADDRV`, `ADDR 0x1234`, …;
 * numbers as in C. Delivery flags change who gets the record and not what it is.
 */
import type { X86McaRecord } from '../../mca/record.ts';
import { MCG_CAP, MCG_STATUS, MCI_STATUS_INTEL } from '../../mca/registers.ts';
import { longLine } from '../item.ts';
import type { ItemSink, TextNote } from '../item.ts';
import { parseU64 } from '../../common/hex.ts';
import { MAX_LINE } from '../transport/line.ts';
import type { LineTaker } from '../transport/line-scanner.ts';

const { VAL, OVER, UC, EN, MISCV, ADDRV, PCC, S, AR } = MCI_STATUS_INTEL.masks;

/**
 * Words of a STATUS line, as mce-inject's scanner has them: CORRECTED, UNCORRECTED and FATAL are whole, the classes of the SDM (vol. 3B,
 * UCR Error Reporting and Logging) only the bits that tell them apart, so that `UNCORRECTED SRAR` is one and `SRAR` alone is none.
 */
const STATUS_WORDS: Readonly<Record<string, bigint>> = {
  CORRECTED: VAL | EN,
  UNCORRECTED: VAL | UC | EN,
  FATAL: VAL | UC | EN | PCC,
  UCNA: 0n,
  SRAO: S,
  SRAR: S | AR,
  VAL,
  OVER,
  UC,
  EN,
  MISCV,
  ADDRV,
  PCC,
  S,
  AR,
  TES_GREEN: MCI_STATUS_INTEL.encode({ TES: 1n }),
  TES_YELLOW: MCI_STATUS_INTEL.encode({ TES: 2n }),
};
const MCG_WORDS: Readonly<Record<string, bigint>> = { ...MCG_STATUS.masks, LMCES: MCG_STATUS.masks.LMCE };
const CAP_WORDS: Readonly<Record<string, bigint>> = MCG_CAP.masks;
const DELIVERY: ReadonlySet<string> = new Set([
  'NOBROADCAST',
  'NO_BROADCAST',
  'BROADCAST',
  'IRQBROADCAST',
  'IRQ_BROADCAST',
  'NMIBROADCAST',
  'NMI_BROADCAST',
  'HOLD',
  'POLL',
  'EXCP',
  'EXCEPTION',
  'IN_IRQ',
  'IN_PROC',
]);
const VALUES: Readonly<Record<string, keyof X86McaRecord>> = {
  ADDR: 'addr',
  MISC: 'misc',
  TSC: 'tsc',
  TIME: 'time',
  APICID: 'apicId',
  PPIN: 'ppin',
  MICROCODE: 'microcode',
};

interface Open {
  record: X86McaRecord;
  hasStatus: boolean;
  hasBank: boolean;
  firstLine: number;
  lastLine: number;
  notes: TextNote[];
}

/** A number as C has it: octal behind a 0. */
function number(word: string): bigint | undefined {
  return parseU64(/^0[0-7]{1,21}$/.test(word) ? `0x${octal(word).toString(16)}` : word);
}

const octal = (word: string): bigint => BigInt(`0o${word}`);

/** Words that are lists of flags and numbers, and what they are kept in. */
const LISTS: Readonly<Record<string, readonly ['status' | 'mcgStatus' | 'mcgCap', Readonly<Record<string, bigint>>]>> =
  {
    STATUS: ['status', STATUS_WORDS],
    MCGSTATUS: ['mcgStatus', MCG_WORDS],
    MCGCAP: ['mcgCap', CAP_WORDS],
  };

/** A word list of flags and numbers or-ed together; undefined when a word is neither. */
function flags(words: readonly string[], table: Readonly<Record<string, bigint>>, numbers = true): bigint | undefined {
  let value = 0n;
  for (const word of words) {
    const upper = word.toUpperCase();
    const bits = Object.hasOwn(table, upper) ? table[upper] : numbers ? number(word) : undefined;
    if (bits === undefined) return undefined;
    value |= bits;
  }
  return value;
}

/** Words of a line; a longer one is no statement of a person or a program. */
const MAX_WORDS = 64;
/** Remarks of one record. */
const MAX_NOTES = 64;
const decoder = new TextDecoder();

/** A line without the comment at its end. */
const statement = (line: string): string => (line.split('#', 1)[0] ?? '').trim();

export class MceInjectReader implements LineTaker {
  readonly #sink: ItemSink;
  readonly #source: string;
  #open: Open | undefined;

  constructor(sink: ItemSink, source: string) {
    this.#sink = sink;
    this.#source = source;
  }

  line(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    const text = end - start > MAX_LINE ? '' : decoder.decode(bytes.subarray(start, end));
    const words = statement(text).split(/\s+/, MAX_WORDS + 1);
    if (end - start > MAX_LINE || words.length > MAX_WORDS) {
      this.#sink(longLine('mce-inject', lineNumber, 0, offset));
    } else if (words[0] !== '') this.#words(words, lineNumber, offset);
    return false;
  }

  skipped(): void {}

  /** Nothing of such a line was read. */
  cut(): void {}

  #words(words: readonly string[], lineNumber: number, offset: number): void {
    let i = 0;
    while (i < words.length) {
      const name = (words[i] ?? '').toUpperCase();
      if (DELIVERY.has(name)) {
        i++;
        continue;
      }
      if (name === 'CPU') this.#start(lineNumber);
      const open = this.#open;
      if (open === undefined) {
        const note: TextNote = { code: 'E_TEXT_VALUE', message: 'no CPU statement stands before the line', offset };
        this.#sink({ type: 'note', form: 'mce-inject', firstLine: lineNumber, lastLine: lineNumber, note });
        return;
      }
      const { hasBank, hasStatus } = open;
      const before = { ...open.record };
      const used = this.#statement(open, name, words, i);
      open.lastLine = lineNumber;
      if (used === 0) {
        const what = isStatement(name) ? `of ${name} is no value of it` : 'is no statement of mce-inject';
        this.#lost(open, lineNumber, `what line ${lineNumber} says ${what}; it was left out`);
        i = nextStatement(words, i);
        continue;
      }
      if (!hasBank) before.bank = open.record.bank;
      if (!hasStatus) before.status = open.record.status;
      if (differs(before, open.record)) {
        this.#lost(open, lineNumber, `line ${lineNumber} gives ${name} another value; the one before was left out`);
      }
      i += used;
    }
  }

  /** Part of a record was left out: said with it, so far as it has room for that. */
  #lost(open: Open, lineNumber: number, message: string): void {
    const note: TextNote = { code: 'E_TEXT_VALUE', message };
    if (open.notes.length < MAX_NOTES) open.notes.push(note);
    else this.#sink({ type: 'note', form: 'mce-inject', firstLine: lineNumber, lastLine: lineNumber, note });
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { record, firstLine, lastLine, notes } = open;
    const place = { form: 'mce-inject', firstLine, lastLine } as const;
    if (!open.hasStatus) {
      const none: TextNote = {
        code: 'E_TEXT_INCOMPLETE',
        message: 'a record of mce-inject has no STATUS; nothing was made of it',
      };
      for (const note of [...notes, none]) this.#sink({ type: 'note', ...place, note });
      return;
    }
    // Its record begins with zeros.
    record.mcgStatus ??= 0n;
    // mce-inject sets the valid bits of what is given.
    if (record.addr !== undefined) record.status |= ADDRV;
    if (record.misc !== undefined) record.status |= MISCV;
    record.origin = { source: this.#source, firstLine, lastLine };
    this.#sink({ type: 'mca', ...place, record, notes, ...(open.hasBank ? {} : { bankUnknown: true }) });
  }

  #start(lineNumber: number): void {
    this.end();
    this.#open = {
      record: { kind: 'x86-mca', bank: 0, status: 0n },
      hasStatus: false,
      hasBank: false,
      firstLine: lineNumber,
      lastLine: lineNumber,
      notes: [],
    };
  }

  /** Reads one statement at `words[i]`; returns how many words it took, 0 when it is none. */
  #statement(open: Open, name: string, words: readonly string[], i: number): number {
    const { record } = open;
    const value = number(words[i + 1] ?? '');
    if (name === 'CPU' || name === 'BANK' || name === 'SOCKETID') {
      if (value === undefined || value > 0xffff_ffffn) return 0;
      if (name === 'CPU') {
        record.cpu = Number(value);
        // `CPU 0 5`: the number behind the CPU is the bank.
        const bank = number(words[i + 2] ?? '');
        if (bank === undefined || bank > 0xffffn) return 2;
        record.bank = Number(bank);
        open.hasBank = true;
        return 3;
      }
      if (name === 'BANK') {
        record.bank = Number(value);
        open.hasBank = true;
      } else record.socket = Number(value);
      return 2;
    }
    const list = Object.hasOwn(LISTS, name) ? LISTS[name] : undefined;
    if (list !== undefined) {
      const [register, table] = list;
      const stop = nextStatement(words, i);
      const given = words.slice(i + 1, stop).filter(w => w !== '|');
      const all = flags(
        given.flatMap(w => w.split('|')).filter(w => w !== ''),
        table,
      );
      if (all === undefined || given.length === 0) return 0;
      record[register] = all;
      open.hasStatus ||= register === 'status';
      return stop - i;
    }
    if (name === 'RIP') {
      const m = /^(?:(0x[0-9a-f]{1,4}|\d{1,5}):)?(0x[0-9a-f]{1,16}|\d{1,20})$/i.exec(words[i + 1] ?? '');
      if (m === null) return 0;
      const cs = m[1] === undefined ? undefined : parseU64(m[1]);
      if (cs !== undefined) record.cs = cs;
      record.rip = parseU64(m[2] ?? '') ?? 0n;
      return 2;
    }
    if (name === 'PROCESSOR') {
      const m = /^(\d{1,3}):(0x[0-9a-f]{1,8}|[0-9a-f]{1,8})$/i.exec(words[i + 1] ?? '');
      if (m === null) return 0;
      if (m[1] === '0') record.vendor = 'intel';
      if (m[1] === '2' || m[1] === '9') record.vendor = 'amd';
      record.cpuid = BigInt(`0x${(m[2] ?? '0').replace(/^0x/i, '')}`);
      return 2;
    }
    const member = Object.hasOwn(VALUES, name) ? VALUES[name] : undefined;
    if (member === undefined || value === undefined) return 0;
    Object.assign(record, { [member]: value });
    return 2;
  }
}

/** Where the statement begins that follows the one at `i`. */
function nextStatement(words: readonly string[], i: number): number {
  const next = words.findIndex((w, at) => at > i && isStatement(w));
  return next < 0 ? words.length : next;
}

/** Whether a member that was there has another value now. */
function differs(before: X86McaRecord, now: X86McaRecord): boolean {
  return Object.entries(before).some(([name, value]) => now[name as keyof X86McaRecord] !== value);
}

function isStatement(word: string): boolean {
  const upper = word.toUpperCase();
  return (
    DELIVERY.has(upper) ||
    Object.hasOwn(VALUES, upper) ||
    Object.hasOwn(LISTS, upper) ||
    ['CPU', 'BANK', 'SOCKETID', 'RIP', 'PROCESSOR'].includes(upper)
  );
}

/** Whether a text is written in this language: its first statement starts a record, and a STATUS follows. */
export function looksLikeMceInject(text: readonly string[]): boolean {
  const lines = text.map(statement).filter(l => l !== '');
  const at = lines.findIndex(l => /^CPU (?:0x[0-9a-f]{1,4}|\d{1,6})(?: |$)/i.test(l));
  const before = at < 0 ? [] : lines.slice(0, at);
  if (at < 0 || before.some(l => !DELIVERY.has(l.split(/\s/)[0]?.toUpperCase() ?? ''))) return false;
  return (
    // mcelog prints the same statement with bare hex digits.
    lines.some(l => {
      const value = /(?:^| )STATUS (\S{1,128})/i.exec(l)?.[1]?.replace(/^\|/, '') ?? '';
      return /^0x[0-9a-f]+$/i.test(value) || flags(value.split('|'), STATUS_WORDS, false) !== undefined;
    }) && !lines.some(l => /^MCE \d|^MCG status:/.test(l))
  );
}
