/**
 * A client of QEMU's gdbstub: reads and changes registers and memory of a halted machine.
 *
 * CONNECTING HALTS THE MACHINE: QEMU stops all its CPUs as soon as a debugger connects. connect() and attach() give
 * out a client of a halted machine; detach() and close() let it run again, also one that was not running before
 * (`-S`, QMP `stop`), unless close({ leaveHalted: true }) is said.
 *
 *   const gdb = await GdbClient.connect({ path: '/run/vm/gdb.sock' });        // halted
 *   const vttbr = await gdb.readRegister('VTTBR_EL2');
 *   const table = await gdb.readMemory(vttbr & 0xffff_ffff_f000n, 4096, { physical: true });
 *   await gdb.close();                                                        // runs
 *
 * While a client is connected, let nobody else resume the machine (QMP `cont`): QEMU then takes the next request of
 * this client for a wish to stop, and loses it. halt() brings both back into step.
 */
import { fits } from '@syndrome/decode/registers/address.ts';
import type { Duplex } from 'node:stream';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { openSocket, type SocketAddress } from '../socket/connect.ts';
import { type Deadline, deadlineIn } from './deadline.ts';
import {
  GdbClosedError,
  GdbConnectError,
  GdbDeadlineError,
  type GdbError,
  GdbProtocolError,
  GdbRemoteError,
  GdbStateError,
  GdbUnsupportedError,
  GdbWriteError,
} from './errors.ts';
import { type ExchangeOptions, GdbLink } from './link.ts';
import { isThreadId, parseStop, type StopReason } from './stop.ts';
import { type RegisterDescription, readTargetDescription, type TargetDescription } from './target-description.ts';
import type { TranscriptEntry } from './transcript.ts';

/** How long a call may take where the caller says nothing. */
const DEFAULT_DEADLINE_MS = 30_000;

/** Longest read or write of memory in one call. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

const CONNECT_ERRORS = { connect: GdbConnectError, deadline: GdbDeadlineError };

/** PacketSize where the stub names none, and bounds on what it may name. */
const DEFAULT_PACKET_SIZE = 1024;
const MIN_PACKET_SIZE = 256;
const MAX_PACKET_SIZE = 256 * 1024;

/** Room in a packet for the request around the data: `M`, 16 digits, `,`, 8 digits, `:`, the frame. */
const PACKET_OVERHEAD = 64;

const MAX_THREADS = 4096;
const MAX_DOCUMENT_BYTES = 1024 * 1024;

/** Architectures whose registers QEMU sends least significant byte first. */
const littleEndian = new Set(['aarch64', 'arm', 'i386', 'i386:x86-64']);

export type GdbClientOptions = {
  /** Bound of each call that names none, and of connecting, ms. Default 30 s. */
  deadlineMs?: number;
  /** Hears every packet in both directions. What it throws is ignored. */
  onTranscript?: (entry: TranscriptEntry) => void;
  /** Aborting closes the connection, without letting the machine run. */
  signal?: AbortSignal;
  /** Largest packet accepted from the peer, bytes. Default 1 MiB. */
  maxPacketBytes?: number;
};

type CallOptions = {
  /** Bound of the call, the time behind other calls included, ms. */
  deadlineMs?: number;
};

type ThreadOptions = CallOptions & {
  /** The vCPU, as threads() names it. Default: the one the machine stopped on. */
  thread?: string;
};

type MemoryOptions = ThreadOptions & {
  /** Take the address as guest-physical instead of virtual. Default: what physicalMemory() said last, else false. */
  physical?: boolean;
};

type CloseOptions = CallOptions & {
  /** Close without detaching: a halted machine stays halted. Default false. */
  leaveHalted?: boolean;
};

/** `halted`: requests are possible. `exited`: QEMU has said that the machine has ended. */
type MachineState = 'halted' | 'running' | 'exited';

type StopWaiter = { resolve(stop: StopReason): void; reject(error: GdbError): void };

export class GdbClient {
  /**
   * Connects to a listening gdbstub, which HALTS the machine, and learns what it offers. Throws GdbConnectError,
   * GdbDeadlineError, GdbClosedError, GdbProtocolError.
   */
  static async connect(address: SocketAddress, options: GdbClientOptions = {}): Promise<GdbClient> {
    const deadlineMs = deadlineIn(options.deadlineMs ?? DEFAULT_DEADLINE_MS).totalMs;
    return GdbClient.attach(await openSocket(address, deadlineMs, CONNECT_ERRORS, options.signal), options);
  }

  /**
   * Speaks over a stream that is already open; the machine behind it is HALTED. The client owns the stream from here
   * on and destroys it when the peer turns out not to be a gdbstub.
   */
  static async attach(stream: Duplex, options: GdbClientOptions = {}): Promise<GdbClient> {
    const client = new GdbClient(stream, options);
    try {
      await client.#exclusive('the first requests', {}, deadline => client.#learn(deadline));
    } catch (error) {
      client.#link.shutdown(new GdbClosedError('the first requests failed', { cause: error }));
      throw error;
    }
    return client;
  }

  /** Resolves when the connection has ended: undefined after close(), else why. Never rejects. */
  readonly closed: Promise<GdbError | undefined>;

  readonly #link: GdbLink;
  readonly #deadlineMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void =>
    this.#link.shutdown(new GdbClosedError('the connection was aborted', { cause: this.#signal?.reason }));
  readonly #features = new Map<string, string>();
  readonly #stopWaiters = new Set<StopWaiter>();
  readonly #registers = new Map<string, RegisterDescription>();
  #description: TargetDescription = { architecture: '', registers: [] };
  #packetSize = DEFAULT_PACKET_SIZE;
  #state: MachineState = 'halted';
  #lastStop: StopReason | undefined;
  /** The last of the calls that wait for their turn. */
  #tail: Promise<unknown> = Promise.resolve();
  /** What the stub was told last; undefined where that is not known. */
  #selectedThread: string | undefined;
  #physicalNow: boolean | undefined;
  #physicalDefault = false;
  /** Whether the stub may still be in physical mode. */
  #physicalLeft = false;
  #resolveClosed!: (error: GdbError | undefined) => void;

  private constructor(stream: Duplex, options: GdbClientOptions) {
    this.#deadlineMs = deadlineIn(options.deadlineMs ?? DEFAULT_DEADLINE_MS).totalMs;
    this.#signal = options.signal;
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve;
    });
    this.#link = new GdbLink(stream, {
      onTranscript: options.onTranscript,
      onStop: stop => this.#stopped(stop),
      onClosed: reason => this.#closed(reason),
      maxPacketBytes: options.maxPacketBytes,
    });
    if (options.signal?.aborted) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Whether the machine runs, as far as this connection knows. */
  get state(): MachineState {
    return this.#state;
  }

  /** Why the machine stopped the last time this connection heard of it. */
  get lastStop(): StopReason | undefined {
    return this.#lastStop;
  }

  /** What qSupported answered: `PacketSize` → `20020`, `qXfer:features:read` → `+`. */
  get features(): ReadonlyMap<string, string> {
    return this.#features;
  }

  /** The registers this machine offers, and its architecture; empty when the stub has no description. */
  get description(): TargetDescription {
    return this.#description;
  }

  /** Whether a register of this name can be read. */
  hasRegister(name: string): boolean {
    return this.#registers.has(name);
  }

  /** The vCPUs, in QEMU's order, as ids for the `thread` option. */
  async threads(options: CallOptions = {}): Promise<string[]> {
    return this.#exclusive('the list of vCPUs', options, async deadline => {
      const threads: string[] = [];
      let answer = await this.#ask('qfThreadInfo', deadline);
      while (answer.startsWith('m')) {
        const ids = answer.slice(1).split(',');
        if (!ids.every(isThreadId)) throw this.#malformed('qfThreadInfo', answer);
        threads.push(...ids);
        if (threads.length > MAX_THREADS) throw this.#malformed('qfThreadInfo', `more than ${MAX_THREADS} threads`);
        answer = await this.#ask('qsThreadInfo', deadline);
      }
      if (answer !== 'l') throw this.#malformed('qfThreadInfo', answer);
      return threads;
    });
  }

  /**
   * Reads a register by its name in the target description (`pc`, `rip`, `VTTBR_EL2`; case counts). Throws
   * GdbUnsupportedError for an unknown name.
   */
  async readRegister(name: string, options: ThreadOptions = {}): Promise<bigint> {
    const register = this.#register(name);
    return this.#exclusive(`register ${name}`, options, async deadline => {
      await this.#selectThread(options.thread, deadline);
      return this.#readRegister(register, deadline);
    });
  }

  /** Reads several registers of one vCPU, with nothing in between. */
  async readRegisters<N extends string>(names: readonly N[], options: ThreadOptions = {}): Promise<Record<N, bigint>> {
    const registers = names.map(name => this.#register(name));
    return this.#exclusive('registers', options, async deadline => {
      await this.#selectThread(options.thread, deadline);
      const values = {} as Record<N, bigint>;
      for (const [i, register] of registers.entries()) values[names[i]!] = await this.#readRegister(register, deadline);
      return values;
    });
  }

  /**
   * Writes a register and reads it back. Throws GdbWriteError when the value was not kept: QEMU answers OK also for
   * registers it does not let a debugger change, the system registers of aarch64 among them.
   */
  async writeRegister(name: string, value: bigint, options: ThreadOptions = {}): Promise<void> {
    const register = this.#register(name);
    if (!fits(value, register.bitsize)) {
      throw new UsageError(
        'E_GDB_VALUE',
        `0x${value.toString(16)} does not fit in the ${register.bitsize} bits of ${name}`,
      );
    }
    return this.#exclusive(`write to register ${name}`, options, async deadline => {
      await this.#selectThread(options.thread, deadline);
      const digits = value.toString(16).padStart(Math.ceil(register.bitsize / 8) * 2, '0');
      const bytes = Buffer.from(digits, 'hex').reverse();
      await this.#askOk(
        `P${register.regnum.toString(16)}=${bytes.toString('hex')}`,
        `write to register ${name}`,
        deadline,
      );
      const kept = await this.#readRegister(register, deadline);
      if (kept === value) return;
      throw new GdbWriteError(`register ${name} was to become ${hex64(value)} and is ${hex64(kept)}`, value, kept, {
        hint: 'QEMU lets a debugger change general registers only; some keep only part of what is written.',
      });
    });
  }

  /**
   * Reads memory, `length` bytes. Virtual addresses are translated as the vCPU would now; a physical address that is a
   * device's register is read as the device, with what that causes. Throws GdbRemoteError where nothing is mapped.
   */
  async readMemory(address: bigint, length: number, options: MemoryOptions = {}): Promise<Uint8Array> {
    checkRange(address, length);
    return this.#exclusive(`memory at ${hex64(address)}`, options, async deadline => {
      await this.#selectSpace(options, deadline);
      const bytes = new Uint8Array(length);
      const chunk = this.#chunkBytes();
      for (let at = 0; at < length; at += chunk) {
        const size = Math.min(chunk, length - at);
        const request = `m${(address + BigInt(at)).toString(16)},${size.toString(16)}`;
        const data = hexBytes(await this.#askData(request, `memory at ${hex64(address + BigInt(at))}`, deadline));
        if (data === undefined || data.length !== size) throw this.#malformed(request, `not ${size} bytes in hex`);
        bytes.set(data, at);
      }
      return bytes;
    });
  }

  /** Writes memory. When it throws, bytes before the one refused may have been written. */
  async writeMemory(address: bigint, bytes: Uint8Array, options: MemoryOptions = {}): Promise<void> {
    checkRange(address, bytes.length);
    return this.#exclusive(`write to memory at ${hex64(address)}`, options, async deadline => {
      await this.#selectSpace(options, deadline);
      const chunk = this.#chunkBytes();
      for (let at = 0; at < bytes.length; at += chunk) {
        const part = Buffer.from(bytes.subarray(at, at + chunk));
        const start = address + BigInt(at);
        const request = `M${start.toString(16)},${part.length.toString(16)}:${part.toString('hex')}`;
        await this.#askOk(request, `write to memory at ${hex64(start)}`, deadline);
      }
    });
  }

  /** Sets what later calls take an address for that do not say it: guest-physical (true) or virtual (false). */
  async physicalMemory(on: boolean, options: CallOptions = {}): Promise<void> {
    await this.#exclusive('Qqemu.PhyMemMode', options, deadline => this.#selectPhysical(on, deadline));
    this.#physicalDefault = on;
  }

  /**
   * Makes sure the machine stands still, whoever stopped or resumed it before, and returns why. Possible in every
   * state; also brings a connection back into step on which a call has met its deadline.
   */
  async halt(options: CallOptions = {}): Promise<StopReason> {
    return this.#exclusive(
      'halt',
      options,
      async deadline => {
        if (!this.#link.acks) {
          if (this.#state !== 'running') return this.#lastStop!;
          const stopped = this.#nextStop(deadline);
          this.#link.interrupt();
          return stopped;
        }
        const before = this.#lastStop;
        const wasRunning = this.#state === 'running';
        // The stub is in order: when it answers `?` it has acted on the interrupt, if it had anything to stop.
        const stop = await this.#stopReply(deadline, true);
        // What came from the interrupt itself tells more than the answer to the question.
        const reason = wasRunning && this.#lastStop !== before ? this.#lastStop! : stop;
        this.#stopped(reason);
        return reason;
      },
      'any',
    );
  }

  /** Lets all vCPUs run. Does nothing when they do. Returns when the stub has taken the request. */
  async resume(options: CallOptions = {}): Promise<void> {
    return this.#exclusive('resume', options, deadline => this.#resume(deadline), 'any');
  }

  /**
   * Waits until the machine stops by itself (breakpoint, QMP `stop`, shutdown); at once when it stands still. Other
   * calls may go on meanwhile. Throws GdbDeadlineError and leaves the machine running.
   */
  async waitStop(deadlineMs: number): Promise<StopReason> {
    const deadline = deadlineIn(deadlineMs);
    if (this.#state !== 'running' && this.#lastStop !== undefined) return this.#lastStop;
    return this.#nextStop(deadline);
  }

  /** Detaches: the machine RUNS, and the connection is closed. */
  async detach(options: CallOptions = {}): Promise<void> {
    await this.close(options);
  }

  /**
   * Ends the connection. A halted machine RUNS again (the stub is told to detach) unless `leaveHalted` is set; a
   * running one is left alone. Calls under way end first. Never throws for a connection that is already gone; throws
   * GdbDeadlineError or GdbRemoteError when the stub did not confirm, and closes all the same.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    try {
      if (this.#link.ended !== undefined) return;
      await this.#exclusive('detach', options, deadline => this.#leave(deadline, options.leaveHalted ?? false), 'any');
    } catch (error) {
      if (!(error instanceof GdbClosedError)) throw error;
    } finally {
      this.#link.shutdown(undefined);
      await this.closed;
    }
  }

  async #leave(deadline: Deadline, leaveHalted: boolean): Promise<void> {
    if (this.#state !== 'halted') return;
    // The mode is the stub's and would outlive the connection.
    if (this.#physicalLeft) await this.#selectPhysical(false, deadline);
    if (leaveHalted) return;
    await this.#askOk('D', 'detach', deadline);
    this.#state = 'running';
  }

  async #learn(deadline: Deadline): Promise<void> {
    const offer = 'qSupported:xmlRegisters=i386,aarch64;vContSupported+;QStartNoAckMode+';
    for (const item of (await this.#ask(offer, deadline)).slice(0, 4096).split(';')) {
      const match = /^([^=+?-]+)(?:=(.*)|([+?-]))$/s.exec(item);
      if (match !== null) this.#features.set(match[1]!, match[2] ?? match[3]!);
    }
    const size = /^[0-9a-fA-F]{1,8}$/.exec(this.#features.get('PacketSize') ?? '')?.[0];
    if (size !== undefined) {
      this.#packetSize = Math.min(MAX_PACKET_SIZE, Math.max(MIN_PACKET_SIZE, Number.parseInt(size, 16)));
    }
    if (this.#features.get('QStartNoAckMode') === '+') {
      await this.#askOk('QStartNoAckMode', 'QStartNoAckMode', deadline);
      this.#link.stopAcks();
    }
    this.#stopped(await this.#stopReply(deadline, false));
    if (this.#features.get('qXfer:features:read') === '+') {
      this.#description = await readTargetDescription(annex => this.#document(annex, deadline));
    }
    for (const register of this.#description.registers) {
      if (!this.#registers.has(register.name)) this.#registers.set(register.name, register);
    }
  }

  async #document(annex: string, deadline: Deadline): Promise<string> {
    const chunk = this.#packetSize - PACKET_OVERHEAD;
    let text = '';
    for (;;) {
      const request = `qXfer:features:read:${annex}:${text.length.toString(16)},${chunk.toString(16)}`;
      const answer = await this.#askData(request, `target description ${annex}`, deadline);
      const more = answer.startsWith('m');
      if ((!more && !answer.startsWith('l')) || (more && answer.length === 1)) throw this.#malformed(request, answer);
      text += answer.slice(1);
      if (text.length > MAX_DOCUMENT_BYTES) throw this.#malformed(request, `more than ${MAX_DOCUMENT_BYTES} bytes`);
      if (!more) return text;
    }
  }

  async #stopReply(deadline: Deadline, interrupt: boolean): Promise<StopReason> {
    const answer = await this.#ask('?', deadline, { stopReply: true, interrupt });
    const stop = parseStop(answer);
    if (stop === undefined) throw this.#malformed('?', answer);
    return stop;
  }

  async #resume(deadline: Deadline): Promise<void> {
    if (this.#state === 'running') return;
    this.#requireMachine();
    if (this.#physicalLeft) await this.#selectPhysical(false, deadline);
    const request = this.#features.get('vContSupported') === '+' ? 'vCont;c' : 'c';
    this.#state = 'running';
    try {
      await this.#link.exchange('resume', request, deadline, { ackOnly: true });
    } catch (error) {
      // Whether it runs is not known; the next call brings both into step and halts it.
      if (this.#state === 'running') this.#state = 'halted';
      throw error;
    }
  }

  async #selectThread(thread: string | undefined, deadline: Deadline): Promise<void> {
    // 0 is "any": QEMU takes its first vCPU.
    const wanted = thread ?? (this.#lastStop?.kind === 'signal' ? (this.#lastStop.thread ?? '0') : '0');
    if (!isThreadId(wanted)) {
      throw new UsageError('E_GDB_THREAD', `'${safeText(wanted, 64)}' is not a thread id`, {
        hint: 'Use one that threads() lists.',
      });
    }
    if (wanted === this.#selectedThread) return;
    this.#selectedThread = undefined;
    await this.#askOk(`Hg${wanted}`, `selection of vCPU ${wanted}`, deadline);
    this.#selectedThread = wanted;
  }

  async #selectSpace(options: MemoryOptions, deadline: Deadline): Promise<void> {
    const physical = options.physical ?? this.#physicalDefault;
    await this.#selectPhysical(physical, deadline);
    if (!physical) await this.#selectThread(options.thread, deadline);
  }

  /** The mode is kept by the stub, over connections too, so it is set before it is first relied on. */
  async #selectPhysical(on: boolean, deadline: Deadline): Promise<void> {
    if (this.#physicalNow === on) return;
    this.#physicalNow = undefined;
    this.#physicalLeft ||= on;
    const answer = await this.#ask(`Qqemu.PhyMemMode:${on ? 1 : 0}`, deadline);
    if (answer === '') {
      // A stub without the mode has virtual addresses only.
      if (on)
        throw new GdbUnsupportedError('the gdbstub has no physical memory mode', { hint: 'QEMU has it from 4.1.' });
    } else if (answer !== 'OK') {
      throw new GdbRemoteError('Qqemu.PhyMemMode', answer);
    }
    this.#physicalNow = on;
    this.#physicalLeft = on;
  }

  async #readRegister(register: RegisterDescription, deadline: Deadline): Promise<bigint> {
    const request = `p${register.regnum.toString(16)}`;
    const bytes = hexBytes(await this.#askData(request, `register ${register.name}`, deadline));
    if (bytes === undefined || bytes.length === 0) throw this.#malformed(request, 'not bytes in hex');
    return BigInt(`0x${bytes.reverse().toString('hex')}`);
  }

  #register(name: string): RegisterDescription {
    const register = this.#registers.get(name);
    if (register === undefined) {
      const others = [...this.#registers.keys()].filter(other => other.toLowerCase() === name.toLowerCase());
      throw new GdbUnsupportedError(`this machine has no register '${safeText(name, 64)}'`, {
        hint:
          others.length > 0
            ? `It has ${others.join(', ')}.`
            : `The target description lists ${this.#registers.size} names; EL2 registers need virtualization=on.`,
      });
    }
    if (!littleEndian.has(this.#description.architecture)) {
      throw new GdbUnsupportedError(`the byte order of '${safeText(this.#description.architecture, 64)}' is not known`);
    }
    return register;
  }

  /** Bytes of memory per packet; a multiple of 8, so that an aligned u64 is never split. */
  #chunkBytes(): number {
    return Math.floor((this.#packetSize - PACKET_OVERHEAD) / 2 / 8) * 8;
  }

  /** An answer as it came. */
  #ask(request: string, deadline: Deadline, options: ExchangeOptions = {}): Promise<string> {
    return this.#link.exchange(`'${safeText(request, 60)}'`, request, deadline, options);
  }

  /** An answer that is data: not empty and not an error. */
  async #askData(request: string, what: string, deadline: Deadline): Promise<string> {
    const answer = await this.#ask(request, deadline);
    if (answer === '') throw new GdbUnsupportedError(`the gdbstub does not support '${safeText(request, 60)}'`);
    if (/^E([0-9a-fA-F]{2}$|\.)/.test(answer)) {
      const hint = 'Nothing is mapped there, or the register is not readable on this vCPU.';
      throw new GdbRemoteError(what, answer, { hint });
    }
    return answer;
  }

  async #askOk(request: string, what: string, deadline: Deadline): Promise<void> {
    const answer = await this.#askData(request, what, deadline);
    if (answer !== 'OK') throw this.#malformed(request, answer);
  }

  /** Ends the connection: the answer belongs to something else than what was asked. */
  #malformed(request: string, answer: string): GdbProtocolError {
    const error = new GdbProtocolError(`the answer to '${safeText(request, 60)}' is malformed`, answer);
    this.#link.shutdown(error);
    return error;
  }

  /** Runs one call after those before it, with its deadline over all of it. */
  async #exclusive<T>(
    what: string,
    options: CallOptions,
    call: (deadline: Deadline) => Promise<T>,
    state: 'halted' | 'any' = 'halted',
  ): Promise<T> {
    const deadline = deadlineIn(options.deadlineMs ?? this.#deadlineMs);
    const before = this.#tail;
    let done!: () => void;
    const turn = new Promise<void>(resolve => {
      done = resolve;
    });
    this.#tail = before.then(() => turn);
    try {
      await inTime(before, what, deadline);
      if (this.#link.ended !== undefined) {
        throw new GdbClosedError(`${what}: the connection is closed`, { cause: this.#link.ended });
      }
      if (state === 'halted') this.#requireHalted(what);
      if (this.#link.outOfStep) await this.#catchUp(deadline);
      return await call(deadline);
    } finally {
      done();
    }
  }

  /** After a call that met its deadline: drops late answers. Halts the machine. */
  async #catchUp(deadline: Deadline): Promise<void> {
    this.#selectedThread = undefined;
    this.#physicalNow = undefined;
    await this.#link.catchUp(deadline);
    if (this.#state === 'running') this.#state = 'halted';
  }

  #requireHalted(what: string): void {
    this.#requireMachine();
    if (this.#state === 'running') {
      throw new GdbStateError(`${what}: the machine is running`, {
        hint: 'halt() first: QEMU takes any request for a wish to stop, and loses it.',
      });
    }
  }

  #requireMachine(): void {
    if (this.#state === 'exited') throw new GdbStateError('the machine has ended');
  }

  #stopped(stop: StopReason): void {
    // With every stop QEMU selects the vCPU it stopped on.
    this.#selectedThread = undefined;
    this.#lastStop = stop;
    this.#state = stop.kind === 'exited' ? 'exited' : 'halted';
    for (const waiter of this.#stopWaiters) waiter.resolve(stop);
  }

  #nextStop(deadline: Deadline): Promise<StopReason> {
    if (this.#link.ended !== undefined) {
      return Promise.reject(new GdbClosedError('the connection is closed', { cause: this.#link.ended }));
    }
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#stopWaiters.delete(waiter);
      };
      const waiter: StopWaiter = {
        resolve: stop => {
          settle();
          resolve(stop);
        },
        reject: error => {
          settle();
          reject(error);
        },
      };
      const timer = setTimeout(
        () => waiter.reject(new GdbDeadlineError('stop of the machine', deadline.totalMs)),
        deadline.leftMs(),
      );
      this.#stopWaiters.add(waiter);
    });
  }

  #closed(reason: GdbError | undefined): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const error = new GdbClosedError(`the machine was waited for: ${reason?.message ?? 'the connection was closed'}`, {
      cause: reason,
    });
    for (const waiter of this.#stopWaiters) waiter.reject(error);
    this.#resolveClosed(reason);
  }
}

/** Waits for the calls before, but not beyond the deadline. */
function inTime(before: Promise<unknown>, what: string, deadline: Deadline): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new GdbDeadlineError(`turn for ${what}`, deadline.totalMs, {
          hint: 'It was not sent: calls before it were not answered.',
        }),
      );
    }, deadline.leftMs());
    void before.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function checkRange(address: bigint, length: number): void {
  if (address < 0n || !Number.isInteger(length) || length < 0 || address + BigInt(length) > 1n << 64n) {
    throw new UsageError('E_GDB_RANGE', `0x${address.toString(16)} + ${length} is not a range of 64-bit addresses`);
  }
  if (length > MAX_MEMORY_BYTES) {
    throw new UsageError('E_GDB_RANGE', `${length} bytes are more than ${MAX_MEMORY_BYTES} in one call`);
  }
}

function hexBytes(text: string): Buffer | undefined {
  return text.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}
