import { safeText } from '@syndrome/decode/common/screen.ts';
import { ownSeconds, type RunResult } from '../run.ts';

/** What repeated runs of one scenario came to. */
interface Distribution {
  schemaVersion: 1;
  scenario: string;
  runs: number;
  verdicts: Record<string, number>;
  outcomes: Record<string, number>;
  /** Machines that had to be started once more before anything was injected. */
  restarts: number;
  /** Of the time that a run had its machine for itself, and of that after the injection; quantiles in seconds. */
  seconds: Quantiles;
  afterInjection?: Quantiles;
}

interface Quantiles {
  min: number;
  median: number;
  p90: number;
  max: number;
}

/** By nearest rank: the smallest of the values below or at which that share of them lies. */
function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN;
  return { min: at(0), median: at(0.5), p90: at(0.9), max: at(1) };
}

function count(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** Sums up the runs of one scenario: flakiness is a result, not noise to hide. */
export function distribution(scenario: string, results: readonly RunResult[]): Distribution {
  const after = results.flatMap(r => (r.phases.injected === undefined ? [] : [r.seconds - r.phases.injected]));
  return {
    schemaVersion: 1,
    scenario,
    runs: results.length,
    verdicts: count(results.map(r => r.verdict)),
    outcomes: count(results.map(r => r.outcome)),
    restarts: results.reduce((sum, r) => sum + r.restarts, 0),
    seconds: quantiles(results.map(ownSeconds)),
    ...(after.length === 0 ? {} : { afterInjection: quantiles(after) }),
  };
}

/** The distribution, with a bar for each outcome. */
export function distributionLines(d: Distribution): string[] {
  const bar = (n: number): string => '█'.repeat(Math.max(1, Math.round((n / d.runs) * 40)));
  const times = (q: Quantiles): string =>
    `min ${q.min.toFixed(2)}  median ${q.median.toFixed(2)}  p90 ${q.p90.toFixed(2)}  max ${q.max.toFixed(2)} s`;
  const verdicts = Object.entries(d.verdicts).map(([verdict, n]) => `${n} ${safeText(verdict, 64)}`);
  return [
    `${safeText(d.scenario, 200)}: ${d.runs} runs, ${verdicts.join(', ')}`,
    ...Object.entries(d.outcomes).map(
      ([outcome, n]) => `  ${safeText(outcome, 64).padEnd(10)} ${String(n).padStart(4)}  ${bar(n)}`,
    ),
    ...(d.restarts === 0 ? [] : [`  restarts   ${String(d.restarts).padStart(4)}`]),
    `  run        ${times(d.seconds)}`,
    ...(d.afterInjection ? [`  after inj. ${times(d.afterInjection)}`] : []),
  ];
}
