import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { requireSafeTemporary } from '@syndrome/base/disk/own-folder.ts';
import { LabError } from '../errors.ts';
import type { SerialFiles } from './channels.ts';
import { makeFifos, SerialLine } from './serial-line.ts';

/** sun_path holds 108 bytes with its NUL (unix(7)); the longest name in a run folder is short. */
const MAX_SOCKET_PATH = 100;

/** Folders of machines that run; what ends the program without warning leaves none of them behind. */
const open = new Set<string>();

function removeAll(): void {
  for (const path of open) rmSync(path, { recursive: true, force: true });
}

/** @throws LabError E_LAB_RUN_DIR */
function makeIn(base: string): string {
  try {
    requireSafeTemporary(base);
    return mkdtempSync(join(base, 'syndrome-'));
  } catch (cause) {
    throw new LabError('E_LAB_RUN_DIR', `no folder for the channels of a run can be made in ${base}`, {
      cause,
      hint: 'Set TMPDIR to a folder that can be written to and that is yours, or has the sticky bit; or free some space.',
    });
  }
}

/** A private folder for the sockets and files of one machine; gone when the machine is. */
export class RunDir {
  readonly path: string;
  #servers: Server[] = [];

  constructor() {
    const base = [resolve(tmpdir()), '/tmp'].find(
      dir => Buffer.byteLength(join(dir, 'syndrome-XXXXXX', 'outer.sock')) < MAX_SOCKET_PATH,
    );
    this.path = makeIn(base ?? '/tmp');
    if (open.size === 0) process.on('exit', removeAll);
    open.add(this.path);
    chmodSync(this.path, 0o700);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /**
   * Listens on a unix socket in this folder and gives the first connection. QEMU is the connecting side, so that nothing
   * it says is lost and nobody waits for a socket to appear.
   * @throws LabError E_LAB_SOCKET
   */
  async listen(path: string): Promise<{ connection: Promise<Socket> }> {
    const server = createServer();
    this.#servers.push(server);
    const connection = new Promise<Socket>((resolve, reject) => {
      server.once('connection', socket => {
        socket.on('error', () => {});
        server.close();
        resolve(socket);
      });
      server.once('error', reject);
    });
    connection.catch(() => {});
    await new Promise<void>((resolve, reject) => {
      server.once('error', error => reject(new LabError('E_LAB_SOCKET', `cannot listen on ${path}`, { cause: error })));
      server.listen(path, resolve);
    });
    return { connection };
  }

  /** Makes the files of a serial line in this folder, and follows them. @throws LabError E_LAB_RUN_DIR */
  async serialLine(files: SerialFiles): Promise<SerialLine> {
    try {
      await makeFifos(files.input === undefined ? [] : [files.input]);
      return new SerialLine(files);
    } catch (cause) {
      throw new LabError('E_LAB_RUN_DIR', `no serial line can be made in ${this.path}`, {
        cause,
        hint: 'The command mkfifo has to be there, and TMPDIR to lie on a file system that has FIFOs.',
      });
    }
  }

  /** Closes what listens and removes the folder. Safe to call twice. */
  remove(): void {
    for (const server of this.#servers) server.close();
    this.#servers = [];
    rmSync(this.path, { recursive: true, force: true });
    open.delete(this.path);
    if (open.size === 0) process.off('exit', removeAll);
  }
}
