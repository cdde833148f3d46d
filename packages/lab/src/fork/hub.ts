import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { RunDir } from '../machine/run-dir.ts';

/** What has dialled with one token: a process and its sockets by name. */
export interface Arrival {
  pid: number;
  sockets: ReadonlyMap<string, Socket>;
}

interface Awaited {
  pid: number;
  sockets: Map<string, Socket>;
  done: (arrival: Arrival) => void;
}

/** The name under which a process dials last, for the requests to it. */
export const CONTROL = 'control';
/** A first line is short; what is longer is not one of ours. */
const MAX_LINE = 200;

/** Where QEMUs that fork, and their forks, find the lab: a socket in a private folder, and beside it the FIFOs of forks. */
export class Hub {
  readonly #dir = new RunDir();
  readonly path: string = this.#dir.file('hub');
  readonly #server: Server = createServer(socket => this.#greet(socket));
  readonly #awaited = new Map<string, Awaited>();
  #next = 0;

  private constructor() {}

  /** @throws LabError E_LAB_RUN_DIR; Error of the system */
  static async open(): Promise<Hub> {
    const hub = new Hub();
    hub.#server.listen(hub.path);
    await once(hub.#server, 'listening');
    return hub;
  }

  /** A token that nobody had before. */
  token(): string {
    return String(++this.#next);
  }

  /** The file of a line of a fork. */
  file(token: string, name: string): string {
    return `${this.path}.${token}.${name}`;
  }

  /** All that dials with a token, once it is complete. */
  arrival(token: string): Promise<Arrival> {
    return new Promise(done => this.#awaited.set(token, { pid: 0, sockets: new Map(), done }));
  }

  /** Nobody waits for a token any more. */
  forget(token: string): void {
    for (const socket of this.#awaited.get(token)?.sockets.values() ?? []) socket.destroy();
    this.#awaited.delete(token);
  }

  /** Safe to call twice. */
  close(): void {
    for (const token of this.#awaited.keys()) this.forget(token);
    this.#server.close();
    this.#dir.remove();
  }

  #greet(socket: Socket): void {
    let head = Buffer.alloc(0);
    socket.on('error', () => {});
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\n');
      if (end < 0 && head.length < MAX_LINE) return;
      socket.off('data', onData);
      socket.pause();
      const [token = '', pid = '', name = ''] = head.toString('latin1', 0, end).split(' ');
      const awaited = end < 0 ? undefined : this.#awaited.get(token);
      if (!awaited) return void socket.destroy();
      if (end + 1 < head.length) socket.unshift(head.subarray(end + 1));
      awaited.pid = Number(pid);
      awaited.sockets.set(name, socket);
      if (name !== CONTROL) return;
      this.#awaited.delete(token);
      awaited.done({ pid: awaited.pid, sockets: awaited.sockets });
    };
    socket.on('data', onData);
  }
}
