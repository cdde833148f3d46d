/** @module Bytes to lines, bounded: the framing of every protocol of ours that has one message a line (QMP, agent, admin). */

export type Frame =
  | { kind: 'line'; text: string }
  /** The line is longer than the bound or is not UTF-8; `start` is its beginning, for the error message. */
  | { kind: 'bad'; reason: string; start: string };

const START_CHARS = 512;

/** Splits a byte stream into lines with a bound; a `bad` frame is the last one it gives. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #parts: Uint8Array[] = [];
  #size = 0;
  #failed = false;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes held back because their line has not ended yet. */
  get pendingBytes(): number {
    return this.#size;
  }

  /** The beginning of the unfinished line, lossily decoded, for messages. */
  get pendingStart(): string {
    return startOf(this.#parts);
  }

  /** Gives every line of at most the bound that `chunk` completes, without its CR LF or LF; empty lines are skipped. */
  *push(chunk: Uint8Array): Generator<Frame, void, undefined> {
    let from = 0;
    while (!this.#failed && from < chunk.length) {
      const newline = chunk.indexOf(0x0a, from);
      const part = chunk.subarray(from, newline === -1 ? chunk.length : newline);
      this.#parts.push(part);
      this.#size += part.length;
      if (this.#size > this.#maxLineBytes) {
        yield this.#fail(`a message of more than ${this.#maxLineBytes} bytes`);
        return;
      }
      if (newline === -1) return;
      from = newline + 1;
      const frame = this.#finishLine();
      if (frame !== undefined) yield frame;
    }
  }

  #finishLine(): Frame | undefined {
    const line = this.#parts.length === 1 ? this.#parts[0]! : concat(this.#parts, this.#size);
    let text: string;
    try {
      text = this.#decoder.decode(line);
    } catch {
      return this.#fail('a message that is not UTF-8');
    }
    this.#parts = [];
    this.#size = 0;
    if (text.endsWith('\r')) text = text.slice(0, -1);
    return text === '' ? undefined : { kind: 'line', text };
  }

  #fail(reason: string): Frame {
    const start = startOf(this.#parts);
    this.#failed = true;
    this.#parts = [];
    this.#size = 0;
    return { kind: 'bad', reason, start };
  }
}

function concat(parts: Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function startOf(parts: Uint8Array[]): string {
  const few: Uint8Array[] = [];
  let size = 0;
  for (const part of parts) {
    if (size >= START_CHARS) break;
    few.push(part.subarray(0, START_CHARS - size));
    size += few.at(-1)!.length;
  }
  return new TextDecoder('utf-8').decode(concat(few, size));
}
