/** @module The engine that leads a machine to the point of an injection once, and forks it there for each run. */
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { LabError, LabInterrupted } from '../errors.ts';
import { Hub } from '../fork/hub.ts';
import type { ForkedProcess } from '../fork/server.ts';
import { machineIdentities, runIdentity } from '../identity.ts';
import { assemble, type Services } from '../parts.ts';
import { type PreparedRun, type StartingPoint, tracedRun } from '../run.ts';
import { type RunSpec, scenarioOf } from '../run-spec.ts';
import { injects } from '../steps/registry.ts';
import type { CellRun, Engine, EngineRunOptions, Refusal } from './engine.ts';
import { forkRefusal } from './fork-refusal.ts';
import { bothSignals, freshEngine } from './fresh.ts';
import type { StoppedMachine } from './stopped-machine.ts';
import { StoppedMachines } from './stopped-machines.ts';

/** A machine is put together once for all runs that ask for the same. */
type Prepared = Omit<PreparedRun, 'identity'>;

/** @param library the shared object of fork/library.ts */
export async function forkEngine(library: string, services: Services): Promise<Engine> {
  const hub = await Hub.open();
  const machines = new StoppedMachines(hub, library, services);
  const fresh = freshEngine('restore', services);
  const put = new Map<string, Promise<Prepared>>();
  /** Machines that could not be brought to stand still at a point, or forked there: they are not tried again. */
  const refused = new Map<string, Refusal>();

  const prepare = async (spec: RunSpec): Promise<PreparedRun> => {
    const { scenario, timeout: _, cold: __, ...choices } = spec;
    const key = JSON.stringify([scenario.machine, choices]);
    const found =
      put.get(key) ??
      assemble(scenario.machine, choices, services).then(assembly => ({
        assembly,
        machine: machineIdentities(assembly, services.supply.cacheDir),
      }));
    put.set(key, found);
    found.catch(() => put.delete(key));
    const { assembly, machine } = await found;
    return { assembly, machine, identity: runIdentity(spec, assembly, machine) };
  };

  const run = async (spec: RunSpec, options: EngineRunOptions = {}): Promise<CellRun> => {
    const both = bothSignals(services.signal, options.signal);
    const otherwise = async (refusals: Refusal[], prepared?: PreparedRun): Promise<CellRun> => {
      if (both.signal?.aborted) throw new LabInterrupted();
      return { ...(await fresh.run(spec, { ...options, ...(prepared ? { prepared } : {}) })), refusals };
    };
    if (spec.cold) return otherwise([]);
    // What is wrong with a machine that cannot be put together, the run says.
    const prepared = options.prepared ?? (await prepare(spec).catch(() => undefined));
    if (!prepared) return otherwise([]);
    const refusal = forkRefusal(prepared.assembly);
    if (refusal) return otherwise([refusal], prepared);
    const scenario = scenarioOf(spec.scenario);
    const steps = Math.max(0, scenario.steps.findIndex(injects));
    const { states } = prepared.identity;
    const known = refused.get(states[0] ?? '') ?? refused.get(states[steps] ?? '');
    if (known) return otherwise([known], prepared);
    let machine: StoppedMachine;
    try {
      machine = await machines.at(prepared, scenario, steps);
    } catch (error) {
      const cannot = error instanceof LabError && error.code === 'E_LAB_FORK';
      const why: Refusal = { engine: 'fork', why: cannot ? 'self-test' : 'point', message: messageOf(error) };
      if (!both.signal?.aborted) refused.set((cannot ? states[0] : states[steps]) ?? '', why);
      return otherwise([why], prepared);
    }
    let forked: ForkedProcess | undefined;
    const point: StartingPoint = {
      steps: machine.steps,
      recorded: machine.recorded,
      restarts: machine.restarts,
      take: async (recorder, signal) => {
        const fork = await machine.fork(recorder, signal);
        forked = fork.process;
        return fork.session;
      },
    };
    const before = process.cpuUsage();
    const made = await tracedRun(spec, { ...services, ...options, ...both, prepared, point }).finally(() =>
      machine.release(),
    );
    if (forked === undefined) {
      // It was lost meanwhile: the next run makes it again.
      return otherwise([{ engine: 'fork', why: 'lost', message: made.result.problem?.message ?? '' }], prepared);
    }
    const { user, system } = process.cpuUsage(before);
    const { cpuSeconds } = forked as ForkedProcess;
    return {
      ...made,
      engine: 'fork',
      refusals: [],
      cpuSeconds: { own: (user + system) / 1e6, ...(cpuSeconds === undefined ? {} : { qemu: cpuSeconds }) },
      ...(made.result.trace === '' ? {} : { trace: made.result.trace }),
    };
  };

  return {
    kind: 'fork',
    refusals: [],
    run,
    close: async () => {
      await machines.close();
      hub.close();
    },
  };
}
