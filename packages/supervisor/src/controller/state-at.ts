/** @module What was known at inputs of the ledger: states, made anew of what the store has, one at a time. */
import type { Query } from '@syndrome/base/store/store.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { newState, restore, type State } from '../core/state.ts';
import { ControllerError } from './errors.ts';
import { inputsOf } from './input-json.ts';
import { inputsAfter } from './journal.ts';
import { take } from './take.ts';

/** Inputs that are taken once more for one answer: they take the controller's time. */
export const MAX_AGAIN = 20_000;
/** Inputs after which the rest of the controller has its turn. */
const AT_ONCE = 100;
/** Who waits for an answer at most; more of them would only wait longer. */
const MAX_WAITING = 8;
/** Answers that are kept: a slider goes to and fro. */
const MAX_KEPT = 32;

/**
 * What was known, for one kind of answer. One state is made at a time, the same answer is made once, and from one input to a later one only what lies
 * between them is taken.
 */
export class Past<T> {
  readonly #query: Query;
  readonly #of: (state: Readonly<State>) => T;
  /** Answers by input, the one that was asked for last at the end. */
  readonly #kept = new Map<number, Promise<T | undefined>>();
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** The state that was made last. */
  #made: { seq: number; state: State } | undefined;

  /** @param of makes the answer of a state; nothing of the state may be in it, for that goes on */
  constructor(query: Query, of: (state: Readonly<State>) => T) {
    [this.#query, this.#of] = [query, of];
  }

  /**
   * The answer behind an input. Of a ledger that another version has written it is what this version makes of it.
   * @param seq number of the input; 0 is before the first
   * @returns undefined where it is too far behind the last snapshot before it
   * @throws StoreError; ControllerError E_CONTROLLER_STATE where a snapshot or an input is not of this version, E_CONTROLLER_BUSY where too many wait
   */
  async at(seq: number): Promise<T | undefined> {
    const known = this.#kept.get(seq);
    if (known === undefined && this.#waiting >= MAX_WAITING)
      throw new ControllerError(
        'E_CONTROLLER_BUSY',
        `${MAX_WAITING} others wait to be told what was known at an input`,
      );
    const answer = known ?? this.#next(seq);
    this.#kept.delete(seq);
    this.#kept.set(seq, answer);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    return answer;
  }

  /** Behind those who wait already. */
  #next(seq: number): Promise<T | undefined> {
    this.#waiting++;
    const answer = this.#last.then(async () => {
      const state = await this.#state(seq);
      return state && this.#of(state);
    });
    this.#last = answer
      // What failed may go the next time.
      .catch(() => this.#kept.delete(seq))
      .finally(() => this.#waiting--);
    return answer;
  }

  async #state(seq: number): Promise<State | undefined> {
    const [last] = await this.#query('select seq, body from snapshot where seq <= $1 order by seq desc limit 1', [seq]);
    const snapshot = Number(last?.['seq'] ?? 0);
    const made =
      this.#made !== undefined && this.#made.seq <= seq && this.#made.seq >= snapshot ? this.#made : undefined;
    const from = made?.seq ?? snapshot;
    if (seq - from > MAX_AGAIN) return undefined;
    // A half-made one is of no use.
    this.#made = undefined;
    const state = made?.state ?? (last === undefined ? newState() : restored(String(last['body']), snapshot));
    let taken = 0;
    for await (const row of inputsAfter(this.#query, from)) {
      if (row.seq > seq) break;
      for (const input of inputsOf(row)) take(state, input, () => {});
      if (++taken % AT_ONCE === 0) await new Promise(resolve => setImmediate(resolve));
    }
    this.#made = { seq, state };
    return state;
  }
}

function restored(body: string, seq: number): State {
  try {
    return restore(body);
  } catch (cause) {
    throw new ControllerError(
      'E_CONTROLLER_STATE',
      `the snapshot behind input ${seq} is none of this version: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}
