/**
 * @module Group commit: what has come during a commit goes into the next one, all in one transaction. A commit that a full
 * disk has refused, or a server that was gone, is tried again until it is there; until then nothing is acknowledged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Effect, Input } from '../core/input.ts';
import type { SteadyTime } from './clock.ts';
import type { Beside } from './audit.ts';
import { ControllerError } from './errors.ts';
import type { Committed, Journal } from './journal.ts';
import { isPassing } from './passing.ts';

/** Inputs of one transaction. */
const MAX_BATCH = 2000;
/** How long to wait until a full disk is asked again, ms. */
const AGAIN_MS = 500;

type Bare<I> = I extends { at: number } ? Omit<I, 'at'> : never;
/** An input whose time is that of its commit. */
export type Timeless = Bare<Input>;

interface Waiting {
  inputs: readonly Timeless[];
  beside: Beside | undefined;
  done: (effects: Effect[]) => void;
  failed: (error: unknown) => void;
}

export class Committer {
  readonly #journal: Journal;
  readonly #time: SteadyTime;
  readonly #log: (line: string) => void;
  readonly #fatal: (error: unknown) => void;
  readonly #committed: (committed: Committed) => void;
  #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;
  #closed = false;

  /**
   * @param fatal called when the journal cannot go on
   * @param committed called after each commit, before those who wait for it
   */
  constructor(
    journal: Journal,
    time: SteadyTime,
    log: (line: string) => void,
    fatal: (error: unknown) => void,
    committed: (committed: Committed) => void,
  ) {
    this.#journal = journal;
    this.#time = time;
    this.#log = log;
    this.#fatal = fatal;
    this.#committed = committed;
  }

  /**
   * Resolves when the inputs are durable, with what came of them.
   * @param beside who asks for them, and what is written in the same transaction
   * @throws ControllerError E_CONTROLLER_STOPPED: whoever sent them keeps them, and sends them again
   */
  put(inputs: readonly Timeless[], beside?: Beside): Promise<Effect[]> {
    if (this.#closed) return Promise.reject(new ControllerError('E_CONTROLLER_STOPPED', 'the controller stops'));
    return new Promise((done, failed) => {
      this.#waiting.push({ inputs, beside, done, failed });
      this.#working ??= this.#work();
    });
  }

  /** Writes what waits, and what a quick start needs. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
    this.#refuse(this.#waiting.splice(0));
    // Where this fails the next start replays what is missing.
    await this.#journal.close().catch((error: unknown) => this.#log(messageOf(error)));
  }

  async #work(): Promise<void> {
    // What comes in this turn of the loop goes together.
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0) await this.#commitBatch(this.#batch());
    } finally {
      // In the turn that has found nothing: who puts something right behind an answer would wait for the next one else.
      this.#working = undefined;
    }
  }

  async #commitBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const { committed, timed } = await this.#commit(batch);
      this.#committed(committed);
      for (const [i, { done }] of batch.entries())
        done((timed[i] ?? []).flatMap(input => committed.effects.get(input) ?? []));
    } catch (error) {
      this.#closed = true;
      this.#fatal(error);
      this.#refuse([...batch, ...this.#waiting.splice(0)]);
    }
  }

  #batch(): Waiting[] {
    let inputs = 0;
    let n = 0;
    for (const { inputs: more } of this.#waiting) {
      if (n > 0 && inputs + more.length > MAX_BATCH) break;
      inputs += more.length;
      n++;
    }
    return this.#waiting.splice(0, n);
  }

  async #commit(batch: readonly Waiting[]): Promise<{ committed: Committed; timed: Input[][] }> {
    let timed: Input[][] = [];
    for (let tries = 0; ; tries++) {
      try {
        const written = tries === 0 ? undefined : await this.#journal.recover();
        if (written !== undefined) return { committed: written, timed };
        const at = this.#time.now();
        timed = batch.map(({ inputs }) => inputs.map(input => ({ ...input, at }) as Input));
        const accompanied = batch.flatMap(({ beside }, i) =>
          beside === undefined ? [] : [{ at, inputs: timed[i] ?? [], beside }],
        );
        return { committed: await this.#journal.commit(timed.flat(), accompanied), timed };
      } catch (error) {
        if (!isPassing(error) || this.#closed) throw error;
        if (tries === 0) this.#log(`nothing is accepted until this is over: ${messageOf(error)}`);
        await sleep(AGAIN_MS);
      }
    }
  }

  #refuse(waiting: readonly Waiting[]): void {
    const error = new ControllerError('E_CONTROLLER_STOPPED', 'the controller stops');
    for (const { failed } of waiting) failed(error);
  }
}
