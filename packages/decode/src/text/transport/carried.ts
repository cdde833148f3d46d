/**
 * @module Firmware records (CPER) that stand as hex, base64 or a list of numbers within a line of something else, or within several: RawData
 * of Windows' events, DiagnosticData of Redfish (DSP0268, LogEntry), whatever ships logs. Which bytes they are is read where all text
 * that stands for bytes is.
 */
import type { ItemSink } from '../item.ts';
import { DumpedBytes, lengthOf } from './dumped.ts';

/** `CPER` and the high half of its revision in base64; `CPER` in the ways in which digits are written. */
export const CARRIED_NEEDLES: readonly string[] = [
  'Q1BFUg',
  'Q1BFUh',
  '43504552',
  '43 50 45 52',
  '43-50-45-52',
  '43:50:45:52',
  '43,50,45,52',
  '0x43, 0x50, 0x45',
  '0x43,0x50,0x45',
  '\\x43\\x50\\x45\\x52',
  '67,80,69,82',
  '67, 80, 69, 82',
  // In a dump: pairs of bytes, and little-endian numbers.
  '4350 4552',
  '5043 5245',
  '52455043',
  '"DiagnosticData"',
  '"SectionType"',
];

/** A record header has 128 bytes; less of one is no evidence of a record, unless it goes on in the next line. */
const LEAST = 100;
const BASE64 = /(?<![A-Za-z0-9+/_-])Q1BFU[gh](?:[A-Za-z0-9+_-]|\\?\/|\\r|\\n|\\u000[ad]){40,65536}={0,2}/g;
const HEX = /(?<![0-9A-Fa-f])43([ :,-]|\\x|, ?0x|)50\1(?:[0-9A-Fa-f]{2}\1){22,32768}(?:[0-9A-Fa-f]{2})?/gi;
const NUMBERS = /(?<![\d,])67, ?80, ?69, ?82(?:, ?\d{1,3}){100,65536}/g;
const SECTION_TYPE = /"SectionType"\s{0,4}:\s{0,4}"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"/;
/** A section alone, without the header of a record. */
const SECTION = /"DiagnosticData"\s{0,4}:\s{0,4}"((?:[A-Za-z0-9+]|\\?\/){16,65536}={0,2})"/;
/** What may stand behind the digits of a line that goes on: a comma, a backslash. */
const GOES_ON = /^[,\s]{0,4}\\?\s{0,4}$/;
/** The digits of a line that continues another one, and what closes them. */
const MORE_BASE64 = /(?:^|\s)([A-Za-z0-9+/_-]{1,4096}={0,2})(?=["'<]|\s{0,4}$)/;
const MORE_HEX = /(?:^|\s)((?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ :,-]{0,2}){1,1024})\\?\s{0,4}(?=["'<]|$)/;
/** A number alone in its line: of an array that is laid out over many. */
const NUMBER_LINE = /^\s{1,64}(\d{1,3}),?\s{0,4}$/;
/** Records of one line, characters of one that goes over lines. */
const MAX_RECORDS = 16;
const MAX_DIGITS = 1 << 20;
const SIGNATURE = [0x43, 0x50, 0x45, 0x52] as const;

interface Open {
  as: 'hex' | 'base64';
  digits: string;
  firstLine: number;
  lastLine: number;
}

export class CarriedBytes {
  readonly #sink: ItemSink;
  readonly #dumped: DumpedBytes;
  /** The type of the section that an entry of Redfish holds, until its data comes. */
  #sectionType: string | undefined;
  /** Digits that go on in the next line. */
  #open: Open | undefined;
  /** Numbers of an array, one a line, and the line of the first. */
  #numbers: number[] = [];
  #numbersFrom = 0;

  constructor(sink: ItemSink) {
    this.#sink = sink;
    this.#dumped = new DumpedBytes((bytes, firstLine, lastLine) => {
      this.#emit('hex', hexOf(bytes), firstLine, lastLine);
    });
  }

  /** Something is open whose next lines carry no word to look for. */
  get wanted(): boolean {
    return this.#open !== undefined || this.#dumped.wanted || this.#numbers.length > 0;
  }

  get since(): number {
    const numbers = this.#numbers.length === 0 ? Number.POSITIVE_INFINITY : this.#numbersFrom;
    return Math.min(this.#open?.firstLine ?? Number.POSITIVE_INFINITY, this.#dumped.since, numbers);
  }

  /** Hands on the records that a line holds; returns whether it holds any, or a part of one. */
  take(text: string, lineNumber: number): boolean {
    if (this.#dumped.take(text, lineNumber)) return true;
    if (this.#goesOn(text, lineNumber) || this.#number(text, lineNumber)) return true;
    let found = 0;
    for (const [as, pattern] of [['base64', BASE64] as const, ['hex', HEX] as const]) {
      for (const m of text.matchAll(pattern)) {
        if (found >= MAX_RECORDS) break;
        const digits = as === 'hex' ? plainHex(m[0], m[1] ?? '') : plain(m[0]);
        const isLast = GOES_ON.test(text.slice(m.index + m[0].length));
        if (isLast && isShort(as, digits)) {
          this.#close();
          this.#open = { as, digits, firstLine: lineNumber, lastLine: lineNumber };
          found++;
        } else if (digits.length >= (as === 'hex' ? 2 * LEAST : LEAST)) {
          this.#emit(as, digits, lineNumber);
          found++;
        }
      }
    }
    for (const m of text.matchAll(NUMBERS)) {
      const numbers = m[0].split(',').map(Number);
      if (found++ < MAX_RECORDS && numbers.every(n => n < 256)) this.#emit('hex', hexOf(numbers), lineNumber);
    }
    this.#sectionType = SECTION_TYPE.exec(text)?.[1]?.toLowerCase() ?? this.#sectionType;
    const data = SECTION.exec(text)?.[1];
    if (data === undefined) return found > 0;
    const section = this.#sectionType;
    this.#sectionType = undefined;
    if (found > 0 || section === undefined) return found > 0;
    const place = { form: 'cper-text', firstLine: lineNumber, lastLine: lineNumber } as const;
    this.#sink({ type: 'bytes', ...place, as: 'base64', text: plain(data), section });
    return true;
  }

  /** A line of a text whose whole was looked at: it may be a row of a dump. */
  row(text: string, lineNumber: number): void {
    this.#dumped.take(text, lineNumber);
  }

  skipped(lines: number): void {
    this.#dumped.skipped(lines);
    this.#close();
    this.#endNumbers();
  }

  end(): void {
    this.#dumped.end();
    this.#close();
    this.#endNumbers();
  }

  /** Takes what goes on with digits that are open; closes them where the line does not. */
  #goesOn(text: string, lineNumber: number): boolean {
    const open = this.#open;
    if (open === undefined) return false;
    const m = (open.as === 'base64' ? MORE_BASE64 : MORE_HEX).exec(text);
    const more = m?.[1];
    if (m === null || more === undefined || open.digits.length + more.length > MAX_DIGITS) {
      this.#close();
      return false;
    }
    open.digits += open.as === 'base64' ? plain(more) : more.replaceAll(/0x|\\x|[^0-9A-Fa-f]/g, '');
    open.lastLine = lineNumber;
    const isClosed = !GOES_ON.test(text.slice(m.index + m[0].length));
    if (isClosed || !isShort(open.as, open.digits)) this.#close();
    return true;
  }

  #close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined || open.digits.length < LEAST) return;
    this.#emit(open.as, open.digits, open.firstLine, open.lastLine);
  }

  #number(text: string, lineNumber: number): boolean {
    const value = NUMBER_LINE.exec(text)?.[1];
    const numbers = this.#numbers;
    if (value === undefined) {
      this.#endNumbers();
      return false;
    }
    if (numbers.length < SIGNATURE.length && SIGNATURE[numbers.length] !== Number(value)) {
      numbers.length = 0;
      return false;
    }
    if (numbers.length === 0) this.#numbersFrom = lineNumber;
    if (numbers.length < MAX_DIGITS) numbers.push(Number(value));
    return true;
  }

  #endNumbers(): void {
    const numbers = this.#numbers;
    this.#numbers = [];
    if (numbers.length < LEAST || numbers.some(n => n > 255)) return;
    this.#emit('hex', hexOf(numbers), this.#numbersFrom, this.#numbersFrom + numbers.length - 1);
  }

  #emit(as: 'hex' | 'base64', text: string, firstLine: number, lastLine = firstLine): void {
    this.#sink({ type: 'bytes', form: 'cper-text', firstLine, lastLine, as, text });
  }
}

const hexOf = (bytes: Iterable<number>): string => Array.from(bytes, b => b.toString(16).padStart(2, '0')).join('');

/** JSON escapes the ends of lines and may escape the slash; base64 for URLs has two other digits. */
const plain = (text: string): string =>
  text
    .replaceAll(/\\(?:[rn]|u000[ad])/g, '')
    .replaceAll('\\', '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');

const plainHex = (text: string, separator: string): string =>
  separator === '' ? text : text.toLowerCase().replaceAll(separator.toLowerCase(), '');

/** Whether digits stand for less than the record in them says that it has. */
function isShort(as: 'hex' | 'base64', digits: string): boolean {
  const bytes =
    as === 'hex'
      ? (digits.slice(0, 48).match(/../gs) ?? []).map(d => Number.parseInt(d, 16))
      : Array.from(atob(digits.slice(0, 32)), c => c.charCodeAt(0));
  const length = lengthOf(bytes);
  const there = as === 'hex' ? digits.length / 2 : Math.floor((3 * digits.replace(/=+$/, '').length) / 4);
  return length !== undefined && there < length;
}
