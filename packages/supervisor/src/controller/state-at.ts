/** @module What was known at an input of the ledger: the state, made anew of what the store has. */
import type { Query } from '@syndrome/base/store/store.ts';
import { newState, restore, type State } from '../core/state.ts';
import { inputsOf } from './input-json.ts';
import { inputsAfter } from './journal.ts';
import { take } from './take.ts';

/** Inputs that are taken once more for one answer: they take the controller's time. */
export const MAX_AGAIN = 20_000;

/**
 * The state behind an input. Of a ledger that another version has written it is what this version makes of it.
 * @param seq number of the input; 0 is before the first
 * @returns undefined where it is too far behind the last snapshot before it
 * @throws StoreError; ControllerError E_CONTROLLER_STATE for an input that cannot be read
 */
export async function stateAt(query: Query, seq: number): Promise<State | undefined> {
  const [last] = await query('select seq, body from snapshot where seq <= $1 order by seq desc limit 1', [seq]);
  const from = Number(last?.['seq'] ?? 0);
  if (seq - from > MAX_AGAIN) return undefined;
  const state = last === undefined ? newState() : restore(String(last['body']));
  for await (const row of inputsAfter(query, from)) {
    if (row.seq > seq) break;
    for (const input of inputsOf(row)) take(state, input, () => {});
  }
  return state;
}
