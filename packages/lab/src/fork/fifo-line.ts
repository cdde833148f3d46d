import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { MachineLine } from '../machine/machine-line.ts';

/**
 * The lab's side of a line of a fork: FIFOs that the fork has made and open, which takes their names away. What the machine
 * says goes on being there until it is read: a pipe takes 65,536 bytes, which no run writes while the lab does something else.
 */
export class FifoLine extends Duplex implements MachineLine {
  readonly #output: Socket;
  readonly #input: Socket | undefined;

  /** @throws Error of the system */
  constructor({ output, input }: { output: string; input?: string }) {
    super();
    this.#output = new Socket({ fd: take(output, constants.O_RDONLY), readable: true, writable: false });
    if (input !== undefined) {
      this.#input = new Socket({ fd: take(input, constants.O_WRONLY), readable: false, writable: true });
      this.#input.on('error', () => {});
    } else this.end();
    this.#output.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#output.pause();
    });
    this.#output.on('error', () => {});
    // The fork has ended: nobody writes any more.
    this.#output.on('close', () => this.destroyed || this.push(null));
    this.once('end', () => this.destroy());
  }

  finish(): void {
    if (this.listenerCount('data') === 0) this.resume();
  }

  override _read(): void {
    this.#output.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#input?.write(chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#output.destroy();
    this.#input?.destroy();
    done(error);
  }
}

/** Opens a FIFO, which then has no name any more. */
function take(path: string, way: number): number {
  const fd = openSync(path, way | constants.O_NONBLOCK);
  try {
    rmSync(path);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}
