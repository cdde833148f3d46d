/** @module Where a unix socket may lie: in a folder that nobody else can get into. */
import { once } from 'node:events';
import { lstatSync, mkdirSync, rmSync, type Stats, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { MAX_SOCKET_PATH } from '../disk/socket-place.ts';
import { HttpError } from './errors.ts';

function wrong(path: string, why: string, cause?: unknown): HttpError {
  return new HttpError('E_HTTP_SOCKET', `--socket ${path}: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'Name a path in a folder of your own (mode 0700), or in one that is not there yet.',
  });
}

function checkFolder(path: string, folder: string): void {
  let stats: Stats;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    stats = statSync(folder);
  } catch (cause) {
    throw wrong(path, `there is no folder ${folder}, and none can be made`, cause);
  }
  if (stats.uid !== process.geteuid?.()) throw wrong(path, `the folder ${folder} belongs to another user`);
  const mode = stats.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw wrong(path, `others can get into the folder ${folder} (mode ${mode.toString(8).padStart(4, '0')})`);
  }
}

/** How long a server that takes no connection may take for it, ms. */
const ANSWER_MS = 2000;

/** Whether somebody takes connections on a socket; one that a killed server has left refuses them. */
async function isServed(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_MS) });
    return true;
  } catch (error) {
    return !/^(?:ECONNREFUSED|ENOENT)$/.test((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    socket.destroy();
  }
}

/**
 * Makes room for a socket: its folder, and away with one that a killed server has left.
 * @param path absolute
 * @throws HttpError E_HTTP_SOCKET, E_HTTP_IN_USE
 */
export async function prepareSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw wrong(path, `the path of a socket has no more than ${MAX_SOCKET_PATH} bytes here`);
  checkFolder(path, dirname(path));
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) throw wrong(path, 'something else lies there');
  if (await isServed(path)) {
    throw new HttpError('E_HTTP_IN_USE', `--socket ${path}: a server listens there already`, {
      hint: 'End it, or name another path.',
    });
  }
  rmSync(path, { force: true });
}
