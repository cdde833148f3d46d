/** @module Machines that were kept at a point, to be loaded there as often as they are wanted. */
import { event } from '@syndrome/decode/events/event.ts';
import { LabError } from '../errors.ts';
import { machineChannels, qemuArgs } from '../machine/qemu-args.ts';
import type { MachineEnds } from '../machine/channels.ts';
import { loadDevices, saveDevices } from '../machine/state.ts';
import type { Assembly, Services } from '../parts.ts';
import { carryOut, type PreparedRun } from '../run.ts';
import type { Scenario } from '../scenario/load.ts';
import type { Session } from '../session.ts';
import { startMachine } from '../start.ts';
import { type Recorded, TraceRecorder } from '../trace/recorder.ts';
import { mappedCommand } from './mapped-command.ts';
import { MemoryFile, memoryFileRoom } from './memory-file.ts';
import { deadlineOf } from './deadline.ts';
import { headerOf } from './nobody.ts';
import type { HeldPoint, Points } from './point-engine.ts';

/** Each takes as much memory as its guest has used. */
const MOST = 4;

/** A machine at a point: its memory in a file, the rest of its state in another one. Nobody writes to either any more. */
class Template {
  readonly steps: number;
  readonly recorded: Recorded;
  readonly restarts: number;
  readonly #assembly: Assembly;
  readonly #memory: MemoryFile;
  readonly #devices: MemoryFile;
  /** Of the machine that was kept. It has ended. */
  readonly #session: Session;
  holds = 0;
  closed = false;

  constructor(
    session: Session,
    files: { memory: MemoryFile; devices: MemoryFile },
    { assembly, steps, restarts }: { assembly: Assembly; steps: number; restarts: number },
  ) {
    this.#session = session;
    this.#memory = files.memory;
    this.#devices = files.devices;
    this.#assembly = assembly;
    this.steps = steps;
    this.restarts = restarts;
    this.recorded = { events: session.recorder.events.slice(), lasted: session.recorder.now() };
  }

  /** The machine once more, running. @throws LabError */
  async load(recorder: TraceRecorder, signal: AbortSignal): Promise<Session> {
    const command = (ends: MachineEnds): string[] => [
      ...mappedCommand(this.#assembly, qemuArgs(this.#assembly, ends), this.#memory.path, 'private'),
      '-incoming',
      'defer',
    ];
    const session = await this.#session.load(recorder, signal, command, machineChannels(this.#assembly), qmp =>
      loadDevices(qmp, this.#devices.path),
    );
    recorder.record({ layer: 'lab', source: 'lab', ...event('lab.loaded', { step: this.steps + 1 }) });
    return session;
  }

  /** Of its memory. */
  hash(): string {
    return this.#memory.hash();
  }

  close(): void {
    this.closed = true;
    this.#memory.close();
    this.#devices.close();
  }
}

/** Machines by what they and the steps until then are made of (identity.ts), the one that was not used for the longest time first. */
export class Templates implements Points {
  readonly #services: Services;
  readonly #end = new AbortController();
  readonly #known = new Map<string, Promise<Template>>();

  constructor(services: Services) {
    this.#services = services;
  }

  async at(run: PreparedRun, scenario: Scenario, steps: number): Promise<HeldPoint> {
    let template: Template;
    // One may be closed in the moment in which it is looked up.
    do template = await this.#template(run, scenario, steps);
    while (template.closed);
    template.holds++;
    void this.#bound();
    return {
      steps: template.steps,
      recorded: template.recorded,
      restarts: template.restarts,
      take: (...at) => template.load(...at),
      release: () => void template.holds--,
    };
  }

  /** Of the memory at a point. */
  async hash(run: PreparedRun, scenario: Scenario, steps: number): Promise<string> {
    return (await this.#template(run, scenario, steps)).hash();
  }

  async close(): Promise<void> {
    this.#end.abort();
    const all = await Promise.allSettled(this.#known.values());
    this.#known.clear();
    for (const made of all) if (made.status === 'fulfilled') made.value.close();
  }

  async #template(run: PreparedRun, scenario: Scenario, steps: number): Promise<Template> {
    const key = run.identity.states[steps] ?? '';
    const making =
      this.#known.get(key) ??
      deadlineOf(scenario, [this.#end.signal, this.#services.signal], signal =>
        this.#make(run, scenario, steps, signal),
      );
    this.#known.delete(key);
    this.#known.set(key, making);
    making.catch(() => this.#known.delete(key));
    return making;
  }

  async #make(run: PreparedRun, scenario: Scenario, steps: number, signal: AbortSignal): Promise<Template> {
    const { assembly, machine } = run;
    const needed = assembly.machine.memory * 2 ** 20;
    const room = memoryFileRoom();
    if (room < needed) {
      throw new LabError(
        'E_LAB_STATE',
        `the memory of the machine, ${needed} bytes, does not fit in the ${room} of /dev/shm`,
      );
    }
    const recorder = new TraceRecorder(headerOf(run));
    const files = { memory: new MemoryFile(), devices: new MemoryFile() };
    let restarts = 0;
    let session: Session | undefined;
    try {
      session = await startMachine(assembly, recorder, signal, {
        cacheDir: this.#services.supply.cacheDir,
        identities: machine,
        onRestart: () => void (restarts += 1),
        around: command => mappedCommand(assembly, command, files.memory.path, 'shared'),
      });
      await carryOut(session, scenario, assembly, { from: 0, to: steps });
      await session.standStill();
      const made = new Template(session, files, { assembly, steps, restarts });
      await saveDevices(session.outer, files.devices.path);
      // It ends before anything is loaded: nobody has the file open any more who could write to it.
      await session.stop();
      await this.#test(made, run, signal);
      return made;
    } catch (error) {
      await session?.stop();
      files.memory.close();
      files.devices.close();
      throw error;
    }
  }

  /** Looks whether what was kept does what is relied on: it can be loaded, answers, and leaves the file as it was. */
  async #test(made: Template, run: PreparedRun, signal: AbortSignal): Promise<void> {
    const before = made.hash();
    const again = await made.load(new TraceRecorder(headerOf(run), undefined, made.recorded), signal);
    try {
      // One that a step has paused answers nothing.
      const { running } = await again.outer.execute('query-status');
      if (running) await again.ready(again.agent, true);
    } finally {
      await again.stop();
    }
    if (made.hash() !== before) {
      throw new LabError('E_LAB_STATE', 'the file of the memory is another after a machine was loaded from it');
    }
  }

  /** Ends those that nobody has and that were not used for the longest time, where there are too many. */
  async #bound(): Promise<void> {
    for (const [key, making] of this.#known) {
      if (this.#known.size <= MOST) return;
      const template = await making.catch(() => undefined);
      if (template === undefined || template.holds > 0 || this.#known.get(key) !== making) continue;
      this.#known.delete(key);
      template.close();
    }
  }
}
