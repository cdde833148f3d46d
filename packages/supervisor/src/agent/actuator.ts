/** @module What an agent acts with. */
import type { Act, ActResult } from '../core/act.ts';

/**
 * Carries out acts on one kind of VM, or on the host. The agent has checked epoch and id before, and calls it at most once for
 * an id; the actuator verifies the outcome by the state that it sees afterwards, never by a return code.
 */
export interface Actuator {
  /**
   * Does it, and says what was seen; `unknown` where the deadline of the act came first.
   * @param signal aborts when the agent is to end: what was begun is then `unknown`
   */
  act(act: Act, signal: AbortSignal): Promise<ActResult>;
}

/** The answer to an act: its id, VM and epoch with what became of it. */
export function resultOf(act: Act, outcome: Omit<ActResult, 'action' | 'vm' | 'epoch'>): ActResult {
  return { action: act.id, ...(act.vm === undefined ? {} : { vm: act.vm }), epoch: act.epoch, ...outcome };
}
