import { join } from 'node:path';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import { VERSION } from '@syndrome/decode/common/version.ts';
import { SOME_ADDRESS } from '@syndrome/decode/inject/mce.ts';
import { LabError, LabInterrupted, LabSkip } from './errors.ts';
import { type MachineIdentities, machineIdentities, type RunIdentity, runIdentity } from './identity.ts';
import { type Judgement, judgeTrace } from '@syndrome/trace/expect/verdict.ts';
import { judge, Tally } from '@syndrome/trace/expect/judge.ts';
import { requireConfig } from './kernel-needs.ts';
import { type Assembly, assemble, type Services } from './parts.ts';
import { type LabOutlook, outlookOf } from './outlook.ts';
import { type RunSpec, scenarioOf } from './run-spec.ts';
import type { Scenario } from './scenario/load.ts';
import type { Session } from './session.ts';
import { startMachine } from './start.ts';
import { stateFolder } from './state-dir.ts';
import { describeStep } from './steps/describe.ts';
import { injects, outlives, runStep, savedBy } from './steps/registry.ts';
import { TRACE_VERSION, type TraceEvent, type TraceHeader } from '@syndrome/trace/event.ts';
import { isFoundAs } from '@syndrome/trace/trace-index.ts';
import { layersOf } from './trace/layers.ts';
import { type Recorded, TraceRecorder } from './trace/recorder.ts';

/** Of the JSON that `run --json` prints. */
const RESULT_VERSION = 1;

/** The result of one run, as `--json` prints it. */
export interface RunResult extends Judgement {
  schemaVersion: number;
  scenario: string;
  title: string;
  /** Of a run that is repeated: the how manieth of how many. */
  repetition?: { number: number; of: number };
  /** What the run is known by, see `identity.ts`; absent where no machine came together. */
  identity?: string;
  /** Path of the trace file; empty where it was not kept. */
  trace: string;
  /** Versions and files the machine was made of. */
  parts: Record<string, string>;
  /**
   * Seconds from the start until the guest was ready, until the run had its machine for itself (what lies before, it shares
   * with other runs), and until the first injection.
   */
  phases: { ready?: number; own?: number; injected?: number };
  /** The machine was restored from its kept state instead of booted. */
  restored: boolean;
  /** How often the machine was started once more, because its emulation failed before anything was injected. */
  restarts: number;
}

/** What carries a run out, and who is told of it. */
export interface RunServices extends Services {
  /** Where the trace goes; the default is a new file in the state folder. */
  trace?: string;
  /** Which runs keep their traces: all (the default), or those that did not pass and those that this says. */
  keep?: 'all' | ((result: RunResult, events: readonly TraceEvent[]) => boolean);
  /** The machine, where the caller has put it together already. */
  prepared?: PreparedRun;
  /** Where the run goes on from; else its machine is started. */
  point?: StartingPoint;
  onHeader?: (header: TraceHeader, trace: string) => void;
  onEvent?: (event: TraceEvent) => void;
}

/** A machine of this scenario that has done some of its steps, and may be had as often as it is wanted. */
export interface StartingPoint {
  /** How many steps it has done. */
  steps: number;
  /** What has happened to it until then. */
  recorded: Recorded;
  /** It has to be started once more for this, see {@link RunResult.restarts}. */
  restarts: number;
  /** The machine, for this run alone. @throws LabError, LabInterrupted */
  take(recorder: TraceRecorder, signal: AbortSignal): Promise<Session>;
}

function newTraceFile(scenario: string, startedAt: Date): string {
  const stamp = startedAt.toISOString().replace(/[-:]/g, '').replace('.', '-');
  return join(stateFolder('traces'), `${scenario}-${stamp}-${process.pid}.ndjson`);
}

/** A machine with its files on disk, and what it and the run are known by. */
export interface PreparedRun {
  assembly: Assembly;
  machine: MachineIdentities;
  identity: RunIdentity;
}

/** @throws SupplyError, LabSkip; the error of the file system for a file that has gone meanwhile. */
export async function prepareRun(spec: RunSpec, services: Services): Promise<PreparedRun> {
  const assembly = await assemble(spec.scenario.machine, spec, services);
  const machine = machineIdentities(assembly, services.supply.cacheDir);
  return { assembly, machine, identity: runIdentity(spec, assembly, machine) };
}

/**
 * Runs a scenario: machine, steps, expectations, verdict. What goes wrong in the lab is part of the result (verdict
 * `error` or `skip`); only an interruption is thrown.
 * @throws LabInterrupted
 */
export async function runScenario(spec: RunSpec, services: RunServices): Promise<RunResult> {
  return (await tracedRun(spec, services)).result;
}

/** A run with its whole trace, kept as a file or not. */
interface TracedRun {
  result: RunResult;
  header: TraceHeader;
  events: readonly TraceEvent[];
  /** What its QEMU has used, s. */
  machineSeconds: number | undefined;
}

/** {@link runScenario}, with the trace. @throws LabInterrupted */
export async function tracedRun(spec: RunSpec, services: RunServices): Promise<TracedRun> {
  const scenario = scenarioOf(spec.scenario);
  const asked = new Date();
  const ready = services.prepared ?? (await prepareRun(spec, services).catch((error: unknown) => error as Error));
  const { point } = services;
  if (services.signal?.aborted) throw new LabInterrupted();
  // What happened to the machine before is told as if it had happened just now.
  const startedAt = point ? new Date(Date.now() - point.recorded.lasted / 1e6) : asked;
  const file = services.trace ?? newTraceFile(scenario.name, startedAt);
  const { assembly, identity } = ready instanceof Error ? {} : ready;
  const parts = assembly?.parts ?? {};
  const header: TraceHeader = {
    type: 'trace',
    version: TRACE_VERSION,
    tool: `syndrome ${VERSION}`,
    scenario: scenario.name,
    startedAt: startedAt.toISOString(),
    layers: layersOf(assembly?.machine ?? scenario.machine),
    expect: scenario.expect.map(e => e.text),
    outcome: scenario.outcome,
    settle: scenario.settle,
    parts,
    ...(identity === undefined ? {} : { identity }),
  };
  const keep = services.keep ?? 'all';
  const recorder = new TraceRecorder(header, keep === 'all' ? file : undefined, point?.recorded);
  services.onHeader?.(header, file);
  if (services.onEvent) {
    recorder.events.forEach(services.onEvent);
    recorder.listen(services.onEvent);
  }
  let restarts = point?.restarts ?? 0;
  let machineSeconds: number | undefined;
  try {
    if (ready instanceof Error) throw ready;
    requireKernels(scenario, ready.assembly, recorder);
    await drive({ ...spec, scenario }, ready, recorder, services, point, {
      onRestart: () => void (restarts += 1),
      onEnd: used => (machineSeconds = used),
    });
  } catch (error) {
    if (error instanceof LabInterrupted || services.signal?.aborted) {
      recordProblem(recorder, 'lab.error', new LabInterrupted());
      await recorder.close(services.signal).catch(() => {});
      throw error instanceof LabInterrupted ? error : new LabInterrupted();
    }
    recordProblem(recorder, error instanceof LabSkip ? 'lab.skip' : 'lab.error', error);
  }
  const { events } = recorder;
  const result = (): RunResult => resultOf(scenario, recorder, { file, parts, identity: identity?.run, restarts });
  try {
    if (keep !== 'all') {
      await recorder.close();
      const made = result();
      if (made.verdict === 'pass' && !keep(made, events))
        return { result: { ...made, trace: '' }, header, events, machineSeconds };
      recorder.writeTo(file);
    }
    await recorder.close(services.signal);
  } catch (unwritten) {
    recordProblem(recorder, 'lab.error', unwritten);
  }
  return { result: result(), header, events, machineSeconds };
}

/** How long a run had its machine for itself, s. */
export const ownSeconds = ({ seconds, phases }: Pick<RunResult, 'seconds' | 'phases'>): number =>
  seconds - (phases.own ?? 0);

function resultOf(
  scenario: Scenario,
  { header, events, index }: TraceRecorder,
  of: { file: string; parts: Record<string, string>; identity: string | undefined; restarts: number },
): RunResult {
  const began = index.named('lab.step')[0]?.t;
  const injected = index.has('lab.injected') ? index.zero : undefined;
  const own = (index.named('lab.forked').at(-1) ?? index.named('lab.loaded').at(-1))?.t;
  return {
    schemaVersion: RESULT_VERSION,
    scenario: scenario.name,
    title: scenario.title,
    ...judgeTrace(header, events),
    ...(of.identity === undefined ? {} : { identity: of.identity }),
    trace: of.file,
    parts: of.parts,
    restored: index.named('lab.restored').some(e => e.fields?.point === 'guest'),
    restarts: of.restarts,
    phases: {
      ...(began === undefined ? {} : { ready: began / 1e9 }),
      ...(own === undefined ? {} : { own: own / 1e9 }),
      ...(injected === undefined ? {} : { injected: injected / 1e9 }),
    },
  };
}

/** An error of the operating system (a full disk, no more processes, a right that is missing) is no defect of ours. */
const isSystem = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && typeof (error as NodeJS.ErrnoException).code === 'string';

function recordProblem(recorder: TraceRecorder, name: 'lab.error' | 'lab.skip', error: unknown): void {
  const known = error instanceof SyndromeError ? error : undefined;
  const code = known?.code ?? (isSystem(error) ? 'E_LAB_SYSTEM' : 'E_LAB_UNEXPECTED');
  const fields = { code, message: messageOf(error) };
  const hint = known?.hint === undefined ? {} : { hint: known.hint };
  recorder.record({ layer: 'lab', source: 'lab', name, fields: { ...fields, ...hint } });
}

async function drive(
  { scenario, timeout: limit, cold }: Pick<RunSpec, 'timeout' | 'cold'> & { scenario: Scenario },
  { assembly, machine }: PreparedRun,
  recorder: TraceRecorder,
  services: RunServices,
  point: StartingPoint | undefined,
  { onRestart, onEnd }: { onRestart: () => void; onEnd: (machineSeconds: number | undefined) => void },
): Promise<void> {
  // Whole milliseconds are all it takes.
  const timeout = AbortSignal.timeout(Math.ceil((limit ?? scenario.timeout) / 1e6));
  const signal = services.signal ? AbortSignal.any([services.signal, timeout]) : timeout;
  const session = point
    ? await point.take(recorder, signal)
    : await startMachine(assembly, recorder, signal, {
        cacheDir: services.supply.cacheDir,
        identities: machine,
        ...(cold ? { cold: true } : {}),
        onRestart,
      });
  try {
    await carryOut(session, scenario, assembly, { from: point?.steps ?? 0, to: scenario.steps.length });
    await observe(scenario, session);
    session.tape.end();
    recorder.record({ layer: 'lab', source: 'lab', name: 'lab.end', fields: {} });
  } finally {
    await session.stop();
    onEnd(session.cpuSeconds);
  }
}

/** Does the steps of a scenario from one of them on to before another, counted from 0. @throws what a step throws */
export async function carryOut(
  session: Session,
  scenario: Scenario,
  assembly: Assembly,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const { recorder } = session;
  for (const [index, step] of scenario.steps.entries()) {
    if (index < from || index >= to) continue;
    recorder.record({
      layer: 'lab',
      source: 'lab',
      name: 'lab.step',
      fields: { index: index + 1, step: step.step, text: describeStep(step) },
    });
    if (injects(step) && !recorder.index.has('lab.injected')) {
      stateOutlook(scenario, assembly, recorder, session.values);
    }
    const work = runStep(session, step);
    await session.unlessAborted(outlives(step) ? work : stepOrDeath(session, step.step, work), `the step ${step.step}`);
  }
}

/** What the rules expect of steps on a machine, where they can be followed. */
export function outlookIn(
  { machine, accel, parts, append, own, kernels }: Assembly,
  steps: Scenario['steps'],
  values: Session['values'],
): LabOutlook | undefined {
  return outlookOf({
    machine,
    accel,
    parts,
    configs: Object.fromEntries(kernels.map(({ layer, config }) => [layer, config])),
    ...(append === undefined ? {} : { append }),
    ...(own ? { own } : {}),
    steps,
    values,
  });
}

/** Which page it would be makes no difference to the rules. */
export const someValues = (steps: Scenario['steps']): Map<string, bigint> =>
  new Map(steps.flatMap(savedBy).map(name => [name, SOME_ADDRESS]));

/** Says before the first injection what the rules expect of it, where they can be followed. */
function stateOutlook(
  scenario: Scenario,
  assembly: Assembly,
  recorder: TraceRecorder,
  values: Session['values'],
): void {
  const outlook = outlookIn(assembly, scenario.steps, values);
  if (outlook === undefined) return;
  const { possible, dependsOn, signal: _, ...rest } = outlook;
  const fields = {
    ...rest,
    ...(possible === undefined ? {} : { possible: possible.join(' ') }),
    ...(dependsOn.length === 0 ? {} : { dependsOn: dependsOn.join(', ') }),
  };
  recorder.record({ layer: 'lab', source: 'lab', name: 'lab.outlook', fields });
}

/**
 * Before anything is started: whether the kernels can do what the scenario needs. Where they cannot, the outlook says what
 * would have come of it. @throws LabSkip E_LAB_KERNEL_CONFIG
 */
function requireKernels(scenario: Scenario, assembly: Assembly, recorder: TraceRecorder): void {
  try {
    requireConfig(scenario, assembly.kernels);
  } catch (error) {
    if (error instanceof LabSkip) stateOutlook(scenario, assembly, recorder, someValues(scenario.steps));
    throw error;
  }
}

/**
 * A step may be overtaken by what it provoked: when the guest dies after the injection, the step is over and the
 * expectations say whether that was right. A VM that is gone before has nothing to say any more: what waits for it, waits
 * no longer.
 */
async function stepOrDeath(session: Session, name: string, step: Promise<void>): Promise<void> {
  let unlisten = (): void => {};
  const death = new Promise<'dead'>((resolve, reject) => {
    const look = (): void => {
      if (session.dead && session.recorder.index.has('lab.injected')) resolve('dead');
      else if (session.over)
        reject(new LabError('E_LAB_VM_GONE', `the VM ended during the step ${name}, before anything was injected`));
    };
    unlisten = session.recorder.listen(look);
    look();
  });
  death.catch(() => {});
  try {
    await Promise.race([step, death]);
  } catch (error) {
    const injected = session.recorder.index.has('lab.injected');
    if (!(injected && session.dead)) throw error;
    session.note('lab.note', { text: `the step ${name} was cut short: ${messageOf(error)}` });
  } finally {
    unlisten();
    step.catch(() => {});
  }
}

/** Watches until every expectation is decided, and then for the scenario's settling time. */
async function observe(scenario: Scenario, session: Session): Promise<void> {
  const { recorder } = session;
  const names = [...new Set(scenario.expect.map(e => e.condition.name))];
  const tallies = new Map(scenario.expect.map(e => [e, new Tally(e, recorder.index)]));
  for (;;) {
    const now = recorder.now();
    const pending = scenario.expect.filter(
      e => judge(e, recorder.index, now, false, tallies.get(e)).status === 'pending',
    );
    const limits = pending
      .flatMap(e => (e.kind === 'never' ? [] : [recorder.index.zero + e.limit - now]))
      .filter(Number.isFinite);
    if (limits.length === 0 || session.over) break;
    await session.nextEvent(
      Math.max(1, Math.min(...limits) / 1e6 + 1),
      e => e.name === 'vmm.exit' || names.some(name => isFoundAs(e, name)),
    );
  }
  const end = recorder.now() + scenario.settle;
  while (!session.over && recorder.now() < end) {
    await session.nextEvent(Math.max(1, (end - recorder.now()) / 1e6), e => e.name === 'vmm.exit');
  }
}
