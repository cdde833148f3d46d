/**
 * All that the program writes to stdout and stderr goes through here, and nothing that a terminal would obey goes out but
 * the colours of its own styles (packages/lab/src/report/style.ts). scripts/screens.ts holds every other file to it.
 */
import { once } from 'node:events';
import { cutAt, escapeText } from '@syndrome/decode/common/screen.ts';
import { screenJson } from '@syndrome/lab/report/json.ts';
import { styledLine, styledLines, styleFor, widthOf } from '@syndrome/lab/report/style.ts';
import type { Style } from '@syndrome/trace/style.ts';
import type { Look } from '@syndrome/trace/verdict-lines.ts';

/** Options every command has. */
export interface GlobalOptions {
  color?: boolean;
}

/** Colour on stdout, unless the user said otherwise. `--color` is only meant where it was given. */
export function stdoutStyle(options: GlobalOptions): Style {
  const asked = process.argv.includes('--color') ? true : options.color === false ? false : undefined;
  return styleFor(process.stdout, asked);
}

/** How a report is drawn on stdout. */
export function stdoutLook(options: GlobalOptions): Look {
  return { style: stdoutStyle(options), width: widthOf(process.stdout) };
}

/** How a report is drawn on stderr, where stdout is for a machine. */
export function stderrLook(options: GlobalOptions): Look {
  return {
    style: styleFor(process.stderr, options.color === false ? false : undefined),
    width: widthOf(process.stderr),
  };
}

/** Columns of the terminal that stdout is; undefined where it is none. */
export function terminalColumns(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** Writes a line to stdout. */
export function print(line: string): void {
  process.stdout.write(`${styledLine(line)}\n`);
}

/** Writes lines to stdout as they are laid out in one text; its last line needs no line feed. */
export function printLines(text: string): void {
  process.stdout.write(`${styledLines(text.replace(/\n$/, ''))}\n`);
}

/** Writes a value to stdout as JSON, one line unless indented. */
export function printJson(value: unknown, indent?: number): void {
  printLines(screenJson(value, indent));
}

/** Writes a path to stdout: what a command is asked for by a script has to be exact, on a terminal it has to be safe. */
export function printPath(path: string): void {
  if (process.stdout.isTTY) print(path);
  else process.stdout.write(`${path}\n`);
}

/** Writes a line to stderr: what is for people, and no result. */
export function say(line: string): void {
  process.stderr.write(`${styledLine(line)}\n`);
}

/** Writes a line without styles to stderr that the next one replaces, unless it lasts; false where stderr is no terminal and nothing was written. */
export function sayForNow(line: string, lasting: boolean): boolean {
  if (!process.stderr.isTTY) return false;
  const [shown, width] = [escapeText(line), (process.stderr.columns ?? 80) - 1];
  process.stderr.write(`\r\u001b[K${lasting ? `${shown}\n` : shown.slice(0, cutAt(shown, width))}`);
  return true;
}

const BATCH = 1 << 16;
/** Bytes in UTF-8 of one unit of a text at most. */
const MAX_BYTES = 3;

/** Lines for stdout, written in batches; {@link BatchedOutput.drain} waits until the reader has taken them. */
export class BatchedOutput {
  #bytes = Buffer.alloc(0);
  #length = 0;

  /** Text of whole lines. It becomes bytes at once: joined to a batch it would be copied as text before, and live longer. */
  write(text: string): void {
    const shown = styledLines(text);
    const bytes = this.#room(MAX_BYTES * shown.length);
    this.#length += bytes.write(shown, this.#length);
  }

  /** Whole lines in which nothing is left to escape, as the writer of JSON gives them; they are copied. */
  writePlain(lines: Uint8Array): void {
    this.#room(lines.length).set(lines, this.#length);
    this.#length += lines.length;
  }

  #room(length: number): Buffer {
    if (this.#length + length > this.#bytes.length) {
      this.#flush();
      if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(Math.max(BATCH, length));
    }
    return this.#bytes;
  }

  /** Called between pieces of input: what there is goes out, and memory stays bounded however slow the reader is. */
  drain(): Promise<void> | undefined {
    this.#flush();
    return process.stdout.writableNeedDrain ? once(process.stdout, 'drain').then(() => undefined) : undefined;
  }

  async end(): Promise<void> {
    await this.drain();
  }

  #flush(): void {
    if (this.#length === 0) return;
    process.stdout.write(this.#bytes.subarray(0, this.#length));
    // What the stream still holds is not touched again, and what was made for one long text is not kept.
    if (process.stdout.writableLength > 0 || this.#bytes.length > BATCH) this.#bytes = Buffer.alloc(0);
    this.#length = 0;
  }
}

/** Calls back when stdout takes nothing more. What stands on stderr is for people and decides nothing: the work goes on. */
export function onLostOutput(lost: (cause: NodeJS.ErrnoException) => void): void {
  process.stdout.on('error', lost);
  process.stderr.on('error', () => {});
}
