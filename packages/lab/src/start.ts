import { dirname } from 'node:path';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { MachineEnds } from './machine/channels.ts';
import { type MachineIdentities, machineIdentities } from './identity.ts';
import { machineChannels, qemuArgs } from './machine/qemu-args.ts';
import { machineKind } from './machines/registry.ts';
import type { AgentClient } from './guest/client.ts';
import { AgentError } from './guest/errors.ts';
import { LabSkip } from './errors.ts';
import { event } from '@syndrome/decode/events/event.ts';
import { linuxEvents } from '@syndrome/decode/text/event-reader.ts';
import { moduleParameters } from './module-parameters.ts';
import { markUsed } from './kept-states.ts';
import type { BuiltIn } from './machine/images.ts';
import type { HostPlan } from './machines/kind.ts';
import type { Assembly } from './parts.ts';
import { Session } from './session.ts';
import { Snapshot } from './snapshot.ts';
import type { TraceRecorder } from './trace/recorder.ts';

const SLOW = { deadlineMs: 120_000 };
/** A guest that has just said that it is ready. */
const ANSWER = { deadlineMs: 30_000 };

interface StartOptions {
  cacheDir: string;
  /** Boot even if a state is kept, and keep none. */
  cold?: boolean;
  /** Stop where the host layer of a nested machine is up, with the files of its guest in it and no VMM running. */
  hostOnly?: true;
  /** Of the machine, where the caller knows them already. */
  identities?: MachineIdentities;
  /** What is started in the place of the QEMU command, given the folder of its lines. */
  around?: (command: string[], folder: string) => string[];
  /** The machine is started once more, see {@link emulationFault}. */
  onRestart?: () => void;
}

/**
 * Starts a machine up to the point where its guest answers: from the state kept by an earlier run where there is one,
 * else by booting it, keeping the state for the next run.
 *
 * A nested machine has two such points: the host layer is up (the same for every guest kernel), and the guest is up.
 * @throws LabError, LabInterrupted. Nothing is left behind then.
 */
export async function startMachine(
  assembly: Assembly,
  recorder: TraceRecorder,
  signal: AbortSignal,
  options: StartOptions,
): Promise<Session> {
  const before = recorder.events.length;
  const identities = options.identities ?? machineIdentities(assembly, options.cacheDir);
  const start = (): Promise<Session> => startOnce(assembly, recorder, signal, { ...options, identities });
  try {
    return await start();
  } catch (error) {
    if (signal.aborted || assembly.accel !== 'tcg') throw error;
    const { emulationFault } = await import('./emulation-fault.ts');
    const fault = emulationFault(error, recorder.events.slice(before), assembly.host !== undefined);
    if (fault === undefined) throw error;
    options.onRestart?.();
    const texts = [`${fault.why} (${messageOf(error)}); the machine is started once more`, ...fault.evidence];
    for (const text of texts) recorder.record({ layer: 'lab', source: 'lab', ...event('lab.note', { text }) });
    return start();
  }
}

async function startOnce(
  assembly: Assembly,
  recorder: TraceRecorder,
  signal: AbortSignal,
  options: StartOptions & { identities: MachineIdentities },
): Promise<Session> {
  const { machine, modules, host, crash, domu } = assembly;
  const cold = options.cold === true || machineKind(machine).canBeKept?.(machine) === false;
  const { around = (words: string[]): string[] => words } = options;
  const command = (ends: MachineEnds): string[] => around(qemuArgs(assembly, ends), folderOf(ends));
  const channels = machineChannels(assembly);
  const { cacheDir, hostOnly, identities } = options;
  const guestPoint = new Snapshot(cacheDir, identities.guest);
  const hostPoint = identities.host === undefined ? undefined : new Snapshot(cacheDir, identities.host);

  const say = (text: string): void =>
    void recorder.record({ layer: 'lab', source: 'lab', ...event('lab.note', { text }) });
  const restore = async (point: Snapshot): Promise<Session | undefined> => {
    if (cold || !point.exists) return undefined;
    // What fails before the state is loaded says nothing about the state: a folder, a socket, QEMU itself.
    const incoming = (ends: MachineEnds): string[] =>
      around([...qemuArgs(assembly, ends), '-incoming', 'defer'], folderOf(ends));
    const session = await Session.open(recorder, machine, signal, incoming, channels);
    try {
      await session.restore(point.file);
      if (session.host) await session.ready(session.host, true);
      if (point === guestPoint) {
        if (host) await session.attachVmm(true);
        await session.ready(session.agent, true);
      }
      markUsed(point.file);
      session.note('lab.restored', { point: point === guestPoint ? 'guest' : 'host', file: point.file });
      return session;
    } catch (error) {
      await session.stop();
      if (signal.aborted) throw error;
      point.remove();
      say(`the kept state is of no use and was removed: ${messageOf(error)}`);
      return undefined;
    }
  };
  /** Restores; where there is nothing to restore, this run is the one that makes the state, or waits for who does. */
  const restoreOrClaim = async (point: Snapshot): Promise<Session | undefined> => {
    for (;;) {
      const session = await restore(point);
      if (session || cold || !(await point.claim(signal, say)) || !point.exists) return session;
      // Another run was faster.
      point.release();
    }
  };

  const withModules = (whole: Session): Session => {
    whole.loadModules = session => loadModules(session, session.agent, host ? host.guestModules : modules);
    return whole;
  };

  let session: Session | undefined;
  try {
    if (assembly.local) {
      const { LocalHost } = await import('./host-local.ts');
      const localHost = new LocalHost();
      localHost.giveBackLeft(say);
      session = await Session.open(recorder, machine, signal, command);
      session.localHost = localHost;
      localHost.follow(session.tape.lines('host', 'console', linuxEvents('host')));
      await session.ready(session.agent, false);
      return session;
    }
    const whole = hostOnly ? undefined : await restoreOrClaim(guestPoint);
    if (whole) return withModules(whole);
    const restoredHost = hostPoint && (await restoreOrClaim(hostPoint));
    session = restoredHost ?? (await Session.open(recorder, machine, signal, command, channels));
    const first = session.host ?? session.agent;
    if (!restoredHost) {
      await session.ready(first, false);
      await loadModules(session, first, modules);
      for (const sign of assembly.builtIn) await requireBuiltIn(session, first, sign);
      await hostPoint?.save(session);
    }
    if (host) await fetchGuest(session, host);
    if (hostOnly) return session;
    if (host) await startGuest(session, host);
    withModules(session);
    if (crash) await (await import('./crash-kernel.ts')).loadCrashKernel(session, crash);
    if (domu) await (await import('./domu.ts')).startDomU(session, domu);
    await session.orDie(session.agent.call('hello', {}, ANSWER), SLOW.deadlineMs, 'the guest to answer');
    if (!cold) {
      await guestPoint.save(session);
      // The machine that was saved goes on being used: it has to have survived that.
      await session.orDie(
        session.agent.call('hello', {}, SLOW),
        SLOW.deadlineMs,
        'the guest to answer after its state was kept',
      );
    }
    return session;
  } catch (error) {
    await session?.stop();
    throw error;
  } finally {
    hostPoint?.release();
    guestPoint.release();
  }
}

/** Where the lines of a machine are. */
function folderOf({ agent }: MachineEnds): string {
  return dirname(agent === undefined ? '' : 'socket' in agent ? agent.socket : agent.output);
}

/** In the host layer: fetches the guest's files from the disks. */
async function fetchGuest(session: Session, plan: HostPlan): Promise<void> {
  const { host } = session;
  if (!host) return;
  const call = <T>(work: Promise<T>, what: string): Promise<T> => session.orDie(work, SLOW.deadlineMs, what);
  await loadModules(session, host, plan.diskModules);
  for (const copy of plan.copies) await call(host.call('copy', copy, SLOW), `the copy of ${copy.to}`);
}

/** In the host layer: starts the VMM, waits for the guest's agent. */
async function startGuest(session: Session, plan: HostPlan): Promise<void> {
  const { host } = session;
  if (!host) return;
  const call = <T>(work: Promise<T>, what: string): Promise<T> => session.orDie(work, SLOW.deadlineMs, what);
  session.note('lab.note', { text: `the host layer starts ${plan.vmm.join(' ')}` });
  const exec = { name: 'vmm', argv: plan.vmm.join('\n'), output: plan.output };
  await call(host.call('exec', exec, SLOW), 'the VMM to start');
  await session.attachVmm(false);
  await session.ready(session.agent, false);
  await loadModules(session, session.agent, plan.guestModules);
}

/** Loads modules with the parameters that the command line of their kernel has for them. */
async function loadModules(session: Session, agent: AgentClient, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const call = <T>(work: Promise<T>, what: string): Promise<T> => session.orDie(work, SLOW.deadlineMs, what);
  const commandLine = (await call(agent.readText('/proc/cmdline'), '/proc/cmdline')).trim();
  for (const path of paths) {
    const params = moduleParameters(commandLine, path);
    await call(agent.call('insmod', { path, params }, SLOW), `the module ${path}`);
  }
}

/** @throws LabSkip when a kernel without modules has not built in what the scenario needs. */
async function requireBuiltIn(session: Session, agent: AgentClient, sign: BuiltIn): Promise<void> {
  const error: unknown = await session.orDie(agent.readBytes(sign.path, { max: 1 }), SLOW.deadlineMs, sign.path).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof AgentError) || error.errno !== 'ENOENT') return;
  throw new LabSkip(
    'E_LAB_MODULE',
    `this kernel of yours has not built in ${sign.module} (${sign.option}), which the scenario needs`,
    {
      hint: `Build it with ${sign.option}=y.`,
    },
  );
}
