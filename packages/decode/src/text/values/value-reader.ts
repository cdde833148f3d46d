/** @module Lines of values, one record each. */
import { longLine } from '../item.ts';
import type { ItemSink, Place } from '../item.ts';
import type { LineTaker } from '../transport/line-scanner.ts';
import { mentions } from '../log-needles.ts';
import { MAX_VALUES, isNoStatement, values } from './values.ts';
import type { ValueOptions } from './values.ts';

const NONE = 'the line holds no value that is known';
const OF_A_LOG = 'the line is one of a log, and the others are values: put it into a file of its own';
const CUT = 'the input ends within the line: its last value has fewer digits than those of the other lines';
/** The digits of a whole register, which are all printed where its highest bit is set. */
const REGISTER = 16;
/** The last value of a line, and what stands before it in its word. */
const LAST = /(?:^|[\s,;])([A-Za-z_]\w{0,31}[=:])?(?:0[xX])?([0-9a-fA-F]{1,16})$/;
/** Every such value of a line. */
const EACH = /(?:^|[\s,;])([A-Za-z_]\w{0,31}[=:])?(?:0[xX])?([0-9a-fA-F]{1,16})(?![^\s,;])/g;
/** Names of which the digits are remembered. */
const MAX_NAMES = 64;
const decoder = new TextDecoder();

export class ValueReader implements LineTaker {
  readonly #sink: ItemSink;
  readonly #options: ValueOptions;
  /** By name, the fewest and the most digits that a value of it had in the lines so far. */
  readonly #digits = new Map<string, [least: number, most: number]>();
  #unended = false;

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
    if (isNoStatement(line)) return false;
    const place: Place = { form: 'value', firstLine: lineNumber, lastLine: lineNumber };
    const found = values(line, this.#options);
    const usual = this.#unended ? this.#usualDigits(line) : undefined;
    // Numbers that are no whole registers have as many digits as they need.
    if (usual !== undefined && usual < REGISTER) found?.notes.push({ code: 'W_TEXT_INCOMPLETE', message: CUT, offset });
    if (found === undefined) {
      const message = mentions(line, 0) ? OF_A_LOG : NONE;
      this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_VALUE', message, offset } });
    } else if (usual === REGISTER) {
      this.#sink({ type: 'note', ...place, note: { code: 'E_TEXT_TRUNCATED', message: CUT, offset } });
    } else if (found.record.kind === 'x86-mca') {
      const unknown = found.bankUnknown === true ? ({ bankUnknown: true } as const) : {};
      this.#sink({ type: 'mca', ...place, record: found.record, notes: found.notes, ...unknown });
    } else this.#sink({ type: 'arm', ...place, record: found.record, as: 'esr', notes: found.notes });
    if (found !== undefined) this.#remember(line);
    return false;
  }

  unended(): void {
    this.#unended = true;
  }

  #remember(line: string): void {
    for (const [, name = '', { length } = ''] of line.matchAll(EACH)) {
      const [least, most] = this.#digits.get(name) ?? [length, length];
      if (this.#digits.size >= MAX_NAMES && !this.#digits.has(name)) continue;
      this.#digits.set(name, [Math.min(least, length), Math.max(most, length)]);
    }
  }

  /** The digits that the last value of the last line has in every line before, where it has fewer here. */
  #usualDigits(line: string): number | undefined {
    const [, name = '', digits = ''] = LAST.exec(line) ?? [];
    const [least, most] = this.#digits.get(name) ?? [];
    return least !== undefined && least === most && digits !== '' && digits.length < least ? least : undefined;
  }

  skipped(): void {}

  /** Nothing of such a line was read. */
  cut(): void {}

  end(): void {}
}
