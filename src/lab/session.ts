import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { X86McaRecord } from '../mca/record.ts';
import { AgentClient } from '../guest/client.ts';
import { ConsoleReader } from '../guest/console.ts';
import { QmpClient, type TranscriptEntry } from '../qmp/client.ts';
import { hmpOutputEvents } from '../text/qemu.ts';
import { linuxConsoleParser } from '../text/linux.ts';
import type { LineParser, LogEvent } from '../text/event.ts';
import { recordEvent } from '../text/mce-blocks.ts';
import { qemuStderrParser } from '../text/qemu.ts';
import { qmpEvent } from '../text/qmp-events.ts';
import { xenConsoleParser } from '../text/xen.ts';
import { agentLogEvent } from './agent-events.ts';
import { LabError, LabInterrupted } from './errors.ts';
import { type ExitStatus, KeptProcess } from './machine/keeper.ts';
import { RunDir } from './machine/run-dir.ts';
import { restoreState } from './machine/state.ts';
import type { MachineSockets } from './machine/qemu-args.ts';
import type { MachineSpec } from './scenario/schema.ts';
import type { FieldValue, Layer, Source, TraceEvent } from './trace/event.ts';
import type { TraceRecorder } from './trace/recorder.ts';

/** Longer than any scenario's timeout: that one is what ends a boot. */
const BOOT_DEADLINE_MS = 3_600_000;

const layerOf = (name: string | undefined, fallback: Layer): Layer => {
  const prefix = name?.split('.')[0];
  return prefix === 'xen' || prefix === 'guest' || prefix === 'process' || prefix === 'vmm' ? prefix : fallback;
};

/** A running machine: QEMU, its monitor, the console and the agent, all written to one trace. */
export class Session {
  readonly recorder: TraceRecorder;
  readonly spec: MachineSpec;
  /** Values saved by steps, by name without the `$`. */
  readonly values: Map<string, FieldValue> = new Map();
  /** Last reading of each interrupt counter. */
  readonly counters: Map<string, number> = new Map();
  /** Aborted when the run has to end: Ctrl-C or the scenario's timeout. */
  readonly signal: AbortSignal;
  /** The monitor of the VMM under test. */
  qmp!: QmpClient;
  /** The monitor of the outer QEMU: the same, where there is no other. */
  outer!: QmpClient;
  agent!: AgentClient;
  /** Set once QEMU has ended. */
  exit: ExitStatus | undefined;
  #process!: KeptProcess;
  #dir = new RunDir();
  #shutdownSeen = false;
  #stderr: string[] = [];
  #flush: (() => void)[] = [];

  private constructor(recorder: TraceRecorder, spec: MachineSpec, signal: AbortSignal) {
    this.recorder = recorder;
    this.spec = spec;
    this.signal = signal;
  }

  /**
   * Starts QEMU and waits until the agent in the guest answers.
   * @param command makes the QEMU command line for the sockets of this run
   * @throws LabError E_LAB_QEMU_EXIT, E_LAB_BOOT; LabInterrupted. Nothing is left behind then.
   */
  static async start(
    recorder: TraceRecorder,
    spec: MachineSpec,
    signal: AbortSignal,
    command: (sockets: MachineSockets) => string[],
    options: { restore?: string } = {},
  ): Promise<Session> {
    const session = new Session(recorder, spec, signal);
    try {
      await session.#boot(command, options.restore);
      return session;
    } catch (error) {
      await session.stop();
      throw error;
    }
  }

  async #boot(command: (sockets: MachineSockets) => string[], restore?: string): Promise<void> {
    const [qmp, console, agent] = await Promise.all([
      this.#dir.listen('qmp.sock'),
      this.#dir.listen('console.sock'),
      this.#dir.listen('agent.sock'),
    ]);
    const argv = command({ qmp: qmp.path, console: console.path, agent: agent.path });
    this.recorder.record({ layer: 'lab', source: 'lab', name: 'vmm.start', fields: { command: argv.join(' ') } });
    this.#process = new KeptProcess(
      argv,
      this.#dir.path,
      this.#lineSink('vmm', 'stderr', qemuStderrParser(), this.#stderr),
    );
    void this.#process.exited.then(status => this.#onExit(status));
    const sockets = this.#orDie(
      Promise.all([qmp.connection, console.connection, agent.connection]),
      30_000,
      'QEMU to connect',
    );
    const [qmpSocket, consoleSocket, agentSocket] = await sockets;
    this.#readConsole(consoleSocket);
    this.agent = new AgentClient(agentSocket, {
      onLine: (direction, raw) =>
        this.recorder.record({ layer: 'guest', source: 'agent', dir: direction === 'in' ? 'receive' : 'send', raw }),
      onDiagnostic: ({ code, message }) => this.note('lab.note', { text: `agent line: ${code}: ${message}` }),
    });
    // Every `hello` makes the agent say `ready` again; it became ready once.
    this.agent.onEvent(event => {
      if (event.name !== 'ready' || event.seq === 1) this.#record(agentLogEvent(event), 'guest', 'agent');
    });
    this.qmp = await this.#orDie(
      QmpClient.attach(qmpSocket, { deadlineMs: 30_000, onTranscript: entry => this.#onTranscript(entry) }),
      30_000,
      'the QMP greeting',
    );
    this.outer = this.qmp;
    if (restore !== undefined) {
      await this.#orDie(restoreState(this.qmp, restore), 120_000, 'the saved state to load');
      await this.#orDie(this.agent.ready(60_000), 60_000, 'the agent in the restored guest');
      this.note('lab.restored', { file: restore });
      return;
    }
    const ready = this.agent.nextEvent(event => event.name === 'ready', { after: 0, deadlineMs: BOOT_DEADLINE_MS });
    await this.#orDie(ready, BOOT_DEADLINE_MS, 'the agent in the guest');
  }

  /** Waits for `what`, but not longer than the run lives: QEMU's end, a guest panic or an interruption end the wait. */
  async #orDie<T>(promise: Promise<T>, deadlineMs: number, what: string): Promise<T> {
    let stop = (): void => {};
    const failure = new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => reject(this.#bootError(`waited ${deadlineMs / 1000} s for ${what}`)), deadlineMs);
      const aborted = (): void => reject(this.#abortError(what));
      const unlisten = this.recorder.listen(event => {
        if (event.name === 'guest.panic' || event.name === 'xen.panic') {
          reject(this.#bootError(`the guest panicked while the lab waited for ${what}`));
        }
      });
      if (this.signal.aborted) aborted();
      this.signal.addEventListener('abort', aborted, { once: true });
      void this.#process.exited.then(status => {
        const how = status.signal === undefined ? `with code ${status.code}` : `by signal ${status.signal}`;
        const said = this.#stderr.slice(-3).join(' / ');
        reject(
          new LabError('E_LAB_QEMU_EXIT', `QEMU ended ${how} while the lab waited for ${what}${said && `: ${said}`}`),
        );
      });
      stop = () => {
        clearTimeout(timer);
        unlisten();
        this.signal.removeEventListener('abort', aborted);
      };
    });
    failure.catch(() => {});
    try {
      return await Promise.race([promise, failure]);
    } catch (error) {
      // A closed connection is most often the first sign of QEMU's end, which says more.
      const gone = await Promise.race([this.#process.exited, sleep(1000, undefined, { ref: false })]);
      if (gone !== undefined && !gone.expected) await failure;
      throw error;
    } finally {
      stop();
    }
  }

  #abortError(what: string): Error {
    const reason: unknown = this.signal.reason;
    return reason instanceof Error && reason.name === 'TimeoutError'
      ? this.#bootError(`the scenario's timeout passed while the lab waited for ${what}`)
      : new LabInterrupted();
  }

  #bootError(message: string): LabError {
    const console = this.recorder.events.filter(e => e.source === 'console').slice(-3);
    const tail = console.map(e => e.raw).join(' / ');
    return new LabError(
      'E_LAB_BOOT',
      message + (tail ? `; the console's last lines: ${tail}` : '; the console is silent'),
      {
        hint: 'See the whole console with `syndrome show TRACE --all`; a slow machine may need a longer --timeout.',
      },
    );
  }

  /** Records lines with what they mean; also keeps the last of them in `keep`. */
  #lineSink(layer: Layer, source: Source, parser: LineParser, keep?: string[]): (line: string) => void {
    this.#flush.push(() => this.#recordAll(parser.end(), layer, source));
    return line => {
      if (keep && keep.push(line) > 20) keep.shift();
      const [first, ...more] = parser.push(line);
      this.#record(first, line.startsWith('(XEN)') ? 'xen' : layer, source, line);
      this.#recordAll(more, layer, source);
    };
  }

  #recordAll(events: readonly LogEvent[], layer: Layer, source: Source): void {
    for (const event of events) this.#record(event, layer, source);
  }

  #record(
    event: LogEvent | undefined,
    layer: Layer,
    source: Source,
    raw?: string,
    dir?: 'send' | 'receive',
  ): TraceEvent {
    return this.recorder.record({
      layer: layerOf(event?.name, layer),
      source,
      ...(raw === undefined ? {} : { raw }),
      ...(dir === undefined ? {} : { dir }),
      ...(event === undefined ? {} : { name: event.name, fields: event.fields }),
      ...(event?.record === undefined ? {} : { record: event.record }),
    });
  }

  #readConsole(socket: Socket): void {
    const parser = this.spec.kind === 'xen-dom0' ? xenConsoleParser() : linuxConsoleParser();
    const sink = this.#lineSink('guest', 'console', parser);
    const reader = new ConsoleReader({
      onLine: line => sink(line.text),
      onDiagnostic: ({ code, message }) => this.note('lab.note', { text: `console: ${code}: ${message}` }),
    });
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.on('close', () => reader.end());
  }

  #onTranscript(entry: TranscriptEntry): void {
    const message = entry.message as { event?: unknown; data?: unknown } | undefined;
    const isEvent = typeof message?.event === 'string';
    const event = isEvent ? qmpEvent(message as { event: string; data?: Record<string, unknown> }) : undefined;
    if (event?.name === 'vmm.shutdown') this.#shutdownSeen = true;
    this.#record(event, 'vmm', 'qmp', entry.raw, entry.direction);
  }

  #onExit(status: ExitStatus): void {
    this.exit = { ...status, expected: status.expected || (this.#shutdownSeen && status.code === 0) };
    const { code, signal, expected } = this.exit;
    const fields = { ...(code === undefined ? {} : { code }), ...(signal === undefined ? {} : { signal }), expected };
    this.recorder.record({ layer: 'vmm', source: 'lab', name: 'vmm.exit', fields });
  }

  /** Sends a monitor command; what it prints is recorded with its meaning. */
  async hmp(command: string): Promise<string> {
    const output = await this.qmp.hmp(command);
    this.recordHmp(output);
    return output;
  }

  /** Records what a monitor command printed. */
  recordHmp(output: string): void {
    const text = output.trim();
    if (text === '') return;
    const [first, ...more] = hmpOutputEvents(text);
    this.#record(first, 'vmm', 'hmp', text);
    this.#recordAll(more, 'vmm', 'hmp');
  }

  /** Something the lab itself has to say. */
  note(name: string, fields: Record<string, FieldValue>): TraceEvent {
    return this.recorder.record({ layer: layerOf(name, 'lab'), source: 'lab', name, fields });
  }

  /** A record that dom0 handed out through /dev/mcelog. */
  recordMcelog(record: X86McaRecord): void {
    this.#record(recordEvent('guest.mce-record', record, { source: 'mcelog' }), 'guest', 'agent');
  }

  /** Saves a value under a name for later steps and expectations. */
  save(name: string, value: FieldValue): void {
    this.values.set(name, value);
    this.note('lab.value', { name, value });
  }

  /** Has the guest ended for good: QEMU gone, or a panic seen? */
  get dead(): boolean {
    return (
      this.exit !== undefined || this.recorder.events.some(e => e.name === 'guest.panic' || e.name === 'xen.panic')
    );
  }

  /** Resolves at the next event or after `ms`; rejects when the run is interrupted. */
  nextEvent(ms: number, wanted: (event: TraceEvent) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer);
        unlisten();
        this.signal.removeEventListener('abort', aborted);
        finish();
      };
      const aborted = (): void => done(() => reject(this.#abortError('the next event')));
      const timer = setTimeout(() => done(resolve), ms);
      const unlisten = this.recorder.listen(event => {
        if (wanted(event)) done(resolve);
      });
      if (this.signal.aborted) aborted();
      else this.signal.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Ends everything this session started: QEMU, sockets, folder. Safe to call at any time, also twice. */
  async stop(): Promise<void> {
    for (const flush of this.#flush.splice(0)) flush();
    this.agent?.close();
    if (this.#process) await this.#process.stop();
    await this.qmp?.close();
    this.#dir.remove();
  }
}
