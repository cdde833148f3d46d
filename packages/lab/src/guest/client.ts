import type { Duplex } from 'node:stream';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { Budget, monotonicMs } from './budget.ts';
import type { Clock } from './budget.ts';
import { AgentClosedError, AgentDeadlineError, AgentError, AgentProtocolError } from './errors.ts';
import { agentCommands, AGENT_PROTOCOL, requiredEventFields } from './protocol.ts';
import type {
  AgentArguments,
  AgentCommand,
  AgentEvent,
  AgentEventName,
  AgentIdentity,
  AgentReply,
  FieldValue,
} from './protocol.ts';
import { WIRE_MAX } from '@syndrome/decode/text/syndrome/agent-events.ts';
import { encodeRequest, parseLine, typeFields } from './wire.ts';
import type { WireLine } from './wire.ts';

/** What a guest may do to its host; beyond a bound its lines are dropped and counted. */
type AgentLimits = {
  /** Data of one reply, in bytes. */
  dataBytes: number;
  /** Events per second in the long run, and at once. */
  eventsPerSecond: number;
  eventBurst: number;
  /** Requests without a reply. */
  inFlight: number;
  /** Events kept for {@link AgentClient.nextEvent}. */
  history: number;
  /** Diagnostics reported one by one; later ones are only counted. */
  diagnostics: number;
};

const DEFAULT_LIMITS: AgentLimits = {
  dataBytes: 8 << 20,
  eventsPerSecond: 1000,
  eventBurst: 5000,
  inFlight: 64,
  history: 1024,
  diagnostics: 200,
};

/** Kinds of things a well-behaved agent does not send. */
type AgentDiagnosticCode =
  | 'line-too-long'
  | 'not-a-line'
  | 'unexpected-reply'
  | 'rejected-line'
  | 'bad-event'
  | 'event-flood'
  | 'data-too-long';

type AgentDiagnostic = { code: AgentDiagnosticCode; message: string };

export type AgentClientOptions = {
  limits?: Partial<AgentLimits>;
  /** Every line in either direction, for a trace; already bounded, not escaped. */
  onLine?: (direction: 'in' | 'out', line: string) => void;
  onDiagnostic?: (diagnostic: AgentDiagnostic) => void;
  /** Monotonic milliseconds, for the event rate. */
  clock?: Clock;
};

type Pending = {
  command: string;
  data: Buffer[];
  part: Buffer[];
  dataBytes: number;
  overflow: boolean;
  done: (result: { line: WireLine } | { error: Error }) => void;
};

/** How often `ready` asks while the guest boots. */
const HELLO_INTERVAL_MS = 500;
const DEFAULT_DEADLINE_MS = 30_000;
const LF = Buffer.from('\n');

/**
 * Talks to the agent of one guest over any stream (a guest's serial line). Everything the guest sends is
 * bounded; nothing it sends makes this throw outside of the promise of the call it answers.
 */
export class AgentClient {
  /** Counts of what was dropped or not understood, by kind. */
  readonly diagnostics: Map<AgentDiagnosticCode, number> = new Map();

  /** The boot of which its agent was last heard to be ready. */
  boot: string | undefined;

  readonly #stream: Duplex;
  readonly #limits: AgentLimits;
  readonly #options: AgentClientOptions;
  readonly #events: Budget;
  readonly #pending = new Map<number, Pending>();
  readonly #forgotten = new Set<number>();
  readonly #listeners = new Set<(event: AgentEvent) => void>();
  readonly #history: AgentEvent[] = [];
  readonly #closing = new Set<(error: AgentClosedError) => void>();
  #buffer: Buffer[] = [];
  #buffered = 0;
  #cut = 0;
  #nextId = 1;
  #lastSeq = 0;
  #reported = 0;
  /** Lines about half-received hellos that may still come. */
  #helloNoise = 0;
  #closed: AgentClosedError | undefined;

  constructor(stream: Duplex, options: AgentClientOptions = {}) {
    this.#stream = stream;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#events = new Budget(this.#limits.eventsPerSecond, this.#limits.eventBurst, options.clock ?? monotonicMs);
    stream.on('data', (chunk: Buffer | string) =>
      this.#receive(typeof chunk === 'string' ? Buffer.from(chunk) : chunk),
    );
    stream.on('error', (cause: Error) => this.#close('by an error', cause));
    stream.on('end', () => this.#close('by the other side'));
    stream.on('close', () => this.#close('by the other side'));
  }

  /** Number of the last event received; 0 before the first. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Waits until the agent answers, asking again while the guest boots; resolves at once after a `ready` event.
   * Throws AgentDeadlineError, AgentClosedError, AgentProtocolError (another protocol version).
   */
  async ready(deadlineMs: number = DEFAULT_DEADLINE_MS): Promise<AgentIdentity> {
    const asked: number[] = [];
    const hello = (): void => {
      // The empty line ends what an earlier connection may have left half sent.
      if (this.#stream.writable && asked.length < 1000) {
        const id = this.#nextId++;
        asked.push(id);
        this.#forget(id);
        // What is sent before the guest opens its port arrives in part, or is echoed.
        this.#helloNoise += 2;
        this.#send(`\n${encodeRequest(id, 'hello', [])}`);
      }
    };
    const timer = setInterval(hello, HELLO_INTERVAL_MS);
    try {
      hello();
      const event = await this.nextEvent(e => e.name === 'ready', { deadlineMs, after: 0, what: 'hello' });
      return checkedIdentity(event.fields as AgentIdentity);
    } finally {
      clearInterval(timer);
    }
  }

  /**
   * Runs one command. Values go out as they are typed (bigint as hex). The agent itself gives up on a command after
   * about 80 % of the deadline, so that a stuck subject shows as AgentError ETIMEDOUT and a dead guest as
   * AgentDeadlineError. Throws also AgentClosedError, AgentProtocolError and RangeError (request too long).
   */
  async call<C extends AgentCommand>(
    command: C,
    args: AgentArguments<C>,
    options: { deadlineMs?: number } = {},
  ): Promise<AgentReply<C>> {
    const { fields, lines } = await this.#exchange(command, args, options);
    return { ...fields, data: lines.map(line => line.toString('utf8')) } as unknown as AgentReply<C>;
  }

  async #exchange<C extends AgentCommand>(
    command: C,
    args: AgentArguments<C>,
    options: { deadlineMs?: number },
  ): Promise<{ fields: Record<string, FieldValue>; lines: Buffer[] }> {
    const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#pending.size >= this.#limits.inFlight)
      throw new AgentProtocolError(`${this.#pending.size} requests are in flight already`);
    const shape = agentCommands[command];
    const values = Object.entries(args) as [string, string | number | bigint | boolean | undefined][];
    if (shape.timed) values.push(['timeout-ms', Math.min(600_000, Math.max(1, Math.round(deadlineMs * 0.8)))]);
    const id = this.#nextId++;
    const request = encodeRequest(id, command, values);
    const pending: Pending = { command, data: [], part: [], dataBytes: 0, overflow: false, done: () => {} };
    const line = await new Promise<WireLine>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#forget(id);
        pending.done({ error: new AgentDeadlineError(command, deadlineMs) });
      }, deadlineMs);
      pending.done = result => {
        clearTimeout(timer);
        this.#pending.delete(id);
        if ('error' in result) reject(result.error);
        else resolve(result.line);
      };
      this.#pending.set(id, pending);
      this.#send(request);
    });
    if (line.kind === 'error') throw new AgentError(command, line.errno, safeText(line.text));
    if (line.kind !== 'ok') throw new AgentProtocolError(`${command}: not a reply`);
    if (pending.overflow)
      throw new AgentProtocolError(`${command}: more than ${this.#limits.dataBytes} bytes of data in one reply`);
    const { fields, wrong } = typeFields(line.fields, shape.reply);
    if (wrong !== undefined) throw new AgentProtocolError(`${command}: field ${wrong} is missing or malformed`);
    return { fields, lines: pending.data };
  }

  /** The whole text of a file of the guest, up to `max` bytes. */
  async readText(path: string, options: { max?: number; deadlineMs?: number } = {}): Promise<string> {
    return (await this.readBytes(path, options)).toString('utf8');
  }

  /** The bytes of a file of the guest from `offset` (default 0) on, up to `max`. */
  async readBytes(path: string, options: { max?: number; offset?: bigint; deadlineMs?: number } = {}): Promise<Buffer> {
    const { max, offset, ...rest } = options;
    const { fields, lines } = await this.#exchange('read', { path, max, offset }, rest);
    const pieces = lines.flatMap((line, i) => (i === 0 ? [line] : [LF, line]));
    return Buffer.concat(fields.newline === true ? [...pieces, LF] : pieces);
  }

  /** Calls the listener for every event from now on; returns how to end that. */
  onEvent(listener: (event: AgentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The first event that matches and came after event number `after` (default: the last one now). Take `lastSeq` before
   * an action and give it here, and no event can be missed. Throws AgentDeadlineError, AgentClosedError.
   */
  async nextEvent(
    match: (event: AgentEvent) => boolean,
    options: { deadlineMs?: number; after?: number; what?: string } = {},
  ): Promise<AgentEvent> {
    const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const after = options.after ?? this.#lastSeq;
    const earlier = this.#history.find(event => event.seq > after && match(event));
    if (earlier !== undefined) return earlier;
    if (this.#closed !== undefined) throw this.#closed;
    return await new Promise<AgentEvent>((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        unsubscribe();
        this.#closing.delete(closed);
      };
      const closed = (error: AgentClosedError): void => {
        finish();
        reject(error);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new AgentDeadlineError(options.what ?? 'an expected event', deadlineMs));
      }, deadlineMs);
      const unsubscribe = this.onEvent(event => {
        if (!match(event)) return;
        finish();
        resolve(event);
      });
      this.#closing.add(closed);
    });
  }

  /** Closes the connection; calls in flight end with AgentClosedError. */
  close(): void {
    this.#close('by this side');
    this.#stream.destroy();
  }

  #send(text: string): void {
    this.#options.onLine?.('out', text.trim());
    this.#stream.write(text);
  }

  /** A reply to this id may still come and means nothing. */
  #forget(id: number): void {
    this.#forgotten.add(id);
    if (this.#forgotten.size > 4096) this.#forgotten.delete(this.#forgotten.values().next().value as number);
  }

  #close(how: string, cause?: Error): void {
    if (this.#closed !== undefined) return;
    const error = new AgentClosedError(how, cause);
    this.#closed = error;
    for (const pending of Array.from(this.#pending.values())) pending.done({ error });
    for (const closing of Array.from(this.#closing)) closing(error);
  }

  #diagnose(code: AgentDiagnosticCode, message: string): void {
    if ((code === 'rejected-line' || code === 'not-a-line') && this.#helloNoise > 0) {
      this.#helloNoise--;
      return;
    }
    this.diagnostics.set(code, (this.diagnostics.get(code) ?? 0) + 1);
    if (this.#reported >= this.#limits.diagnostics) return;
    this.#reported++;
    this.#options.onDiagnostic?.({ code, message: safeText(message, 200) });
  }

  #receive(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      this.#keep(chunk.subarray(start, end === -1 ? chunk.length : end));
      if (end === -1) return;
      this.#endLine();
      start = end + 1;
    }
  }

  #keep(bytes: Buffer): void {
    const room = WIRE_MAX - this.#buffered;
    const kept = bytes.length <= room ? bytes : bytes.subarray(0, room);
    this.#cut += bytes.length - kept.length;
    if (kept.length === 0) return;
    // A copy: the chunk may be a slice of something large.
    this.#buffer.push(Buffer.from(kept));
    this.#buffered += kept.length;
    if (this.#buffer.length > 64) this.#buffer = [Buffer.concat(this.#buffer)];
  }

  #endLine(): void {
    let line = Buffer.concat(this.#buffer).toString('latin1');
    while (line.endsWith('\r')) line = line.slice(0, -1);
    const cut = this.#cut;
    this.#buffer = [];
    this.#buffered = 0;
    this.#cut = 0;
    if (line === '') return;
    this.#options.onLine?.('in', line);
    if (cut > 0 || line.length >= WIRE_MAX) {
      this.#diagnose('line-too-long', `${line.length + cut} bytes: ${line.slice(0, 80)}`);
      return;
    }
    const parsed = parseLine(line);
    if (parsed === undefined) this.#diagnose('not-a-line', line);
    else if (parsed.kind === 'event') this.#event(parsed.name, parsed.fields, line);
    else this.#reply(parsed, line);
  }

  #reply(parsed: Exclude<WireLine, { kind: 'event' }>, line: string): void {
    const pending = this.#pending.get(parsed.id);
    if (pending === undefined) {
      if (parsed.id === 0) this.#diagnose('rejected-line', line);
      else if (!this.#forgotten.has(parsed.id)) this.#diagnose('unexpected-reply', line);
      else if (parsed.kind !== 'data') this.#forgotten.delete(parsed.id);
      return;
    }
    if (parsed.kind !== 'data') {
      pending.done({ line: parsed });
      return;
    }
    // Every line costs something, also an empty one.
    pending.dataBytes += parsed.bytes.length + 16;
    if (pending.dataBytes > this.#limits.dataBytes) {
      if (!pending.overflow) this.#diagnose('data-too-long', `reply to ${pending.command}`);
      pending.overflow = true;
      return;
    }
    pending.part.push(parsed.bytes);
    if (parsed.continued) return;
    pending.data.push(Buffer.concat(pending.part));
    pending.part = [];
  }

  #event(name: string, raw: Map<string, string>, line: string): void {
    const required = requiredEventFields(name);
    if (required === undefined) {
      this.#diagnose('bad-event', line);
      return;
    }
    const { fields, wrong } = typeFields(raw, required);
    if (wrong !== undefined) {
      this.#diagnose('bad-event', `${wrong}: ${line}`);
      return;
    }
    if (!this.#events.take()) {
      this.#diagnose('event-flood', line);
      return;
    }
    const { t, ...rest } = fields;
    const seq = ++this.#lastSeq;
    const event = { name: name as AgentEventName, seq, t, raw: line, fields: rest } as unknown as AgentEvent;
    this.#history.push(event);
    if (this.#history.length > this.#limits.history) this.#history.shift();
    for (const listener of Array.from(this.#listeners)) listener(event);
  }
}

function checkedIdentity(identity: AgentIdentity): AgentIdentity {
  if (identity.proto !== AGENT_PROTOCOL)
    throw new AgentProtocolError(`it speaks protocol ${identity.proto}, this program ${AGENT_PROTOCOL}`);
  return identity;
}
