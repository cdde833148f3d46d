/** @module A unix socket that is put into its place whole. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';

/** What the name of a socket has more until it is in its place. */
const BESIDES = 9;
/** Bytes of a path: sun_path without its final NUL (unix(7)), less {@link BESIDES}. */
export const MAX_SOCKET_PATH: number = 107 - BESIDES;

/**
 * Has a server listen on a unix socket (0600). Whatever is at the path is replaced in one step. A server takes away the path
 * that it was given when it ends, whoever's is there by then: it is given another one.
 * @param path at most {@link MAX_SOCKET_PATH} bytes
 * @returns takes the socket away, where it is still this server's
 * @throws the error of the system; then nothing has changed
 */
export async function listenOnSocket(server: Server, path: string): Promise<() => void> {
  const fresh = `${path}.${randomBytes((BESIDES - 1) / 2).toString('hex')}`;
  try {
    server.listen(fresh);
    await once(server, 'listening');
    chmodSync(fresh, 0o600);
    const { dev, ino } = lstatSync(fresh);
    renameSync(fresh, path);
    return () => {
      const there = lstatSync(path, { throwIfNoEntry: false });
      if (there?.dev === dev && there.ino === ino) rmSync(path, { force: true });
    };
  } catch (error) {
    server.close();
    rmSync(fresh, { force: true });
    throw error;
  }
}
