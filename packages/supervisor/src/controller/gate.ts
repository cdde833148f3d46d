/**
 * @module One port for the agents of all ledgers of a process. Whose host a peer is its certificate says, and of which ledger that is, the file of
 * the site. Where this process does not work on it the agent waits at the gate: it is let in as soon as this one takes over, and sent on as soon as
 * it is seen that another controller works. So a host whose controller was killed needs no more than one connection to each of the others.
 */
import type { Socket } from 'node:net';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { HostId } from '../core/ids.ts';
import { WireError } from '../wire/errors.ts';
import { LineSocket } from '../wire/line-socket.ts';
import { MAX_LINE_BYTES, messageLine } from '../wire/messages.ts';
import type { Listening } from './listen.ts';

/** Takes connections of agents whose host is known. */
type Accept = (socket: Socket, identity: HostId) => void;
/** Opens the way in for agents of other machines, until it is closed. @throws ControllerError E_CONTROLLER_LISTEN */
export type AgentDoor = (accept: Accept) => Promise<Listening>;

/** Who works on a ledger, as its store says. One whose lease goes on being renewed lives. */
interface Holder {
  owner: string;
  /** ms UTC, by the clock of the store. */
  until: number;
}

/** An agent that waits; nothing of it is read. */
interface Waiting {
  socket: Socket;
  identity: HostId;
  /** Who worked on its ledger when that was looked at first behind its coming. */
  holder?: Holder;
  timer: NodeJS.Timeout;
}

/** How long an agent waits at most, ms: longer than a takeover takes, and shorter than it waits for an answer. */
const WAIT_MS = 10_000;

/** The port of a process, behind which each of its ledgers has a door. */
export class AgentGate {
  readonly #shardOf: (host: HostId) => string | undefined;
  readonly #waitMs: number;
  readonly #doors = new Map<string, Accept>();
  readonly #waiting = new Map<string, Set<Waiting>>();

  /**
   * @param shardOf the ledger of a host; undefined where the site has none for it
   * @param waitMs how long an agent waits at most where nobody is seen to work
   */
  constructor(shardOf: (host: HostId) => string | undefined, waitMs: number = WAIT_MS) {
    [this.#shardOf, this.#waitMs] = [shardOf, waitMs];
  }

  /** The door to a ledger: open while this process works on it. With it all connections end that came through it. */
  door(shard: string): AgentDoor {
    return accept => {
      const sockets = new Set<Socket>();
      const enter: Accept = (socket, identity) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
        accept(socket, identity);
      };
      this.#doors.set(shard, enter);
      for (const one of this.#leaving(shard)) enter(one.socket, one.identity);
      const close = async (): Promise<void> => {
        if (this.#doors.get(shard) === enter) this.#doors.delete(shard);
        for (const socket of sockets) socket.destroy();
      };
      return Promise.resolve({ close });
    };
  }

  /** Another controller holds the lease of a ledger. Who waits for it is sent on once that one has renewed it, or is another one than before. */
  elsewhere(shard: string, holder: Holder): void {
    for (const one of this.#waiting.get(shard) ?? []) {
      one.holder ??= holder;
      if (one.holder.owner === holder.owner && one.holder.until === holder.until) continue;
      this.#leave(shard, one);
      sendOn(one, shard);
    }
  }

  /** Takes a connection to where its host belongs. */
  accept(socket: Socket, identity: HostId): void {
    const shard = this.#shardOf(identity);
    if (shard === undefined) {
      const reason = `no shard of the site has a host ${safeText(identity, 100)}`;
      return refuse(socket, new WireError('E_WIRE_SHARD', reason));
    }
    const accept = this.#doors.get(shard);
    if (accept !== undefined) return accept(socket, identity);
    const timer = setTimeout(() => {
      this.#leave(shard, one);
      sendOn(one, shard);
    }, this.#waitMs);
    timer.unref();
    const one: Waiting = { socket, identity, timer };
    const waiting = this.#waiting.get(shard) ?? new Set();
    this.#waiting.set(shard, waiting.add(one));
    socket.once('close', () => this.#leave(shard, one));
  }

  #leave(shard: string, one: Waiting): void {
    clearTimeout(one.timer);
    this.#waiting.get(shard)?.delete(one);
  }

  /** All who wait for a ledger, who wait no more. */
  #leaving(shard: string): Waiting[] {
    const all = [...(this.#waiting.get(shard) ?? [])];
    for (const one of all) this.#leave(shard, one);
    return all.filter(({ socket }) => !socket.destroyed);
  }
}

function sendOn({ socket, identity }: Waiting, shard: string): void {
  const what = shard === '' ? 'this site' : `shard ${shard}, to which ${safeText(identity, 100)} belongs`;
  refuse(socket, new WireError('E_WIRE_ELSEWHERE', `another controller works on ${what}`));
}

function refuse(socket: Socket, error: WireError): void {
  const lines = new LineSocket(socket, MAX_LINE_BYTES, {
    line: () => {},
    farewell: ({ code, message }) => messageLine({ type: 'refused', code, reason: message }),
    ended: () => {},
  });
  lines.close(error);
}
