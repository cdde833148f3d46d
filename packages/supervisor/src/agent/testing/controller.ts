/** The other end of an agent's connection, in a test: keeps rows as a controller does, and gives orders. */
import net from 'node:net';
import type { Act } from '../../core/act.ts';
import type { Row, Said } from '../../core/said.ts';
import { messageLine, parseAgentMessage, WIRE_VERSION } from '../../wire/messages.ts';

export class TestController {
  /** By spool and seq, as they came first. */
  readonly rows = new Map<string, Row>();
  /** Rows that came, repeats too. */
  received = 0;
  readonly #server = net.createServer(socket => this.#serve(socket));
  readonly #sockets = new Set<net.Socket>();
  readonly #acts: Act[] = [];
  #wake: (() => void)[] = [];

  static async listen(path: string): Promise<TestController> {
    const controller = new TestController();
    await new Promise<void>(resolve => controller.#server.listen(path, resolve));
    return controller;
  }

  get said(): Said[] {
    return [...this.rows.values()].map(row => row.said);
  }

  /** Orders it of everybody who is connected, and again after each connection. */
  order(act: Act): void {
    this.#acts.push(act);
    for (const socket of this.#sockets) socket.write(`${messageLine({ type: 'act', act })}\n`);
  }

  /** The first that is so, now or later. */
  async until<S extends Said>(what: (said: Said) => said is S): Promise<S>;
  async until(what: (said: Said) => boolean): Promise<Said>;
  async until(what: (said: Said) => boolean): Promise<Said> {
    for (;;) {
      const found = this.said.find(what);
      if (found !== undefined) return found;
      await new Promise<void>(resolve => this.#wake.push(resolve));
    }
  }

  /** Breaks all connections. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.hangUp();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    let rest = '';
    let [host, spool] = ['', ''];
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const message = parseAgentMessage(line);
        if (message.type === 'hello') {
          ({ host, spool } = message);
          socket.write(
            `${messageLine({ type: 'welcome', version: WIRE_VERSION, now: Date.now(), upto: this.#upto(spool) })}\n`,
          );
          for (const act of this.#acts) socket.write(`${messageLine({ type: 'act', act })}\n`);
        } else if (message.type === 'rows') {
          for (const row of message.rows) {
            this.received++;
            const key = `${spool}/${row.seq}`;
            if (!this.rows.has(key)) this.rows.set(key, { host, spool, ...row });
          }
          socket.write(`${messageLine({ type: 'ack', upto: this.#upto(spool) })}\n`);
          for (const wake of this.#wake.splice(0)) wake();
        }
      }
    });
  }

  #upto(spool: string): number {
    let upto = 0;
    while (this.rows.has(`${spool}/${upto + 1}`)) upto++;
    return upto;
  }
}
