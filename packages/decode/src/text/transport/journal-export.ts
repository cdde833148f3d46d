/**
 * @module journald's export format (systemd, "Journal Export Formats"): `NAME=value` lines, an empty line after each
 * entry, and values that are not plain text as a name, a little-endian length of 8 bytes and the bytes.
 */
import { CarriedBytes } from './carried.ts';
import { InOrder } from './in-order.ts';
import { longLine } from '../item.ts';
import type { ItemSink } from '../item.ts';
import { journalProgram } from './json-lines.ts';
import { MAX_LINE } from './line.ts';
import type { LinePlaces } from './line-places.ts';
import type { LineTaker } from './line-scanner.ts';
import { MAX_LINE_BYTES } from './line-scanner.ts';
import { LogContext } from '../log-context.ts';
import { mentions } from '../log-needles.ts';

const decoder = new TextDecoder();
const FIELDS: ReadonlySet<string> = new Set(['MESSAGE', 'SYSLOG_IDENTIFIER', '_TRANSPORT']);
const NAME = /^[A-Z0-9_]{1,64}$/;
const EQUALS = 0x3d;
/** Bytes of the length in front of a binary value. */
const LENGTH = 8;
/** Longer binary values are passed over; of one that is not no line is cut. */
const MAX_VALUE = MAX_LINE_BYTES - LENGTH;

interface Value {
  name: string;
  bytes: number[];
  taken: number;
  line: number;
  offset: number;
}

export class JournalExportReader implements LineTaker {
  readonly #order: InOrder;
  readonly #sink: ItemSink;
  readonly #context: LogContext;
  readonly #carried: CarriedBytes;
  readonly #places: LinePlaces | undefined;
  readonly #entry = new Map<string, string>();
  #messageLine = 0;
  #messageOffset = 0;
  /** A value that is being collected, its length included: `taken` bytes of it have passed, of which few are kept. */
  #value: Value | undefined;

  /** @param places gets the whole of a value that has lines of its own */
  constructor(sink: ItemSink, input: string, places?: LinePlaces) {
    this.#places = places;
    this.#order = new InOrder(sink);
    this.#sink = item => this.#order.take(item);
    this.#context = new LogContext(this.#sink, input);
    this.#carried = new CarriedBytes(this.#sink);
  }

  line(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    if (this.#value !== undefined) this.#collect(bytes, start, end);
    else if (start === end) this.#flush();
    else this.#field(bytes, start, end, lineNumber, offset);
    return false;
  }

  cut(lineNumber: number, bytes: number, offset: number): void {
    const value = this.#value;
    if (value === undefined) {
      // Of a message that is plain text what was read is kept.
      if (this.#messageLine === lineNumber) this.#sink(longLine('journal-export', lineNumber, MAX_VALUE, offset));
      return;
    }
    value.taken += bytes;
    this.#take(value);
  }

  skipped(): void {}

  end(): void {
    const value = this.#value;
    if (value !== undefined) {
      const message = `the input ends within the value of ${value.name}; it was not read`;
      const note = { code: 'E_TEXT_TRUNCATED', message, offset: value.offset } as const;
      this.#sink({ type: 'note', form: 'journal-export', firstLine: value.line, lastLine: value.line, note });
    }
    this.#flush();
    this.#carried.end();
    this.#context.end();
    this.#order.release(Number.POSITIVE_INFINITY);
  }

  #field(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): void {
    const first = bytes[start];
    // Most fields are of no interest: M, S and _T begin those that are, and any other line may still be a name alone.
    const equals = bytes.subarray(start, Math.min(end, start + 80)).indexOf(EQUALS);
    if (equals >= 0 && first !== 0x4d && first !== 0x53 && first !== 0x5f) return;
    if (equals < 0) {
      const name = decoder.decode(bytes.subarray(start, end));
      if (!NAME.test(name)) return;
      this.#value = { name, bytes: [], taken: 0, line: lineNumber, offset };
      if (name === 'MESSAGE') [this.#messageLine, this.#messageOffset] = [lineNumber, offset];
      return;
    }
    const name = decoder.decode(bytes.subarray(start, start + equals));
    if (!FIELDS.has(name)) return;
    if (name === 'MESSAGE') [this.#messageLine, this.#messageOffset] = [lineNumber, offset];
    this.#entry.set(name, decoder.decode(bytes.subarray(start + equals + 1, end)));
  }

  #collect(bytes: Uint8Array, start: number, end: number): void {
    const value = this.#value;
    if (value === undefined) return;
    const room = MAX_VALUE + LENGTH - value.bytes.length;
    for (let i = start; i < Math.min(end, start + room); i++) value.bytes.push(bytes[i] ?? 0);
    if (end - start < room) value.bytes.push(0x0a);
    value.taken += end - start + 1;
    this.#take(value);
  }

  /** Ends the value when all of it has passed: what looks like a field within it is none. */
  #take(value: Value): void {
    if (value.bytes.length < LENGTH) return;
    let length = 0;
    for (let i = LENGTH - 1; i >= 0; i--) length = length * 256 + (value.bytes[i] ?? 0);
    if (value.taken < LENGTH + length) return;
    this.#value = undefined;
    this.#places?.extend(value.line, value.offset + value.name.length + 1 + LENGTH + length);
    if (!FIELDS.has(value.name)) return;
    if (length <= MAX_VALUE) {
      this.#entry.set(value.name, decoder.decode(Uint8Array.from(value.bytes.slice(LENGTH, LENGTH + length))));
    } else this.#sink(longLine('journal-export', value.line, 0, value.offset));
  }

  #flush(): void {
    const message = this.#entry.get('MESSAGE');
    if (message !== undefined) {
      const program = journalProgram(this.#entry.get('_TRANSPORT'), this.#entry.get('SYSLOG_IDENTIFIER'));
      for (const line of message.split('\n')) {
        this.#carried.take(line, this.#messageLine);
        this.#context.message(line, program, this.#messageLine);
        if (line.length > MAX_LINE && mentions(line, MAX_LINE)) {
          this.#sink(longLine('journal-export', this.#messageLine, MAX_LINE, this.#messageOffset));
        }
      }
    }
    this.#entry.clear();
    this.#order.release(Math.min(this.#context.since, this.#carried.since));
  }
}
