/** @module Acts on the reference VMM, by its control channel: a line of JSON each. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Act, ActResult } from '../../core/act.ts';
import type { SeenEvent } from '../../core/said.ts';
import { type Actuator, resultOf } from '../actuator.ts';
import type { Vms } from '../vms.ts';

/** Quarantine; everything else is done as to any process. */
export class ReferenceActs implements Actuator {
  readonly #vms: Vms;
  readonly #others: Actuator;

  /** @param others carries out what needs no control channel (stop, prove) */
  constructor(vms: Vms, others: Actuator) {
    this.#vms = vms;
    this.#others = others;
  }

  async act(act: Act, signal: AbortSignal): Promise<ActResult> {
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
    if (event.name !== 'vmm.quarantine-refused')
      return resultOf(act, { state: 'confirmed', seen: { gpa: hex64(gpa) } });
    return resultOf(act, { state: 'failed', reason: event.fields.reason });
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
        if (seen.vm !== vm || !isOfIt || (fields.gpa & ~0xfffn) !== (gpa & ~0xfffn)) return;
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
