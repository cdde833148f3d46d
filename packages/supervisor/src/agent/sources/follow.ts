/** @module A file, or a FIFO, to which somebody else writes lines. */
import { constants, openSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import net from 'node:net';
import { LineScanner } from '@syndrome/decode/text/transport/line-scanner.ts';
import { Changed } from '../changed.ts';
import { pause } from '../reconnect.ts';

export interface FollowOptions {
  signal: AbortSignal;
  /** `<inode>:<offset>` of an earlier run. Without it, or where the file is another one, reading begins at `begin`. */
  from?: string | undefined;
  /** Where to begin in a file that was not read before. Default: its end. */
  begin?: 'start' | 'end';
  /** Between two looks where the system does not tell of changes, ms. Default 1000. */
  pollMs?: number;
  /** At most so many bytes of a file are read in a second; what a writer puts out beyond that is left out. Default: all. */
  bytesPerSecond?: number;
  /** Told where bytes were left out. */
  leftOut?: (bytes: number) => void;
  /** Called when the file is open, and whenever everything in it was read, with the position. */
  up: () => void;
  idle: (position: string) => void;
}

const CHUNK = 65_536;
const SECOND_MS = 1000;
const MAX_REST = 1 << 24;

/**
 * Hands on the lines that come, without their ends, bounded in length. A file that was replaced or cut is read from its begin.
 * Returns when `signal` aborts or the writer of a socket-like file is gone.
 * @throws the error of the file system, also where the file goes away and none comes in its place
 */
export async function followLines(path: string, take: (line: string) => void, options: FollowOptions): Promise<void> {
  const scanner = (): LineScanner =>
    new LineScanner({
      line: (bytes, start, end) => {
        take(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
        return true;
      },
      skipped: () => undefined,
      cut: () => undefined,
    });
  if (statSync(path).isFIFO()) return readFifo(path, scanner(), options);
  const changed = new Changed();
  changed.arm(path);
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    let { ino, size } = await file.stat();
    let offset = options.begin === 'start' ? 0 : size;
    const [oldIno, oldOffset] = options.from?.split(':').map(Number) ?? [];
    if (oldIno === ino && oldOffset !== undefined && oldOffset <= size) offset = oldOffset;
    let lines = scanner();
    options.up();
    const chunk = Buffer.alloc(CHUNK);
    /** Where the last whole line ended. */
    let whole = offset;
    const pace = new Pace(options.bytesPerSecond);
    while (!options.signal.aborted) {
      if (pace.isSpent) {
        await pace.rest(options.signal);
        const behind = (await file.stat()).size - offset - pace.most;
        if (behind > 0) {
          // What follows may begin in the middle of a line.
          lines.end();
          lines = scanner();
          whole = offset += behind;
          options.leftOut?.(behind);
        }
        continue;
      }
      const { bytesRead } = await file.read(chunk, 0, CHUNK, offset);
      if (bytesRead > 0) {
        pace.read(bytesRead);
        lines.push(chunk.subarray(0, bytesRead));
        const end = chunk.subarray(0, bytesRead).lastIndexOf(0x0a);
        if (end >= 0) whole = offset + end + 1;
        offset += bytesRead;
        continue;
      }
      options.idle(`${ino}:${whole}`);
      await changed.wait(options.pollMs ?? 1000, options.signal);
      changed.arm(path);
      const now = statSync(path);
      if (now.ino === ino && now.size >= offset) continue;
      // What its writer put into it after our last look and before the other file came.
      if (now.ino !== ino) await readRest(file, offset, chunk, lines);
      lines.end();
      lines = scanner();
      await file.close();
      file = await open(path, 'r');
      ({ ino, size } = await file.stat());
      offset = whole = 0;
    }
  } finally {
    changed.end();
    await file?.close();
  }
}

/** Reads to the end of a file that comes no more, at most so much as nobody writes within a look. */
async function readRest(file: FileHandle, from: number, chunk: Buffer, lines: LineScanner): Promise<void> {
  for (let offset = from; offset < from + MAX_REST; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset);
    if (bytesRead === 0) return;
    lines.push(chunk.subarray(0, bytesRead));
    offset += bytesRead;
  }
}

/** How much of a file may be read in each second of its reader's clock. */
class Pace {
  readonly most: number;
  #since = performance.now();
  #bytes = 0;

  constructor(most = Infinity) {
    this.most = most;
  }

  read(bytes: number): void {
    const now = performance.now();
    if (now - this.#since >= SECOND_MS) {
      this.#since = now;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
  }

  get isSpent(): boolean {
    return this.#bytes >= this.most;
  }

  /** Waits for the next second. */
  async rest(signal: AbortSignal): Promise<void> {
    await pause(Math.max(0, this.#since + SECOND_MS - performance.now()), signal);
    this.#since = performance.now();
    this.#bytes = 0;
  }
}

async function readFifo(path: string, lines: LineScanner, options: FollowOptions): Promise<void> {
  // Open for writing too: without that the end of one writer would be the end of the file.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const stream = new net.Socket({ fd, readable: true, writable: false });
  const onAbort = (): void => void stream.destroy();
  options.signal.addEventListener('abort', onAbort, { once: true });
  const timer = setInterval(() => options.idle(''), options.pollMs ?? 1000);
  options.up();
  try {
    await new Promise<void>((resolve, reject) => {
      stream.on('data', (chunk: Buffer) => lines.push(chunk));
      stream.once('error', reject);
      stream.once('close', () => resolve());
    });
  } finally {
    clearInterval(timer);
    options.signal.removeEventListener('abort', onAbort);
  }
}
