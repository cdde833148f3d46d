/** @module An engine whose runs go on from a point that they share: a machine is led there once. */
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { LabError, LabInterrupted } from '../errors.ts';
import { machineIdentities, runIdentity } from '../identity.ts';
import { type Assembly, assemble, type Services } from '../parts.ts';
import { type PreparedRun, type StartingPoint, tracedRun } from '../run.ts';
import { type RunSpec, scenarioOf } from '../run-spec.ts';
import type { Scenario } from '../scenario/load.ts';
import { injects } from '../steps/registry.ts';
import type { CellRun, Engine, EngineKind, EngineRunOptions, Refusal } from './engine.ts';
import { bothSignals } from './fresh.ts';

/** A point that a caller holds. */
export interface HeldPoint extends StartingPoint {
  release(): void;
}

/** Machines at points. */
export interface Points {
  /** The machine of a run that has done its first steps, held for the caller, who releases it. */
  at(run: PreparedRun, scenario: Scenario, steps: number): Promise<HeldPoint>;
  /** Ends all of them. */
  close(): Promise<void>;
}

interface PointEngineOptions {
  kind: EngineKind;
  points: Points;
  /** Why a machine is not led to a point at all. */
  refuses: (assembly: Assembly) => Refusal | undefined;
  /** The code of an error that says of a machine that it cannot be had again at any point, and what that is called. */
  never: { code: string; why: string };
  /** Carries out what this one refuses. */
  next: Engine;
  services: Services;
}

/** A machine is put together once for all runs that ask for the same. */
type Prepared = Omit<PreparedRun, 'identity'>;

export function pointEngine({ kind, points, refuses, never, next, services }: PointEngineOptions): Engine {
  const put = new Map<string, Promise<Prepared>>();
  /** Machines that could not be brought to stand still at a point, or be had again there: they are not tried again. */
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
      const made = await next.run(spec, { ...options, ...(prepared ? { prepared } : {}) });
      return { ...made, refusals: [...refusals, ...made.refusals] };
    };
    if (spec.cold) return otherwise([]);
    // What is wrong with a machine that cannot be put together, the run says.
    const prepared = options.prepared ?? (await prepare(spec).catch(() => undefined));
    if (!prepared) return otherwise([]);
    const refusal = refuses(prepared.assembly);
    if (refusal) return otherwise([refusal], prepared);
    const scenario = scenarioOf(spec.scenario);
    const steps = Math.max(0, scenario.steps.findIndex(injects));
    const { states } = prepared.identity;
    const known = refused.get(states[0] ?? '') ?? refused.get(states[steps] ?? '');
    if (known) return otherwise([known], prepared);
    let held: HeldPoint;
    try {
      held = await points.at(prepared, scenario, steps);
    } catch (error) {
      const cannot = error instanceof LabError && error.code === never.code;
      const why: Refusal = { engine: kind, why: cannot ? never.why : 'point', message: messageOf(error) };
      if (!both.signal?.aborted) refused.set((cannot ? states[0] : states[steps]) ?? '', why);
      return otherwise([why], prepared);
    }
    let taken = false;
    const point: StartingPoint = {
      steps: held.steps,
      recorded: held.recorded,
      restarts: held.restarts,
      take: async (...at) => {
        const session = await held.take(...at);
        taken = true;
        return session;
      },
    };
    const before = process.cpuUsage();
    const made = await tracedRun(spec, { ...services, ...options, ...both, prepared, point }).finally(() =>
      held.release(),
    );
    if (!taken) {
      // It was lost meanwhile: the next run makes it again.
      return otherwise([{ engine: kind, why: 'lost', message: made.result.problem?.message ?? '' }], prepared);
    }
    const { user, system } = process.cpuUsage(before);
    const { machineSeconds, ...rest } = made;
    return {
      ...rest,
      engine: kind,
      refusals: [],
      cpuSeconds: { own: (user + system) / 1e6, ...(machineSeconds === undefined ? {} : { qemu: machineSeconds }) },
      ...(made.result.trace === '' ? {} : { trace: made.result.trace }),
    };
  };

  return {
    kind,
    refusals: [],
    run,
    close: async () => {
      await points.close();
      await next.close();
    },
  };
}
