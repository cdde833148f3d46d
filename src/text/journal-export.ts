/**
 * @module journald's export format (systemd, "Journal Export Formats"): `NAME=value` lines, an empty line after each
 * entry, and values that are not plain text as a name, a little-endian length of 8 bytes and the bytes.
 */
import { InOrder } from './in-order.ts';
import type { ItemSink } from './item.ts';
import type { LineTaker } from './line-scanner.ts';
import { MAX_LINE_BYTES } from './line-scanner.ts';
import { LogContext } from './log-context.ts';

const decoder = new TextDecoder();
const FIELDS: ReadonlySet<string> = new Set(['MESSAGE', 'SYSLOG_IDENTIFIER', '_TRANSPORT']);
const NAME = /^[A-Z0-9_]{1,64}$/;
const EQUALS = 0x3d;
/** Longer binary values are given up. */
const MAX_VALUE = MAX_LINE_BYTES;

export class JournalExportReader implements LineTaker {
  readonly #order: InOrder;
  readonly #context: LogContext;
  readonly #entry = new Map<string, string>();
  #messageLine = 0;
  /** A value that is being collected, its length included. */
  #value: { name: string; bytes: number[]; length: number | undefined } | undefined;

  constructor(sink: ItemSink, input: string) {
    this.#order = new InOrder(sink);
    this.#context = new LogContext(item => this.#order.take(item), input);
  }

  line(bytes: Uint8Array, start: number, end: number, lineNumber: number): boolean {
    if (this.#value !== undefined) this.#collect(bytes, start, end);
    else if (start === end) this.#flush();
    else this.#field(bytes, start, end, lineNumber);
    return false;
  }

  skipped(): void {}

  end(): void {
    this.#flush();
    this.#context.end();
    this.#order.release(Number.POSITIVE_INFINITY);
  }

  #field(bytes: Uint8Array, start: number, end: number, lineNumber: number): void {
    const first = bytes[start];
    // Most fields are of no interest: M, S and _T begin those that are, and any other line may still be a name alone.
    const equals = bytes.subarray(start, Math.min(end, start + 80)).indexOf(EQUALS);
    if (equals >= 0 && first !== 0x4d && first !== 0x53 && first !== 0x5f) return;
    if (equals < 0) {
      const name = decoder.decode(bytes.subarray(start, end));
      if (!NAME.test(name)) return;
      this.#value = { name, bytes: [], length: undefined };
      if (name === 'MESSAGE') this.#messageLine = lineNumber;
      return;
    }
    const name = decoder.decode(bytes.subarray(start, start + equals));
    if (!FIELDS.has(name)) return;
    if (name === 'MESSAGE') this.#messageLine = lineNumber;
    this.#entry.set(name, decoder.decode(bytes.subarray(start + equals + 1, end)));
  }

  #collect(bytes: Uint8Array, start: number, end: number): void {
    const value = this.#value;
    if (value === undefined) return;
    for (let i = start; i < end; i++) value.bytes.push(bytes[i] ?? 0);
    value.bytes.push(0x0a);
    if (value.length === undefined && value.bytes.length >= 8) {
      let length = 0;
      for (let i = 7; i >= 0; i--) length = length * 256 + (value.bytes[i] ?? 0);
      value.length = length;
    }
    if (value.bytes.length > MAX_VALUE || (value.length ?? 0) > MAX_VALUE) {
      this.#value = undefined;
      return;
    }
    if (value.length === undefined || value.bytes.length < 8 + value.length) return;
    if (FIELDS.has(value.name)) {
      this.#entry.set(value.name, decoder.decode(Uint8Array.from(value.bytes.slice(8, 8 + value.length))));
    }
    this.#value = undefined;
  }

  #flush(): void {
    const message = this.#entry.get('MESSAGE');
    if (message !== undefined) {
      const identifier = this.#entry.get('SYSLOG_IDENTIFIER');
      const kernel = this.#entry.get('_TRANSPORT') === 'kernel';
      for (const line of message.split('\n')) {
        this.#context.message(line, kernel ? 'kernel' : identifier, this.#messageLine);
      }
    }
    this.#entry.clear();
    this.#order.release(this.#context.since);
  }
}
