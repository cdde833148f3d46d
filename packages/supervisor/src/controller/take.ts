/** @module The step of the core, held against its own defects: what it fails on is passed over, the same way in every replay. */
import type { Effect, Input } from '../core/input.ts';
import type { State } from '../core/state.ts';
import { step } from '../core/step.ts';

/**
 * What the core wants of an input; nothing where it fails. One bad row shall not stop all that comes after it, each time it is
 * sent again. What is lost with it is safe: an act that was not handed out is looked at after its deadline.
 * @param fault is told of a failure
 */
export function take(state: State, input: Input, fault: (input: Input, error: unknown) => void): Effect[] {
  try {
    return step(state, input);
  } catch (error) {
    fault(input, error);
    return [];
  }
}
