/**
 * @module The way to the controller: rows of the spool up, at least once, and acts down. The controller's watermark alone says
 * what may be forgotten.
 */
import { constants, openSync, statSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { ReadStream } from 'node:tty';
import { requireOwnFolder } from '@syndrome/base/disk/own-folder.ts';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import type { Act } from '../core/act.ts';
import type { HostId } from '../core/ids.ts';
import { LineSocket } from '../wire/line-socket.ts';
import {
  type ControllerMessage,
  fittingRows,
  MAX_LINE_BYTES,
  messageLine,
  parseControllerMessage,
  rowsLine,
  WIRE_VERSION,
} from '../wire/messages.ts';
import type { ControllerPort } from './config.ts';
import { ControllerClock } from './controller-clock.ts';
import { pause } from './reconnect.ts';
import type { SpooledRow } from './spool/line.ts';
import type { Spool } from './spool/spool.ts';

export interface UplinkOptions {
  /**
   * The controller's unix socket, or a terminal (a serial or virtio console) at whose other end it is, where it runs outside of
   * this machine; in a folder of this user or root. Or its port on another machine, over TLS; of several, one after the other.
   */
  socket: string | ControllerPort;
  host: HostId;
  /** Name and version of the agent. */
  agent: string;
  /** With its deadline by the clock of this host. */
  onAct: (act: Act) => void;
  /** What became of the connection: `undefined` when it is up, else why not. For a person. */
  onState?: (reason: string | undefined) => void;
  /** A controller from which nothing came for so long is gone, ms: it pings three times as often. Default 15,000. */
  silenceMs?: number;
  /** Between the first two tries, ms; doubled with each further one. Default 100. */
  firstMs?: number;
  /** The longest pause while a connection was lost a moment ago, ms: another controller takes over in that time. Default 500. */
  soonMs?: number;
  /** The longest pause, ms. Default 10,000. */
  longestMs?: number;
}

/** So long after a connection was lost, ms, another controller is expected to take over. */
const TAKEOVER_MS = 15_000;

/** Rows on their way without an answer. */
const WINDOW = 8192;

/** A row as the wire has it; what it says is text already. */
const bareRow = ({ seq, at, body }: SpooledRow): string => `{"seq":${seq},"at":${at},"said":${body}}`;

/** Wakes whoever waits for a change. */
class Change {
  #wake: (() => void) | undefined;
  #is = false;

  readonly happened = (): void => {
    this.#is = true;
    this.#wake?.();
  };

  async next(signal: AbortSignal): Promise<void> {
    if (!this.#is && !signal.aborted) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
        signal.addEventListener('abort', this.happened, { once: true });
      });
      signal.removeEventListener('abort', this.happened);
    }
    this.#wake = undefined;
    this.#is = false;
  }
}

/** Connects, again and again, until `signal` aborts. Never rejects. */
export async function runUplink(spool: Spool, options: UplinkOptions, signal: AbortSignal): Promise<void> {
  const { firstMs = 100, soonMs = 500, longestMs = 10_000, onState } = options;
  const clock = new ControllerClock();
  let pauseMs = firstMs;
  const ways = waysTo(options.socket);
  /** Ways that were tried one after the other, without coming up. */
  let tried = 0;
  let lostAt = -Infinity;
  for (let turn = 0; !signal.aborted; turn++) {
    let wasUp = false;
    const up = (): void => {
      [wasUp, pauseMs, tried] = [true, firstMs, 0];
      onState?.(undefined);
    };
    let reason = 'the controller ended the connection';
    try {
      await session(spool, ways[turn % ways.length] ?? ways[0], options, clock, up, signal);
    } catch (error) {
      reason = messageOf(error);
    }
    if (signal.aborted) return;
    onState?.(reason);
    if (wasUp) lostAt = performance.now();
    // The one that works is looked for among all of them before anybody waits.
    if (!wasUp && ++tried % ways.length !== 0) continue;
    // Hosts that have lost their controller at one moment do not come back at one.
    await pause(pauseMs * (0.5 + Math.random() / 2), signal);
    const isSoon = performance.now() - lostAt < TAKEOVER_MS;
    pauseMs = Math.min(pauseMs * 2, isSoon ? soonMs : longestMs, longestMs);
  }
}

/** Opens a way to a controller. @throws the error of the file system; SyndromeError E_AGENT_TLS */
type Way = () => net.Socket | Promise<net.Socket>;

function waysTo(to: string | ControllerPort): readonly [Way, ...Way[]] {
  if (typeof to === 'string') {
    const here = (): net.Socket => {
      // Whoever can put a socket there gives orders.
      requireOwnFolder(dirname(to));
      return connectHere(to);
    };
    return [here];
  }
  const over =
    (address: string): Way =>
    // What no other agent needs is not loaded into it.
    async () =>
      (await import('./uplink-tls.ts')).connectTls(address, to);
  const [first = '', ...more] = [to.address].flat();
  return [over(first), ...more.map(over)];
}

function connectHere(path: string): net.Socket {
  if (statSync(path, { throwIfNoEntry: false })?.isCharacterDevice() !== true) return net.connect({ path });
  const line = new ReadStream(openSync(path, constants.O_RDWR | constants.O_NOCTTY));
  line.setRawMode(true);
  return line;
}

/** One connection, from hello to its end. @throws why it ended */
async function session(
  spool: Spool,
  way: Way,
  options: UplinkOptions,
  clock: ControllerClock,
  up: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { host, agent, onAct, silenceMs = 15_000 } = options;
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const change = new Change();
  let why: Error | undefined;
  /** The controller's watermark; undefined before its welcome. */
  let upto: number | undefined;
  const end = (error: Error | undefined): void => {
    why ??= error;
    ending.abort();
  };
  const socket = await way();
  const heard = setTimeout(
    () => end(new Error(`nothing came from the controller for ${silenceMs} ms: the connection is half open`)),
    silenceMs,
  );
  const lines = new LineSocket(socket, MAX_LINE_BYTES, {
    line: async text => {
      heard.refresh();
      await take(parseControllerMessage(text));
    },
    ended: end,
  });
  const take = async (message: ControllerMessage): Promise<void> => {
    switch (message.type) {
      case 'welcome':
        if (message.version !== WIRE_VERSION)
          throw new SyndromeError('E_AGENT_VERSION', `the controller speaks version ${message.version} of the wire`);
        clock.heard(message.now);
        // The disk lost rows that the controller has: their numbers may not be used for others.
        if (message.upto > spool.knownSeq) {
          await spool.renew();
          throw new Error('the spool had lost rows: it goes on under another name');
        }
        await spool.acknowledge(message.upto);
        upto = message.upto;
        up();
        return change.happened();
      case 'ack':
        await spool.acknowledge(message.upto);
        if (upto !== undefined) upto = Math.max(upto, message.upto);
        return change.happened();
      case 'act':
        return onAct({ ...message.act, deadline: clock.here(message.act.deadline) });
      case 'ping':
        clock.heard(message.now);
        return lines.send(messageLine({ type: 'pong', n: message.n, waiting: spool.waiting }));
      case 'refused':
        throw new SyndromeError('E_AGENT_REFUSED', `the controller refuses this agent: ${message.reason}`);
    }
  };
  const stop = spool.onChange(change.happened);
  try {
    lines.send(messageLine({ type: 'hello', version: WIRE_VERSION, host, spool: spool.id, agent }));
    let next: number | undefined;
    while (!either.aborted) {
      if (upto !== undefined) {
        next ??= upto + 1;
        const rows = next - upto > WINDOW ? [] : await spool.read(next);
        for (let left = rows.map(bareRow); left.length > 0 && !either.aborted; ) {
          const fit = fittingRows(left);
          lines.send(rowsLine(left.slice(0, fit)));
          left = left.slice(fit);
        }
        next = (rows.at(-1)?.seq ?? next - 1) + 1;
        if (rows.length > 0) continue;
      }
      await change.next(either);
    }
  } finally {
    stop();
    clearTimeout(heard);
    lines.close();
    socket.destroySoon();
  }
  if (why !== undefined) throw why;
}
