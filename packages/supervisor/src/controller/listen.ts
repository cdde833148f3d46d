/**
 * @module Sockets of a controller. They are in a folder that nobody else may enter: who can connect is the user of the
 * controller, or root. Node cannot ask the kernel who a peer is (SO_PEERCRED), so nothing finer is promised.
 */
import { mkdirSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, isAbsolute } from 'node:path';
import { requireOwnFolder } from '@syndrome/base/disk/own-folder.ts';
import { listenOnSocket, MAX_SOCKET_PATH } from '@syndrome/base/disk/socket-place.ts';
import { ControllerError } from './errors.ts';

/** A server on a socket of this path. */
export interface Listening {
  close(): Promise<void>;
}

/**
 * Listens on a unix socket (0600), in a folder (0700) that is made where it is missing. A socket that another process has left
 * or still has at this path is replaced in one step: nobody is refused between them, and its end does not take ours away.
 * @throws ControllerError E_CONTROLLER_LISTEN: a TCP address, a path that is too long, a folder of others
 */
export async function listenAt(path: string, connection: (socket: Socket) => void): Promise<Listening> {
  const failed = (why: string, cause?: unknown): ControllerError =>
    new ControllerError(
      'E_CONTROLLER_LISTEN',
      `cannot listen at ${path}: ${why}`,
      cause === undefined ? {} : { cause },
    );
  if (!isAbsolute(path)) throw failed('it is no absolute path of a unix socket; nothing is taken over TCP');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw failed(`paths of sockets are limited to ${MAX_SOCKET_PATH} bytes here`);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    requireOwnFolder(dirname(path));
    if ((statSync(dirname(path)).mode & 0o077) !== 0)
      throw new Error(`others may enter ${dirname(path)}: chmod 700 it, or choose another folder`);
  } catch (cause) {
    throw failed('its folder', cause);
  }
  const sockets = new Set<Socket>();
  const server: Server = createServer(socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    connection(socket);
  });
  try {
    await listenOnSocket(server, path);
  } catch (cause) {
    throw failed('the system refuses', cause);
  }
  server.on('error', () => {}); // of one connection that could not be accepted
  return {
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
