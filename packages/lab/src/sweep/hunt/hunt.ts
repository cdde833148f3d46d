/**
 * @module A hunt: machine checks and steps by chance, led by what is new. What showed something new is kept and varied; what
 * shows a defect is made small and becomes a scenario.
 */
import type { McaVendor } from '@syndrome/decode/mca/record.ts';
import type { Engine } from '../../engine/engine.ts';
import { LabInterrupted } from '../../errors.ts';
import { drawn } from '../../params/shuffle.ts';
import type { PartChoices } from '../../part-choices.ts';
import { scenarioData } from '../../run-spec.ts';
import { parseScenario } from '../../scenario/load.ts';
import { isLost } from '../measure.ts';
import { type Observation, observe } from '../observation.ts';
import { SweepError } from '../errors.ts';
import { defectOf, expectationOf, featuresOf } from './coverage.ts';
import type { Corpus } from './corpus.ts';
import { type Chance, type Genome, mutated, randomGenome, scenarioText, simpler } from './genome.ts';

/** A defect, and the smallest run that shows it. */
interface Caught {
  defect: string;
  outcome: string;
  /** How many of the runs showed it. */
  runs: number;
  /** The scenario, as text. */
  scenario: string;
  trace?: string;
}

/** What `hunt --json` prints. */
export interface HuntReport {
  schemaVersion: 1;
  vendor: McaVendor;
  seed: number;
  /** Runs that were made, those that made a defect small among them. */
  runs: number;
  seconds: number;
  /** CPU time of the machines, s. */
  cpuSeconds: number;
  /** Kinds of behaviour that are known, and how many of them this hunt found. */
  features: number;
  found: string[];
  corpus: number;
  caught: Caught[];
  /** Runs that the lab could not carry out. */
  failed: number;
}

interface HuntOptions {
  vendor: McaVendor;
  seed: number;
  jobs: number;
  /** So many runs by chance. */
  limit: number;
  /** Seconds after which no run is begun any more. */
  deadline?: number;
  choices: PartChoices;
  engine: Engine;
  corpus: Corpus;
  signal?: AbortSignal;
  onNew?: (features: readonly string[], runs: number) => void;
  onCaught?: (defect: string) => void;
}

/** Runs of which one is all new: the others vary what is known. */
const FRESH_ONE_IN = 8;
/** Runs that making one defect small may take. */
const MOST_TRIES = 60;
/** So many failures without a success between them are no chance. */
const MOST_FAILURES = 8;

/** A chance that is the same for a seed and a place in the hunt. */
export function chanceOf(seed: number, n: number): Chance {
  let drawnSoFar = 0;
  return below => drawn(seed, 'hunt', n, drawnSoFar++) % below;
}

/** Hunts. What was found until an interruption is kept. @throws LabInterrupted, SweepError */
export async function hunt(options: HuntOptions): Promise<HuntReport> {
  const { vendor, seed, jobs, limit, deadline = Infinity, choices, engine, corpus, signal, onNew, onCaught } = options;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const known = (await corpus.load()).filter(({ genome }) => genome.vendor === vendor);
  const genomes = known.map(({ genome }) => genome);
  const features = new Set(known.flatMap(one => one.features));
  const report: HuntReport = {
    schemaVersion: 1,
    vendor,
    seed,
    runs: 0,
    seconds: 0,
    cpuSeconds: 0,
    features: 0,
    found: [],
    corpus: 0,
    caught: [],
    failed: 0,
  };
  const shown = new Map<string, { genome: Genome; observation: Observation; runs: number; trace?: string }>();
  let failures = 0;
  const base = known.length;

  const run = async (
    genome: Genome,
    keep: boolean,
  ): Promise<{ observation: Observation; trace?: string } | undefined> => {
    const told = { name: 'hunted', title: 'A run by chance', outcome: 'none', expect: expectationOf('hung') };
    const scenario = scenarioData(parseScenario(scenarioText(genome, told), 'hunted.yaml'));
    const made = await engine.run(
      // Nothing is waited for: what a run comes to is looked at, whatever it is.
      { ...choices, scenario: { ...scenario, expect: [] } },
      { keep: (_, events) => keep || defectOf(observe(events)) !== undefined },
    );
    report.runs++;
    report.cpuSeconds += made.cpuSeconds.qemu ?? 0;
    if (isLost(made)) {
      report.failed++;
      if (++failures >= MOST_FAILURES)
        throw new SweepError('E_SWEEP_LAB', `${failures} runs in a row were not carried out`, {
          hint: made.result.problem?.message ?? made.result.verdict,
        });
      return undefined;
    }
    failures = 0;
    return { observation: observe(made.events), ...(made.trace === undefined ? {} : { trace: made.trace }) };
  };

  let next = 0;
  let stopped: unknown;
  const worker = async (): Promise<void> => {
    while (next < limit && seconds() < deadline && signal?.aborted !== true && stopped === undefined) {
      const n = base + next++;
      const chance = chanceOf(seed, n);
      const some = (): Genome => genomes[chance(genomes.length)] as Genome;
      const genome =
        genomes.length === 0 || chance(FRESH_ONE_IN) === 0
          ? randomGenome(vendor, chance)
          : mutated(some(), some(), chance);
      const made = await run(genome, false);
      if (made === undefined) continue;
      const of = featuresOf(made.observation);
      const fresh = of.filter(feature => !features.has(feature));
      for (const feature of fresh) features.add(feature);
      if (fresh.length > 0) {
        genomes.push(genome);
        report.found.push(...fresh);
        await corpus.keep(genome, of);
        onNew?.(fresh, next);
      }
      const defect = defectOf(made.observation);
      if (defect === undefined) continue;
      const before = shown.get(defect);
      if (before) before.runs++;
      else {
        shown.set(defect, { genome, runs: 1, ...made });
        onCaught?.(defect);
      }
    }
  };
  const ended = await Promise.allSettled(
    Array.from({ length: Math.min(jobs, limit) }, () =>
      worker().catch((error: unknown) => {
        stopped ??= error;
        throw error;
      }),
    ),
  );
  if (signal?.aborted) throw new LabInterrupted();
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  for (const [defect, { genome, observation, runs, trace }] of shown) {
    let small = { genome, outcome: observation.outcome, ...(trace === undefined ? {} : { trace }) };
    let tries = 0;
    for (let again = true; again; ) {
      again = false;
      for (const tried of simpler(small.genome)) {
        if (tries >= MOST_TRIES || seconds() >= 2 * deadline) break;
        if (signal?.aborted) throw new LabInterrupted();
        tries++;
        const made = await run(tried, true);
        if (made === undefined || defectOf(made.observation) !== defect) continue;
        small = {
          genome: tried,
          outcome: made.observation.outcome,
          ...(made.trace === undefined ? {} : { trace: made.trace }),
        };
        again = true;
        break;
      }
    }
    report.caught.push({
      defect,
      outcome: small.outcome,
      runs,
      scenario: scenarioText(small.genome, {
        name: `hunted-${report.caught.length + 1}`,
        title: defect.slice(0, 120),
        outcome: small.outcome,
        expect: expectationOf(defect),
      }),
      ...(small.trace === undefined ? {} : { trace: small.trace }),
    });
  }
  return { ...report, seconds: seconds(), features: features.size, corpus: genomes.length };
}
