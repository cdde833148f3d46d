/** @module Many sites, one seed after the other, until so many host-hours have passed. */
import type { Policy } from '../core/policy.ts';
import { shippedPolicy } from '../policy/shipped.ts';
import { PATIENT, QUICK } from './policies.ts';
import { runSites } from './crew.ts';
import { type Nemeses, noNemeses, type SiteCounts, type SiteFlaws, type Violation } from './site.ts';

/** Checks that can be left out, to see that it is noticed. */
export const FLAWS = ['epoch', 'proof', 'dedupe', 'breaker'] as const;
export type Flaw = (typeof FLAWS)[number];

/** One site lasts so long at most, hours: its history begins anew then, under another policy. */
const MAX_HOURS = 24;

export interface SimulationOptions {
  hosts: number;
  /** Host-hours in total. */
  hours: number;
  /** Of the first site; the next one has the next. */
  seed: number;
  faultsPerHostHour: number;
  /** Ledgers of a site, which its controllers share. Default 1. */
  shards?: number;
  flaw?: keyof SiteFlaws;
  /** How many sites are simulated at a time. Default 1. */
  threads?: number;
  signal?: AbortSignal;
  /** Called behind each site. */
  told?: (site: SiteCounts & { seed: number; hostHours: number }) => void;
  /** Called now and then while a site is simulated that has no thread of its own, with all host-hours so far. */
  passing?: (hostHours: number) => void;
}

export interface Simulated {
  /** Sites that were simulated. */
  seeds: number;
  hostHours: number;
  faults: number;
  starts: number;
  proofs: number;
  inputs: number;
  nemesis: Nemeses;
  violations: Violation[];
}

/** Sites have policies in turn: one that acts soon, one that leaves owners time, and the one that is shipped. */
function policiesOf(): (seed: number) => Policy {
  const policies = [QUICK, PATIENT, shippedPolicy('protect')];
  return seed => policies[seed % policies.length] ?? QUICK;
}

/**
 * Simulates sites, and checks what must hold at each step.
 * @throws what the signal gives as its reason
 * @example await simulate({ hosts: 50, hours: 10_000, seed: 1, faultsPerHostHour: 0.2 })
 */
export async function simulate(options: SimulationOptions): Promise<Simulated> {
  const {
    hosts,
    hours,
    seed: first,
    faultsPerHostHour,
    shards = 1,
    flaw,
    threads = 1,
    signal,
    told,
    passing,
  } = options;
  const count = Math.max(1, Math.ceil(hours / hosts / MAX_HOURS));
  const policyOf = policiesOf();
  const flaws = flaw === undefined ? {} : { [flaw]: true };
  const sites = Array.from({ length: count }, (_, nth) => {
    const seed = first + nth;
    // Whole host-hours, so that one site can be asked for by itself.
    const own = Math.floor(hours / count) + (nth < hours % count ? 1 : 0);
    return { seed, hosts, hours: own / hosts, faultsPerHostHour, shards, policy: policyOf(seed), flaws };
  });
  const sum: Simulated = {
    seeds: 0,
    hostHours: 0,
    faults: 0,
    starts: 0,
    proofs: 0,
    inputs: 0,
    nemesis: noNemeses(),
    violations: [],
  };
  await runSites(sites, {
    threads,
    signal,
    passing: passing && (passed => passing(sum.hostHours + passed * hosts)),
    told: (counts, { seed, hours: each }) => {
      const hostHours = Math.round(each * hosts);
      sum.seeds++;
      sum.hostHours += hostHours;
      for (const name of ['faults', 'starts', 'proofs', 'inputs'] as const) sum[name] += counts[name];
      for (const [name, times] of Object.entries(counts.nemesis)) sum.nemesis[name as keyof Nemeses] += times;
      sum.violations.push(...counts.violations);
      told?.({ ...counts, seed, hostHours });
    },
  });
  return sum;
}
