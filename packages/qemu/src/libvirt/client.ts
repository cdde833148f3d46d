/**
 * A client of libvirt's own RPC: one connection to one daemon, by its unix socket. It reads and listens; acts are `virsh`'s.
 *
 *   const virt = await LibvirtClient.connect({ path: '/run/libvirt/libvirt-sock' });
 *   virt.onEvent(event => …);
 *   await virt.listen();
 *   for (const domain of await virt.call('connect-list-all-domains')) await virt.call('domain-get-state', { domain });
 *   await virt.close();
 */
import type { Duplex } from 'node:stream';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { openSocket } from '../socket/connect.ts';
import { checkedDeadline } from '../socket/deadline.ts';
import { PendingCalls } from '../socket/pending-calls.ts';
import { release } from '../socket/release.ts';
import {
  AUTH_NONE,
  type CallArgs,
  type CallName,
  type CallReturn,
  CALLS,
  FEATURE_KEEPALIVE,
  readError,
} from './calls.ts';
import {
  LibvirtCallError,
  LibvirtClosedError,
  LibvirtConnectError,
  LibvirtDeadlineError,
  LibvirtError,
  LibvirtProtocolError,
} from './errors.ts';
import { EVENTS, type LibvirtEvent, readEvent } from './events.ts';
import { encodeMessage, type Header, type Message, MessageSplitter, PROGRAMS } from './framing.ts';
import { type TranscriptEntry, transcriptEntry } from './transcript.ts';
import { XdrReader, XdrWriter } from './xdr.ts';

const DEFAULT_DEADLINE_MS = 10_000;
const DEFAULT_KEEPALIVE_MS = 5_000;
/** The programs that have calls. */
const CALLED: ReadonlySet<number> = new Set([PROGRAMS.remote, PROGRAMS.qemu]);
/** All programs have had one version only. */
const VERSION = 1;
const PING = 1;
const PONG = 2;

const CONNECT_ERRORS = { connect: LibvirtConnectError, deadline: LibvirtDeadlineError };

export interface LibvirtClientOptions {
  /** The driver: `qemu:///system` (default, of root's daemon) or `qemu:///session` (of a user's own). */
  uri?: string;
  /** For a read-only socket, or where nothing is to be changed. Definitions have no passwords then, and cannot be migratable. */
  readOnly?: boolean;
  /** Bound of each wait: to connect, and for every call that names none, ms. Default 10 s. */
  deadlineMs?: number;
  /** Pause between our keepalives, ms; two without any sign of life end the connection. Default 5 s. */
  keepaliveMs?: number;
  /** Hears every message in both directions. What it throws is ignored. */
  onTranscript?: (entry: TranscriptEntry) => void;
  /** Told at each answered keepalive: the peer lives and we read. */
  onAlive?: () => void;
  /** Aborting closes the connection. */
  signal?: AbortSignal;
  /** Longest message accepted from the peer, bytes. Default 16 MiB. */
  maxMessageBytes?: number;
}

type Procedure = Pick<(typeof CALLS)[CallName], 'program' | 'number'>;

type Rest<A> = A extends void ? [args?: undefined, deadlineMs?: number] : [args: A, deadlineMs?: number];

export class LibvirtClient {
  /** Connects to a daemon's socket and opens its driver. Throws LibvirtError of every branch but the protocol's own use. */
  static async connect(address: { path: string }, options: LibvirtClientOptions = {}): Promise<LibvirtClient> {
    const deadlineMs = checkDeadline(options.deadlineMs ?? DEFAULT_DEADLINE_MS);
    const client = new LibvirtClient(await openSocket(address, deadlineMs, CONNECT_ERRORS, options.signal), options);
    try {
      await client.#open(options);
    } catch (error) {
      client.#shutdown(new LibvirtClosedError('the connection was not accepted', { cause: error }));
      throw error;
    }
    return client;
  }

  /** Resolves when the connection has ended: undefined after close(), else why. Never rejects. */
  readonly closed: Promise<LibvirtError | undefined>;

  readonly #stream: Duplex;
  readonly #splitter: MessageSplitter;
  readonly #pending = new PendingCalls<number, CallName, XdrReader>();
  readonly #listeners = new Set<(event: LibvirtEvent) => void>();
  readonly #deadlineMs: number;
  readonly #keepaliveMs: number;
  readonly #onTranscript: ((entry: TranscriptEntry) => void) | undefined;
  readonly #onAlive: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void =>
    this.#shutdown(new LibvirtClosedError('the connection was aborted', { cause: this.#signal?.reason }));
  #serial = 0;
  #ended: LibvirtError | undefined;
  #streamError: Error | undefined;
  #resolveClosed!: (error: LibvirtError | undefined) => void;
  #keepalive: NodeJS.Timeout | undefined;
  /** Keepalives since the last message. */
  #silent = 0;

  private constructor(stream: Duplex, options: LibvirtClientOptions) {
    this.#deadlineMs = checkDeadline(options.deadlineMs ?? DEFAULT_DEADLINE_MS);
    this.#keepaliveMs = checkDeadline(options.keepaliveMs ?? DEFAULT_KEEPALIVE_MS);
    this.#stream = stream;
    this.#splitter = new MessageSplitter(options.maxMessageBytes);
    this.#onTranscript = options.onTranscript;
    this.#onAlive = options.onAlive;
    this.#signal = options.signal;
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
  }

  /** Whether calls can still be made. */
  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /**
   * Makes a call of the table and returns its answer. Calls may overlap. Throws LibvirtCallError, LibvirtDeadlineError,
   * LibvirtClosedError; LibvirtProtocolError when the answer has another shape, which also closes the connection.
   */
  async call<C extends CallName>(name: C, ...rest: Rest<CallArgs<C>>): Promise<CallReturn<C>> {
    const [args, deadlineMs] = rest as [CallArgs<C>, number?];
    const row = CALLS[name];
    const writer = new XdrWriter();
    (row.write as (w: XdrWriter, args: CallArgs<C>) => void)(writer, args);
    const reader = await this.#exchange(name, row, writer.bytes(), checkDeadline(deadlineMs ?? this.#deadlineMs));
    try {
      const value = row.read(reader) as CallReturn<C>;
      reader.end();
      return value;
    } catch (error) {
      throw this.#broken(error, `the answer to '${name}' is malformed`);
    }
  }

  /** Asks for every event of the table, of all domains. What this libvirt does not know is left out; the names that it sends. */
  async listen(): Promise<void> {
    for (const { id } of EVENTS) {
      try {
        await this.call('event-register', { event: id });
      } catch (error) {
        if (error instanceof LibvirtCallError) continue;
        throw error;
      }
    }
  }

  /** Calls the listener with every later event, in order. What it throws ends nothing. Returns the function that removes it. */
  onEvent(listener: (event: LibvirtEvent) => void): () => void {
    const own = (event: LibvirtEvent): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Ends the connection; domains go on. Pending calls get LibvirtClosedError. Repeating it is harmless. */
  async close(): Promise<void> {
    this.#shutdown(undefined);
    await this.closed;
  }

  async #open(options: LibvirtClientOptions): Promise<void> {
    const ways = await this.call('auth-list');
    if (!ways.includes(AUTH_NONE)) {
      const hint =
        'Run as root or as the user of the daemon, or let its socket ask for none (auth_unix_rw in libvirtd.conf).';
      throw new LibvirtConnectError('libvirt wants a login for this socket', { hint });
    }
    await this.call('connect-open', { uri: options.uri ?? 'qemu:///system', readOnly: options.readOnly ?? false });
    if (await this.call('connect-supports-feature', { feature: FEATURE_KEEPALIVE })) {
      this.#keepalive = setInterval(() => this.#ping(), this.#keepaliveMs);
    }
  }

  #exchange(name: CallName, { program, number }: Procedure, body: Uint8Array, deadlineMs: number): Promise<XdrReader> {
    if (this.#ended !== undefined) {
      const error = new LibvirtClosedError(`'${name}' was not sent: the connection is closed`, { cause: this.#ended });
      return Promise.reject(error);
    }
    this.#serial = (this.#serial + 1) >>> 0;
    const serial = this.#serial;
    const answer = this.#pending.add(serial, name, deadlineMs, () => {
      const hint = 'The call was sent and may still be carried out.';
      return new LibvirtDeadlineError(`answer to '${name}'`, deadlineMs, { hint });
    });
    const header = { program, version: VERSION, procedure: number, type: 'call', serial, status: 'ok' } as const;
    this.#send(header, body);
    return answer;
  }

  #send(header: Header, body: Uint8Array): void {
    this.#transcribe('send', { header, body });
    this.#stream.write(encodeMessage({ header, body }));
  }

  #sendKeepalive(procedure: number): void {
    const header = { program: PROGRAMS.keepalive, version: VERSION, procedure, serial: 0 } as const;
    this.#send({ ...header, type: 'message', status: 'ok' }, new Uint8Array());
  }

  #ping(): void {
    if (this.#silent >= 2) {
      const hint = 'The daemon hangs, or nobody reads its socket: look at its log.';
      return this.#shutdown(
        new LibvirtDeadlineError('answer to a keepalive', this.#silent * this.#keepaliveMs, { hint }),
      );
    }
    this.#silent++;
    this.#sendKeepalive(PING);
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      for (const message of this.#splitter.push(chunk)) {
        // A listener may have closed the connection.
        if (this.#ended !== undefined) return;
        this.#transcribe('receive', message);
        this.#silent = 0;
        this.#takeIn(message);
      }
    } catch (error) {
      this.#broken(error, 'the peer does not speak libvirt’s RPC');
    }
  };

  #takeIn({ header, body }: Message): void {
    if (header.program === PROGRAMS.keepalive) {
      if (header.procedure === PING) this.#sendKeepalive(PONG);
      this.#alive();
    } else if (!CALLED.has(header.program) || header.version !== VERSION) {
      throw new LibvirtProtocolError(`a message of program ${header.program}, version ${header.version}`);
    } else if (header.type === 'reply') this.#answer(header, body);
    else if (header.type === 'message') {
      if (header.program !== PROGRAMS.remote) return;
      const event = readEvent(header.procedure, new XdrReader(body));
      if (event !== undefined) this.#emit(event);
    } else throw new LibvirtProtocolError(`a message of type ${header.type}, which was not asked for`);
  }

  #answer(header: Header, body: Uint8Array): void {
    const pending = this.#pending.take(header.serial);
    if (pending === undefined) return; // its deadline was over
    const reader = new XdrReader(body);
    if (header.status === 'ok') return pending.resolve(reader);
    try {
      const { number, text } = readError(reader);
      pending.reject(new LibvirtCallError(pending.call, number, text));
    } catch (error) {
      pending.reject(this.#broken(error, `the error of '${pending.call}' is malformed`));
    }
  }

  #emit(event: LibvirtEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // It must not break what it observes.
      }
    }
  }

  #alive(): void {
    try {
      this.#onAlive?.();
    } catch {
      // Likewise.
    }
  }

  /** Ends the connection over what the peer sent. */
  #broken(error: unknown, what: string): LibvirtError {
    const reason = new LibvirtProtocolError(`${what}: ${messageOf(error)}`, { cause: error });
    this.#shutdown(reason);
    return reason;
  }

  #onEnd(): void {
    const cause = this.#streamError;
    this.#shutdown(
      new LibvirtClosedError(
        cause === undefined ? 'libvirt closed the connection' : `the connection broke: ${messageOf(cause)}`,
        { hint: 'Its daemon has ended or was restarted: look at its log. Domains go on without it.', cause },
      ),
    );
  }

  /** Ends the connection once, for the given reason; undefined means the caller wanted it. */
  #shutdown(reason: LibvirtError | undefined): void {
    if (this.#ended !== undefined) return;
    const ended = reason ?? new LibvirtClosedError('the connection was closed by its user');
    this.#ended = ended;
    clearInterval(this.#keepalive);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stream.off('data', this.#onData);
    this.#stream.resume(); // what still comes is thrown away, so that the stream can end
    this.#pending.end(name => {
      const message = `'${name}' got no answer, it may or may not have been carried out: ${ended.message}`;
      return new LibvirtClosedError(message, { cause: ended });
    });
    this.#listeners.clear();
    release(this.#stream, () => this.#resolveClosed(reason));
  }

  #transcribe(direction: 'send' | 'receive', message: Message): void {
    try {
      this.#onTranscript?.(transcriptEntry(direction, message, process.hrtime.bigint()));
    } catch {
      // An observer must not break what it observes.
    }
  }
}

const checkDeadline = (deadlineMs: number): number => checkedDeadline(deadlineMs, 'E_LIBVIRT_BAD_DEADLINE');
