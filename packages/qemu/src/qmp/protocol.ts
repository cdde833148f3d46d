/**
 * QMP without a transport: bytes in, messages out; commands in, lines out. Holds what must be right whatever the timing:
 * framing, which answer belongs to which command, and how many commands may be in flight.
 */
import { randomBytes } from 'node:crypto';
import { QmpCommandError, QmpError, QmpNegotiationError, QmpProtocolError } from './errors.ts';
import { LineSplitter } from '@syndrome/decode/common/line-splitter.ts';
import { stringifyJson } from './json.ts';
import { type EventTimestamp, type Greeting, type Message, readMessage } from './messages.ts';

/**
 * In-band commands sent and not yet answered. QEMU stops reading beyond eight (docs/interop/qmp-spec.rst, 2.3.1), and
 * would then not see an out-of-band command either.
 */
export const IN_FLIGHT_WINDOW = 8;

/** Bound of one incoming line: query-qmp-schema, the largest answer we ask for, is about 0.2 MiB. */
const DEFAULT_MAX_LINE_BYTES = 10 * 1024 * 1024;

/** Calls known at a time, queued and sent: a bound for a peer that never answers. */
const MAX_CALLS = 1024;

type Outcome = { ok: true; value: unknown } | { ok: false; error: QmpCommandError };

/** One thing the peer said, in order. `parsed` is undefined where the line is not JSON. */
export type Incoming = { raw: string; parsed: unknown } & (
  | { kind: 'greeting'; greeting: Greeting }
  | { kind: 'event'; event: string; data: Record<string, unknown>; timestamp: EventTimestamp | undefined }
  | { kind: 'answer'; id: string; command: string; outcome: Outcome }
  /** An answer nobody waits for (any more): told, and otherwise ignored. */
  | { kind: 'dropped'; note: string }
  /** The connection cannot go on; nothing follows. */
  | { kind: 'failure'; error: QmpError }
);

type Outgoing = { id: string; line: string; message: unknown };

type Call = Outgoing & { command: string; oob: boolean; state: 'queued' | 'sent' | 'abandoned' };

type ProtocolOptions = {
  idPrefix?: string;
  maxLineBytes?: number;
  window?: number;
  /** The peer has greeted somebody already and will not do it again. Default false. */
  greeted?: boolean;
};

export class QmpProtocol {
  readonly #lines: LineSplitter;
  readonly #idPrefix: string;
  readonly #window: number;
  /** Every call not yet answered, in the order of submission. */
  readonly #calls = new Map<string, Call>();
  #nextId = 1;
  #greeted: boolean;
  #failed = false;

  constructor(options: ProtocolOptions = {}) {
    this.#lines = new LineSplitter(options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES);
    // Random per connection: QEMU may answer on a new connection what was asked on the one before.
    this.#idPrefix = options.idPrefix ?? `syndrome-${randomBytes(4).toString('hex')}-`;
    this.#window = options.window ?? IN_FLIGHT_WINDOW;
    this.#greeted = options.greeted ?? false;
  }

  /** Registers a command and returns its id. Throws TypeError when the arguments have no JSON form. */
  submit(command: string, args: object | undefined, oob = false): string {
    if (this.#calls.size >= MAX_CALLS) {
      throw new QmpError('E_QMP_TOO_MANY_CALLS', `${MAX_CALLS} commands are waiting for an answer`, {
        hint: 'The monitor does not answer, or the caller does not await its commands.',
      });
    }
    const id = `${this.#idPrefix}${this.#nextId++}`;
    const message = { [oob ? 'exec-oob' : 'execute']: command, ...(args && { arguments: args }), id };
    this.#calls.set(id, { id, line: `${stringifyJson(message)}\r\n`, message, command, oob, state: 'queued' });
    return id;
  }

  /** Takes the lines that may be written now: out-of-band at once, in-band in order and within the window. */
  takeSendable(): Outgoing[] {
    let inFlight = 0;
    for (const call of this.#calls.values()) if (!call.oob && call.state !== 'queued') inFlight++;
    const sendable: Outgoing[] = [];
    for (const call of this.#calls.values()) {
      if (call.state !== 'queued') continue;
      if (!call.oob && inFlight >= this.#window) continue;
      if (!call.oob) inFlight++;
      call.state = 'sent';
      sendable.push({ id: call.id, line: call.line, message: call.message });
    }
    return sendable;
  }

  /**
   * Gives up on a call. One that was sent keeps its place in the window, because QEMU still has it, and its late answer
   * is dropped. Returns whether it had been sent.
   */
  abandon(id: string): boolean {
    const call = this.#calls.get(id);
    if (call === undefined) return false;
    if (call.state === 'queued') {
      this.#calls.delete(id);
      return false;
    }
    call.state = 'abandoned';
    return true;
  }

  /**
   * The in-band call QEMU is executing: the oldest that was sent. In-band commands run in order and their events come
   * before their answer, so an event that arrives now was caused by this call, or by none.
   */
  executing(): string | undefined {
    for (const call of this.#calls.values()) if (!call.oob && call.state !== 'queued') return call.id;
    return undefined;
  }

  /** Reads bytes. After a `failure` it yields nothing more. */
  *receive(chunk: Uint8Array): Generator<Incoming, void, undefined> {
    for (const frame of this.#lines.push(chunk)) {
      if (this.#failed) return;
      if (frame.kind === 'bad') yield this.#fail(frame.reason, frame.start, undefined);
      else yield this.#read(frame.text);
    }
  }

  /** What is left of a message the peer began and did not end; call it at the end of the stream. */
  unfinished(): { bytes: number; start: string } | undefined {
    const bytes = this.#lines.pendingBytes;
    return bytes === 0 || this.#failed ? undefined : { bytes, start: this.#lines.pendingStart };
  }

  #read(raw: string): Incoming {
    const { message, parsed } = readMessage(raw);
    if (message.kind === 'bad') return this.#fail(message.reason, raw, parsed);
    if ((message.kind === 'greeting') === this.#greeted) {
      return this.#fail(this.#greeted ? 'a second greeting' : 'a message before the greeting', raw, parsed);
    }
    switch (message.kind) {
      case 'greeting':
        this.#greeted = true;
        return { raw, parsed, ...message };
      case 'event':
        return { raw, parsed, ...message };
      default:
        return this.#answer(message, raw, parsed);
    }
  }

  #answer(message: Message & { kind: 'return' | 'error' }, raw: string, parsed: unknown): Incoming {
    if (message.id === undefined) {
      // Every command of ours has an id, so QEMU could not parse what we sent, and which call that was is unknown.
      const what =
        message.kind === 'error' ? `an error that belongs to no command (${message.desc})` : 'a return without id';
      return this.#fail(what, raw, parsed);
    }
    const call = typeof message.id === 'string' ? this.#calls.get(message.id) : undefined;
    if (call === undefined || call.state === 'queued') {
      return { raw, parsed, kind: 'dropped', note: 'dropped: the id is not of a command we sent' };
    }
    this.#calls.delete(call.id);
    if (call.state === 'abandoned') {
      return { raw, parsed, kind: 'dropped', note: `dropped: late answer to '${call.command}'` };
    }
    const outcome: Outcome =
      message.kind === 'return'
        ? { ok: true, value: message.value }
        : { ok: false, error: new QmpCommandError(call.command, message.class, message.desc) };
    return { raw, parsed, kind: 'answer', id: call.id, command: call.command, outcome };
  }

  #fail(reason: string, raw: string, parsed: unknown): Incoming {
    this.#failed = true;
    const received = raw.slice(0, 4096);
    const error = this.#greeted
      ? new QmpProtocolError(`the QMP peer sent ${reason}`, received, {
          hint: 'Only one-line JSON is read: the monitor must have mode=control and not pretty=on.',
        })
      : notQmp(reason, received);
    return { raw, parsed, kind: 'failure', error };
  }
}

function notQmp(reason: string, received: string): QmpNegotiationError {
  const human = /QEMU .* monitor - type 'help'/.test(received);
  return new QmpNegotiationError(`the peer is not a QMP server: instead of a greeting it sent ${reason}`, received, {
    hint: human
      ? 'This is the human monitor: use a -qmp socket, or -mon with mode=control.'
      : 'Check that the address is the -qmp socket of a QEMU and not its console or another service.',
  });
}
