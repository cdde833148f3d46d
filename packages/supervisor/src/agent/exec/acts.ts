/** @module Acts by a program: it is asked, and what became of it is looked at. A stop is proven by the process, never by the program's word. */
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Act, ActResult, StopProof } from '../../core/act.ts';
import type { Epoch, VmId } from '../../core/ids.ts';
import type { VmReport } from '../../core/said.ts';
import { type Actuator, resultOf } from '../actuator.ts';
import { bootId } from '../proc.ts';
import { pause } from '../reconnect.ts';
import { type Copy, howGoneCopy, type Vms } from '../vms.ts';
import { ask, type Asker, NoAnswer, NotRun } from './ask.ts';
import { EXEC_ACTS, type ExecAct } from './acts-list.ts';
import { isOver, placeOf, takeSaid } from './copy.ts';
import { unwrapped } from './definition.ts';

type Outcome = Omit<ActResult, 'action' | 'vm' | 'epoch'>;

/** Of the time of an act, what is left to look at what became of it. */
const LOOK_SHARE = 0.25;
/** Between two looks. */
const LOOK_MS = 250;

interface ExecActsOptions {
  vms: Vms;
  epochOf: (vm: VmId) => Epoch;
  /** What the program is asked to do; all else is refused. */
  acts: readonly ExecAct[];
  lookMs?: number;
}

/** An act that is being done. */
interface Doing {
  act: Act;
  kind: ExecAct;
  vm: VmId;
  signal: AbortSignal;
  /** Of a reset: the processes that were there before it was asked for. */
  before: readonly Copy[];
}

const isExecAct = (kind: Act['kind']): kind is ExecAct => EXEC_ACTS.some(act => act === kind);

export class ExecActs implements Actuator {
  readonly #asker: Asker;
  readonly #options: ExecActsOptions;

  constructor(asker: Asker, options: ExecActsOptions) {
    this.#asker = asker;
    this.#options = options;
  }

  async act(act: Act, signal: AbortSignal): Promise<ActResult> {
    const { kind, vm } = act;
    if (vm === undefined) return resultOf(act, { state: 'refused', reason: `${kind} needs a VM` });
    if (kind === 'prove') return resultOf(act, await this.#proven(act, vm, signal));
    if (!isExecAct(kind) || !this.#options.acts.includes(kind))
      return resultOf(act, { state: 'refused', reason: `its program is not set up for ${kind} (exec: acts)` });
    try {
      return resultOf(act, await this.#do(act, kind, vm, signal));
    } catch (error) {
      return resultOf(act, { state: error instanceof NotRun ? 'refused' : 'unknown', reason: messageOf(error) });
    }
  }

  /** Asks for it, and looks what became of it, whatever was answered. */
  async #do(act: Act, kind: ExecAct, vm: VmId, signal: AbortSignal): Promise<Outcome> {
    const definition = unwrapped(act.definition);
    if (kind === 'start' && definition === undefined)
      return { state: 'refused', reason: 'its definition is none that a program has given' };
    if (kind === 'start') {
      const why = this.#begins(act, vm);
      if (why !== undefined) return why;
    }
    const doing: Doing = { act, kind, vm, signal, before: [] };
    if (kind === 'reset') {
      const why = await this.#beforeReset(doing);
      if (why !== undefined) return why;
    }
    const rest = (): number => act.deadline - Date.now();
    const question = { do: 'act', id: act.id, act: kind, vm, epoch: act.epoch } as const;
    const more = {
      ...(definition === undefined ? {} : { definition }),
      ...(act.to === undefined ? {} : { to: act.to }),
    };
    let said: string;
    let state: 'done' | 'failed' | 'unknown' = 'unknown';
    try {
      const answer = await ask(this.#asker, { ...question, ...more }, signal, rest() * (1 - LOOK_SHARE));
      said = answer.reason === undefined ? answer.state : `${answer.state}: ${answer.reason}`;
      if (answer.state === 'refused') {
        if (kind === 'start') this.#options.vms.cameToNothing(vm, 'refused by its program');
        return { state: 'refused', reason: said };
      }
      state = answer.state;
    } catch (error) {
      said = messageOf(error);
      if (error instanceof NotRun) {
        if (kind === 'start') this.#options.vms.cameToNothing(vm, said);
        throw error;
      }
    }
    // Another process is no sign of a reset that nobody says was done: it may have ended by itself, or be about to be reset.
    if (kind === 'reset' && state !== 'done')
      return { state, reason: `it is not known to be reset: the program said ${said}`, seen: { said } };
    let last: Outcome = { state: 'unknown', reason: 'there was no time to look' };
    for (let looks = 0; rest() > 0 && !signal.aborted; looks++) {
      const now = await this.#become(doing);
      // One that the deadline has cut off says nothing.
      if (looks === 0 || rest() > 0) last = now;
      if (last.state === 'confirmed') return { ...last, seen: { ...last.seen, said } };
      await pause(Math.min(this.#options.lookMs ?? LOOK_MS, Math.max(0, rest())), signal);
    }
    return { ...last, reason: `${last.reason ?? last.state}; the program said ${said}`, seen: { ...last.seen, said } };
  }

  /** Written down before there can be a process: what was here before proves nothing of it. */
  #begins(act: Act, vm: VmId): Outcome | undefined {
    const { vms } = this.#options;
    const [one] = alive(vms.find(vm)?.copy);
    if (one !== undefined) return { state: 'failed', reason: `it runs here already: pid ${one.pid}` };
    vms.of(vm, 'exec').vmm = 'exec';
    vms.begins(vm, { epoch: act.epoch, socket: placeOf(vm), boot: bootId() });
    return undefined;
  }

  /** Looks what there is to be reset: what the source saw last may be another process. Nothing was asked where this says why not. */
  async #beforeReset(doing: Doing): Promise<Outcome | undefined> {
    const { act, vm, signal } = doing;
    let now: VmReport;
    try {
      now = await this.#look(act, vm, signal);
    } catch (error) {
      if (error instanceof NotRun) throw error;
      return {
        state: 'failed',
        reason: `it was not asked for: its program does not say how it is: ${messageOf(error)}`,
      };
    }
    if (isOver(now.state)) return { state: 'failed', reason: `it does not run here: it is ${now.state}` };
    doing.before = alive(this.#options.vms.of(vm).copy);
    return undefined;
  }

  /** What became of an act, as it is seen. */
  async #become({ act, kind, vm, signal, before }: Doing): Promise<Outcome> {
    if (kind === 'stop' || kind === 'terminate') return this.#proven(act, vm, signal);
    let now: VmReport;
    try {
      now = await this.#look(act, vm, signal);
    } catch (error) {
      return { state: 'unknown', reason: messageOf(error) };
    }
    const { copy } = this.#options.vms.of(vm);
    const seen = { state: now.state };
    const failed = (reason: string): Outcome => ({ state: 'failed', reason, seen });
    switch (kind) {
      case 'start':
        if (now.state !== 'running' || copy === undefined || isGone(copy))
          return failed(`it is ${now.state}${copy === undefined ? ', and no process of it is known' : ''}`);
        return { state: 'confirmed', seen: processOf(copy) };
      case 'reset':
        if (now.state !== 'running') return failed(`it is ${now.state}`);
        return { ...wasReset(before, copy), seen: { ...seen, ...(copy === undefined ? {} : processOf(copy)) } };
      case 'pause':
        return now.state === 'paused' ? { state: 'confirmed', seen } : failed(`it is ${now.state}`);
      case 'autostart-off':
        if (now.autostart) return failed('it is still started by itself');
        return { state: 'confirmed', seen: { ...seen, autostart: 'off' } };
      case 'migrate':
        if (!isOver(now.state) || copy === undefined || !isGone(copy)) return failed(`it is ${now.state} here`);
        // That it is gone here proves no stop from now on.
        this.#options.vms.hasLeft(vm);
        return { state: 'confirmed', seen };
    }
  }

  #look(act: Act, vm: VmId, signal: AbortSignal): Promise<VmReport> {
    const { vms, epochOf } = this.#options;
    return ask(this.#asker, { do: 'look', vm }, signal, act.deadline - Date.now()).then(said =>
      takeSaid(vms, said, epochOf),
    );
  }

  /** Whether the copy of this host is gone: the program says so, its process is gone, and nothing starts it again. */
  async #proven(act: Act, vm: VmId, signal: AbortSignal): Promise<Outcome> {
    let now: VmReport;
    try {
      now = await this.#look(act, vm, signal);
    } catch (error) {
      const cut = error instanceof NoAnswer && error.cut ? ' (it hangs)' : '';
      return { state: 'unknown', reason: `its program does not say how it is${cut}: ${messageOf(error)}` };
    }
    const { copy, begun } = this.#options.vms.of(vm);
    const seen = { state: now.state };
    if (begun !== undefined && begun.nothing === undefined && begun.boot === bootId())
      return {
        state: 'unknown',
        reason: `a start of epoch ${begun.epoch} was begun here, and its process was not seen`,
        seen,
      };
    if (begun === undefined && copy === undefined)
      return {
        state: 'unknown',
        reason: 'no process of it was ever told: nothing here can prove that it stopped',
        seen,
      };
    const [one] = alive(copy);
    if (one !== undefined) return { state: 'failed', reason: now.reason ?? `its process ${one.pid} is there`, seen };
    if (!isOver(now.state)) return { state: 'failed', reason: `its program says that it is ${now.state}`, seen };
    if (copy?.left === true && act.to === undefined)
      return {
        state: 'refused',
        reason: 'it left alive: that it is gone here does not prove that it has stopped',
        seen,
      };
    if (now.autostart)
      return { state: 'failed', reason: 'it is gone, and no proof: it is started again by itself', seen };
    const evidence = {
      ...seen,
      autostart: 'off',
      ...(copy === undefined
        ? { process: 'absent', way: begun?.nothing ?? 'the host has booted since' }
        : { ...processOf(copy), boot: copy.boot, process: howGoneCopy(copy) ?? '' }),
    };
    const proof: StopProof = { kind: 'process-gone', vm, host: act.host, epoch: act.epoch, at: Date.now(), evidence };
    return { state: 'confirmed', seen, proof };
  }
}

const isGone = (copy: Copy): boolean => howGoneCopy(copy) !== undefined;
const processOf = ({ pid, startTicks }: Copy): Record<string, string> => ({ pid: String(pid), startTicks });

/** The processes of a VM that are there. */
function alive(copy: Copy | undefined): Copy[] {
  return [...(copy === undefined ? [] : [copy]), ...(copy?.others ?? [])].filter(one => !isGone(one));
}

/**
 * Whether a VM that runs was reset. Only a process in place of those before has fresh memory, whatever the hypervisor: of a reset within its
 * process the contract has no sign.
 */
function wasReset(before: readonly Copy[], copy: Copy | undefined): Outcome {
  const same = before.find(one => !isGone(one));
  if (same !== undefined)
    return { state: 'unknown', reason: `its process ${same.pid} is there as before: nothing shows that it was reset` };
  if (before.length === 0)
    return { state: 'unknown', reason: 'no process of it was told before: nothing shows that it was reset' };
  if (copy === undefined || isGone(copy))
    return { state: 'unknown', reason: 'its process of before is gone, and no other one is told' };
  return { state: 'confirmed' };
}
