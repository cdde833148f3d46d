/** @module Any log, line by line, to the reader of the program that wrote the line. Implements the scanner's taker. */
import { agentItem } from './syndrome/agent-events.ts';
import { ascii } from './bytes.ts';
import { InOrder } from './transport/in-order.ts';
import { longLine } from './item.ts';
import type { ItemSink, TextForm, TextNoteCode } from './item.ts';
import { CarriedBytes } from './transport/carried.ts';
import { cellsOf, jsonStrings } from './transport/cells.ts';
import { isLogLine, jsonLine, prettyMessage } from './transport/json-lines.ts';
import { eventOfJson, recordOfJson } from './syndrome/json-records.ts';
import { MAX_LINE } from './transport/line.ts';
import { QuotedPrintable } from './transport/quoted-printable.ts';
import { LogContext } from './log-context.ts';
import { mentions } from './log-needles.ts';
import { MAX_LINE_BYTES } from './transport/line-scanner.ts';
import type { LineTaker } from './transport/line-scanner.ts';
import { clearValues } from './values/values.ts';
import { vmmEventItem } from './syndrome/vmm-events.ts';

/** Lines at the beginning that are looked at whatever they hold: who cut a log may have cut the words that open a record. */
const FIRST_LINES = 32;
/** Streams of a trace that are told apart. */
const MAX_STREAMS = 32;
const BRACE = 0x7b;
const SPACE = 0x20;
const TAB = 0x09;
const RECORD_SEPARATOR = 0x1e;
const DATA = ascii('data: {');
/** What only a record of this project's has; where it does not begin with a brace its beginning is gone. */
const OWN_KIND = /"kind":"(?:x86-mca|cper|arm-sea)"/;
const BROKEN_OBJECT = 'the line begins a JSON object and is none: it was cut or damaged; nothing was made of it';
const NO_BEGINNING = 'the line is the rest of a JSON record whose beginning is missing; nothing was made of it';
/** The last registers of a machine check have as many digits as they need, and the kernel prints a blank behind them. */
const LAST_REGISTER = /(?:^|\s)TSC [0-9a-f]{1,16}(?: [A-Z]{4}[12]? [0-9a-f]{1,16}){0,7}$/;
const NO_BLANK =
  'the input ends right behind the digits of a register, without the blank and the line end that the kernel prints: some may be missing';
const NO_EVENT = 'an event in JSON has no name or no fields; nothing was made of it';
const OF_VALUES = 'the line is one of values, and the input is read as a log: put values into a file of their own';
const decoder = new TextDecoder();

function startsWith(word: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  return start + word.length <= end && word.every((b, i) => bytes[start + i] === b);
}

export class LogReader implements LineTaker {
  readonly #order: InOrder;
  readonly #sink: ItemSink;
  readonly #input: string;
  readonly #main: LogContext;
  readonly #carried: CarriedBytes;
  readonly #quoted = new QuotedPrintable();
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

  constructor(sink: ItemSink, input: string) {
    this.#order = new InOrder(sink);
    this.#sink = item => this.#order.take(item);
    this.#input = input;
    this.#main = new LogContext(this.#sink, input);
    this.#carried = new CarriedBytes(this.#sink);
  }

  line(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
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

  /** A line as it was before it was sent. */
  #whole(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    const main = this.#main;
    if (this.#unended) this.#lastLine(bytes.subarray(start, end), lineNumber, offset);
    this.#offset = offset;
    this.#broken = false;
    if (main.kernel.bytes(bytes, start, end, lineNumber)) {
      this.#carried.skipped(1);
      this.#release();
      return main.wanted || this.#carried.wanted || lineNumber < FIRST_LINES;
    }
    // Of journald's forms of JSON two put something before each object.
    const from =
      bytes[start] === RECORD_SEPARATOR ? start + 1 : startsWith(DATA, bytes, start, end) ? start + 6 : start;
    const text = decoder.decode(bytes.subarray(from, end));
    this.#carried.take(text, lineNumber);
    if (bytes[from] === BRACE) this.#json(text, lineNumber, end - start);
    else if (bytes[from] === SPACE || bytes[from] === TAB) this.#lines(prettyMessage(text) ?? text, lineNumber);
    else {
      const taken = this.#line(text, lineNumber);
      if (OWN_KIND.test(text)) this.#lost(lineNumber, 'E_TEXT_TRUNCATED', NO_BEGINNING);
      // Digits alone are the rest of a line that was wrapped.
      else if (!taken && text.includes('0x') && clearValues(text))
        this.#lost(lineNumber, 'E_TEXT_VALUE', OF_VALUES, 'value');
    }
    this.#release();
    return lineNumber < FIRST_LINES || this.#wanted();
  }

  unended(): void {
    this.#unended = true;
  }

  /** A line without its end: whoever cut it may have cut the number that it ends with. */
  #lastLine(bytes: Uint8Array, lineNumber: number, offset: number): void {
    if (!LAST_REGISTER.test(decoder.decode(bytes))) return;
    const place = { form: 'linux', firstLine: lineNumber, lastLine: lineNumber } as const;
    this.#sink({ type: 'note', ...place, note: { code: 'W_TEXT_INCOMPLETE', message: NO_BLANK, offset } });
  }

  cut(lineNumber: number, _bytes: number, offset: number): void {
    // The beginning of an object is none.
    if (this.#broken) this.#sink(longLine('linux', lineNumber, 0, this.#offset));
    else this.#sink(longLine('linux', lineNumber, MAX_LINE_BYTES, offset));
    this.#release();
  }

  #line(text: string, lineNumber: number): boolean {
    const taken = this.#cells(text, lineNumber) || this.#main.line(text, lineNumber);
    this.#long(text, lineNumber);
    return taken;
  }

  #lines(text: string, lineNumber: number): void {
    for (const part of text.split('\n')) this.#line(part, lineNumber);
  }

  /** Log lines in the fields of a line of CSV or in elements of XML. */
  #cells(text: string, lineNumber: number): boolean {
    if (!/^<[a-zA-Z]|^"|[,;\t]"/.test(text)) return false;
    let taken = false;
    for (const cell of cellsOf(text)) if (isLogLine(cell)) taken = this.#main.line(cell, lineNumber) || taken;
    return taken;
  }

  /** Log lines in an object, under whatever name; false when none of them was taken. */
  #strings(value: unknown, lineNumber: number): boolean {
    let taken = false;
    for (const text of jsonStrings(value)) {
      if (!mentions(text, 0)) continue;
      const lines = text.split('\n');
      // A dump that stands in one text.
      if (lines.length > 1) for (const part of lines) this.#carried.row(part, lineNumber);
      // A text of several lines is whole: no other stands between them.
      if (lines.length > 1) this.#main.kernel.end();
      for (const part of lines) taken = this.#main.line(part, lineNumber) || taken;
      if (lines.length > 1) this.#main.kernel.end();
      this.#long(text, lineNumber);
    }
    return taken;
  }

  /** Of a long line only the beginning was read, which is said where the rest may matter. */
  #long(text: string, lineNumber: number): void {
    if (text.length <= MAX_LINE || !mentions(text, MAX_LINE)) return;
    this.#sink(longLine('linux', lineNumber, MAX_LINE, this.#offset));
  }

  skipped(lines: number): void {
    this.#carried.skipped(lines);
    this.#main.skipped(lines);
    for (const stream of this.#streams.values()) stream.skipped(lines);
    this.#release();
  }

  end(): void {
    const rest = this.#quoted.end();
    if (rest !== undefined) this.#whole(rest, 0, rest.length, this.#heldLine, this.#heldOffset);
    this.#carried.end();
    this.#main.end();
    for (const stream of this.#streams.values()) stream.end();
    this.#order.release(Number.POSITIVE_INFINITY);
  }

  #release(): void {
    if (!this.#order.waiting) return;
    let since = Math.min(this.#main.since, this.#carried.since);
    for (const stream of this.#streams.values()) since = Math.min(since, stream.since);
    this.#order.release(since);
  }

  #wanted(): boolean {
    if (this.#main.wanted || this.#carried.wanted) return true;
    for (const stream of this.#streams.values()) if (stream.wanted) return true;
    return false;
  }

  #json(text: string, lineNumber: number, length: number): void {
    const line = jsonLine(text);
    if (line === undefined || line.kind === 'broken') {
      // `{1}[Hardware Error]: …` begins with a brace too.
      this.#line(text, lineNumber);
      this.#broken = line !== undefined;
      // Of one that is too long the scanner says so.
      if (this.#broken && length < MAX_LINE_BYTES) this.#brokenObject(text, lineNumber);
      return;
    }
    if (line.kind === 'qmp') this.#main.qemu.qmp(line.message, lineNumber);
    else if (line.kind === 'vmm') this.#vmm(line.message, lineNumber);
    else if (line.kind === 'record') this.#record(line.message, line.bankUnknown, lineNumber);
    else if (line.kind === 'event') this.#event(line.message, lineNumber);
    else if (line.kind === 'other') {
      if (!this.#strings(line.value, lineNumber)) this.#line(text, lineNumber);
    } else if (line.kind === 'line' && !mentions(line.text, 0)) {
      // What is told in a sentence may stand in other members.
      if (!this.#strings(line.value, lineNumber)) this.#line(text, lineNumber);
    } else if (line.kind === 'line') {
      for (const part of line.text.split('\n')) {
        if (line.program === undefined) this.#main.line(part, lineNumber);
        else this.#main.message(part, line.program, lineNumber);
        this.#long(part, lineNumber);
      }
    } else if (line.kind === 'journal') {
      for (const part of line.message.split('\n')) {
        this.#main.message(part, line.kernel ? 'kernel' : line.identifier, lineNumber);
        this.#long(part, lineNumber);
      }
    } else if (line.kind === 'trace') this.#trace(line, lineNumber);
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

  #record(message: Readonly<Record<string, unknown>>, bankUnknown: boolean, lineNumber: number): void {
    const { record, notes: lost } = recordOfJson(message);
    const notes = lost.map(note => ({ ...note, message: `${note.message}; it was left out` }));
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
      const signal = agentItem(line.raw, lineNumber);
      if (signal !== undefined) this.#sink(signal);
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
