import { event } from '@syndrome/decode/events/event.ts';
import { LabError } from '../errors.ts';
import type { ForkedProcess, ForkServer } from '../fork/server.ts';
import type { Session } from '../session.ts';
import { type Recorded, TraceRecorder } from '../trace/recorder.ts';

/** A machine that has done the first steps of some scenarios and stands still, to be forked as often as it is wanted. */
export class StoppedMachine {
  /** How many steps it has done. */
  readonly steps: number;
  readonly recorded: Recorded;
  /** It was started once more, because its emulation failed. */
  readonly restarts: number;
  /** Of its process. */
  readonly pid: number;
  /** What it is a fork of; it ends with that. */
  readonly parent: StoppedMachine | undefined;
  readonly #session: Session;
  readonly #server: ForkServer;
  /** Who has it, or is a machine that was made of it. */
  #holds = 0;

  /** @param session stands still */
  constructor(
    session: Session,
    server: ForkServer,
    { pid, steps, restarts, parent }: { pid: number; steps: number; restarts: number; parent?: StoppedMachine },
  ) {
    this.pid = pid;
    this.#session = session;
    this.#server = server;
    this.steps = steps;
    this.restarts = restarts;
    this.parent = parent;
    this.recorded = { events: session.recorder.events.slice(), lasted: session.recorder.now() };
    parent?.hold();
  }

  get lost(): boolean {
    return this.#server.closed || this.#session.exit !== undefined;
  }

  /** Whether nobody has it. */
  get idle(): boolean {
    return this.#holds === 0;
  }

  hold(): void {
    this.#holds++;
  }

  release(): void {
    this.#holds--;
  }

  /** The machine once more, running. @throws LabError E_LAB_FORK and what {@link Session.fork} throws */
  async fork(
    recorder: TraceRecorder,
    signal: AbortSignal,
  ): Promise<{ session: Session; server: ForkServer; process: ForkedProcess }> {
    const { machine, server, process } = await this.#server.fork();
    recorder.record({ layer: 'lab', source: 'lab', ...event('lab.forked', { step: this.steps + 1 }) });
    const session = await this.#session.fork(recorder, signal, machine);
    return { session, server, process };
  }

  /**
   * Looks whether forking this machine does what is relied on: a fork answers with all its layers, and this one's memory is
   * the same after it.
   * @throws LabError E_LAB_FORK
   */
  async test(signal: AbortSignal): Promise<void> {
    const before = await this.hash();
    const { session } = await this.fork(
      new TraceRecorder(this.#session.recorder.header, undefined, this.recorded),
      signal,
    );
    try {
      await session.ready(session.agent, true);
      if (session.host) await session.ready(session.host, true);
      const { running } = await session.outer.execute('query-status');
      if (!running) throw new LabError('E_LAB_FORK', 'a fork of the machine does not run');
    } finally {
      await session.stop();
    }
    const { running } = await this.#session.outer.execute('query-status');
    if (running) throw new LabError('E_LAB_FORK', 'the machine began to run while its fork did');
    if ((await this.hash()) !== before) {
      throw new LabError('E_LAB_FORK', 'the memory of the machine is another after its fork has run');
    }
  }

  /** Of the guest's memory. @throws LabError E_LAB_FORK */
  hash(): Promise<string> {
    return this.#server.hash();
  }

  async stop(): Promise<void> {
    this.parent?.release();
    this.#server.close();
    await this.#session.stop();
  }
}
