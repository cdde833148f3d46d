/**
 * @module How far two clocks of one input are apart, as records say that both may have printed: the time of day and the time since
 * boot, say. No pair alone decides it: the first that look alike need not be one, and every start of a machine has a distance of its own.
 */

/** Seconds that two clocks may drift. */
const DRIFT = 5;
/** Distances of two clocks that are kept: one for each start of a machine, and those that one pair alone speaks for. */
const MAX_DISTANCES = 32;
/** Pairs that agree before those that stand alone are no longer believed. */
const AGREED = 2;

interface Distance {
  apart: number;
  /** Pairs that say so. */
  pairs: number;
}

export class Distances {
  readonly #byClocks = new Map<number, Distance[]>();

  /** Whether nothing is known yet. @param clocks a number for the input and its two clocks */
  isNew(clocks: number): boolean {
    return !this.#byClocks.has(clocks);
  }

  /** All that may be right, those that most pairs speak for first. */
  of(clocks: number): number[] {
    return this.#believed(clocks).map(({ apart }) => apart);
  }

  /** Whether records so far apart can be one; if so, that is one pair more that says so. */
  confirms(clocks: number, apart: number): boolean {
    const known = this.#believed(clocks).find(distance => Math.abs(distance.apart - apart) <= DRIFT);
    if (known === undefined) return false;
    known.pairs++;
    return true;
  }

  /** Records so far apart say the same: what a further pair may confirm. */
  suppose(clocks: number, apart: number): void {
    let all = this.#byClocks.get(clocks);
    if (all === undefined) this.#byClocks.set(clocks, (all = []));
    const known = all.find(distance => Math.abs(distance.apart - apart) <= DRIFT);
    if (known !== undefined) known.pairs++;
    else all.push({ apart, pairs: 1 });
    if (all.length <= MAX_DISTANCES) return;
    const alone = all.findIndex(({ pairs }) => pairs < AGREED);
    all.splice(Math.max(0, alone), 1);
  }

  #believed(clocks: number): Distance[] {
    const all = (this.#byClocks.get(clocks) ?? []).toSorted((a, b) => b.pairs - a.pairs);
    const agreed = all.filter(({ pairs }) => pairs >= AGREED);
    return agreed.length === 0 ? all : agreed;
  }
}
