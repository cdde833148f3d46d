/**
 * A QMP client: one connection to one QEMU monitor.
 *
 *   const qmp = await QmpClient.connect({ path: '/run/vm/qmp.sock' });
 *   await qmp.execute('stop');
 *   const { status } = await qmp.execute('query-status');   // 'paused'
 *   await qmp.close();
 */
import type { Duplex } from 'node:stream';
import { messageOf, UsageError } from '@syndrome/decode/common/errors.ts';
import { openSocket, type SocketAddress } from '../socket/connect.ts';
import { checkedDeadline } from '../socket/deadline.ts';
import { PendingCalls } from '../socket/pending-calls.ts';
import { release } from '../socket/release.ts';
import { commands, type QmpCommandName, type QmpCommands, type QmpEventName } from './commands.ts';
import {
  QmpClosedError,
  QmpCommandError,
  QmpConnectError,
  QmpDeadlineError,
  type QmpError,
  QmpNegotiationError,
  QmpProtocolError,
} from './errors.ts';
import {
  DEFAULT_EVENT_LIMIT,
  EventHub,
  type EventPredicate,
  isEvent,
  type QmpEvent,
  type QmpEventOf,
} from './events.ts';
import { stringifyJson } from './json.ts';
import type { Greeting } from './messages.ts';
import { type Incoming, QmpProtocol } from './protocol.ts';
import { departure } from './shapes.ts';
import { type TranscriptEntry, transcriptEntry } from './transcript.ts';

export type { QmpEvent } from './events.ts';
export type { TranscriptEntry } from './transcript.ts';

/** How long an answer may take where the caller says nothing. HMP `savevm` and a loaded machine take seconds. */
export const DEFAULT_DEADLINE_MS = 30_000;

/** Events kept for one observed call; more would mean the machine is not in the hands of this call. */
const MAX_OBSERVED = 4096;
const CONNECT_ERRORS = { connect: QmpConnectError, deadline: QmpDeadlineError };

export type QmpClientOptions = {
  /** Bound of each wait: to connect, for the greeting, and for every call that names none, ms. Default 30 s. */
  deadlineMs?: number;
  /** Enable out-of-band execution when the server offers it. Default true. */
  oob?: boolean;
  /** Hears every line in both directions. What it throws is ignored. */
  onTranscript?: (entry: TranscriptEntry) => void;
  /** Aborting closes the connection. */
  signal?: AbortSignal;
  /** Longest line accepted from the peer, bytes. Default 10 MiB. */
  maxLineBytes?: number;
};

type CallOptions = {
  /** Bound of the answer, the time in our own queue included, ms. */
  deadlineMs?: number;
  /** Execute out of band: overtakes commands in flight; only few commands allow it. */
  oob?: boolean;
};

export type HmpOptions = {
  /** The CPU the monitor command works on, as `cpu` would set it (gva2gpa, info registers). */
  cpuIndex?: number;
  deadlineMs?: number;
};

/** A command's answer with the events it caused: those received while it was the one being executed. */
export type Observed<T> = { value: T; events: QmpEvent[] };

/** Arguments of a command, optional where the command needs none. */
type ArgumentsOf<C extends QmpCommandName> =
  Partial<QmpCommands[C]['arguments']> extends QmpCommands[C]['arguments']
    ? [args?: QmpCommands[C]['arguments'], options?: CallOptions]
    : [args: QmpCommands[C]['arguments'], options?: CallOptions];

/** A command outside the table; a name inside it must match its types. */
type OtherCommand<C extends string> = C extends QmpCommandName ? never : C;

type Call = { command: string; observed: QmpEvent[] | undefined };

export class QmpClient {
  /**
   * Connects to a listening monitor and negotiates. Throws QmpConnectError, QmpNegotiationError, QmpDeadlineError or
   * QmpClosedError.
   */
  static async connect(address: SocketAddress, options: QmpClientOptions = {}): Promise<QmpClient> {
    const deadlineMs = checkDeadline(options.deadlineMs ?? DEFAULT_DEADLINE_MS);
    return QmpClient.attach(await openSocket(address, deadlineMs, CONNECT_ERRORS, options.signal), options);
  }

  /**
   * Speaks over a stream that is already open, such as a socket accepted from a QEMU that connects to us, and
   * negotiates. The client owns the stream from here on and destroys it when the negotiation fails.
   */
  static async attach(stream: Duplex, options: QmpClientOptions = {}): Promise<QmpClient> {
    const client = new QmpClient(stream, options);
    try {
      await client.#negotiate(options.oob ?? true);
    } catch (error) {
      client.#shutdown(new QmpClosedError('the negotiation failed', { cause: error }));
      throw error;
    }
    return client;
  }

  /**
   * Speaks over a stream whose other end has been through the negotiation already: the monitor of a QEMU in a machine
   * that was restored from its saved state. Out-of-band execution is not used.
   */
  static async resume(stream: Duplex, options: QmpClientOptions = {}): Promise<QmpClient> {
    const client = new QmpClient(stream, options, true);
    try {
      const { qemu, package: pkg } = await client.execute('query-version');
      client.#greeting = { version: qemu, package: pkg, capabilities: [] };
    } catch (error) {
      client.#shutdown(new QmpClosedError('the monitor did not answer', { cause: error }));
      throw error;
    }
    return client;
  }

  /** Resolves when the connection has ended: undefined after close(), else why. Never rejects. */
  readonly closed: Promise<QmpError | undefined>;

  readonly #stream: Duplex;
  readonly #protocol: QmpProtocol;
  readonly #events: EventHub;
  readonly #pending = new PendingCalls<string, Call, unknown>();
  readonly #deadlineMs: number;
  readonly #onTranscript: ((entry: TranscriptEntry) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void =>
    this.#shutdown(new QmpClosedError('the connection was aborted', { cause: this.#signal?.reason }));
  #greeting: Greeting | undefined;
  #onGreeting: ((error: QmpError | undefined) => void) | undefined;
  #oob = false;
  #commands: Promise<ReadonlySet<string>> | undefined;
  #ended: QmpError | undefined;
  #streamError: Error | undefined;
  #resolveClosed!: (error: QmpError | undefined) => void;

  private constructor(stream: Duplex, options: QmpClientOptions, greeted = false) {
    this.#deadlineMs = checkDeadline(options.deadlineMs ?? DEFAULT_DEADLINE_MS);
    this.#stream = stream;
    this.#onTranscript = options.onTranscript;
    this.#signal = options.signal;
    const limit = options.maxLineBytes === undefined ? {} : { maxLineBytes: options.maxLineBytes };
    this.#protocol = new QmpProtocol({ ...limit, greeted });
    this.#events = new EventHub(error => this.#note(`an event listener threw: ${messageOf(error)}`));
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve;
    });
    stream.on('data', this.#onData);
    stream.on('end', () => this.#onEnd());
    stream.on('error', error => {
      this.#streamError = error;
    });
    stream.on('close', () => this.#onEnd());
    if (options.signal?.aborted) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (stream.destroyed || stream.readableEnded) this.#onEnd();
  }

  /** What the server said of itself. */
  get greeting(): Greeting {
    if (this.#greeting === undefined) throw new Error('attach() gives out a client only after the greeting');
    return this.#greeting;
  }

  /** Whether out-of-band execution is enabled on this connection. */
  get oob(): boolean {
    return this.#oob;
  }

  /**
   * Executes a command and returns its `return`. Calls may overlap; QEMU executes them in order (at most eight are in
   * flight, the rest wait here). Throws QmpCommandError, QmpDeadlineError, QmpClosedError; QmpProtocolError when the
   * answer to a command of the table has another shape.
   */
  execute<C extends QmpCommandName>(command: C, ...rest: ArgumentsOf<C>): Promise<QmpCommands[C]['return']>;
  execute<C extends string>(command: OtherCommand<C>, args?: object, options?: CallOptions): Promise<unknown>;
  async execute(command: string, args?: object, options: CallOptions = {}): Promise<unknown> {
    return checkReturn(command, await this.#call(command, args, options, undefined));
  }

  /**
   * Like execute(), and also returns the events the command caused. QEMU sends them before the answer and executes
   * in-band commands one by one, so this holds with other calls in flight. Not for out-of-band calls.
   */
  executeObserved<C extends QmpCommandName>(
    command: C,
    ...rest: ArgumentsOf<C>
  ): Promise<Observed<QmpCommands[C]['return']>>;
  executeObserved<C extends string>(
    command: OtherCommand<C>,
    args?: object,
    options?: CallOptions,
  ): Promise<Observed<unknown>>;
  async executeObserved(command: string, args?: object, options: CallOptions = {}): Promise<Observed<unknown>> {
    if (options.oob === true)
      throw new UsageError('E_QMP_OBSERVED_OOB', 'an out-of-band command has no events of its own');
    const events: QmpEvent[] = [];
    const value = checkReturn(command, await this.#call(command, args, options, events));
    return { value, events };
  }

  /**
   * Runs a human-monitor command line and returns the monitor's text. Failure is text too: see hmp.ts for what can be
   * recognised. Throws UsageError on control characters.
   */
  async hmp(commandLine: string, options: HmpOptions = {}): Promise<string> {
    return this.execute('human-monitor-command', hmpArguments(commandLine, options), callOptions(options));
  }

  /** Like hmp(), and also returns the events the command caused. */
  async hmpObserved(commandLine: string, options: HmpOptions = {}): Promise<Observed<string>> {
    return this.executeObserved('human-monitor-command', hmpArguments(commandLine, options), callOptions(options));
  }

  /** Whether this QEMU knows the command (asked once per connection). Knowing is not succeeding: see ghes.ts. */
  async has(command: string): Promise<boolean> {
    this.#commands ??= this.execute('query-commands').then(list => new Set(list.map(c => c.name)));
    const known = this.#commands;
    try {
      return (await known).has(command);
    } catch (error) {
      if (this.#commands === known) this.#commands = undefined;
      throw error;
    }
  }

  /**
   * Calls the listener with every later event, in order, before later answers are given out. What it throws goes to the
   * transcript. Returns the function that removes it.
   */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    return this.#events.listen(listener);
  }

  /**
   * Waits for the next event of a name or that a predicate accepts. Only later events count: ask before causing it.
   * Throws QmpDeadlineError or QmpClosedError.
   */
  waitEvent<E extends QmpEventName>(name: E, deadlineMs: number): Promise<QmpEvent & QmpEventOf<E>>;
  waitEvent(predicate: EventPredicate, deadlineMs: number): Promise<QmpEvent>;
  waitEvent(wanted: QmpEventName | EventPredicate, deadlineMs: number): Promise<QmpEvent> {
    const named = typeof wanted === 'string';
    const matches: EventPredicate = named ? event => isEvent(event, wanted) : wanted;
    return this.#events.wait(matches, checkDeadline(deadlineMs), named ? `event ${wanted}` : 'matching event');
  }

  /**
   * Iterates over every event from now on. Ends when the connection closes or `signal` aborts; throws QmpProtocolError
   * when the peer broke the protocol, and E_QMP_EVENTS_LOST when more than `limit` events were left unread.
   */
  events(options: { limit?: number; signal?: AbortSignal } = {}): AsyncIterableIterator<QmpEvent> {
    return this.#events.iterate(options.limit ?? DEFAULT_EVENT_LIMIT, options.signal);
  }

  /** Ends the connection; QEMU goes on. Pending calls get QmpClosedError. Repeating it is harmless. */
  async close(): Promise<void> {
    this.#shutdown(undefined);
    await this.closed;
  }

  async #negotiate(wantOob: boolean): Promise<void> {
    await this.#greetingArrives();
    const enable: 'oob'[] = wantOob && this.greeting.capabilities.includes('oob') ? ['oob'] : [];
    try {
      await this.execute('qmp_capabilities', enable.length > 0 ? { enable } : undefined);
    } catch (error) {
      if (!(error instanceof QmpCommandError)) throw error;
      throw new QmpNegotiationError(`QEMU refused the negotiation: ${error.desc}`, error.desc, { cause: error });
    }
    this.#oob = enable.length > 0;
  }

  #greetingArrives(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      const timer = setTimeout(() => {
        const hint = 'QEMU serves one client per monitor socket at a time: another client may be connected.';
        this.#onGreeting?.(new QmpDeadlineError('QMP greeting', this.#deadlineMs, { hint }));
      }, this.#deadlineMs);
      this.#onGreeting = error => {
        this.#onGreeting = undefined;
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
    });
  }

  #call(
    command: string,
    args: object | undefined,
    options: CallOptions,
    observed: QmpEvent[] | undefined,
  ): Promise<unknown> {
    const deadlineMs = checkDeadline(options.deadlineMs ?? this.#deadlineMs);
    if (this.#ended !== undefined) {
      const error = new QmpClosedError(`'${command}' was not sent: the connection is closed`, {
        command,
        cause: this.#ended,
      });
      return Promise.reject(error);
    }
    if (options.oob && !this.#oob) {
      const hint = 'Connect with oob enabled to a QEMU whose greeting offers it.';
      return Promise.reject(
        new UsageError('E_QMP_NO_OOB', `'${command}': out-of-band execution is not enabled`, { hint }),
      );
    }
    const id = this.#protocol.submit(command, args, options.oob);
    const answer = this.#pending.add(id, { command, observed }, deadlineMs, () =>
      this.#expire(id, command, deadlineMs),
    );
    this.#send();
    return answer;
  }

  #send(): void {
    for (const { line, message } of this.#protocol.takeSendable()) {
      this.#transcribe('send', line.slice(0, -2), message, undefined);
      this.#stream.write(line);
    }
  }

  /** Gives up a call, and its place in the queue to the next. */
  #expire(id: string, command: string, deadlineMs: number): QmpDeadlineError {
    const sent = this.#protocol.abandon(id);
    this.#send();
    const hint = sent
      ? 'The command was sent and may still be carried out.'
      : 'The command was not sent: others before it were not answered.';
    return new QmpDeadlineError(`answer to '${command}'`, deadlineMs, { hint });
  }

  readonly #onData = (chunk: Buffer): void => {
    const t = process.hrtime.bigint();
    for (const incoming of this.#protocol.receive(chunk)) {
      // A listener may have closed the connection.
      if (this.#ended !== undefined) return;
      this.#takeIn(incoming, t);
    }
    if (this.#ended === undefined) this.#send();
  };

  #takeIn(incoming: Incoming, t: bigint): void {
    const note =
      incoming.kind === 'dropped' ? incoming.note : incoming.kind === 'failure' ? incoming.error.message : undefined;
    this.#transcribe('receive', incoming.raw, incoming.parsed, note, t);
    switch (incoming.kind) {
      case 'greeting':
        this.#greeting = incoming.greeting;
        this.#onGreeting?.(undefined);
        break;
      case 'event':
        this.#deliver({ event: incoming.event, data: incoming.data, timestamp: incoming.timestamp, t });
        break;
      case 'answer': {
        const pending = this.#pending.take(incoming.id);
        if (incoming.outcome.ok) pending?.resolve(incoming.outcome.value);
        else pending?.reject(incoming.outcome.error);
        break;
      }
      case 'failure':
        this.#shutdown(incoming.error);
        break;
      case 'dropped':
        break;
    }
  }

  #deliver(event: QmpEvent): void {
    const executing = this.#protocol.executing();
    const observed = executing === undefined ? undefined : this.#pending.get(executing)?.observed;
    if (observed !== undefined && observed.length < MAX_OBSERVED) observed.push(event);
    this.#events.emit(event);
  }

  #onEnd(): void {
    if (this.#ended !== undefined) return;
    const rest = this.#protocol.unfinished();
    if (rest !== undefined) {
      this.#transcribe('receive', rest.start, undefined, `the stream ended within a message of ${rest.bytes}+ bytes`);
    }
    const cause = this.#streamError;
    this.#shutdown(
      new QmpClosedError(
        cause === undefined ? 'the QMP peer closed the connection' : `the connection broke: ${messageOf(cause)}`,
        { hint: 'QEMU has ended, or another program closed its monitor: look at its exit status and stderr.', cause },
      ),
    );
  }

  /** Ends the connection once, for the given reason; undefined means the caller wanted it. */
  #shutdown(reason: QmpError | undefined): void {
    if (this.#ended !== undefined) return;
    const ended = reason ?? new QmpClosedError('the connection was closed by its user');
    this.#ended = ended;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stream.off('data', this.#onData);
    this.#stream.resume(); // what still comes is thrown away, so that the stream can end
    this.#onGreeting?.(ended);
    this.#pending.end(({ command }, id) => {
      const fate = this.#protocol.abandon(id) ? 'it may or may not have been carried out' : 'it was not sent';
      const message = `'${command}' got no answer, ${fate}: ${ended.message}`;
      return new QmpClosedError(message, { command, cause: ended });
    });
    this.#events.close(ended);
    release(this.#stream, () => this.#resolveClosed(reason));
  }

  #note(note: string): void {
    this.#transcribe('receive', '', undefined, note);
  }

  #transcribe(
    direction: 'send' | 'receive',
    raw: string,
    message: unknown,
    note: string | undefined,
    t: bigint = process.hrtime.bigint(),
  ): void {
    try {
      this.#onTranscript?.(transcriptEntry(direction, raw, message, note, t));
    } catch {
      // The transcript is the only place to report to; an observer must not break what it observes.
    }
  }
}

const checkDeadline = (deadlineMs: number): number => checkedDeadline(deadlineMs, 'E_QMP_BAD_DEADLINE');

function checkReturn(command: string, value: unknown): unknown {
  if (!Object.hasOwn(commands, command)) return value;
  const problem = departure(commands[command as QmpCommandName].return, value, 'the return');
  if (problem === undefined) return value;
  throw new QmpProtocolError(
    `the answer to '${command}' is malformed (${problem})`,
    stringifyJson(value).slice(0, 4096),
  );
}

function hmpArguments(commandLine: string, options: HmpOptions): { 'command-line': string; 'cpu-index'?: number } {
  if (/[\u0000-\u001f\u007f]/.test(commandLine)) {
    throw new UsageError('E_HMP_CONTROL_CHARACTER', 'a human-monitor command line may not hold control characters');
  }
  return {
    'command-line': commandLine,
    ...(options.cpuIndex !== undefined && { 'cpu-index': options.cpuIndex }),
  };
}

function callOptions(options: HmpOptions): CallOptions {
  return options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs };
}
