/** A socket before that of a PostgreSQL, on which what goes either way can be cut or kept back at a statement. */
import { mkdirSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** What is done when a client has sent a text: cut before the server has it, after it has, or keep its answers back. */
type How = 'before' | 'after' | 'mute';

export class PostgresRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #at: { text: string; how: How } | undefined;
  #silent = false;
  /** How often something was done. */
  hits = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param folder is made; the socket lies in it @param to the folder of the server's */
  static async open(folder: string, to: string): Promise<PostgresRelay> {
    mkdirSync(folder);
    const server = createServer({ allowHalfOpen: true });
    const relay = new PostgresRelay(server);
    server.on('connection', client => relay.#serve(client, connect(join(to, '.s.PGSQL.5432'))));
    await new Promise<void>(resolve => server.listen(join(folder, '.s.PGSQL.5432'), resolve));
    return relay;
  }

  /** The next time a client sends this text, once. */
  next(text: string, how: How): void {
    this.#at = { text, how };
  }

  /** As a machine that has lost its power: nothing is said to anybody from now on, not even a farewell. */
  fallSilent(): void {
    this.#silent = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #serve(client: Socket, server: Socket): void {
    let how: How | undefined;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
    }
    client.on('end', () => this.#silent || client.end());
    client.on('close', () => server.destroy());
    server.on('close', () => this.#silent || client.destroy());
    client.on('data', (data: Buffer) => {
      if (this.#at !== undefined && data.includes(this.#at.text)) {
        ({ how } = this.#at);
        this.#at = undefined;
        this.hits++;
      }
      if (this.#silent) return;
      if (how === 'before') return void client.destroy();
      server.write(data);
    });
    server.on('data', (data: Buffer) => {
      // Its answer is the sign that it has done it.
      if (how === 'after') client.destroy();
      else if (how !== 'mute' && !this.#silent) client.write(data);
    });
  }
}
