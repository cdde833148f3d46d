/** @module All inputs once more: the same must be decided (I12). */
import type { Query } from '@syndrome/base/store/store.ts';
import { newState } from '../core/state.ts';
import { inputsOf } from './input-json.ts';
import { inputsAfter } from './journal.ts';
import { take } from './take.ts';

/** What a replay came to. */
export interface Replayed {
  inputs: number;
  decisions: number;
  /** Of all decisions, one after the other. */
  hash: string;
  /** How often the ledger had noted what was decided so far. */
  compared: number;
  /** The first note that says something else: what it noted, and what is decided now. */
  differs?: { seq: number; noted: string; now: string };
}

/**
 * Replays a ledger from its beginning, and compares with every note of it.
 * @throws StoreError; ControllerError E_CONTROLLER_STATE for an input that cannot be read
 */
export async function replay(query: Query): Promise<Replayed> {
  const marks = new Map(
    (await query('select seq, decisions, hash from mark')).map(row => [
      Number(row['seq']),
      `${String(row['decisions'])} ${String(row['hash'])}`,
    ]),
  );
  const state = newState();
  const out: Replayed = { inputs: 0, decisions: 0, hash: '', compared: 0 };
  for await (const row of inputsAfter(query, 0)) {
    for (const input of inputsOf(row)) {
      take(state, input, () => {});
      out.inputs++;
    }
    const noted = marks.get(row.seq);
    if (noted === undefined) continue;
    out.compared++;
    const now = `${state.decisions.count} ${state.decisions.hash}`;
    if (noted === now || out.differs !== undefined) continue;
    out.differs = { seq: row.seq, noted, now };
  }
  return { ...out, decisions: state.decisions.count, hash: state.decisions.hash };
}
