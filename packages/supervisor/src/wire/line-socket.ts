/** @module Lines over a socket, both ways, bounded: of a peer that sends too much, and of one that does not read. */
import type { Socket } from 'node:net';
import { type Frame, LineSplitter } from '@syndrome/decode/common/line-splitter.ts';
import { WireError } from './errors.ts';

/** Bytes that wait for a peer to read them. Who leaves more lying is not reading any more. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

interface Listener {
  /** May throw a WireError: the connection ends with it. A promise that it returns holds up the next line. */
  line: (text: string) => void | Promise<void>;
  /** Once, when the connection has ended; `error` where it did not end by itself. */
  ended: (error: Error | undefined) => void;
  /** What to tell the peer before the connection ends of an error. */
  farewell?: (error: WireError) => string;
}

/** Lines over a socket. Lines are handled one after the other; while one is, no more is read than fits a buffer. */
export class LineSocket {
  readonly #socket: Socket;
  readonly #listener: Listener;
  readonly #lines: LineSplitter;
  readonly #waiting: Frame[] = [];
  #busy = false;
  /** The peer will send no more: what waits is handled, and then the connection has ended. */
  #last: { error: Error | undefined } | undefined;
  #ended = false;

  /** @param maxLineBytes of a line that the peer sends */
  constructor(socket: Socket, maxLineBytes: number, listener: Listener) {
    this.#socket = socket;
    this.#listener = listener;
    this.#lines = new LineSplitter(maxLineBytes);
    socket.on('data', chunk => {
      this.#waiting.push(...this.#lines.push(chunk as Buffer));
      void this.#work();
    });
    socket.on('error', error => this.#over(error));
    socket.on('end', () => this.#over(undefined));
    socket.on('close', () => this.#over(undefined));
  }

  get closed(): boolean {
    return this.#ended;
  }

  /** Sends a line. What is sent after the end is lost, as it would be a moment before. */
  send(line: string): void {
    if (this.#ended || !this.#socket.writable) return;
    this.#socket.write(`${line}\n`);
    if (this.#socket.writableLength > MAX_UNREAD_BYTES)
      this.close(new WireError('E_WIRE_STALLED', `the peer leaves ${this.#socket.writableLength} bytes unread`));
  }

  /** Ends the connection; with an error the peer is told, if there is something to tell. */
  close(error?: Error): void {
    if (this.#ended) return;
    this.#waiting.length = 0;
    const last = error instanceof WireError ? this.#listener.farewell?.(error) : undefined;
    this.#socket.resume();
    this.#socket.end(last === undefined ? '' : `${last}\n`);
    // A peer that does not hang up is left.
    const timer = setTimeout(() => this.#socket.destroy(), 1000);
    timer.unref();
    this.#socket.once('close', () => clearTimeout(timer));
    this.#end(error);
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let frame = this.#waiting.shift(); frame !== undefined; frame = this.#waiting.shift()) {
        if (frame.kind === 'bad') throw new WireError('E_WIRE_LINE', frame.reason);
        const done = this.#listener.line(frame.text);
        if (done === undefined) continue;
        this.#socket.pause();
        await done;
      }
      this.#socket.resume();
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#busy = false;
    }
    if (this.#last !== undefined) this.#end(this.#last.error);
  }

  #over(error: Error | undefined): void {
    this.#last ??= { error };
    if (!this.#busy) this.#end(error);
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.ended(error);
  }
}
