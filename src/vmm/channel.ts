import { closeSync, constants, fstatSync, openSync, createReadStream, write as fsWrite } from 'node:fs';
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

/** Opens a file for reading, `fd:N` or a path; undefined for a regular file, which nobody answers through. */
export function openInput(spec: string): Readable | undefined {
  const fd = open(spec, constants.O_RDONLY | constants.O_NOCTTY | constants.O_CREAT);
  if (isatty(fd)) {
    makeRaw(fd);
    return new TtyReadStream(fd);
  }
  const kind = fstatSync(fd);
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd, readable: true, writable: false });
  if (kind.isCharacterDevice()) return createReadStream('', { fd });
  closeSync(fd);
  return undefined;
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
