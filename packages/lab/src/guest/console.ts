import { Budget, monotonicMs } from './budget.ts';
import type { Clock } from './budget.ts';

/** One line of a guest console: decoded, not escaped for a screen. */
export type ConsoleLine = {
  text: string;
  /** Byte position of its first byte in everything the guest wrote. */
  offset: number;
  /** Bytes at its end that were beyond the bound and are not in `text`. */
  cutBytes: number;
  /** True when it was taken by `flush` before its line feed came. */
  partial: boolean;
  /** True when it continues a line that was taken as partial. */
  continued: boolean;
};

type ConsoleDiagnostic = {
  code: 'console-rate' | 'console-total';
  message: string;
};

export type ConsoleReaderOptions = {
  onLine: (line: ConsoleLine) => void;
  onDiagnostic?: (diagnostic: ConsoleDiagnostic) => void;
  /** Longest line kept, in bytes (default 8 KiB). */
  maxLineBytes?: number;
  /** After this many bytes lines are only counted (default 64 MiB). */
  maxBytes?: number;
  /** Bytes of lines per second in the long run (default 4 MiB); twice that at once. */
  bytesPerSecond?: number;
  clock?: Clock;
};

/** Bytes of a console of which lines are kept, where nothing else is said. */
export const CONSOLE_MAX = 64 << 20;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Splits what a guest writes to its console into lines, within bounds whatever it writes. UTF-8 sequences and CR LF may
 * be split anywhere between chunks; bytes that are not UTF-8 become U+FFFD.
 */
export class ConsoleReader {
  /** Bytes the guest wrote, kept or not. */
  totalBytes = 0;
  /** Lines that were ended by a line feed, reported or not. */
  totalLines = 0;
  /** Lines, and their bytes, that were counted but not reported. */
  droppedLines = 0;
  droppedBytes = 0;

  readonly #options: ConsoleReaderOptions;
  readonly #maxLine: number;
  readonly #maxBytes: number;
  readonly #rate: Budget;
  readonly #line: Buffer;
  #used = 0;
  #cut = 0;
  #offset = 0;
  #continued = false;
  #overRate = false;
  #overTotal = false;

  constructor(options: ConsoleReaderOptions) {
    this.#options = options;
    this.#maxLine = options.maxLineBytes ?? 8192;
    this.#maxBytes = options.maxBytes ?? CONSOLE_MAX;
    const perSecond = options.bytesPerSecond ?? 4 << 20;
    this.#rate = new Budget(perSecond, Math.max(2 * perSecond, 2 * this.#maxLine + 32), options.clock ?? monotonicMs);
    this.#line = Buffer.alloc(this.#maxLine);
  }

  /** The text of the line that is not ended yet. */
  get pending(): string {
    return this.#text(this.#used);
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    while (start < bytes.length) {
      const lf = bytes.indexOf(LF, start);
      const end = lf === -1 ? bytes.length : lf;
      const kept = Math.min(end - start, this.#maxLine - this.#used);
      bytes.copy(this.#line, this.#used, start, start + kept);
      this.#used += kept;
      this.#cut += end - start - kept;
      this.totalBytes += end - start;
      start = end;
      if (lf === -1) return;
      this.totalBytes++;
      this.totalLines++;
      start++;
      this.#emit(this.#used, false);
    }
  }

  /**
   * Reports what has come of the current line, so that a prompt without line feed is seen. An unfinished UTF-8 sequence
   * and a CR at its end wait for what follows. Returns whether there was anything.
   */
  flush(): boolean {
    let end = this.#cut > 0 ? this.#used : completeLength(this.#line, this.#used);
    while (end > 0 && this.#cut === 0 && this.#line[end - 1] === CR) end--;
    if (end === 0) return false;
    this.#emit(end, true);
    return true;
  }

  /** The console is at its end: reports an unfinished last line as it is. */
  end(): void {
    if (this.#used > 0) this.#emit(this.#used, true);
  }

  #emit(length: number, partial: boolean): void {
    const bytes = length + this.#cut;
    const line: ConsoleLine = {
      text: '',
      offset: this.#offset,
      cutBytes: this.#cut,
      partial,
      continued: this.#continued,
    };
    const rest = this.#used - length;
    if (this.#within(length)) {
      line.text = this.#text(length);
      this.#options.onLine(line);
    } else {
      this.droppedLines++;
      this.droppedBytes += bytes;
    }
    this.#line.copyWithin(0, length, this.#used);
    this.#used = rest;
    this.#cut = 0;
    this.#offset = this.totalBytes - rest;
    this.#continued = partial;
  }

  #text(length: number): string {
    let end = length;
    // Serial consoles send CR LF, firmware sometimes CR CR LF.
    if (this.#cut === 0) while (end > 0 && this.#line[end - 1] === CR) end--;
    else end = completeLength(this.#line, end);
    return this.#line.toString('utf8', 0, end) + (this.#cut > 0 ? '…' : '');
  }

  #within(length: number): boolean {
    if (this.totalBytes > this.#maxBytes) {
      if (!this.#overTotal)
        this.#options.onDiagnostic?.({
          code: 'console-total',
          message: `the guest console is beyond ${this.#maxBytes} bytes: later lines are counted, not kept`,
        });
      this.#overTotal = true;
      return false;
    }
    // Every line costs something, also an empty one.
    if (!this.#rate.take(length + 16)) {
      if (!this.#overRate)
        this.#options.onDiagnostic?.({
          code: 'console-rate',
          message: 'the guest floods its console: some lines are counted, not kept',
        });
      this.#overRate = true;
      return false;
    }
    return true;
  }
}

/** How many of the first `length` bytes end at a character boundary, when the rest could become a character. */
function completeLength(bytes: Buffer, length: number): number {
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? length - back : length;
    }
  }
  return length;
}
