import { closeSync, constants, fstatSync, openSync, statSync, write as fsWrite } from 'node:fs';
import { Socket } from 'node:net';
import { isatty, ReadStream as TtyReadStream } from 'node:tty';
import type { Readable } from 'node:stream';
import { VmmError } from './errors.ts';
import { makeFifo, makeRaw } from './libc.ts';

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
  // Open for writing too: a FIFO waits for nobody then, and the end of one writer is not its end.
  const mode = isFifoPath(spec) ? constants.O_RDWR | constants.O_NONBLOCK : constants.O_RDONLY;
  const fd = open(spec, mode | constants.O_NOCTTY);
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

const isFifoPath = (spec: string): boolean => statSync(spec, { throwIfNoEntry: false })?.isFIFO() === true;

/** Opens the input of a channel as {@link openInput} does; where a path has nothing, a FIFO is made there. Throws E_VMM_CHANNEL. */
export function openRequests(spec: string): Readable | undefined {
  const isPath = !/^fd:\d+$/.test(spec);
  if (isPath && statSync(spec, { throwIfNoEntry: false }) === undefined) makeFifo(spec);
  return openInput(spec);
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
