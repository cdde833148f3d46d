/** @module Measures the cells of a space that are not known yet, many at a time, and keeps what they come to. */
import { LabInterrupted } from '../errors.ts';
import type { CellRun, Engine } from '../engine/engine.ts';
import type { Cell, SpaceMachines } from './space-machines.ts';
import { checkIsolation, checksOf, type IsolationCounts } from './isolation.ts';
import { type Agreement, judgeCell, nameOf } from './judge.ts';
import { observe } from './observation.ts';
import { SweepError } from './errors.ts';
import type { MeasuredCell, SweepStore } from './store.ts';

/** A cell and what is known of it. */
export interface KnownCell {
  cell: Cell;
  measured: MeasuredCell;
  agreement: Agreement;
}

export interface MeasureServices {
  engine: Engine;
  /** Starts a machine for each run, restored and cold. */
  alone: { restore: Engine; cold: Engine };
  store: SweepStore;
  jobs: number;
  seed: number;
  signal?: AbortSignal;
  onCell?: (known: KnownCell) => void;
}

/** What came of it. */
interface Measured {
  cells: KnownCell[];
  isolation: IsolationCounts;
  /** Of all runs, s: what their machines used. */
  machineSeconds: number;
  /** Engines that carried cells out, and why no cheaper one did. */
  engines: string[];
  refusals: string[];
  /** Cells that the lab could not carry out, with why. */
  failed: { cell: string; why: string }[];
}

/** So many failures without a success between them are no chance. */
const MOST_FAILURES = 8;

/** What is kept of a cell that was carried out. */
export const measuredOf = (cell: Cell, run: CellRun): MeasuredCell => ({
  ...observe(run.events),
  identity: cell.identity,
  engine: run.engine,
  cpuSeconds: run.cpuSeconds.qemu ?? 0,
  seconds: run.result.seconds,
  ...(run.trace === undefined ? {} : { trace: run.trace }),
});

/** The lab could not carry it out. */
export const isLost = ({ result: { verdict } }: CellRun): boolean => verdict === 'error' || verdict === 'skip';

/** What of a run is not as predicted, by its name; undefined where nothing is. */
function disagreement({ predicted }: Cell, events: CellRun['events']): string | undefined {
  const judged = judgeCell(predicted, observe(events));
  return judged.agreement === 'disagree' ? nameOf(predicted, judged) : undefined;
}

/**
 * Measures cells. Those of one prefix stand beside each other, so that few machines have to be kept.
 * @param cells in the order of the seed
 * @throws SweepError E_SWEEP_ISOLATION, E_SWEEP_LAB; LabInterrupted: what was measured is kept
 */
export async function measure(
  machines: SpaceMachines,
  cells: readonly Cell[],
  services: MeasureServices,
): Promise<Measured> {
  const { engine, alone, store, jobs, seed, signal, onCell } = services;
  const order = [...Map.groupBy(cells, cell => cell.prefix).values()].flat();
  const made: Measured = {
    cells: [],
    isolation: { checked: 0, cold: 0, unsteady: [] },
    machineSeconds: 0,
    engines: [],
    refusals: [],
    failed: [],
  };
  let next = 0;
  let failures = 0;
  let stopped: unknown;
  /** What disagreed, in words, and the trace of it. */
  const doubtful: { cell: Cell; checks: ReturnType<typeof checksOf>; why: string; trace?: string }[] = [];

  /** Counts a run; false for one that the lab could not carry out. */
  const counts = (cell: Cell, run: CellRun): boolean => {
    made.machineSeconds += run.cpuSeconds.qemu ?? 0;
    if (!isLost(run)) {
      failures = 0;
      return true;
    }
    const why = run.result.problem?.message ?? run.result.verdict;
    made.failed.push({ cell: cell.spec.scenario.title, why });
    if (++failures >= MOST_FAILURES)
      throw new SweepError('E_SWEEP_LAB', `${failures} cells in a row were not carried out`, { hint: why });
    return false;
  };

  /** Checks a run where it is its turn, and keeps it. */
  const keepRun = async (cell: Cell, run: CellRun, checks: ReturnType<typeof checksOf>): Promise<void> => {
    const measured = measuredOf(cell, run);
    if (!made.engines.includes(run.engine)) made.engines.push(run.engine);
    for (const { engine: kind, message } of run.refusals) {
      const line = `${kind}: ${message}`;
      if (!made.refusals.includes(line)) made.refusals.push(line);
    }
    for (const kind of checks) {
      const differs = await checkIsolation(cell.spec, run, { engine, alone: alone[kind] });
      made.isolation.checked++;
      if (kind === 'cold') made.isolation.cold++;
      if (differs !== undefined) made.isolation.unsteady.push({ cell: cell.spec.scenario.title, differs });
    }
    const { agreement } = judgeCell(cell.predicted, measured);
    await store.add(machines.setup, cell.place, { ...measured, agreement });
    const known = { cell, measured, agreement };
    made.cells.push(known);
    onCell?.(known);
  };

  const keepOf =
    (cell: Cell, checks: readonly unknown[]) =>
    (_: unknown, events: CellRun['events']): boolean =>
      checks.length > 0 || disagreement(cell, events) !== undefined;

  const worker = async (): Promise<void> => {
    for (let n = next++; n < order.length && stopped === undefined && signal?.aborted !== true; n = next++) {
      const cell = order[n] as Cell;
      const checks = checksOf(n, seed);
      const run = await engine.run(cell.spec, { keep: keepOf(cell, checks) });
      if (!counts(cell, run)) continue;
      const why = disagreement(cell, run.events);
      if (why === undefined) await keepRun(cell, run, checks);
      else doubtful.push({ cell, checks, why, ...(run.trace === undefined ? {} : { trace: run.trace }) });
    }
  };

  /**
   * On a busy computer a machine may not have come to an end in its time, and chance would be a finding: what disagrees is
   * measured again when nothing else runs.
   */
  const again = async (): Promise<void> => {
    for (const { cell, checks, why, trace } of doubtful) {
      if (signal?.aborted === true) return;
      const run = await engine.run(cell.spec, { keep: keepOf(cell, checks) });
      if (!counts(cell, run)) continue;
      if (disagreement(cell, run.events) === undefined)
        made.isolation.unsteady.push({
          cell: cell.spec.scenario.title,
          differs: `it disagreed with the rules once: ${why}`,
          ...(trace === undefined ? {} : { trace }),
        });
      await keepRun(cell, run, checks);
    }
  };

  const ended = await Promise.allSettled(
    Array.from({ length: Math.min(jobs, order.length) }, () =>
      worker().catch((error: unknown) => {
        stopped ??= error;
        throw error;
      }),
    ),
  );
  if (signal?.aborted) throw new LabInterrupted();
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  await again();
  if (signal?.aborted) throw new LabInterrupted();
  return made;
}
