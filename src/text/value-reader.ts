/** @module Lines of values, one record each. */
import { longLine } from './item.ts';
import type { ItemSink, Place } from './item.ts';
import type { LineTaker } from './line-scanner.ts';
import { MAX_VALUES, values } from './values.ts';
import type { ValueOptions } from './values.ts';

const decoder = new TextDecoder();

export class ValueReader implements LineTaker {
  readonly #sink: ItemSink;
  readonly #options: ValueOptions;

  constructor(sink: ItemSink, options: ValueOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  line(bytes: Uint8Array, start: number, end: number, lineNumber: number, offset: number): boolean {
    // Half a line of values is another value: none is read of a line that is too long.
    if (end - start > MAX_VALUES) {
      this.#sink(longLine('value', lineNumber, 0, offset));
      return false;
    }
    const line = decoder.decode(bytes.subarray(start, end));
    if (line.trim() === '') return false;
    const place: Place = { form: 'value', firstLine: lineNumber, lastLine: lineNumber };
    const found = values(line, this.#options);
    if (found === undefined) {
      const message = 'the line holds no value that is known';
      this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_VALUE', message, offset } });
    } else if (found.record.kind === 'x86-mca') {
      const unknown = found.bankUnknown === true ? ({ bankUnknown: true } as const) : {};
      this.#sink({ type: 'mca', ...place, record: found.record, notes: found.notes, ...unknown });
    } else this.#sink({ type: 'arm', ...place, record: found.record, as: 'esr', notes: found.notes });
    return false;
  }

  skipped(): void {}

  /** Nothing of such a line was read. */
  cut(): void {}

  end(): void {}
}
