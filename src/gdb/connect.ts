/** Opening the stream a client speaks over. */
import net from 'node:net';
import { messageOf } from '../common/errors.ts';
import { GdbConnectError, GdbDeadlineError } from './errors.ts';

/** Where a QEMU listens (`-gdb unix:PATH,server=on,wait=off` or `-gdb tcp:HOST:PORT`). */
export type GdbAddress = { path: string } | { host: string; port: number };

/** `sockaddr_un.sun_path` of Linux, less its final NUL. A longer path would be cut without an error. */
const MAX_SOCKET_PATH_BYTES = 107;

const hints: Record<string, string> = {
  ENOENT: 'No such socket: QEMU has not created it yet, or was started with another path.',
  ECONNREFUSED: 'Nobody listens there: QEMU has ended, or was started with another address.',
  EACCES: 'The socket belongs to another user: run as the user who started QEMU.',
};

/** Opens a socket to a listening gdbstub. Throws GdbConnectError or GdbDeadlineError. */
export function openSocket(address: GdbAddress, deadlineMs: number, signal?: AbortSignal): Promise<net.Socket> {
  const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
  if ('path' in address && Buffer.byteLength(address.path) > MAX_SOCKET_PATH_BYTES) {
    return Promise.reject(
      new GdbConnectError(`cannot connect to ${where}: socket paths are limited to ${MAX_SOCKET_PATH_BYTES} bytes`, {
        hint: 'Put the run directory at a shorter path.',
      }),
    );
  }
  return new Promise((resolve, reject) => {
    if (signal?.aborted)
      return reject(new GdbConnectError(`cannot connect to ${where}: aborted`, { cause: signal.reason }));
    const socket = net.connect(address);
    const give = (error: Error | undefined): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
      if (error === undefined) return resolve(socket);
      socket.on('error', () => {}); // nobody listens any more, and a late error must not end the process
      socket.destroy();
      reject(error);
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      const hint = hints[error.code ?? ''];
      give(
        new GdbConnectError(`cannot connect to ${where}: ${messageOf(error)}`, { cause: error, ...(hint && { hint }) }),
      );
    };
    const onAbort = (): void =>
      give(new GdbConnectError(`cannot connect to ${where}: aborted`, { cause: signal?.reason }));
    const timer = setTimeout(() => give(new GdbDeadlineError(`connection to ${where}`, deadlineMs)), deadlineMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', () => give(undefined));
  });
}
