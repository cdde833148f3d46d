import { closeSync, constants, createReadStream, readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { look } from './look.ts';

/**
 * Opens a regular file to read it. Never waits: a named pipe is refused, and so is a device, which may have no end.
 * @throws the error of the file system, or one that says what it is instead
 */
export function openInput(path: string): number {
  return look(path, ({ kind, open }) => {
    if (kind === 'regular file') return open(constants.O_RDONLY);
    throw new Error(`not a regular file but a ${kind}`);
  });
}

/**
 * Opens a regular file, or what another program writes into a pipe right now (`/dev/stdin`, `<(…)`), to read it piece by
 * piece.
 * @throws as {@link openInput}
 */
export function openInputStream(path: string): Readable {
  return look(path, ({ kind, open }) => {
    if (kind === 'regular file') return createReadStream(path, { fd: open(constants.O_RDONLY) });
    // Through the event loop: a read that waits in a thread of its own would not let the program end.
    if (kind === 'pipe') return new Socket({ fd: open(constants.O_RDONLY), readable: true, writable: false });
    throw new Error(`not a regular file but a ${kind}`);
  });
}

/**
 * The whole of a regular file.
 * @throws as {@link openInput}, and for a file of more than `limit` bytes
 */
export function readInput(path: string, limit: number): Buffer {
  const fd = openInput(path);
  try {
    const buffer = Buffer.alloc(limit + 1);
    let length = 0;
    for (let n = -1; n !== 0 && length <= limit; length += n)
      n = readSync(fd, buffer, length, limit + 1 - length, null);
    if (length > limit) throw new Error(`larger than ${limit} bytes`);
    return buffer.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}
