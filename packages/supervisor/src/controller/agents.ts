/** @module The agents that are connected: their rows come in, what is durable is told, acts go out. */
import type { Socket } from 'node:net';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Act } from '../core/act.ts';
import type { HostId, Time } from '../core/ids.ts';
import type { Row } from '../core/said.ts';
import { WireError } from '../wire/errors.ts';
import { LineSocket } from '../wire/line-socket.ts';
import {
  type AgentMessage,
  type ControllerMessage,
  MAX_LINE_BYTES,
  messageLine,
  parseAgentMessage,
  WIRE_VERSION,
} from '../wire/messages.ts';

/** Rows of one connection that are not written yet. With more nothing is read from it. */
const MAX_UNWRITTEN = 10_000;
/** How often an agent is asked whether it lives, and how long it may take to say hello or to answer, ms. */
export const PING_MS = 5000;
const SILENT_MS = 15_000;

/** What a controller does for its agents. */
interface Desk {
  /** Resolves when the rows are durable, with the last row up to which all of the spool is. */
  take(rows: Row[]): Promise<number>;
  /** Up to which row everything of a spool is durable. */
  upto(host: HostId, spool: string): Promise<number>;
  /** A host's agent has come; what is open for it may be sent. `anew`: nothing is known of its spool, so that it may have lost what it did. */
  came(host: HostId, anew: boolean): void;
  went(host: HostId): void;
  log(line: string): void;
  /** The time of the inputs, ms UTC. */
  time(): Time;
}

interface Connected {
  host: HostId;
  spool: string;
  lines: LineSocket;
  /** Rows that wait in its spool, as its agent said last. */
  backlog: number;
}

export class Agents {
  readonly #desk: Desk;
  readonly #now: () => number;
  readonly #hosts = new Map<HostId, Connected>();

  /** @param now steady clock, ms */
  constructor(desk: Desk, now: () => number = () => performance.now()) {
    this.#desk = desk;
    this.#now = now;
  }

  isConnected(host: HostId): boolean {
    return this.#hosts.has(host);
  }

  /** Rows that wait in the spools of the hosts that are here. */
  *backlogs(): Iterable<readonly [HostId, number]> {
    for (const { host, backlog } of this.#hosts.values()) yield [host, backlog];
  }

  /** Whether it could be handed to the agent of its host. */
  send(act: Act): boolean {
    const connected = this.#hosts.get(act.host);
    if (connected === undefined || connected.lines.closed) return false;
    connected.lines.send(messageLine({ type: 'act', act }));
    return true;
  }

  /**
   * Takes a connection that somebody has opened. What is wrong with it ends it, and nothing else.
   * @param identity the host that the peer has shown to be; without it the peer is whom it says it is, as on a socket of this user alone
   */
  accept(socket: Socket, identity?: HostId): void {
    let agent: Connected | undefined;
    let greeting = false;
    let unwritten = 0;
    let heard = this.#now();
    let pings = 0;
    const send = (message: ControllerMessage): void => lines.send(messageLine(message));

    const hello = async ({ version, host, spool, agent: what }: AgentMessage & { type: 'hello' }): Promise<void> => {
      if (agent !== undefined || greeting) throw new WireError('E_WIRE_ORDER', 'a second hello');
      greeting = true;
      if (version !== WIRE_VERSION)
        throw new WireError(
          'E_WIRE_VERSION',
          `the agent of ${safeText(host, 100)} speaks version ${version} of the wire, and the controller version ${WIRE_VERSION}: ` +
            `bring the ${version < WIRE_VERSION ? 'agent' : 'controller'} up`,
        );
      if (identity !== undefined && identity !== host)
        throw new WireError(
          'E_WIRE_IDENTITY',
          `the certificate is that of ${safeText(identity, 100)}, which reports no other host: not ${safeText(host, 100)}`,
        );
      const other = this.#hosts.get(host);
      // The same agent has come again before its old connection was seen to end.
      if (other?.spool === spool) other.lines.close(new WireError('E_WIRE_STALLED', 'it has connected again'));
      else if (other !== undefined)
        throw new WireError('E_WIRE_HOST_TAKEN', `another agent is connected as ${safeText(host, 100)}`);
      const upto = await this.#desk.upto(host, spool);
      if (lines.closed) return;
      agent = { host, spool, lines, backlog: 0 };
      this.#hosts.set(host, agent);
      this.#desk.log(
        `agent ${safeText(host, 100)} is here (${safeText(what, 100)}), its spool is known up to row ${upto}`,
      );
      send({ type: 'welcome', version: WIRE_VERSION, now: this.#desk.time(), upto });
      this.#desk.came(host, upto === 0);
    };

    const take = (message: AgentMessage): void | Promise<void> => {
      heard = this.#now();
      if (message.type === 'hello') return hello(message);
      if (agent === undefined) throw new WireError('E_WIRE_ORDER', `${message.type} before hello`);
      if (message.type === 'pong') {
        agent.backlog = message.waiting ?? 0;
        return;
      }
      const { host, spool } = agent;
      const { length } = message.rows;
      unwritten += length;
      const written = this.#desk.take(message.rows.map(row => ({ host, spool, ...row }))).then(
        upto => {
          unwritten -= length;
          send({ type: 'ack', upto });
        },
        // The agent keeps what was not acknowledged, and comes again.
        () => lines.close(),
      );
      return unwritten > MAX_UNWRITTEN ? written : undefined;
    };

    const lines = new LineSocket(socket, MAX_LINE_BYTES, {
      line: text => take(parseAgentMessage(text)),
      farewell: ({ code, message }) => messageLine({ type: 'refused', code, reason: message.slice(0, 1000) }),
      ended: error => {
        clearInterval(timer);
        const who = agent === undefined ? 'somebody' : `agent ${safeText(agent.host, 100)}`;
        if (error !== undefined) this.#desk.log(`${who} was left: ${safeText(error.message, 500)}`);
        if (agent === undefined || this.#hosts.get(agent.host) !== agent) return;
        this.#hosts.delete(agent.host);
        this.#desk.went(agent.host);
      },
    });
    const timer = setInterval(() => {
      if (this.#now() - heard > SILENT_MS)
        return lines.close(new WireError('E_WIRE_STALLED', `nothing came for ${SILENT_MS} ms`));
      if (agent !== undefined) send({ type: 'ping', n: ++pings, now: this.#desk.time() });
    }, PING_MS);
    timer.unref();
  }
}
