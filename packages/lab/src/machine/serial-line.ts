import { execFile } from 'node:child_process';
import { closeSync, constants, ftruncateSync, type FSWatcher, openSync, readSync, watch } from 'node:fs';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { CONSOLE_MAX } from '../guest/console.ts';
import type { SerialFiles } from './channels.ts';
import type { MachineLine } from './machine-line.ts';

/** Read at once; a machine that says more lets others have their turn in between. */
const piece = Buffer.allocUnsafe(1 << 16);

/** How often a file is looked at where the system tells of no changes: its inotify instances or watches are used up. */
const POLL_MS = 10;

/** Makes FIFOs for their user alone. @throws Error of the system, or of mkfifo */
export async function makeFifos(paths: readonly string[]): Promise<void> {
  if (paths.length > 0) await promisify(execFile)('mkfifo', ['-m', '600', '--', ...paths]);
}

/**
 * The lab's side of a serial line. What the machine says is in a file, read as it grows: a reader that pauses loses
 * nothing, and the machine never waits for it. What the lab says goes through a FIFO. Made before QEMU is started, which
 * opens what it finds.
 */
export class SerialLine extends Duplex implements MachineLine {
  readonly #fd: number;
  readonly #input: Socket | undefined;
  readonly #keep: number;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #position = 0;
  /** Up to here the file is given back to the disk. */
  #freed = 0;
  #wanted = false;
  #finished = false;

  /**
   * @param files the output is made; a FIFO for the input has to be there
   * @param options.keep bytes after which the file is emptied, each time when all of it is read. What the machine says in
   *   that moment may be lost: with the default that is where the lines of a console are only counted.
   * @param options.follow as `watch` of node:fs
   * @throws Error of the system
   */
  constructor(
    { output, input }: SerialFiles,
    options: { keep?: number; follow?: (path: string, changed: () => void) => FSWatcher } = {},
  ) {
    super();
    const { keep = CONSOLE_MAX, follow = watch } = options;
    this.#keep = keep;
    // With a reader at hand, which this is for as long as it lives, QEMU need not wait for a writer, nor does it see an end.
    if (input !== undefined) this.#input = new Socket({ fd: openFifo(input), readable: false, writable: true });
    this.#input?.on('error', () => {});
    if (input === undefined) this.end();
    this.#fd = openSync(output, 'wx+', 0o600);
    this.once('end', () => this.destroy());
    const changed = (): void => this.#take();
    try {
      this.#watcher = follow(output, changed);
      this.#watcher.on('error', () => {});
    } catch {
      this.#poll = setInterval(changed, POLL_MS);
    }
  }

  /** QEMU has ended: what it has said is read, then the line ends. Safe to call at any time, also twice. */
  finish(): void {
    this.#finished = true;
    if (this.listenerCount('data') === 0) this.resume();
    this.#take();
  }

  override _read(): void {
    this.#wanted = true;
    this.#take();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#input?.write(chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#watcher?.close();
    clearInterval(this.#poll);
    this.#input?.destroy();
    closeSync(this.#fd);
    done(error);
  }

  #take(): void {
    if (!this.#wanted || this.destroyed) return;
    const length = readSync(this.#fd, piece, 0, piece.length, this.#position);
    if (length === 0) {
      if (this.#finished) this.push(null);
      else if (this.#position - this.#freed >= this.#keep) this.#empty();
      return;
    }
    this.#position += length;
    this.#wanted = false;
    const said = Buffer.from(piece.subarray(0, length));
    if (length < piece.length) this.push(said);
    else setImmediate(() => this.destroyed || this.push(said));
  }

  /** QEMU goes on writing where it was: the file has a hole up to there. */
  #empty(): void {
    ftruncateSync(this.#fd, 0);
    this.#freed = this.#position;
  }
}

const openFifo = (path: string): number => openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
