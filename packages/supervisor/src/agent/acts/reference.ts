/** @module Acts on the reference VMM: by its control channel, a line of JSON each, and on its process. */
import { pageOf } from '@syndrome/decode/registers/address.ts';
import { constants, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Act, ActResult } from '../../core/act.ts';
import type { SeenEvent } from '../../core/said.ts';
import { type Actuator, resultOf } from '../actuator.ts';
import { pause } from '../reconnect.ts';
import { referenceCommand, referenceDefinitionSchema } from '../vm-facts.ts';
import { howGoneCopy, type Vms } from '../vms.ts';
import { logOf, startNoted } from './detached.ts';

interface ReferenceActsOptions {
  vms: Vms;
  /** Where its error output goes. */
  logs: string;
  /** Programs that a definition may start, by their whole path; none where none is named. */
  programs?: readonly string[] | undefined;
}

const LOOK_MS = 50;
/** Of the VMM's refusal (packages/vmm/src/machine.ts): what was to be done it has done by itself. */
const ALREADY = 'it is quarantined already';

/** Whether a definition is one of a reference VMM. */
export function isReference(definition: string | undefined): boolean {
  try {
    return referenceDefinitionSchema.safeParse(JSON.parse(definition ?? '')).success;
  } catch {
    return false;
  }
}

/** Quarantine and start; everything else is done as to any process. */
export class ReferenceActs implements Actuator {
  readonly #options: ReferenceActsOptions;
  readonly #vms: Vms;
  readonly #others: Actuator;

  /** @param others carries out what needs no control channel (stop, prove) */
  constructor(options: ReferenceActsOptions, others: Actuator) {
    this.#options = options;
    this.#vms = options.vms;
    this.#others = others;
  }

  async act(act: Act, signal: AbortSignal): Promise<ActResult> {
    if (act.kind === 'start') return this.#start(act, signal);
    if (act.kind !== 'quarantine') return this.#others.act(act, signal);
    const { gpa, vm = '' } = act;
    const control = this.#vms.find(vm)?.control;
    if (gpa === undefined || control === undefined) {
      const reason =
        gpa === undefined ? 'quarantine needs a guest address' : `no control channel of ${vm} is configured`;
      return resultOf(act, { state: 'refused', reason });
    }
    const ms = Math.max(1, Math.min(act.deadline - Date.now(), 0x7fff_ffff));
    const answer = this.#answer(vm, gpa, AbortSignal.any([signal, AbortSignal.timeout(ms)]));
    try {
      // Not waiting for a reader: a FIFO without one is no VMM.
      const file = await open(control, constants.O_WRONLY | constants.O_NONBLOCK);
      await file.write(`${JSON.stringify({ cmd: 'quarantine', gpa: hex64(gpa) })}\n`).finally(() => void file.close());
    } catch (error) {
      answer.cancel();
      return resultOf(act, { state: 'failed', reason: messageOf(error) });
    }
    const event = await answer.event;
    if (event === undefined) return resultOf(act, { state: 'unknown', reason: 'the VMM said nothing of it' });
    const seen = { gpa: hex64(gpa) };
    if (event.name !== 'vmm.quarantine-refused') return resultOf(act, { state: 'confirmed', seen });
    if (event.fields.reason === ALREADY)
      return resultOf(act, { state: 'confirmed', seen: { ...seen, was: 'quarantined' } });
    return resultOf(act, { state: 'failed', reason: event.fields.reason });
  }

  /** Starts it with the files that the configuration names for it here: they are read already. */
  async #start(act: Act, signal: AbortSignal): Promise<ActResult> {
    const refused = (reason: string): ActResult => resultOf(act, { state: 'refused', reason });
    const { logs, programs = [] } = this.#options;
    const { vm = '' } = act;
    const known = this.#vms.find(vm);
    if (known?.events === undefined)
      return refused(`the configuration of this agent does not say where a reference VMM named ${vm} writes (vmms)`);
    if (!isReference(act.definition)) return refused('its definition is not that of a reference VMM');
    const definition = referenceDefinitionSchema.parse(JSON.parse(act.definition ?? ''));
    const { events, control } = known;
    const argv = referenceCommand(definition, { events, ...(control === undefined ? {} : { control }) });
    const [program = ''] = argv;
    if (!programs.includes(program))
      return refused(`${program} is no program that this agent may start: name it in its configuration (programs)`);
    if (known.copy !== undefined && howGoneCopy(known.copy) === undefined)
      return resultOf(act, { state: 'failed', reason: `it runs here already: pid ${known.copy.pid}` });
    // What an earlier copy wrote here is read; a FIFO whose reader is gone is made anew.
    if (control !== undefined) rmSync(control, { force: true });
    let isUp = false;
    const unobserve = this.#vms.observe(seen => {
      if (seen.vm === vm && seen.event.name === 'vmm.started') isUp = true;
    });
    try {
      const noted = { vms: this.#vms, vm, epoch: act.epoch, socket: events };
      const { facts, ended } = startNoted(argv, definition.cwd, logOf(vm, logs), noted);
      const ms = Math.max(1, Math.min(act.deadline - Date.now(), 0x7fff_ffff));
      const either = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
      while (!isUp && ended() === undefined && !either.aborted) await pause(LOOK_MS, either);
      const why = ended();
      if (why !== undefined) this.#vms.cameToNothing(vm, why);
      if (why !== undefined) return resultOf(act, { state: 'failed', reason: why });
      if (!isUp || facts === undefined)
        return resultOf(act, { state: 'unknown', reason: 'it did not say that it runs its guest' });
      const seen = { pid: String(facts.pid), startTicks: facts.startTicks, status: 'started' };
      return resultOf(act, { state: 'confirmed', seen });
    } catch (error) {
      return resultOf(act, { state: 'failed', reason: messageOf(error) });
    } finally {
      unobserve();
    }
  }

  /** What the VMM says of the page next. */
  #answer(
    vm: string,
    gpa: bigint,
    signal: AbortSignal,
  ): { event: Promise<SeenEvent['event'] | undefined>; cancel(): void } {
    let cancel = (): void => undefined;
    const event = new Promise<SeenEvent['event'] | undefined>(resolve => {
      const stop = this.#vms.observe(seen => {
        const { name, fields } = seen.event;
        const isOfIt = name === 'vmm.quarantined' || name === 'vmm.quarantine-refused';
        if (seen.vm !== vm || !isOfIt || pageOf(fields.gpa) !== pageOf(gpa)) return;
        stop();
        resolve(seen.event);
      });
      cancel = () => {
        stop();
        resolve(undefined);
      };
      signal.addEventListener('abort', cancel, { once: true });
    });
    return { event, cancel: () => cancel() };
  }
}
