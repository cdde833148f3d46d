/** @module The time that inputs get: it never goes back, and never stands still, whatever is done to the clock of the machine. */
import type { Time } from '../core/ids.ts';

/** What a clock is made of; tests make their own. */
export interface Clocks {
  /** ms UTC, as the machine believes. May jump. */
  wall(): number;
  /** ms since some moment, steady. */
  steady(): number;
}

export const MACHINE: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

/** Below this a difference is only the clock being trimmed. */
const JUMP_MS = 5000;

/**
 * Time that follows the machine's clock forward, and waits for it where that went back: until then it runs at half its speed,
 * so that deadlines still pass.
 */
export class SteadyTime {
  readonly #clocks: Clocks;
  #last: Time;
  /** The steady clock when the time went on last. */
  #steady: number;
  /** How far the machine's clock was before the steady one when it was last looked at. */
  #ahead: number;
  /** How often the clock of the machine was set by more than seconds, and by how much last, ms. */
  readonly jumps = { count: 0, lastMs: 0 };

  /** @param after the last time that the store knows */
  constructor(clocks: Clocks, after: Time = 0) {
    this.#clocks = clocks;
    const wall = clocks.wall();
    this.#steady = clocks.steady();
    this.#ahead = wall - this.#steady;
    this.#last = Math.max(after, Math.floor(wall));
  }

  /** ms UTC, never less than before. */
  now(): Time {
    const wall = this.#clocks.wall();
    const steady = this.#clocks.steady();
    // Before anything else: of two jumps in one millisecond each counts.
    const jump = wall - steady - this.#ahead;
    this.#ahead = wall - steady;
    if (Math.abs(jump) > JUMP_MS) {
      this.jumps.count++;
      this.jumps.lastMs = Math.round(jump);
    }
    const passed = Math.max(0, steady - this.#steady);
    // Half of it would be nothing yet: it is left for the next time.
    if (wall < this.#last && passed < 2) return this.#last;
    this.#steady = steady;
    this.#last = Math.floor(wall >= this.#last ? wall : this.#last + passed / 2);
    return this.#last;
  }
}
