/** Opening the stream that a client of QEMU speaks over: its monitor, its gdbstub. */
import net from 'node:net';
import { messageOf } from '@syndrome/decode/common/errors.ts';

/** Where a QEMU listens (`-qmp unix:PATH,server=on`, `-gdb tcp:HOST:PORT,server=on`). */
export type SocketAddress = { path: string } | { host: string; port: number };

/** The client's own errors: the taxonomy a caller programs against belongs to the protocol. */
type ConnectErrors = {
  connect: new (message: string, options?: { hint?: string; cause?: unknown }) => Error;
  deadline: new (waitingFor: string, deadlineMs: number) => Error;
};

/** `sockaddr_un.sun_path` of Linux, less its final NUL. A longer path would be cut without an error. */
const MAX_SOCKET_PATH_BYTES = 107;

const hints: Record<string, string> = {
  ENOENT: 'No such socket: QEMU has not created it yet, or was started with another path.',
  ECONNREFUSED: 'Nobody listens there: QEMU has ended, or was started with another address.',
  EACCES: 'The socket belongs to another user: run as the user who started QEMU.',
};

/** Opens a socket to a listening QEMU. Throws one of `errors`, for an aborted `signal` too. */
export function openSocket(
  address: SocketAddress,
  deadlineMs: number,
  errors: ConnectErrors,
  signal?: AbortSignal,
): Promise<net.Socket> {
  const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
  const failed = (why: string, options: { hint?: string; cause?: unknown }): Error =>
    new errors.connect(`cannot connect to ${where}: ${why}`, options);
  if ('path' in address && Buffer.byteLength(address.path) > MAX_SOCKET_PATH_BYTES) {
    const hint = 'Put the run directory at a shorter path.';
    return Promise.reject(failed(`socket paths are limited to ${MAX_SOCKET_PATH_BYTES} bytes`, { hint }));
  }
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(failed('aborted', { cause: signal.reason }));
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
      give(failed(messageOf(error), { cause: error, ...(hint && { hint }) }));
    };
    const onAbort = (): void => give(failed('aborted', { cause: signal?.reason }));
    const timer = setTimeout(() => give(new errors.deadline(`connection to ${where}`, deadlineMs)), deadlineMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', () => give(undefined));
  });
}
