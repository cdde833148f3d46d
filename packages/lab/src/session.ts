import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentClient } from './guest/client.ts';
import type { AgentEvent } from './guest/protocol.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { HmpError } from '@syndrome/qemu/qmp/errors.ts';
import { hmpChecked } from '@syndrome/qemu/qmp/hmp.ts';
import { isMce } from '@syndrome/decode/inject/mce-command.ts';
import { readMceAnswer } from '@syndrome/qemu/qmp/mce.ts';
import type { EventFields, EventName } from '@syndrome/decode/events/catalog.ts';
import { event, type LogEvent } from '@syndrome/decode/events/event.ts';
import { linuxEvents, qemuEvents, recordFields } from '@syndrome/decode/text/event-reader.ts';
import { agentEvent } from '@syndrome/decode/text/syndrome/agent-events.ts';
import type { LocalHost } from './host-local.ts';
import { abortError, LabError } from './errors.ts';
import { lastWords } from './last-words.ts';
import type { Firmware } from './firmware/firmware.ts';
import { memoryEnds } from './machine/qemu-args.ts';
import { type Channel, channelEnd, type MachineEnds } from './machine/channels.ts';
import { type ExitStatus, KeptProcess, type MachineProcess } from './machine/keeper.ts';
import type { MachineLine } from './machine/machine-line.ts';
import { RunDir } from './machine/run-dir.ts';
import { restoreState } from './machine/state.ts';
import type { MachineKind } from './machines/kind.ts';
import { machineKind, type MachineSpec } from './machines/registry.ts';
import { Tape } from './tape.ts';
import { vmmExit } from './vmm-ends.ts';
import { Waits } from './waits.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import type { Layer, TraceEvent } from '@syndrome/trace/event.ts';
import type { TraceRecorder } from './trace/recorder.ts';

/** Longer than any scenario's timeout: that one is what ends a boot. */
const BOOT_DEADLINE_MS = 3_600_000;
const CONNECT_MS = 30_000;
const RESTORE_MS = 120_000;
const DRAIN_MS = 2000;
/** What a machine that was stopped has said is read after so long. */
const QUIET_MS = 20;
const QUIET_TRIES = 100;

/** Signs that nobody will answer any more. */
const DEATHS: ReadonlySet<EventName> = new Set<EventName>(['guest.panic', 'xen.panic', 'host.panic', 'vmm.exit']);

/** A QEMU that runs already, with the lab's ends of its channels. */
export interface ForkedMachine {
  process: MachineProcess;
  sockets: ReadonlyMap<Channel, Socket>;
  lines: ReadonlyMap<Channel, MachineLine>;
  /** What it prints. */
  stderr: MachineLine;
  gdb?: string;
}

/** A running machine: the outer QEMU and everything in it, all written to one trace. */
export class Session {
  readonly recorder: TraceRecorder;
  readonly tape: Tape;
  readonly spec: MachineSpec;
  readonly kind: MachineKind<MachineSpec>;
  /** Last reading of each interrupt counter. */
  readonly counters: Map<string, number> = new Map();
  /** Aborted when the run has to end: Ctrl-C or the scenario's timeout. */
  readonly signal: AbortSignal;
  /** The monitor of the outer QEMU, and of the VMM under test: the same where there is no host layer. */
  outer!: QmpClient;
  qmp!: QmpClient;
  /** The agent in the guest under test, and that of the host layer of a nested machine. */
  agent!: AgentClient;
  host: AgentClient | undefined;
  /** The firmware of the machine, where the lab plays it. */
  firmware: Firmware | undefined;
  /** Where the outer QEMU listens for a debugger, if it does. */
  gdbPath: string | undefined;
  /** What goes on behind the steps; the end of the run waits for it. */
  readonly pending: Promise<unknown>[] = [];
  /** This machine, when it is the host layer itself. */
  localHost: LocalHost | undefined;
  /** Set once the outer QEMU has ended. */
  exit: ExitStatus | undefined;
  #process!: MachineProcess;
  #dir: RunDir | undefined;
  #waits: Waits;
  #sockets = new Map<Channel, Socket>();
  #lines = new Map<Channel, MachineLine>();
  /** What the outer QEMU itself prints, where it is a fork: the channel `stderr` is of a VMM in it. */
  #printed: MachineLine | undefined;
  /** Loads the modules of the guest under test, as after its first boot. */
  loadModules: (session: Session) => Promise<void> = () => Promise.resolve();
  /** Why the QEMU under test said it would stop. */
  #shutdownReason: string | undefined;
  /** The exit code that the VMM under test has announced. */
  #announcedExit: number | undefined;
  #endWatch = (): void => {};
  /** Which boot of its Linux the agent under test has spoken of. */
  #boot: string | undefined;
  #said: string[] = [];
  /** Number of the last event that is not of this machine. */
  #before: number;

  private constructor(recorder: TraceRecorder, spec: MachineSpec, signal: AbortSignal) {
    this.recorder = recorder;
    this.tape = new Tape(recorder);
    this.spec = spec;
    this.kind = machineKind(spec);
    this.signal = signal;
    this.#before = recorder.events.length;
    this.#waits = new Waits(recorder, signal, what => abortError(signal, what));
  }

  /** Values saved by steps, by name without the `$`. */
  get values(): ReadonlyMap<string, FieldValue> {
    return this.recorder.index.values;
  }

  get nested(): boolean {
    return this.kind.vmm !== undefined;
  }

  /**
   * Starts the outer QEMU and listens to all its layers; nothing has booted yet.
   * @param command makes the QEMU command line for the ends of its channels in this run
   * @param channels that it has; default: those of its kind
   * @throws LabError E_LAB_QEMU_EXIT; LabInterrupted. Nothing is left behind then.
   */
  static async open(
    recorder: TraceRecorder,
    spec: MachineSpec,
    signal: AbortSignal,
    command: (ends: MachineEnds) => string[],
    channels: readonly Channel[] = machineKind(spec).channels,
  ): Promise<Session> {
    const session = new Session(recorder, spec, signal);
    try {
      await session.#open(command, channels);
      return session;
    } catch (error) {
      await session.stop();
      throw error;
    }
  }

  /**
   * The same machine again, as a fork of the QEMU of this one, which stands still: it goes on where that stood.
   * @param recorder has what happened until then
   * @throws LabError. The fork is ended then.
   */
  async fork(recorder: TraceRecorder, signal: AbortSignal, forked: ForkedMachine): Promise<Session> {
    const session = this.#again(recorder, signal);
    session.gdbPath = forked.gdb;
    session.#sockets = new Map(forked.sockets);
    session.#lines = new Map(forked.lines);
    session.#printed = forked.stderr;
    session.#process = forked.process;
    try {
      void forked.process.exited.then(status => session.#onExit(status)).catch(() => {});
      session.tape.console(forked.stderr, session.#outerLayer, qemuEvents(), 'stderr');
      await session.#listen(this, true);
      // One that a step has paused stays so: at that moment a CPU is where the step wanted it.
      if (!this.#paused) await session.outer.execute('cont');
      await session.attachVmm(true);
      return session;
    } catch (error) {
      await session.stop();
      throw error;
    }
  }

  /**
   * The same machine again, in a QEMU that loads what was kept of this one when it stood still. This one may have ended.
   * @param recorder has what happened until then
   * @param command as of {@link open}, with `-incoming defer`
   * @param load loads it, and leaves the machine stopped
   * @throws LabError. Nothing is left behind then.
   */
  async load(
    recorder: TraceRecorder,
    signal: AbortSignal,
    command: (ends: MachineEnds) => string[],
    channels: readonly Channel[],
    load: (qmp: QmpClient) => Promise<void>,
  ): Promise<Session> {
    const session = this.#again(recorder, signal);
    try {
      await session.#open(command, channels, this);
      await session.orDie(load(session.outer), RESTORE_MS, 'the saved state to load');
      if (!this.#paused) await session.outer.execute('cont');
      return session;
    } catch (error) {
      await session.stop();
      throw error;
    }
  }

  /** A session that knows of its machine what this one does. */
  #again(recorder: TraceRecorder, signal: AbortSignal): Session {
    const session = new Session(recorder, this.spec, signal);
    session.#before = this.#before;
    session.#boot = this.#boot;
    session.#shutdownReason = this.#shutdownReason;
    session.#announcedExit = this.#announcedExit;
    session.loadModules = this.loadModules;
    for (const [name, count] of this.counters) session.counters.set(name, count);
    return session;
  }

  get #outerLayer(): Layer {
    return this.kind.layers[0] ?? 'vmm';
  }

  async #open(command: (ends: MachineEnds) => string[], channels: readonly Channel[], from?: Session): Promise<void> {
    const { tape, kind } = this;
    const dir = new RunDir();
    this.#dir = dir;
    const ends: MachineEnds = {};
    const connections: Promise<unknown>[] = [];
    for (const channel of channels) {
      const end = channelEnd(channel, dir.path);
      ends[channel] = end;
      if ('socket' in end) {
        const { connection } = await dir.listen(end.socket);
        connections.push(connection.then(socket => this.#sockets.set(channel, socket)));
      } else this.#lines.set(channel, await dir.serialLine(end));
    }
    if (kind.debugger) ends.gdb = dir.file('gdb.sock');
    Object.assign(
      ends,
      memoryEnds(this.spec, name => dir.file(name)),
    );
    if (ends.memory !== undefined) await this.#playFirmware(ends.memory);
    const argv = command(ends);
    this.gdbPath = ends.gdb;
    this.note('vmm.start', { command: argv.join(' ') });
    const sink = tape.lines(this.#outerLayer, 'stderr', qemuEvents());
    this.#process = new KeptProcess(argv, dir.path, line => {
      if (this.#said.push(line) > 20) this.#said.shift();
      sink(line);
    });
    void this.#process.exited.then(status => this.#onExit(status)).catch(() => {});
    await this.orDie(Promise.all(connections), CONNECT_MS, 'QEMU to connect');
    await this.#listen(from);
  }

  /**
   * Listens to all layers.
   * @param from the machine that this one is again: its agents have said who they are
   * @param forked so has its monitor
   */
  async #listen(from?: Session, forked = false): Promise<void> {
    const { tape, kind } = this;
    tape.console(this.#line('console'), 'guest', kind.console());
    this.agent = tape.agent(
      this.#line('agent'),
      'guest',
      said => agentEvent(said.name, said.fields, 'guest'),
      from?.agent,
    );
    if (kind.vmm) {
      tape.console(this.#line('hostConsole'), 'host', linuxEvents('host'));
      for (const output of kind.vmm.prints) {
        const reader = output.reader();
        const push = (line: string): LogEvent[] => reader.push(line).map(said => this.#vmmEvent(said));
        tape.console(this.#line(output.channel), 'vmm', { ...reader, push }, output.channel);
      }
      this.host = tape.agent(
        this.#line('hostAgent'),
        'host',
        said => vmmExit(said, this.#announcedExit) ?? agentEvent(said.name, said.fields, 'host'),
        from?.host,
      );
    }
    const onTranscript = tape.qmp(this.#outerLayer, kind.vmm ? () => undefined : event => this.#vmmEvent(event));
    const socket = this.#socket(kind.vmm ? 'outer' : 'qmp');
    const attached = forked ? QmpClient.resume(socket, { onTranscript }) : QmpClient.attach(socket, { onTranscript });
    // A fork's has been read from already, and was paused then.
    socket.resume();
    this.outer = await this.orDie(attached, CONNECT_MS, 'the QMP greeting');
    if (!kind.vmm) this.qmp = this.outer;
  }

  /** A step has paused it, before it was to stand still. */
  #paused = false;

  /** What its QEMU has used, user and system time in s, once it has ended; undefined where that is not known. */
  get cpuSeconds(): number | undefined {
    return this.#process.cpuSeconds;
  }

  /** The folder of its lines; undefined in a fork. */
  get folder(): string | undefined {
    return this.#dir?.path;
  }

  /**
   * Stops the machine at a moment when none of its layers is in the middle of a line and nothing more comes of what it has said.
   * @throws LabError E_LAB_STATE; QmpError
   */
  async standStill(): Promise<void> {
    const { running } = await this.outer.execute('query-status');
    this.#paused = !running;
    for (let i = 0; i < QUIET_TRIES; i++) {
      await this.outer.execute('stop');
      for (let last = -1; last !== this.recorder.events.length; ) {
        last = this.recorder.events.length;
        await sleep(QUIET_MS);
      }
      if (!this.tape.inLine || this.#paused) return;
      await this.outer.execute('cont');
      await sleep(QUIET_MS);
    }
    throw new LabError('E_LAB_STATE', 'the machine never came to the end of a line, so it was not stopped');
  }

  /** Makes the memory of the machine, and does what its guest asks the firmware for as long as it runs. */
  async #playFirmware(memory: string): Promise<void> {
    const { kind, spec } = this;
    const { Firmware } = await import('./firmware/firmware.ts');
    const { watchFirmware } = await import('./firmware/watch.ts');
    this.firmware = new Firmware(memory, spec.memory, kind.firmware?.(spec) ?? []);
    this.#endWatch = watchFirmware(this.firmware, (name, fields) => this.note(name, fields));
  }

  get #ends(): (Socket | MachineLine)[] {
    return [...this.#sockets.values(), ...this.#lines.values(), ...(this.#printed ? [this.#printed] : [])];
  }

  #socket(channel: Channel): Socket {
    return this.#sockets.get(channel) ?? this.#missing(channel);
  }

  #line(channel: Channel): MachineLine {
    return this.#lines.get(channel) ?? this.#missing(channel);
  }

  #missing(channel: Channel): never {
    throw new Error(`no channel ${channel} in a machine of kind ${this.spec.kind}`);
  }

  /** The lab's end of the line that a caller asked for; nobody else reads it. */
  get uplink(): Socket {
    return this.#socket('uplink');
  }

  /** Loads the kept state of a machine that was started with `-incoming defer`. */
  async restore(file: string): Promise<void> {
    await this.orDie(restoreState(this.outer, file), RESTORE_MS, 'the saved state to load');
  }

  /** Waits until an agent answers: after a boot it speaks first, in a restored machine it is asked. */
  async ready(agent: AgentClient, restored: boolean): Promise<void> {
    const what = agent === this.host ? 'the agent in the host layer' : 'the agent in the guest';
    const first = restored
      ? agent.ready(RESTORE_MS)
      : agent
          .nextEvent(event => event.name === 'ready', { after: 0, deadlineMs: BOOT_DEADLINE_MS })
          .then(event => event.fields as { boot?: string });
    const { boot } = await this.orDie<{ boot?: string }>(first, restored ? RESTORE_MS : BOOT_DEADLINE_MS, what);
    if (agent === this.agent) this.#boot = boot;
  }

  /**
   * Waits until the agent answers from another boot than the last one; what died before that counts no more.
   * @throws AgentDeadlineError; AgentClosedError where the machine ended
   */
  async awaitBoot(deadlineMs: number): Promise<void> {
    const before = this.#boot;
    const next = (event: AgentEvent): boolean => event.name === 'ready' && event.fields.boot !== before;
    const { fields } = await this.agent.nextEvent(next, { after: 0, deadlineMs, what: 'the agent of the next boot' });
    this.#boot = (fields as { boot?: string }).boot;
    this.#before = this.recorder.events.length;
    await this.loadModules(this);
  }

  /** Sends a request to the reference VMM: one JSON object on its control line. */
  control(request: Record<string, string>): void {
    const line = JSON.stringify(request);
    this.tape.record(undefined, 'vmm', 'control', line, 'send');
    this.#line('control').write(`${line}\n`);
  }

  /** Attaches to the monitor of the VMM in the host layer, if it has one. */
  async attachVmm(restored: boolean): Promise<void> {
    if (this.kind.vmm?.control !== 'qmp') return;
    const onTranscript = this.tape.qmp('vmm', event => this.#vmmEvent(event));
    const options = { oob: false, deadlineMs: RESTORE_MS, onTranscript };
    const socket = this.#socket('qmp');
    const attached = restored ? QmpClient.resume(socket, options) : QmpClient.attach(socket, options);
    socket.resume();
    this.qmp = await this.orDie(attached, RESTORE_MS, 'the monitor of the VMM');
  }

  #vmmEvent(event: LogEvent): LogEvent {
    if (event.name === 'vmm.shutdown') this.#shutdownReason = String(event.fields.reason);
    this.#announcedExit ??= this.kind.vmm?.announcedExit(event);
    return event;
  }

  /**
   * Waits for `what`, but not longer than the run lives: QEMU's end, a panic or an interruption end the wait.
   * @throws LabError E_LAB_QEMU_EXIT, E_LAB_BOOT; LabInterrupted
   */
  async orDie<T>(promise: Promise<T>, deadlineMs: number, what: string): Promise<T> {
    let stop = (): void => {};
    const failure = new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => reject(this.#bootError(`waited ${deadlineMs / 1000} s for ${what}`)), deadlineMs);
      const aborted = (): void => reject(abortError(this.signal, what));
      const unlisten = this.recorder.listen(({ name }) => {
        if (name === undefined || !DEATHS.has(name) || this.exit !== undefined) return;
        const how = name === 'vmm.exit' ? 'the VMM ended' : `the ${name.split('.')[0]} panicked`;
        reject(this.#bootError(`${how} while the lab waited for ${what}`, name === 'vmm.exit'));
      });
      if (this.signal.aborted) aborted();
      this.signal.addEventListener('abort', aborted, { once: true });
      void this.#process.exited.then(status => {
        const how = status.signal === undefined ? `with code ${status.code}` : `by signal ${status.signal}`;
        const said = this.#said.slice(-3).join(' / ');
        const message = `QEMU ended ${how} while the lab waited for ${what}`;
        reject(new LabError('E_LAB_QEMU_EXIT', message + (said && `: ${said}`)));
      });
      stop = () => {
        clearTimeout(timer);
        unlisten();
        this.signal.removeEventListener('abort', aborted);
      };
    });
    failure.catch(() => {});
    promise.catch(() => {});
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

  /** Does `work` until it is done or the run has to end. @throws LabInterrupted, LabError E_LAB_TIMEOUT. */
  async unlessAborted<T>(work: Promise<T>, what: string): Promise<T> {
    let aborted = (): void => {};
    const abort = new Promise<never>((_resolve, reject) => {
      aborted = () => reject(abortError(this.signal, what));
      if (this.signal.aborted) aborted();
      this.signal.addEventListener('abort', aborted, { once: true });
    });
    abort.catch(() => {});
    work.catch(() => {});
    try {
      return await Promise.race([work, abort]);
    } finally {
      this.signal.removeEventListener('abort', aborted);
    }
  }

  #bootError(message: string, vmmEnded = false): LabError {
    return new LabError('E_LAB_BOOT', message + lastWords(this.recorder.events, vmmEnded), {
      hint: 'See the whole console with `syndrome show TRACE --all`; a slow machine may need a longer --timeout.',
    });
  }

  /** The end of the outer QEMU: what it said last is read before anything is made of it. */
  async #onExit(status: ExitStatus): Promise<void> {
    for (const line of [...this.#lines.values(), ...(this.#printed ? [this.#printed] : [])]) line.finish();
    const open = this.#ends.filter(end => !end.closed);
    const drained = open.map(end => once(end, 'close'));
    await Promise.race([Promise.all(drained), sleep(DRAIN_MS, undefined, { ref: false })]).catch(() => {});
    const asked = this.#shutdownReason?.startsWith('guest-') === true && status.code === 0;
    this.exit = { ...status, expected: status.expected || asked };
    const { code, signal, expected } = this.exit;
    // Somebody else ended QEMU: nothing can be said about the system under test.
    if (!expected && (signal === 9 || signal === 15 || this.#shutdownReason?.startsWith('host-'))) {
      const how = signal === undefined ? `for the reason ${this.#shutdownReason}` : `by signal ${signal}`;
      this.note('lab.error', { code: 'E_LAB_QEMU_KILLED', message: `QEMU was ended from outside, ${how}` });
    }
    const fields = { ...(code === undefined ? {} : { code }), ...(signal === undefined ? {} : { signal }), expected };
    this.note(this.nested ? 'machine.exit' : 'vmm.exit', fields);
  }

  /**
   * Sends a monitor command to the VMM under test; what it prints is recorded with its meaning. A `mce` has to reach at least
   * one CPU: the monitor takes one for a CPU that does not exist without a word.
   * @throws HmpError when the monitor refuses it; QmpError
   */
  async hmp(command: string): Promise<void> {
    try {
      const output = isMce(command)
        ? readMceAnswer(command, await this.qmp.hmpObserved(command), 1).output
        : await hmpChecked(this.qmp, command);
      this.tape.hmp(output);
    } catch (error) {
      if (error instanceof HmpError) this.tape.hmp(error.text);
      throw error;
    }
  }

  /** Something the lab itself has to say. */
  note<N extends EventName>(name: N, fields: EventFields<N>): TraceEvent {
    return this.tape.note(name, fields);
  }

  /** A record that the guest's kernel handed out: dom0 through /dev/mcelog, or what was saved over a reset. */
  recordMachineCheck(record: X86McaRecord, source: 'mcelog' | 'pstore'): void {
    this.tape.record({ ...event('guest.mce-record', recordFields(record, { source })), record }, 'guest', 'agent');
  }

  /** Saves a value under a name for later steps and expectations. */
  save(name: string, value: FieldValue): void {
    this.note('lab.value', { name, value });
  }

  /** Has the system under test ended for good: a panic, the VMM's or the outer QEMU's end? */
  get dead(): boolean {
    return this.exit !== undefined || [...DEATHS].some(name => this.#saw(name));
  }

  /** Has the VMM under test ended: nothing more can come from its guest. */
  get over(): boolean {
    return this.exit !== undefined || this.#saw('vmm.exit');
  }

  /** Whether it happened to this machine: the trace may begin with one that was given up. */
  #saw(name: EventName): boolean {
    return this.recorder.index.named(name).some(e => e.seq > this.#before);
  }

  /** Resolves at the next wanted event or after `ms`; rejects when the run is interrupted, or with the session's end. */
  nextEvent(ms: number, wanted: (event: TraceEvent) => boolean): Promise<void> {
    return this.#waits.next(ms, wanted);
  }

  /** Ends everything this session started: QEMU, the channels to it, folder. Safe to call at any time, also twice. */
  async stop(): Promise<void> {
    this.tape.end();
    this.agent?.close();
    this.host?.close();
    if (this.#process) await this.#process.stop();
    this.#waits.end();
    await this.qmp?.close();
    await this.outer?.close();
    this.#endWatch();
    this.firmware?.close();
    this.firmware = undefined;
    const kept = (await this.localHost?.end()) ?? [];
    this.localHost = undefined;
    if (kept.length > 0) {
      const frames = kept.map(pfn => `0x${pfn.toString(16)}`).join(', ');
      this.note('lab.note', { text: `the kernel of this machine keeps these page frames as poisoned: ${frames}` });
    }
    for (const end of this.#ends) end.destroy();
    this.#dir?.remove();
  }
}
