/** @module Any log, line by line, to the reader of the program that wrote the line. Implements the scanner's taker. */
import { agentItem, agentLine } from './syndrome/agent-events.ts';
import { ascii } from './bytes.ts';
import { InOrder } from './transport/in-order.ts';
import { longLine, RECORD_VERSION } from './item.ts';
import type { ItemSink, TextForm, TextItem, TextNote, TextNoteCode } from './item.ts';
import { CarriedBytes } from './transport/carried.ts';
import { cellsOf, partsOf, problemsIn } from './transport/cells.ts';
import { Columns } from './transport/columns.ts';
import type { Frame } from './transport/frame.ts';
import type { WholeLine } from './transport/columns.ts';
import {
  isLogLine,
  isStructure,
  journalProgram,
  jsonLine,
  jsonValue,
  prettyMember,
  prettyMessage,
  prettyTime,
  roleOf,
  timeOfObject,
  timeOfPair,
} from './transport/json-lines.ts';
import type { JsonLine, JsonRecord } from './transport/json-lines.ts';
import { jsonParts, stringsIn } from './transport/json-parts.ts';
import { MessageNumbers } from './transport/message-numbers.ts';
import { OwnObject } from './transport/own-object.ts';
import { eventOfJson, recordOfJson } from './syndrome/json-records.ts';
import { MAX_LINE, syslogLine, writerOf } from './transport/line.ts';
import { QuotedPrintable } from './transport/quoted-printable.ts';
import { Shown, bare } from './transport/shown.ts';
import type { WrittenLine } from './transport/shown.ts';
import { LogContext } from './log-context.ts';
import { NEEDLES, mentions } from './log-needles.ts';
import { MAX_LINE_BYTES } from './transport/line-scanner.ts';
import type { LineTaker } from './transport/line-scanner.ts';
import { clearValues } from './values/values.ts';
import { vmmEventItem } from './syndrome/vmm-events.ts';

/** Lines at the beginning that are looked at whatever they hold: who cut a log may have cut the words that open a record. */
const FIRST_LINES = 32;
/** Streams of a trace that are told apart. */
const MAX_STREAMS = 32;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const COMMA = 0x2c;
const SPACE = 0x20;
const TAB = 0x09;
const RECORD_SEPARATOR = 0x1e;
const DATA = ascii('data: {');
/** What only a record of this project's has; where it does not begin with a brace its beginning is gone. */
const OWN_KIND = /"kind":"(?:x86-mca|cper|arm-sea)"/;
/** The same right behind the brace that opens one, or around it. */
const OWN_BEGINNING = /^\{\s{0,4}"(?:kind":"(?:x86-mca|cper|arm-sea)"|schemaVersion":)/;
const BEGINNING = 64;
const BROKEN_OBJECT = 'the line begins a JSON object and is none: it was cut or damaged; nothing was made of it';
const LONG_VALUE = 'an object or a text in the line of JSON is too long for what it should be; nothing of it was read';
const NO_BEGINNING = 'the line is the rest of a JSON record whose beginning is missing; nothing was made of it';
/** The last registers of a machine check have as many digits as they need, and the kernel prints a blank behind them. */
const LAST_REGISTER = /(?:^|\s)TSC [0-9a-f]{1,16}(?: [A-Z]{4}[12]? [0-9a-f]{1,16}){0,7}$/;
const NO_BLANK =
  'the input ends right behind the digits of a register, without the blank and the line end that the kernel prints: some may be missing';
const NO_EVENT = 'an event in JSON has no name or no fields; nothing was made of it';
const JOINED =
  'rows as wide as the terminal were taken for lines that it broke, from this one on, and joined with those behind them: where one was whole, the next was not read';
const OF_VALUES = 'the line is one of values, and the input is read as a log: put values into a file of their own';
const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** Lines between the time of an object that is laid out over several and its message. */
const MAX_BESIDE = 64;
/** Texts of one value of JSON, and how deep they may lie in it. */
const MAX_TEXTS = 4096;
const MAX_DEPTH = 16;
/** Lines of a list from one message to what goes on with it: a few entries. */
const MAX_GOES_ON = 24;
/** Objects in texts of objects: a container's log in a store of logs in an export of it. */
const MAX_NESTING = 4;
/** The first line of an entry of `journalctl -o verbose`, and its fields. systemd, logs-show.c. */
const ENTRY =
  /^([A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,9})? [A-Z0-9+:-]{1,8}) \[s=[0-9a-f]{1,32}[;\]]/;
const ENTRY_FIELD = /^ {4}([A-Z_][A-Z0-9_]{1,63})=(.*)$/s;
const MAX_FIELDS = 128;
/** Characters of a message in which its time may stand. */
const STAMP = 96;

/** An event of Redfish that has no sentence, as OpenBMC keeps it in a line. */
const messageOfId = (id: string, args: unknown): string =>
  [id, ...(Array.isArray(args) ? args : []).filter(a => typeof a === 'string' || typeof a === 'number')].join(',');

/** What a line would begin with that has a time beside its message. */
const stampWith = (time: string | undefined, message: string): string =>
  `${time === undefined ? '' : `${time} `}${message.slice(0, STAMP)}`;

function startsWith(word: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  return start + word.length <= end && word.every((b, i) => bytes[start + i] === b);
}

/** An entry of `journalctl -o verbose`, as far as it was read. */
interface VerboseEntry {
  time: string | undefined;
  transport?: string;
  identifier?: string;
  message?: { text: string; number: number };
}

/** An object that is laid out over several lines, as far as it was read: its message, and who wrote it, which may stand behind. */
interface PrettyEntry {
  indent: number;
  transport?: string;
  program?: string;
  message?: { member: string; line: string; text: string; number: number };
}

export class LogReader implements LineTaker {
  readonly #order: InOrder;
  readonly #sink: ItemSink;
  readonly #input: string;
  readonly #main: LogContext;
  readonly #carried: CarriedBytes;
  readonly #quoted = new QuotedPrintable();
  readonly #shown = new Shown();
  #columns: Columns | undefined;
  readonly #over: (() => void) | undefined;
  readonly #frame: Frame | undefined;
  /** Of a line that a terminal broke: the next is read, whatever it holds. */
  #isNextWanted = true;
  #isJoinTold = false;
  readonly #numbers = new MessageNumbers();
  /** What this project printed, laid out over several lines. */
  readonly #own = new OwnObject();
  /** The time of an object that is laid out over several lines, whose message is still to come. */
  #time: { stamp: string; indent: number; lines: number } | undefined;
  /** Where the line stands that goes on in the next. */
  #heldLine = 0;
  #heldOffset = 0;
  /** By layer and source of a trace. */
  readonly #streams = new Map<string, LogContext>();
  #lastTrace = '';
  #tooMany = false;
  /** Byte of the input where the line begins that is read. */
  #offset = 0;
  #unended = false;
  /** The line that is read was an object, and cannot be read as one. */
  #broken = false;
  /** An entry of journald over several lines is open, or was the last thing read. */
  #entry: VerboseEntry | undefined;
  #laidOut: PrettyEntry | undefined;
  /** How many of what may stand before any line stood before the last one that was read behind them. */
  #before = 0;
  /** Which field of a table the last line was that was read; below 0 where it was none. */
  #inPart = -1;
  /** The member of objects in which the last message stood that was read: what goes on stands in the same. */
  #member = '';
  /** Lines of a list that is laid out over several in which the last message may go on: what opens it alone need not say so. */
  #goesOn = 0;
  /** Objects around the one that is read, in the texts of each other. */
  #nesting = 0;

  /**
   * @param broken the width of the terminal that broke the lines, where one did, and whom to tell when that part is over
   * @param frame what stands around each line, where something does
   */
  constructor(sink: ItemSink, input: string, broken?: { width: number; over: () => void }, frame?: Frame) {
    this.#frame = frame;
    this.#columns = broken === undefined ? undefined : new Columns(broken.width);
    this.#over = broken?.over;
    this.#order = new InOrder(item => sink(this.#numbers.isPlain ? item : this.#placed(item)));
    this.#sink = item => this.#order.take(item);
    this.#input = input;
    this.#main = new LogContext(this.#sink, input);
    this.#carried = new CarriedBytes(this.#sink);
  }

  line(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    const columns = this.#columns;
    if (columns === undefined) return this.#framed(bytes, start, end, lineNumber, offset);
    for (const whole of columns.take(bytes.subarray(start, end), lineNumber, offset)) this.#put(whole);
    if (!columns.isOver) return true;
    this.#columns = undefined;
    this.#over?.();
    return this.#isNextWanted;
  }

  /** A line without what stands around each. */
  #framed(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    const text = this.#frame?.(decoder.decode(bytes.subarray(start, end)));
    if (text === undefined) return this.#sent(bytes, start, end, lineNumber, offset);
    const alone = encoder.encode(text);
    return this.#sent(alone, 0, alone.length, lineNumber, offset);
  }

  /** A line that a terminal may have broken: as of any other it is read where a word stands in it, or behind one that goes on. */
  #put({ bytes, line, offset, rows }: WholeLine): void {
    const mentioned = NEEDLES.find(bytes, 0, bytes.length) >= 0;
    if (!mentioned && !this.#isNextWanted) {
      this.skipped(1);
      return;
    }
    this.#isNextWanted = this.#sent(bytes, 0, bytes.length, line, offset);
    if (rows === 1 || !mentioned || this.#isJoinTold) return;
    this.#isJoinTold = true;
    const number = this.#numbers.of(line);
    const note = { code: 'W_TEXT_COLUMNS', message: JOINED, offset } as const;
    this.#sink({ type: 'note', form: 'linux', firstLine: number, lastLine: number, note });
    this.#release();
  }

  /** A line as it was sent, perhaps in a mail. */
  #sent(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    const isNextWanted = this.#unquoted(bytes, start, end, lineNumber, offset);
    return isNextWanted || this.#quoted.wanted;
  }

  #unquoted(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    const mail = this.#quoted.take(bytes, start, end);
    if (mail?.before !== undefined) this.#whole(mail.before, 0, mail.before.length, this.#heldLine, this.#heldOffset);
    if (mail?.goesOn === true) {
      [this.#heldLine, this.#heldOffset] = [lineNumber, offset];
      return true;
    }
    return mail?.line === undefined
      ? this.#whole(bytes, start, end, lineNumber, offset)
      : this.#whole(mail.line, 0, mail.line.length, lineNumber, offset);
  }

  /** A value of a line of JSON that is too long to be read as a whole; the last may be cut. */
  part(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number, before: number): boolean {
    this.#offset = offset;
    this.#broken = false;
    const number = before === 0 ? this.#numbers.of(lineNumber) : this.#numbers.next(lineNumber);
    const text = decoder.decode(bytes.subarray(start, end));
    this.#carried.take(text, number);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      if (!this.#cutStrings(text, number, lineNumber)) this.#brokenObject(text, number);
    }
    this.#value(value, number, lineNumber, false);
    this.#release();
    return this.#wanted();
  }

  isOneRecord(bytes: Uint8Array): boolean {
    return OWN_BEGINNING.test(decoder.decode(bytes.subarray(0, BEGINNING)));
  }

  /**
   * The log lines in whole strings of what was cut; a record of this project is whole or is none.
   * @param at the number of the last message of the line; undefined where it had none yet
   */
  #cutStrings(text: string, first: number, lineNumber: number, at?: number): boolean {
    if (OWN_KIND.test(text)) return false;
    let number = at;
    for (const string of stringsIn(text)) {
      if (!string.split('\n').some(isLogLine)) continue;
      number = this.#nextNumber(number, first, lineNumber);
      this.#string(string, number, lineNumber, undefined, number === first);
    }
    return number !== at;
  }

  /** A line as it was before it was sent. */
  #whole(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    const main = this.#main;
    if (this.#unended) this.#lastLine(bytes.subarray(start, end), lineNumber, offset);
    this.#offset = offset;
    this.#broken = false;
    if (!this.#own.isOpen && main.kernel.bytes(bytes, start, end, this.#numbers.of(lineNumber))) {
      this.#carried.skipped(1);
      this.#release();
      return main.wanted || this.#carried.wanted || lineNumber < FIRST_LINES;
    }
    // Of journald's forms of JSON two put something before each object.
    const from =
      bytes[start] === RECORD_SEPARATOR ? start + 1 : startsWith(DATA, bytes, start, end) ? start + 6 : start;
    const text = decoder.decode(bytes.subarray(from, end));
    const own = this.#own.take(text, lineNumber);
    if (own === undefined) this.#text(text, bytes[from], lineNumber, end - start);
    else if (own.value !== undefined) this.#value(own.value, this.#numbers.of(own.firstLine), own.firstLine, true);
    this.#release();
    return lineNumber < FIRST_LINES || this.#wanted();
  }

  #text(text: string, first: number | undefined, lineNumber: number, length: number): void {
    const number = this.#numbers.of(lineNumber);
    this.#carried.take(text, number);
    if (this.#laidOut !== undefined && first !== SPACE && first !== TAB) this.#endLaidOut();
    if (this.#entryField(text, number, lineNumber)) return;
    if (first === BRACE || first === SPACE || first === TAB || first === BRACKET || first === COMMA) {
      if (this.#isJson(text, number, lineNumber, length)) return;
    }
    if (first === SPACE || first === TAB) {
      this.#pretty(text, number, lineNumber);
      return;
    }
    const taken = this.#line(text, number);
    if (OWN_KIND.test(text)) this.#lost(number, 'E_TEXT_TRUNCATED', NO_BEGINNING);
    // Digits alone are the rest of a line that was wrapped.
    else if (!taken && text.includes('0x') && clearValues(text)) this.#lost(number, 'E_TEXT_VALUE', OF_VALUES, 'value');
  }

  /** A line of an entry as `journalctl -o verbose` prints it: of its fields the message alone is a line of a log. */
  #entryField(text: string, number: number, lineNumber: number): boolean {
    const time = ENTRY.exec(text)?.[1];
    if (time !== undefined) {
      this.#endEntry();
      this.#entry = { time };
      this.#numbers.hide();
      return true;
    }
    const [, name, value = ''] = ENTRY_FIELD.exec(text) ?? [];
    if (name === undefined) {
      this.#endEntry();
      return false;
    }
    this.#entry ??= { time: undefined };
    if (name !== 'MESSAGE') this.#numbers.hide();
    if (name === '_TRANSPORT') this.#entry.transport = value;
    else if (name === 'SYSLOG_IDENTIFIER') this.#entry.identifier = value;
    else if (name === 'MESSAGE') {
      this.#numbers.stamp(number, lineNumber, stampWith(this.#entry.time, value));
      this.#entry.message = { text: value, number };
    }
    return true;
  }

  /** Who wrote an entry may stand behind its message. */
  #endEntry(): void {
    const entry = this.#entry;
    this.#entry = undefined;
    if (entry?.message === undefined) return;
    const { text, number } = entry.message;
    const program = journalProgram(entry.transport, entry.identifier);
    if (program === undefined) this.#line(text, number);
    else this.#main.message(text, program, number);
  }

  /** Objects, and arrays of objects or strings, in one line; false for any other line. */
  #isJson(text: string, number: number, lineNumber: number, length: number): boolean {
    const line = jsonLine(text);
    if (line !== undefined && line.kind !== 'broken') {
      this.#object(line, text, number, lineNumber);
      return true;
    }
    const parts = jsonParts(text);
    if (parts === undefined && line === undefined) return false;
    let taken = parts !== undefined;
    let at: number | undefined;
    for (const value of parts?.values ?? []) {
      at = this.#nextNumber(at, number, lineNumber);
      this.#value(value, at, lineNumber, at === number);
    }
    taken = this.#cutStrings(parts === undefined ? text : parts.rest, number, lineNumber, at) || taken;
    this.#broken = !taken;
    if (taken) return true;
    // `{1}[Hardware Error]: …` begins with a brace too.
    this.#line(text, number);
    // Of one that is too long the scanner says so.
    if (length < MAX_LINE_BYTES) this.#brokenObject(text, number);
    return true;
  }

  /** The number of the line for its first message, and a further one for each behind it. */
  #nextNumber(at: number | undefined, first: number, lineNumber: number): number {
    return at === undefined ? first : this.#numbers.next(lineNumber);
  }

  /** A line of an object or array that is laid out over several. */
  #pretty(text: string, number: number, lineNumber: number): void {
    if (this.#goesOn > 0) this.#goesOn--;
    else if (this.#main.wanted) this.#goesOn = 1;
    const indent = text.search(/\S/);
    if (this.#laidOut !== undefined && indent < this.#laidOut.indent) this.#endLaidOut();
    if (this.#time !== undefined && (indent < this.#time.indent || ++this.#time.lines > MAX_BESIDE))
      this.#time = undefined;
    const stamp = prettyTime(text);
    if (stamp !== undefined) {
      this.#time = { stamp, indent, lines: 0 };
      this.#numbers.hide();
      return;
    }
    const member = prettyMember(text);
    const time = this.#time;
    if (time !== undefined && time.indent === indent)
      this.#numbers.stamp(number, lineNumber, stampWith(time.stamp, member?.text ?? text));
    const role = member === undefined ? undefined : roleOf(member.name);
    if (member === undefined || role === undefined) {
      this.#prettyLine(text, member, number);
      return;
    }
    this.#laidOut ??= { indent };
    const entry = this.#laidOut;
    if (entry.indent !== indent) this.#prettyLine(text, member, number);
    else if (role !== 'message') {
      this.#numbers.hide();
      if (role === 'transport') entry.transport = member.text;
      else entry.program ??= member.text;
    } else entry.message ??= { member: member.name, line: text, text: member.text, number };
  }

  /** Who wrote a message may stand behind it: the object is over. */
  #endLaidOut(): void {
    const entry = this.#laidOut;
    this.#laidOut = undefined;
    if (entry?.message === undefined) return;
    const { member, line, text, number } = entry.message;
    const program = journalProgram(entry.transport, entry.program);
    if (program === undefined) this.#prettyLine(line, { name: member, text }, number);
    else for (const part of text.split('\n')) this.#main.message(part, program, number);
  }

  /** A member, or an element of an array: its text is a line of a log where it looks like one, or goes on with one. */
  #prettyLine(text: string, member: { name: string; text: string } | undefined, number: number): void {
    const goesOn = member !== undefined && this.#goesOn > 0 && member.name === this.#member;
    const message = goesOn ? member.text : prettyMessage(text);
    // What stands between the entries of a list is no line between those of a record.
    const isOther = isStructure(text) || (member !== undefined && member.name !== this.#member);
    if (message === undefined && this.#member !== '' && isOther && !mentions(text, 0)) {
      this.#numbers.hide();
      return;
    }
    const told = message ?? (member !== undefined && mentions(member.text, 0) ? member.text : undefined);
    const taken = told !== undefined && this.#lines(told, number);
    if (member !== undefined && taken) this.#member = member.name;
    if (member !== undefined && told !== undefined) this.#goesOn = MAX_GOES_ON;
    // Some readers know the member by its name.
    if (!taken && message === undefined) this.#lines(text, number);
  }

  /** A value of JSON: what a line holds, or an element of it. */
  #value(value: unknown, number: number, lineNumber: number, isFirst: boolean): void {
    if (typeof value === 'string') {
      this.#string(value, number, lineNumber, undefined, isFirst);
      return;
    }
    const line = jsonValue(value);
    if (line !== undefined) this.#object(line, undefined, number, lineNumber);
    else if (Array.isArray(value)) this.#strings(value, number, lineNumber);
  }

  /** The line of an item, with the time of its message. */
  #placed<T extends TextItem>(item: T): T {
    const stamp = this.#numbers.stampOf(item.firstLine);
    const firstLine = this.#numbers.lineOf(item.firstLine);
    const lastLine = this.#numbers.lineOf(item.lastLine);
    // Readers know their lines by these numbers only.
    const record = 'record' in item ? item.record : undefined;
    if (record?.origin !== undefined) record.origin = { ...record.origin, firstLine, lastLine };
    return { ...item, firstLine, lastLine, ...(stamp === undefined ? {} : { stamp }) };
  }

  unended(): void {
    this.#unended = true;
  }

  /** A line without its end: whoever cut it may have cut the number that it ends with. */
  #lastLine(bytes: Uint8Array, lineNumber: number, offset: number): void {
    if (!LAST_REGISTER.test(decoder.decode(bytes))) return;
    const number = this.#numbers.of(lineNumber);
    const place = { form: 'linux', firstLine: number, lastLine: number } as const;
    this.#sink({ type: 'note', ...place, note: { code: 'W_TEXT_INCOMPLETE', message: NO_BLANK, offset } });
  }

  cut(lineNumber: number, bytes: number, offset: number): void {
    // The beginning of an object is none.
    const number = this.#numbers.of(lineNumber);
    if (bytes === 0) {
      this.#offset = offset;
      this.#lost(number, 'E_TEXT_LONG', LONG_VALUE, 'linux');
    } else if (this.#broken) this.#sink(longLine('linux', number, 0, this.#offset));
    else this.#sink(longLine('linux', number, MAX_LINE_BYTES, offset));
    this.#release();
  }

  #line(text: string, lineNumber: number): boolean {
    let taken = false;
    for (const [i, line] of this.#shown.lines(text).entries()) {
      // What one line shows as several are lines one behind another.
      const number = i === 0 ? lineNumber : this.#numbers.next(this.#numbers.lineOf(lineNumber));
      taken = (line.writer === undefined ? this.#plain(line.text, number) : this.#written(line, number)) || taken;
      this.#long(line.text, number);
    }
    return taken;
  }

  /** A line that says who wrote it: what stands in it is his, and no line within a line. */
  #written({ text, writer }: WrittenLine, lineNumber: number): boolean {
    this.#inPart = -1;
    const taken = this.#main.line(text, lineNumber);
    if (taken) this.#before = 0;
    return taken || (writer === 'kernel' && this.#behind(text, lineNumber));
  }

  /** A line that may hold others: in its fields, in a quotation, behind what stands before it. */
  #plain(text: string, lineNumber: number): boolean {
    const others = partsOf(text).filter(part => syslogLine(part).program !== undefined);
    if (others.length > 0) return others.filter(part => this.#main.line(part, lineNumber)).length > 0;
    return this.#cells(text, lineNumber) || this.#problems(text, lineNumber) || this.#bare(text, lineNumber);
  }

  /** A line of which some may stand before what a program wrote: as much as before the last line that was read so. */
  #bare(text: string, lineNumber: number): boolean {
    const same = this.#before === 0 ? undefined : bare(text.slice(0, MAX_LINE))[this.#before - 1];
    if (same !== undefined && this.#main.line(same, lineNumber)) return true;
    if (this.#inPart >= 0 && this.#main.wanted && this.#parts(text, lineNumber)) return true;
    this.#inPart = -1;
    if (this.#main.line(text, lineNumber)) {
      this.#before = 0;
      return true;
    }
    return this.#parts(text, lineNumber) || this.#behind(text, lineNumber);
  }

  /** What is no line of the kernel may be one of a tool behind what stands before any line. */
  #behind(text: string, lineNumber: number): boolean {
    for (const [i, rest] of bare(text.slice(0, MAX_LINE)).entries()) {
      if (syslogLine(rest).program !== undefined || !this.#main.tool(rest, lineNumber)) continue;
      this.#before = i + 1;
      return true;
    }
    return false;
  }

  /** The fields of a table, or what tags stand around. */
  #parts(text: string, lineNumber: number): boolean {
    for (const [i, part] of partsOf(text).entries()) {
      if (!mentions(part, 0) && !(this.#inPart === i && this.#main.wanted)) continue;
      if (!this.#main.line(part, lineNumber)) continue;
      this.#inPart = i;
      return true;
    }
    return false;
  }

  #lines(text: string, lineNumber: number): boolean {
    if (this.#nested(text, lineNumber, this.#numbers.lineOf(lineNumber))) return true;
    let taken = false;
    for (const part of text.split('\n')) taken = this.#line(part, lineNumber) || taken;
    return taken;
  }

  /** Log lines that node-problem-detector quotes. */
  #problems(text: string, number: number): boolean {
    let taken = false;
    for (const { time, message } of problemsIn(text)) {
      if (!isLogLine(message)) continue;
      this.#numbers.stamp(number, this.#numbers.lineOf(number), stampWith(time, message));
      taken = this.#main.line(message, number) || taken;
    }
    return taken;
  }

  /** Log lines in the fields of a line of CSV or in elements of XML. */
  #cells(text: string, lineNumber: number): boolean {
    if (!/^<[a-zA-Z]|^"|[,;\t]"/.test(text)) return false;
    let taken = false;
    for (const cell of cellsOf(text)) if (isLogLine(cell)) taken = this.#main.line(cell, lineNumber) || taken;
    return taken;
  }

  /** Log lines in an object, under whatever name and with the time beside each; false when none of them was taken or names who wrote it. */
  #strings(value: unknown, number: number, lineNumber: number): boolean {
    let taken = false;
    let at: number | undefined;
    let left = MAX_TEXTS;
    const walk = (part: unknown, time: string | undefined, depth: number, name: string): void => {
      if (left <= 0 || depth > MAX_DEPTH) return;
      if (typeof part === 'string') {
        if (!mentions(part, 0) && !(this.#main.wanted && name === this.#member)) return;
        left--;
        at = this.#nextNumber(at, number, lineNumber);
        taken ||= writerOf(part) !== undefined;
        if (!this.#string(part, at, lineNumber, time, at === number)) return;
        this.#member = name;
        taken = true;
      } else if (Array.isArray(part)) {
        const pair = timeOfPair(part);
        part.forEach((member, i) => walk(member, pair ?? time, depth + 1, pair === undefined ? name : `${name} ${i}`));
      } else if (typeof part === 'object' && part !== null) {
        const data = part as Readonly<Record<string, unknown>>;
        const own = timeOfObject(data) ?? time;
        // The message of an object within others, of the program that it names.
        const line = depth === 0 ? undefined : jsonValue(data);
        if ((line?.kind === 'line' && line.program !== undefined) || line?.kind === 'journal') {
          if (!mentions(line.kind === 'line' ? line.text : line.message, 0) && !this.#main.wanted) return;
          left--;
          at = this.#nextNumber(at, number, lineNumber);
          this.#object(line, undefined, at, lineNumber);
          taken = true;
        } else if (typeof data['MessageId'] === 'string' && typeof data['Message'] !== 'string') {
          walk(messageOfId(data['MessageId'], data['MessageArgs']), own, depth + 1, 'Message');
        } else {
          const isSaid = typeof data['Message'] === 'string';
          for (const [name, member] of Object.entries(data))
            if (!isSaid || name !== 'MessageId') walk(member, own, depth + 1, name);
        }
      }
    };
    walk(value, undefined, 0, '');
    return taken;
  }

  /** A text within JSON, of one line or several. */
  #string(text: string, number: number, lineNumber: number, time: string | undefined, isFirst: boolean): boolean {
    if (time !== undefined || !isFirst) {
      this.#numbers.stamp(number, lineNumber, stampWith(time, text));
    }
    const lines = text.split('\n');
    // A dump that stands in one text.
    if (lines.length > 1) for (const part of lines) this.#carried.row(part, number);
    // A text of several lines is whole: no other stands between them.
    if (lines.length > 1) this.#main.kernel.end();
    let taken = false;
    for (const part of lines) {
      taken = this.#nested(part, number, lineNumber) || this.#main.line(part, number) || taken;
      this.#long(part, number);
    }
    if (lines.length > 1) this.#main.kernel.end();
    return taken;
  }

  /**
   * The texts in an object that is the text of another: of a program that logs JSON into what keeps logs as JSON. Who wrote it says the
   * outer one; what it says of itself are words of the program. False where it is none, or holds no line that was taken.
   */
  #nested(text: string, number: number, lineNumber: number): boolean {
    if (this.#nesting >= MAX_NESTING || !/^\s{0,8}\{\s{0,4}"/.test(text)) return false;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return false;
    }
    this.#nesting++;
    const taken = this.#strings(value, number, lineNumber);
    this.#nesting--;
    return taken;
  }

  /** Of a long line only the beginning was read, which is said where the rest may matter. */
  #long(text: string, lineNumber: number): void {
    if (text.length <= MAX_LINE || !mentions(text, MAX_LINE)) return;
    this.#sink(longLine('linux', lineNumber, MAX_LINE, this.#offset));
  }

  skipped(lines: number): void {
    // Fields of an entry, or the first line of the next.
    if (this.#entry !== undefined && lines <= MAX_FIELDS) {
      this.#numbers.hideSkipped(lines);
      return;
    }
    this.#endEntry();
    this.#carried.skipped(lines);
    this.#main.skipped(lines);
    for (const stream of this.#streams.values()) stream.skipped(lines);
    this.#release();
  }

  end(): void {
    for (const whole of this.#columns?.end() ?? []) this.#put(whole);
    const rest = this.#quoted.end();
    if (rest !== undefined) this.#whole(rest, 0, rest.length, this.#heldLine, this.#heldOffset);
    if (this.#own.isOpen) this.#lost(this.#numbers.of(this.#own.firstLine), 'E_TEXT_TRUNCATED', BROKEN_OBJECT);
    this.#endEntry();
    this.#endLaidOut();
    this.#carried.end();
    this.#main.end();
    for (const stream of this.#streams.values()) stream.end();
    this.#order.release(Number.POSITIVE_INFINITY);
  }

  #release(): void {
    if (!this.#order.waiting) return;
    const waiting = Math.min(
      this.#entry?.message?.number ?? Number.POSITIVE_INFINITY,
      this.#laidOut?.message?.number ?? Number.POSITIVE_INFINITY,
      this.#columns?.since ?? Number.POSITIVE_INFINITY,
    );
    let since = Math.min(this.#main.since, this.#carried.since, waiting);
    for (const stream of this.#streams.values()) since = Math.min(since, stream.since);
    this.#order.release(since);
  }

  #wanted(): boolean {
    if (this.#main.wanted || this.#carried.wanted || this.#own.isOpen) return true;
    if (this.#time !== undefined || this.#laidOut !== undefined || this.#goesOn > 0) return true;
    for (const stream of this.#streams.values()) if (stream.wanted) return true;
    return false;
  }

  /** @param text the whole line, where it holds nothing else */
  #object(line: JsonLine, text: string | undefined, number: number, lineNumber: number): void {
    if (line.kind === 'qmp') this.#main.qemu.qmp(line.message, number);
    else if (line.kind === 'vmm') this.#vmm(line.message, number);
    else if (line.kind === 'record') this.#record(line, number);
    else if (line.kind === 'event') this.#event(line.message, number);
    else if (line.kind === 'other') {
      // Programs other than the kernel write objects too.
      if (!this.#strings(line.value, number, lineNumber) && text !== undefined) this.#main.tool(text, number);
    } else if (line.kind === 'line' && !mentions(line.text, 0) && !this.#main.wanted) {
      // What is told in a sentence may stand in other members.
      if (this.#strings(line.value, number, lineNumber) || text === undefined) return;
      if (lineNumber >= FIRST_LINES || line.program !== undefined || !this.#main.line(line.text, number))
        this.#main.tool(text, number);
    } else if (line.kind === 'line') {
      this.#beside(line.value, line.text, number, lineNumber, text !== undefined);
      // What wrote into a pipe ended its line.
      for (const part of line.text.replace(/\n$/, '').split('\n')) {
        if (line.program !== undefined) this.#main.message(part, line.program, number);
        else if (!this.#nested(part, number, lineNumber)) this.#main.line(part, number);
        this.#long(part, number);
      }
    } else if (line.kind === 'journal') {
      this.#beside(line.value, line.message, number, lineNumber, text !== undefined);
      for (const part of line.message.split('\n')) {
        this.#main.message(part, line.program, number);
        this.#long(part, number);
      }
    } else if (line.kind === 'trace') this.#trace(line, number);
  }

  /** Keeps the time that an object gives its message. */
  #beside(value: unknown, message: string, number: number, lineNumber: number, isWhole: boolean): void {
    const time = timeOfObject(value as Readonly<Record<string, unknown>>);
    // Of an object that is a line the beginning is kept by others, where its time stands there.
    if (!isWhole) this.#numbers.stamp(number, lineNumber, stampWith(time, message));
    else if (time !== undefined && !time.startsWith('"'))
      this.#numbers.stamp(number, lineNumber, stampWith(time, message));
  }

  /** Said of an object that was cut or damaged where it may matter. */
  #brokenObject(text: string, lineNumber: number): void {
    if (mentions(text, 0)) this.#lost(lineNumber, 'E_TEXT_TRUNCATED', BROKEN_OBJECT);
  }

  #lost(lineNumber: number, code: TextNoteCode, message: string, form: TextForm = 'record'): void {
    const note = { code, message, offset: this.#offset };
    this.#sink({ type: 'note', form, firstLine: lineNumber, lastLine: lineNumber, note });
  }

  #vmm(message: Readonly<Record<string, unknown>>, lineNumber: number): void {
    const item = vmmEventItem(message, lineNumber);
    if (item !== undefined) this.#sink(item);
  }

  #event(message: Readonly<Record<string, unknown>>, lineNumber: number): void {
    const event = eventOfJson(message);
    if (event === undefined) this.#lost(lineNumber, 'E_TEXT_VALUE', NO_EVENT);
    else this.#sink({ type: 'foreign-event', form: 'record', ...event, firstLine: lineNumber, lastLine: lineNumber });
  }

  #record({ message, bankUnknown, version }: JsonRecord, lineNumber: number): void {
    const { record, notes: lost } = recordOfJson(message);
    const notes: TextNote[] = lost.map(note => ({ ...note, message: `${note.message}; it was left out` }));
    if (version > RECORD_VERSION) {
      const newer = `the record is of version ${version}; this program reads ${RECORD_VERSION}`;
      if (record === undefined) this.#lost(lineNumber, 'W_TEXT_NEWER', newer);
      else notes.unshift({ code: 'W_TEXT_NEWER', message: `${newer}, and took what it knows of it` });
    }
    const place = { form: 'record', firstLine: lineNumber, lastLine: lineNumber } as const;
    const bank = bankUnknown ? ({ bankUnknown: true } as const) : {};
    if (record?.kind === 'x86-mca') this.#sink({ type: 'mca', ...place, notes, record, ...bank });
    else if (record?.kind === 'cper') this.#sink({ type: 'cper', ...place, notes, record });
    else if (record !== undefined) this.#sink({ type: 'arm', ...place, notes, record, as: 'esr' });
    else for (const { code, message: why } of lost) this.#lost(lineNumber, code, `${why}; no record was made`);
  }

  #trace(line: { raw: string; layer: string; source: string; key: string }, lineNumber: number): void {
    // A line that means two things stands in a trace twice.
    if (line.key === this.#lastTrace) return;
    this.#lastTrace = line.key;
    const name = `${line.layer} ${line.source}`;
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      if (this.#streams.size >= MAX_STREAMS) {
        this.#tooManyStreams(name, lineNumber);
        return;
      }
      stream = new LogContext(this.#sink, this.#input);
      this.#streams.set(name, stream);
    }
    if (line.source === 'agent') {
      const said = agentLine(line.raw);
      const signal = agentItem(line.raw, lineNumber);
      // A file that the agent follows: the kernel's trace events.
      if (said?.name === 'line') stream.line(said.fields.get('text') ?? '', lineNumber);
      else if (signal !== undefined) this.#sink(signal);
      return;
    }
    if (line.source === 'events') {
      const event = jsonLine(line.raw);
      if (event?.kind === 'vmm') this.#vmm(event.message, lineNumber);
      else if (event?.kind === 'broken') this.#brokenObject(line.raw, lineNumber);
      return;
    }
    if (line.source !== 'qmp') {
      for (const part of line.raw.split('\n')) {
        stream.line(part, lineNumber);
        this.#long(part, lineNumber);
      }
      return;
    }
    const inner = jsonLine(line.raw);
    if (inner?.kind === 'qmp') stream.qemu.qmp(inner.message, lineNumber);
    else if (inner?.kind === 'broken') this.#brokenObject(line.raw, lineNumber);
  }

  /** Said once: how many there are is not known before the end. */
  #tooManyStreams(name: string, lineNumber: number): void {
    if (this.#tooMany) return;
    this.#tooMany = true;
    const message = `the trace has more than ${MAX_STREAMS} streams; ${name} is the first whose lines are left out`;
    const note = { code: 'E_TEXT_STREAMS', message, offset: this.#offset } as const;
    this.#sink({ type: 'note', form: 'trace', firstLine: lineNumber, lastLine: lineNumber, note });
  }
}
