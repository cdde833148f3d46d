/**
 * One request at a time over a stream: acknowledgements, retransmission, deadlines, and telling answers from what the
 * stub says unasked.
 *
 * What QEMU does (gdbstub/gdbstub.c, gdb_read_byte) decides the rules here. It reads nothing while the machine runs:
 * any byte that is not taken as an acknowledgement stops the machine and is lost. So a running machine is sent nothing
 * but an interrupt, and every packet from QEMU is acknowledged exactly once, at once.
 */
import type { Duplex } from 'node:stream';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { release } from '../socket/release.ts';
import type { Deadline } from './deadline.ts';
import { GdbClosedError, GdbDeadlineError, type GdbError, GdbProtocolError } from './errors.ts';
import { DEFAULT_MAX_PACKET_BYTES, encodePacket, type Frame, INTERRUPT, PacketReader } from './packet.ts';
import { parseStop, type StopReason } from './stop.ts';
import { type TranscriptEntry, transcriptEntry } from './transcript.ts';

/** How often a damaged frame is asked for again, and a refused one sent again, before the peer is given up. */
const MAX_RETRIES = 3;

type LinkOptions = {
  onTranscript?: ((entry: TranscriptEntry) => void) | undefined;
  onStop: (stop: StopReason) => void;
  onClosed: (reason: GdbError | undefined) => void;
  maxPacketBytes?: number | undefined;
};

export type ExchangeOptions = {
  /** Ends with the acknowledgement: `c` has no answer until the machine stops again. */
  ackOnly?: boolean;
  /** The answer may be a stop reply (`?`). */
  stopReply?: boolean;
  /** Send an interrupt just before, in one write. */
  interrupt?: boolean;
};

type Pending = ExchangeOptions & {
  /** This is the question of {@link GdbLink.catchUp}. */
  mark?: boolean;
  what: string;
  frame: Uint8Array;
  acked: boolean;
  retries: number;
  resolve(payload: string): void;
  reject(error: GdbError): void;
};

export class GdbLink {
  readonly #stream: Duplex;
  readonly #reader: PacketReader;
  readonly #options: LinkOptions;
  #pending: Pending | undefined;
  #acks = true;
  #damagedInRow = 0;
  #ended: GdbError | undefined;
  #streamError: Error | undefined;
  /** A request was given up while its answer may still come: see {@link GdbLink.outOfStep}. */
  #outOfStep = false;
  /** `qC` sent and not answered. */
  #marks = 0;

  constructor(stream: Duplex, options: LinkOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#reader = new PacketReader(options.maxPacketBytes ?? DEFAULT_MAX_PACKET_BYTES);
    stream.on('data', this.#onData);
    stream.on('end', () => this.#onEnd());
    stream.on('error', error => {
      this.#streamError = error;
    });
    stream.on('close', () => this.#onEnd());
    if (stream.destroyed || stream.readableEnded) this.#onEnd();
  }

  /** Why the connection has ended, if it has. */
  get ended(): GdbError | undefined {
    return this.#ended;
  }

  /** Whether packets are acknowledged (until QStartNoAckMode). */
  get acks(): boolean {
    return this.#acks;
  }

  /** Whether a late answer may come: catchUp() before anything else is asked. */
  get outOfStep(): boolean {
    return this.#outOfStep;
  }

  /**
   * Drops the late answers of requests given up, and stops the machine. Asks `qC`, whose answer `QC…` no other request
   * has, and waits until all such questions are answered: those of earlier attempts as well.
   */
  async catchUp(deadline: Deadline): Promise<void> {
    this.#marks++;
    await this.exchange('the question that finds the late answers', 'qC', deadline, { interrupt: true }, true);
    this.#outOfStep = false;
  }

  /** Both sides agreed to do without acknowledgements (QStartNoAckMode was answered with OK). */
  stopAcks(): void {
    this.#acks = false;
  }

  /**
   * Sends a request and returns its answer, byte for character. The caller sees to it that only one is under way.
   * Throws GdbClosedError, GdbDeadlineError, GdbProtocolError.
   */
  exchange(
    what: string,
    payload: string,
    deadline: Deadline,
    options: ExchangeOptions = {},
    mark = false,
  ): Promise<string> {
    if (this.#ended !== undefined) {
      return Promise.reject(
        new GdbClosedError(`${what} was not sent: the connection is closed`, { cause: this.#ended }),
      );
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending = undefined;
        this.#outOfStep = true;
        const hint = pending.acked
          ? 'QEMU has taken the request and may still carry it out.'
          : 'QEMU does not read: it hangs, serves another debugger, or somebody else let the machine run.';
        reject(new GdbDeadlineError(`answer to ${what}`, deadline.totalMs, { hint }));
      }, deadline.leftMs());
      const finish = (): void => {
        clearTimeout(timer);
        this.#pending = undefined;
      };
      const pending: Pending = {
        ...options,
        mark,
        what,
        frame: encodePacket(payload),
        acked: false,
        retries: 0,
        resolve: value => {
          finish();
          resolve(value);
        },
        reject: error => {
          finish();
          reject(error);
        },
      };
      this.#pending = pending;
      if (options.interrupt) this.#transcribe('send', '^C', undefined);
      this.#transcribe('send', payload, undefined);
      this.#stream.write(options.interrupt ? Buffer.concat([INTERRUPT, pending.frame]) : pending.frame);
      if (!this.#acks) this.#acked();
    });
  }

  /** Sends an interrupt outside of any packet. */
  interrupt(): void {
    if (this.#ended !== undefined) return;
    this.#transcribe('send', '^C', undefined);
    this.#stream.write(INTERRUPT);
  }

  /** Ends the connection once, for the given reason; undefined means its user wanted it. */
  shutdown(reason: GdbError | undefined): void {
    if (this.#ended !== undefined) return;
    const ended = reason ?? new GdbClosedError('the connection was closed by its user');
    this.#ended = ended;
    this.#stream.off('data', this.#onData);
    this.#stream.resume(); // what still comes is thrown away, so that the stream can end
    const pending = this.#pending;
    if (pending !== undefined) {
      const message = `${pending.what} got no answer, it may or may not have been carried out: ${ended.message}`;
      pending.reject(
        ended instanceof GdbProtocolError ? ended : new GdbClosedError(message, { cause: ended, ...hintOf(ended) }),
      );
    }
    release(this.#stream, () => this.#options.onClosed(reason));
  }

  readonly #onData = (chunk: Buffer): void => {
    for (const frame of this.#reader.push(chunk)) {
      if (this.#ended !== undefined) return;
      this.#take(frame);
    }
  };

  #take(frame: Frame): void {
    switch (frame.kind) {
      case 'ack':
        return this.#acked();
      case 'nack':
        return this.#sendAgain();
      case 'packet':
        this.#damagedInRow = 0;
        if (this.#acks) this.#stream.write('+');
        return this.#packet(Buffer.from(frame.payload).toString('latin1'));
      case 'notification':
        return this.#dropped(Buffer.from(frame.payload).toString('latin1'), 'dropped: a notification');
      case 'garbage':
        return this.#dropped('', `dropped: ${frame.bytes} bytes outside of any packet`);
      case 'damaged':
        if (frame.of === 'notification') return this.#dropped('', `dropped: a notification with ${frame.reason}`);
        return this.#damaged(frame.reason);
      case 'overflow':
        return this.shutdown(new GdbProtocolError(`the gdbstub sent ${frame.reason}`, ''));
    }
  }

  #acked(): void {
    const pending = this.#pending;
    if (pending === undefined || pending.acked) return;
    pending.acked = true;
    if (pending.ackOnly) pending.resolve('');
  }

  #sendAgain(): void {
    const pending = this.#pending;
    if (pending === undefined || pending.acked) return this.#dropped('-', 'dropped: a refusal of nothing');
    if (++pending.retries > MAX_RETRIES) {
      return this.shutdown(new GdbProtocolError(`the gdbstub refused ${pending.what} ${MAX_RETRIES + 1} times`, '-'));
    }
    this.#dropped('-', 'refused: sent again');
    this.#stream.write(pending.frame);
  }

  #damaged(reason: string): void {
    if (!this.#acks || ++this.#damagedInRow > MAX_RETRIES) {
      return this.shutdown(new GdbProtocolError(`the gdbstub sent ${reason}`, ''));
    }
    this.#dropped('', `damaged, asked for again: ${reason}`);
    this.#stream.write('-');
  }

  #packet(payload: string): void {
    const pending = this.#pending;
    const isMark = payload.startsWith('QC');
    if (isMark && this.#marks > 0) this.#marks--;
    const stop = parseStop(payload);
    // An answer follows the acknowledgement of its request; a stop reply before that is about the interrupt.
    if (stop !== undefined && !(pending?.stopReply && pending.acked)) {
      this.#transcribe('receive', payload, undefined);
      return this.#options.onStop(stop);
    }
    if (/^O[0-9a-fA-F]+$/.test(payload)) return this.#dropped(payload, 'dropped: console output');
    if (pending === undefined) return this.#dropped(payload, 'dropped: nothing was asked');
    if (pending.mark && !(isMark && this.#marks === 0)) return this.#dropped(payload, 'dropped: a late answer');
    this.#transcribe('receive', payload, undefined);
    pending.resolve(payload);
  }

  #onEnd(): void {
    if (this.#ended !== undefined) return;
    const rest = this.#reader.pendingBytes;
    if (rest > 0) this.#dropped('', `the stream ended within a packet, after ${rest} bytes`);
    const cause = this.#streamError;
    this.shutdown(
      new GdbClosedError(
        cause === undefined ? 'the gdbstub closed the connection' : `the connection broke: ${messageOf(cause)}`,
        { hint: 'QEMU has ended, or serves another debugger: look at its exit status and stderr.', cause },
      ),
    );
  }

  #dropped(payload: string, note: string): void {
    this.#transcribe('receive', payload, note);
  }

  #transcribe(direction: 'send' | 'receive', payload: string, note: string | undefined): void {
    try {
      this.#options.onTranscript?.(transcriptEntry(direction, payload, note, process.hrtime.bigint()));
    } catch {
      // The transcript is the only place to report to; an observer must not break what it observes.
    }
  }
}

function hintOf(error: GdbError): { hint?: string } {
  return error.hint === undefined ? {} : { hint: error.hint };
}
