/** @module The time at the controller, as its agent can tell: acts have their deadlines by that clock, and a host's own may be wrong by hours. */

/** Messages of which the fastest counts: one that waited in a buffer, where the agent was held up, says too early a time. */
const HEARD = 6;

interface Clocks {
  /** ms, never goes back; also while the process is stopped. */
  steady: () => number;
  /** ms UTC, as the host has it. */
  wall: () => number;
}

const MACHINE: Clocks = { steady: () => performance.now(), wall: () => Date.now() };

export class ControllerClock {
  readonly #clocks: Clocks;
  /** How far the controller's clock is before our steady one, by each message. */
  readonly #ahead: number[] = [];

  constructor(clocks: Clocks = MACHINE) {
    this.#clocks = clocks;
  }

  /** Takes the time that a message of the controller names, ms UTC. */
  heard(now: number): void {
    this.#ahead.push(now - this.#clocks.steady());
    if (this.#ahead.length > HEARD) this.#ahead.shift();
  }

  /**
   * A time of the controller by the wall clock of this host, ms. Too late at most by as long as the fastest of the last messages
   * was under way; before the first one both clocks count as the same.
   * @example clock.here(act.deadline) // 1_795_914_984_562, an hour later where this host's clock is an hour ahead
   */
  here(time: number): number {
    if (this.#ahead.length === 0) return time;
    const { steady, wall } = this.#clocks;
    return Math.round(time - (steady() + Math.max(...this.#ahead)) + wall());
  }
}
