/**
 * @module Whether a cell that was measured beside others is what it is alone: now and then one is measured again in a machine of
 * its own, started from the file of its state, and more rarely in one that is booted.
 */
import type { CellRun, Engine } from '../engine/engine.ts';
import type { RunSpec } from '../run-spec.ts';
import { drawn } from '../params/shuffle.ts';
import { evidenceOf, observe } from './observation.ts';
import { SweepError } from './errors.ts';

/** Of so many cells one is measured again from the file, and one cold. */
export const AGAIN_ONE_IN = { restore: 100, cold: 1000 } as const;

/** What is said of it in a report. */
export interface IsolationCounts {
  /** Cells that were measured again in a machine of their own. */
  checked: number;
  /** Of these in one that was booted. */
  cold: number;
  /** Cells that differ from run to run in one engine: they say nothing against it. */
  unsteady: { cell: string; differs: string; trace?: string }[];
}

/** Which engines measure the n-th new cell of a sweep again. The first is always, so that no sweep goes without. */
export function checksOf(n: number, seed: number): ('restore' | 'cold')[] {
  const cold = drawn(seed, 'cold', n) % AGAIN_ONE_IN.cold === 0;
  const restore = n === 0 || drawn(seed, 'again', n) % AGAIN_ONE_IN.restore === 0;
  return [...(restore ? (['restore'] as const) : []), ...(cold ? (['cold'] as const) : [])];
}

/**
 * Events and the outcome. That a guest no longer answers, or that a VMM has gone, is no event among them, for how soon the lab
 * sees it differs; as `hung` and `vmm-died` it is the outcome, unless something worse has come before it.
 */
const shownBy = ({ events }: CellRun): string[] => [...evidenceOf(events), `outcome ${observe(events).outcome}`];

/** What one run shows and the other does not. */
function difference(a: CellRun, b: CellRun): string | undefined {
  const [left, right] = [shownBy(a), shownBy(b)];
  const only = (of: string[], other: string[]): string[] => of.filter(word => !other.includes(word));
  const [lost, more] = [only(left, right), only(right, left)];
  if (lost.length === 0 && more.length === 0) return undefined;
  return [...lost.map(word => `only here: ${word}`), ...more.map(word => `only alone: ${word}`)].join('; ');
}

/** How often a cell is tried that differs before it is told. */
const TRIES = 2;

/**
 * Measures a cell again.
 * @param first what the sweep saw
 * @param alone starts a machine for each run
 * @returns why it is unsteady, if it is; undefined where both are the same
 * @throws SweepError E_SWEEP_ISOLATION with both traces
 */
export async function checkIsolation(
  spec: RunSpec,
  first: CellRun,
  { engine, alone }: { engine: Engine; alone: Engine },
): Promise<string | undefined> {
  const again = await alone.run(spec, { keep: 'all' });
  const differs = difference(first, again);
  if (differs === undefined) return undefined;
  const [here, there] = [[first], [again]];
  for (let i = 0; i < TRIES; i++) {
    here.push(await engine.run(spec, { keep: 'all' }));
    there.push(await alone.run(spec, { keep: 'all' }));
  }
  // Some run of the one is as some run of the other: what differs is the cell, by chance.
  if (here.some(a => there.some(b => difference(a, b) === undefined))) return differs;
  const traces = [here.at(-1)?.trace, there.at(-1)?.trace].map(trace => trace ?? '(not kept)');
  throw new SweepError('E_SWEEP_ISOLATION', `${spec.scenario.title}: ${differs}`, {
    hint: `Compare the two runs: syndrome compare ${traces.join(' ')}`,
  });
}
