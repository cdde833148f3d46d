import type { Socket } from 'node:net';
import { LabError } from '../errors.ts';
import { type Channel, channelEnd } from '../machine/channels.ts';
import type { MachineLine } from '../machine/machine-line.ts';
import type { ExitStatus, MachineProcess } from '../machine/keeper.ts';
import type { ForkedMachine } from '../session.ts';
import { FifoLine } from './fifo-line.ts';
import { CONTROL, type Hub } from './hub.ts';

/** How long a fork may take; it takes milliseconds. */
const FORK_MS = 10_000;
/** A gigabyte is hashed in less. */
const ANSWER_MS = 60_000;

/** Why a process cannot be forked: what it was found to hold, by its name in native/fork.c. */
type ForkRefusal = { why: 'threads' | 'descriptor' | 'mapping'; detail: string };

/** A fork that runs, and how to fork it in its turn. */
interface Fork {
  machine: ForkedMachine;
  server: ForkServer;
  process: ForkedProcess;
}

/** A process that a {@link ForkServer} has made. */
export class ForkedProcess implements MachineProcess {
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  /** User and system time in seconds, once it has ended. */
  cpuSeconds: number | undefined;
  #expected = false;
  #end!: (status: Omit<ExitStatus, 'expected'>) => void;
  readonly #kill: () => void;

  constructor(pid: number, kill: () => void) {
    this.pid = pid;
    this.#kill = kill;
    this.exited = new Promise(resolve => {
      this.#end = status => resolve({ ...status, expected: this.#expected });
    });
  }

  /** @param wait as wait4(2) gives it: the signal in its lowest seven bits, the exit code in the byte above them (POSIX, sys/wait.h) */
  ended(wait: number, cpuSeconds?: number): void {
    this.cpuSeconds = cpuSeconds;
    const signal = wait % 128;
    this.#end(signal === 0 ? { code: Math.floor(wait / 256) % 256 } : { signal });
  }

  async stop(): Promise<ExitStatus> {
    this.#expected = true;
    this.#kill();
    return this.exited;
  }
}

interface Waiting {
  done: (process: ForkedProcess) => void;
  fail: (error: Error) => void;
}

/** Speaks to the code in a QEMU that forks it (native/fork.c, which has the requests). */
export class ForkServer {
  readonly #hub: Hub;
  readonly #control: Socket;
  readonly #channels: readonly Channel[];
  readonly #children = new Map<number, ForkedProcess>();
  readonly #forks = new Map<string, Waiting>();
  /** Who waits for the answers to other requests, in order. */
  readonly #answers: ((line: string) => void)[] = [];
  #rest = '';
  closed = false;

  constructor(hub: Hub, control: Socket, channels: readonly Channel[]) {
    this.#hub = hub;
    this.#control = control;
    this.#channels = channels;
    control.on('data', (chunk: Buffer) => {
      const lines = (this.#rest + chunk.toString('latin1')).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    });
    control.on('close', () => this.#onClose());
    control.resume();
  }

  /** How many of its forks run. */
  get running(): number {
    return this.#children.size;
  }

  /** Looks whether the process can be forked. @throws LabError E_LAB_FORK */
  async arm(): Promise<ForkRefusal | undefined> {
    const line = await this.#ask('arm');
    if (line === 'armed') return undefined;
    const [, why = 'threads', ...detail] = line.split(' ');
    return { why: why as ForkRefusal['why'], detail: detail.join(' ') };
  }

  /** Of the memory of its guest. @throws LabError E_LAB_FORK */
  async hash(): Promise<string> {
    return (await this.#ask('hash')).replace('hash ', '');
  }

  /** @throws LabError E_LAB_FORK */
  async fork(): Promise<Fork> {
    const token = this.#hub.token();
    const arrived = this.#hub.arrival(token);
    try {
      const process = await this.#within<ForkedProcess>(`fork ${token}`, FORK_MS, (done, fail) =>
        this.#forks.set(token, { done, fail }),
      );
      const first = await this.#within('', FORK_MS, (done: (found: unknown) => void, fail) => {
        void arrived.then(done);
        void process.exited.then(({ code }) => fail(lost(`the fork ended with code ${code} before it spoke`)));
      });
      const { sockets } = first as Awaited<typeof arrived>;
      const control = sockets.get(CONTROL);
      if (!control) throw lost('the fork has no line for requests');
      return {
        machine: this.#machine(token, process, sockets),
        server: new ForkServer(this.#hub, control, this.#channels),
        process,
      };
    } finally {
      this.#forks.delete(token);
      this.#hub.forget(token);
    }
  }

  /** Ends the process, and with it its forks. */
  close(): void {
    this.#control.destroy();
  }

  #machine(token: string, process: ForkedProcess, found: ReadonlyMap<string, Socket>): ForkedMachine {
    const sockets = new Map<Channel, Socket>();
    const lines = new Map<Channel, MachineLine>();
    const name = (path: string): string => this.#hub.file(token, path);
    for (const channel of this.#channels) {
      const end = channelEnd(channel);
      if ('socket' in end) {
        const socket = found.get(end.socket);
        if (!socket) throw lost(`the fork did not dial for the channel ${channel}`);
        sockets.set(channel, socket);
      } else {
        const input = end.input === undefined ? {} : { input: name(end.input) };
        lines.set(channel, new FifoLine({ output: name(end.output), ...input }));
      }
    }
    return { process, sockets, lines, stderr: new FifoLine({ output: name('printed.out') }), gdb: name('gdb.sock') };
  }

  #send(line: string): void {
    if (!this.closed) this.#control.write(`${line}\n`);
  }

  #ask(request: string): Promise<string> {
    return this.#within<string>(request, ANSWER_MS, done => this.#answers.push(done));
  }

  /** Sends a request and waits for what comes of it. */
  async #within<T>(
    request: string,
    ms: number,
    wait: (done: (value: T) => void, fail: (error: Error) => void) => void,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let onClose = (): void => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        timer = setTimeout(() => reject(lost(`no answer to ${request || 'a fork'} within ${ms / 1000} s`)), ms);
        onClose = () => reject(lost('the process that was to be forked has ended'));
        if (this.closed) return onClose();
        this.#control.once('close', onClose);
        wait(resolve, reject);
        if (request !== '') this.#send(request);
      });
    } finally {
      clearTimeout(timer);
      this.#control.off('close', onClose);
    }
  }

  #take(line: string): void {
    const [what, ...words] = line.split(' ');
    if (what === 'ended') {
      const [pid, wait, micros] = words.map(Number);
      this.#children.get(pid ?? 0)?.ended(wait ?? 0, (micros ?? 0) / 1e6);
      this.#children.delete(pid ?? 0);
    } else if (what === 'forked') {
      const pid = Number(words[1]);
      const process = new ForkedProcess(pid, () => this.#send(`kill ${pid}`));
      this.#children.set(pid, process);
      this.#forks.get(words[0] ?? '')?.done(process);
    } else if (what === 'failed') {
      const [token = '', why, number] = words;
      this.#forks.get(token)?.fail(lost(`the process could not be forked: ${why} (${number})`));
    } else this.#answers.shift()?.(line);
  }

  /** A process ends its forks with it. */
  #onClose(): void {
    this.closed = true;
    for (const child of this.#children.values()) child.ended(9);
    this.#children.clear();
  }
}

const lost = (message: string): LabError => new LabError('E_LAB_FORK', message);
