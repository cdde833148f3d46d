/** @module From episodes to rates: each sort of fault is drawn apart and weighed by how often it is; with intervals of 95 %. */
import type { Policy } from '../core/policy.ts';
import type { VmId } from '../core/ids.ts';
import type { Assumed } from './assumptions.ts';
import { Episode, type Outcome } from './episode.ts';
import { STRATA, type Stratum, type Timeline, timelineOf, weightOf } from './timeline.ts';

/** All is told for so many host-years. */
export const HOST_YEARS = 10_000;
/** Of the normal distribution, for 95 %. */
const Z = 1.96;

export type Measure = keyof Outcome;
/** A rate per 10,000 host-years, and half of its interval of 95 %. */
export type Rate = readonly [mean: number, half: number];
export type Rates = Readonly<Record<Measure, Rate>>;
/** What came of each fault that was drawn. */
export type Drawn = Readonly<Record<Stratum, readonly Outcome[]>>;

/** Faults of one seed, with what each does when nobody does anything. */
export interface Faults {
  given: Assumed;
  of: Readonly<Record<Stratum, readonly { timeline: Timeline; outcome: Outcome; hurt: ReadonlyMap<VmId, number> }[]>>;
}

const byStratum = <T>(of: (stratum: Stratum, nth: number) => T): Record<Stratum, T> =>
  Object.fromEntries(STRATA.map((stratum, nth) => [stratum, of(stratum, nth)])) as Record<Stratum, T>;

/** Draws so many faults of each sort. @param idle the policy under which nobody does anything */
export function drawFaults(episodes: number, seed: number, given: Assumed, idle: Policy): Faults {
  const of = byStratum((stratum, nth) =>
    Array.from({ length: episodes }, (_, i) => {
      const timeline = timelineOf(seed + (nth * episodes + i) * 7919, stratum, given);
      return { timeline, ...new Episode(timeline, idle, given).run() };
    }),
  );
  return { given, of };
}

/** What comes of faults when nobody does anything. */
export const idleOutcomes = ({ of }: Faults): Drawn => byStratum(stratum => of[stratum].map(({ outcome }) => outcome));

/**
 * What comes of faults under a policy.
 * @param known of strata for which it is known already: a rule that asks for uncorrected errors changes nothing where there are none
 */
export function underPolicy({ given, of }: Faults, policy: Policy, known: Partial<Drawn> = {}): Drawn {
  return byStratum(
    stratum =>
      known[stratum] ??
      of[stratum].map(({ timeline, hurt }) => new Episode(timeline, policy, given, hurt).run().outcome),
  );
}

/** A mean over strata with its interval, of a number for each fault. */
function weighed(given: Assumed, of: (stratum: Stratum) => readonly number[]): Rate {
  let mean = 0;
  let variance = 0;
  for (const stratum of STRATA) {
    const weight = weightOf(stratum, given) * HOST_YEARS;
    const all = of(stratum);
    const n = all.length;
    const average = all.reduce((sum, x) => sum + x, 0) / n;
    const spread = all.reduce((sum, x) => sum + (x - average) ** 2, 0) / Math.max(1, n - 1);
    mean += weight * average;
    variance += (weight ** 2 * spread) / n;
  }
  return [round(mean), round(Z * Math.sqrt(variance))];
}

/** As it is kept: what a person tells apart. */
const round = (x: number): number => Number(x.toPrecision(4));

/** Rates of all that is measured. */
export function ratesOf(given: Assumed, drawn: Drawn): Rates {
  const names = Object.keys(drawn.corrected[0] ?? {}) as Measure[];
  return Object.fromEntries(
    names.map(name => [name, weighed(given, stratum => drawn[stratum].map(outcome => outcome[name]))]),
  ) as Record<Measure, Rate>;
}

/** How much more there is of something than under another policy, fault by fault: the same faults, so that chance cancels out. */
export function differenceOf(given: Assumed, a: Drawn, b: Drawn, of: (outcome: Outcome) => number): Rate {
  return weighed(given, stratum =>
    a[stratum].map((outcome, i) => {
      const other = b[stratum][i];
      return other === undefined ? 0 : of(outcome) - of(other);
    }),
  );
}
