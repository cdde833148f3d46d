/** The other end of a real unix socket, which says exactly the bytes a test gives it. */
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listening } from './machine.ts';

export const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 3, "minor": 1, "major": 11}, "package": "test"}, "capabilities": ["oob"]}}\r\n';

type SentCommand = { execute?: string; 'exec-oob'?: string; arguments?: unknown; id: string };

export class Peer {
  readonly socket: net.Socket;
  readonly #commands: SentCommand[] = [];
  readonly #waiting: ((command: SentCommand) => void)[] = [];
  #text = '';

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => {}); // the client may be gone first
    socket.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
  }

  /** The next command the client sends, in order. */
  command(): Promise<SentCommand> {
    const command = this.#commands.shift();
    if (command !== undefined) return Promise.resolve(command);
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** Commands received and not yet taken by command(). */
  get unread(): number {
    return this.#commands.length;
  }

  /** Writes bytes; resolves when the kernel has them. */
  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise(resolve => this.socket.write(bytes, () => resolve()));
  }

  /** Writes messages as QEMU does. */
  say(...messages: object[]): Promise<void> {
    return this.write(messages.map(m => `${JSON.stringify(m)}\r\n`).join(''));
  }

  /** Greets and accepts the negotiation; returns the command that asked for it. */
  async greet(): Promise<SentCommand> {
    await this.write(GREETING);
    const command = await this.command();
    await this.say({ return: {}, id: command.id });
    return command;
  }

  #read(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop()!;
    for (const line of lines) {
      const command = JSON.parse(line) as SentCommand;
      const next = this.#waiting.shift();
      if (next === undefined) this.#commands.push(command);
      else next(command);
    }
  }
}

export type PeerServer = {
  path: string;
  /** A connected pair: our end, for QmpClient.attach(), and the peer's. */
  pair(): Promise<{ socket: net.Socket; peer: Peer }>;
  /** The next peer that connects by itself. */
  accept(): Promise<Peer>;
  close(): Promise<void>;
};

/** A unix socket server in a temporary directory of its own. */
export async function peerServer(): Promise<PeerServer> {
  const dir = await mkdtemp(join(tmpdir(), 'qmp-'));
  const path = join(dir, 'peer.sock');
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: false }, socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listening(server, path);
  const accept = (): Promise<Peer> => new Promise(resolve => server.once('connection', s => resolve(new Peer(s))));
  return {
    path,
    accept,
    pair: async () => {
      const accepted = accept();
      const socket = net.connect({ path });
      await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      return { socket, peer: await accepted };
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}
