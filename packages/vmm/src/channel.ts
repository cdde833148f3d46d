import { closeSync, constants, fstatSync, openSync, write as fsWrite } from 'node:fs';
import { Socket } from 'node:net';
import { isatty, ReadStream as TtyReadStream } from 'node:tty';
import type { Readable } from 'node:stream';
import { VmmError } from './errors.ts';
import { makeRaw } from './libc.ts';

/**
 * Opens a file for writing in blocking mode: `fd:N` (an inherited descriptor) or a path. A terminal is set raw.
 * Throws E_VMM_CHANNEL.
 */
export function openOutput(spec: string): number {
  const fd = open(spec, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOCTTY);
  if (isatty(fd)) makeRaw(fd);
  return fd;
}

/**
 * Opens the input of a channel, `fd:N` or a path: a terminal, a socket or a FIFO. Undefined for a regular file and for
 * /dev/null, from which nothing comes. Throws E_VMM_CHANNEL for other devices: a read of one cannot be given up.
 */
export function openInput(spec: string): Readable | undefined {
  const fd = open(spec, constants.O_RDONLY | constants.O_NOCTTY);
  if (isatty(fd)) {
    makeRaw(fd);
    return new TtyReadStream(fd);
  }
  const kind = fstatSync(fd);
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd, readable: true, writable: false });
  closeSync(fd);
  if (kind.isFile() || spec === '/dev/null') return undefined;
  throw new VmmError('E_VMM_CHANNEL', `${spec} is not a terminal, socket or FIFO`, {
    hint: 'In a virtual machine use a serial port (ttyS1, ttyAMA1), not a virtio port.',
  });
}

function open(spec: string, flags: number): number {
  const inherited = /^fd:(\d+)$/.exec(spec);
  if (inherited) return Number(inherited[1]);
  try {
    return openSync(spec, flags, 0o644);
  } catch (cause) {
    throw new VmmError('E_VMM_CHANNEL', `${spec} cannot be opened`, { cause });
  }
}

/** Writes all bytes without blocking the thread. */
export async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += await new Promise<number>((resolve, reject) =>
      fsWrite(fd, bytes, at, bytes.length - at, null, (error, n) => (error ? reject(error) : resolve(n))),
    );
  }
}
