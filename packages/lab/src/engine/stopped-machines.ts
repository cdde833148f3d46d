import { LabError } from '../errors.ts';
import { type Arrival, CONTROL, type Hub } from '../fork/hub.ts';
import { ForkServer } from '../fork/server.ts';
import { machineChannels } from '../machine/qemu-args.ts';
import type { Services } from '../parts.ts';
import { carryOut, type PreparedRun } from '../run.ts';
import type { Scenario } from '../scenario/load.ts';
import type { Session } from '../session.ts';
import { startMachine } from '../start.ts';
import { TraceRecorder } from '../trace/recorder.ts';
import { deadlineOf } from './deadline.ts';
import { forkingCommand } from './forking-command.ts';
import { headerOf } from './nobody.ts';
import { StoppedMachine } from './stopped-machine.ts';

/** Each takes the memory of its guest that it, and not its parent, has written: some ten MB. */
const MOST = 12;

/**
 * A tree of machines that stand still: the roots have booted, each other one is a fork of its parent that has done further
 * steps. A machine is known by what it and the steps until then are made of (identity.ts): a run takes the one that has done
 * most of its steps.
 */
export class StoppedMachines {
  readonly #hub: Hub;
  readonly #library: string;
  readonly #services: Services;
  readonly #end = new AbortController();
  /** The one that was not used for the longest time first. */
  readonly #known = new Map<string, Promise<StoppedMachine>>();

  constructor(hub: Hub, library: string, services: Services) {
    this.#hub = hub;
    this.#library = library;
    this.#services = services;
  }

  /**
   * The machine of a run that has done its first steps, held for the caller, who releases it.
   * @throws what starting it or a step throws; LabError E_LAB_FORK where it cannot be forked
   */
  async at(run: PreparedRun, scenario: Scenario, steps: number): Promise<StoppedMachine> {
    const key = run.identity.states[steps] ?? '';
    for (;;) {
      const found = this.#known.get(key);
      const making = found ?? this.#make(run, scenario, steps);
      this.#known.delete(key);
      this.#known.set(key, making);
      let machine: StoppedMachine;
      try {
        machine = await making;
      } catch (error) {
        if (this.#known.get(key) === making) this.#known.delete(key);
        throw error;
      }
      if (!machine.lost) {
        machine.hold();
        void this.#bound();
        return machine;
      }
      if (this.#known.get(key) === making) this.#known.delete(key);
      await machine.stop();
    }
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#end.abort();
    const all = await Promise.allSettled(this.#known.values());
    this.#known.clear();
    for (const made of all.toReversed()) if (made.status === 'fulfilled') await made.value.stop();
  }

  async #make(run: PreparedRun, scenario: Scenario, steps: number): Promise<StoppedMachine> {
    if (steps === 0) return this.#within(scenario, signal => this.#root(run, signal));
    // The nearest that there is; the root, where there is none.
    const nearest = Array.from({ length: steps }, (_, i) => steps - 1 - i).find(
      i => i === 0 || this.#known.has(run.identity.states[i] ?? ''),
    );
    const parent = await this.at(run, scenario, nearest ?? 0);
    try {
      return await this.#within(scenario, async signal => {
        const recorder = new TraceRecorder(headerOf(run), undefined, parent.recorded);
        const { session, server, process } = await parent.fork(recorder, signal);
        try {
          await carryOut(session, scenario, run.assembly, { from: parent.steps, to: steps });
          await session.standStill();
          return new StoppedMachine(session, server, { pid: process.pid, steps, restarts: parent.restarts, parent });
        } catch (error) {
          await session.stop();
          throw error;
        }
      });
    } finally {
      parent.release();
    }
  }

  async #root(run: PreparedRun, signal: AbortSignal): Promise<StoppedMachine> {
    const { assembly, machine } = run;
    const recorder = new TraceRecorder(headerOf(run));
    let restarts = 0;
    let arrival: Promise<Arrival> | undefined;
    let token: string | undefined;
    const session: Session = await startMachine(assembly, recorder, signal, {
      cacheDir: this.#services.supply.cacheDir,
      identities: machine,
      onRestart: () => void (restarts += 1),
      around: (command, folder) => {
        if (token !== undefined) this.#hub.forget(token);
        token = this.#hub.token();
        arrival = this.#hub.arrival(token);
        return forkingCommand(assembly, command, { library: this.#library, hub: this.#hub.path, folder, token });
      },
    });
    try {
      const dialled = await session.orDie(
        arrival ?? Promise.reject(new Error('no command')),
        ARRIVAL_MS,
        'the fork server',
      );
      const control = dialled.sockets.get(CONTROL);
      if (!control) throw new LabError('E_LAB_FORK', 'QEMU has no line for requests');
      const server = new ForkServer(this.#hub, control, machineChannels(assembly));
      await session.standStill();
      const refusal = await server.arm();
      if (refusal) {
        throw new LabError('E_LAB_FORK', `QEMU cannot be forked: ${refusal.why} ${refusal.detail}`);
      }
      const made = new StoppedMachine(session, server, { pid: dialled.pid, steps: 0, restarts });
      await made.test(signal);
      return made;
    } catch (error) {
      await session.stop();
      throw error;
    }
  }

  #within<T>(scenario: Scenario, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return deadlineOf(scenario, [this.#end.signal, this.#services.signal], work);
  }

  /** Ends those that nobody has and that were not used for the longest time, where there are too many. */
  async #bound(): Promise<void> {
    for (const [key, making] of this.#known) {
      if (this.#known.size <= MOST) return;
      const machine = await making.catch(() => undefined);
      if (!machine?.idle || this.#known.get(key) !== making) continue;
      this.#known.delete(key);
      await machine.stop();
    }
  }
}

const ARRIVAL_MS = 10_000;
