/**
 * @module One port for the agents of several ledgers. Whose host a peer is its certificate says, and of which ledger that is, the file of the
 * site: where another controller works on it the agent is sent away, and tries the next address that it has.
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

/** The port of a process, behind which each of its ledgers has a door. */
export class AgentGate {
  readonly #shardOf: (host: HostId) => string | undefined;
  readonly #doors = new Map<string, Accept>();

  /** @param shardOf the ledger of a host; undefined where the site has none for it */
  constructor(shardOf: (host: HostId) => string | undefined) {
    this.#shardOf = shardOf;
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
      const close = async (): Promise<void> => {
        if (this.#doors.get(shard) === enter) this.#doors.delete(shard);
        for (const socket of sockets) socket.destroy();
      };
      return Promise.resolve({ close });
    };
  }

  /** Takes a connection to where its host belongs. */
  accept(socket: Socket, identity: HostId): void {
    const shard = this.#shardOf(identity);
    const accept = shard === undefined ? undefined : this.#doors.get(shard);
    if (accept !== undefined) return accept(socket, identity);
    const host = safeText(identity, 100);
    const lines = new LineSocket(socket, MAX_LINE_BYTES, {
      line: () => {},
      farewell: ({ code, message }) => messageLine({ type: 'refused', code, reason: message }),
      ended: () => {},
    });
    lines.close(
      shard === undefined
        ? new WireError('E_WIRE_SHARD', `no shard of the site has a host ${host}`)
        : new WireError('E_WIRE_ELSEWHERE', `another controller works on shard ${shard}, to which ${host} belongs`),
    );
  }
}
