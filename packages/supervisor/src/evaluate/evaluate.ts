/** @module The evaluation: policies against each other, thresholds of the shipped one, and what each assumption does to the answer. */
import { policyId } from '../core/step.ts';
import { ASSUMPTIONS, type Assumed, type AssumptionName, assumed } from './assumptions.ts';
import { contenders, variants } from './contenders.ts';
import {
  differenceOf,
  drawFaults,
  type Drawn,
  type Faults,
  idleOutcomes,
  type Rate,
  type Rates,
  ratesOf,
  underPolicy,
} from './measure.ts';
import type { Outcome } from './episode.ts';

/** What is kept of an evaluation; rates are for 10,000 host-years. */
export interface Evaluation {
  schemaVersion: 1;
  seed: number;
  /** Faults of each sort: for the policies, for each threshold, for each assumption. */
  episodes: { policies: number; thresholds: number; assumptions: number };
  /** The shipped policy, as decisions name it. */
  policy: string;
  policies: { name: string; what: string; rates: Rates }[];
  /** The shipped policy with one threshold changed, and how much more of it there is than of the shipped one. */
  thresholds: { rule: string; value: string; more: { [name in Judged]: Rate } }[];
  assumptions: { name: AssumptionName; of: { value: number; interruptions: number[]; downMinutes: number[] }[] }[];
}

/** What a threshold is judged by. */
export const JUDGED = {
  interruptions: ({ crashes, restarts }: Outcome): number => crashes + restarts,
  harmed: ({ harmed }: Outcome): number => harmed,
  downMinutes: ({ downMinutes }: Outcome): number => downMinutes,
  migrations: ({ migrations }: Outcome): number => migrations,
  closedHostDays: ({ closedHostDays }: Outcome): number => closedHostDays,
  offlinedMb: ({ offlinedMb }: Outcome): number => offlinedMb,
} as const;
export type Judged = keyof typeof JUDGED;

interface EvaluationOptions {
  seed: number;
  episodes: Evaluation['episodes'];
  /** What is assumed otherwise than in the table. */
  assume?: Partial<Assumed>;
  /** Called as it goes on. */
  told?: (what: string) => void;
}

/** Assumptions that say how many faults of each sort there are, and nothing about what one does: nothing is drawn anew for them. */
const WEIGHTS: ReadonlySet<AssumptionName> = new Set(['ceHosts', 'ueHosts', 'foretold']);

/** Where there are no uncorrected errors a policy that looks at nothing else does nothing. */
const seesCorrected = ({ policy }: { policy: { rules: readonly { when: object }[] } }): boolean =>
  policy.rules.some(({ when }) => 'corrected' in when);

/**
 * Evaluates the shipped policy.
 * @example evaluate({ seed: 1, episodes: { policies: 1000, thresholds: 200, assumptions: 100 } })
 */
export function evaluate({ seed, episodes, assume = {}, told }: EvaluationOptions): Evaluation {
  const all = contenders();
  const [nothing] = all;
  const shipped = all.at(-1);
  if (nothing === undefined || shipped === undefined) throw new RangeError('nothing to compare');
  const under = (faults: Faults): Drawn[] => {
    const idle = idleOutcomes(faults);
    return all.map(one => {
      if (one === nothing) return idle;
      return underPolicy(faults, one.policy, seesCorrected(one) ? {} : { corrected: idle.corrected });
    });
  };
  const given = assumed(assume);

  told?.('policies');
  const faults = drawFaults(episodes.policies, seed, given, nothing.policy);
  const drawn = under(faults);
  const policies = all.map(({ name, what }, i) => ({
    name,
    what,
    rates: ratesOf(given, drawn[i] ?? idleOutcomes(faults)),
  }));

  const few = drawFaults(episodes.thresholds, seed, given, nothing.policy);
  const asShipped = underPolicy(few, shipped.policy);
  const thresholds = variants().map(({ rule, value, policy }) => {
    told?.(`${rule} ${value}`);
    const when = shipped.policy.rules.find(({ name }) => name === rule)?.when ?? {};
    const known = 'corrected' in when ? {} : { corrected: asShipped.corrected };
    const changed = underPolicy(few, policy, known);
    const more = Object.fromEntries(
      Object.entries(JUDGED).map(([name, of]) => [name, differenceOf(given, changed, asShipped, of)]),
    ) as { [name in Judged]: Rate };
    return { rule, value, more };
  });

  const fewer = drawFaults(episodes.assumptions, seed, given, nothing.policy);
  const base = under(fewer);
  const assumptions = ASSUMPTIONS.map(({ name, low, high }) => ({
    name,
    of: [low, given[name], high].map(value => {
      told?.(`${name} ${value}`);
      const other = assumed({ ...assume, [name]: value });
      const isDrawn = value === given[name] || WEIGHTS.has(name);
      const outcomes = isDrawn ? base : under(drawFaults(episodes.assumptions, seed, other, nothing.policy));
      const rates = outcomes.map(one => ratesOf(other, one));
      return {
        value,
        interruptions: rates.map(({ crashes, restarts }) => Number((crashes[0] + restarts[0]).toPrecision(4))),
        downMinutes: rates.map(({ downMinutes }) => downMinutes[0]),
      };
    }),
  }));
  return { schemaVersion: 1, seed, episodes, policy: policyId(shipped.policy), policies, thresholds, assumptions };
}
