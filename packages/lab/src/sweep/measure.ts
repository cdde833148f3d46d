/** @module Measures the cells of a space that are not known yet, many at a time, and keeps what they come to. */
import { LabInterrupted } from '../errors.ts';
import type { CellRun, Engine } from '../engine/engine.ts';
import type { Cell, SpaceMachines } from './space-machines.ts';
import { checkIsolation, checksOf, type IsolationCounts } from './isolation.ts';
import { type Agreement, judgeCell } from './judge.ts';
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

const disagrees = (cell: Cell, run: CellRun): boolean =>
  judgeCell(cell.predicted, observe(run.events)).agreement === 'disagree';

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
  const worker = async (): Promise<void> => {
    for (let n = next++; n < order.length && stopped === undefined && signal?.aborted !== true; n = next++) {
      const cell = order[n] as Cell;
      const checks = checksOf(n, seed);
      const keep = (): boolean => checks.length > 0;
      let run = await engine.run(cell.spec, { keep });
      // One chance outcome on a busy computer would be a finding: what disagrees is tried once more.
      const doubtful = !isLost(run) && disagrees(cell, run);
      if (doubtful) {
        run = await engine.run(cell.spec, { keep });
        if (isLost(run) || !disagrees(cell, run))
          made.isolation.unsteady.push({ cell: cell.spec.scenario.title, differs: 'it disagreed with the rules once' });
      }
      if (isLost(run)) {
        const why = run.result.problem?.message ?? run.result.verdict;
        made.failed.push({ cell: cell.spec.scenario.title, why });
        if (++failures >= MOST_FAILURES)
          throw new SweepError('E_SWEEP_LAB', `${failures} cells in a row were not carried out`, { hint: why });
        continue;
      }
      failures = 0;
      const measured = measuredOf(cell, run);
      made.machineSeconds += run.cpuSeconds.qemu ?? 0;
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
      await store.add(machines.setup, cell.place, measured);
      const known = { cell, measured, agreement: judgeCell(cell.predicted, measured).agreement };
      made.cells.push(known);
      onCell?.(known);
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
  return made;
}
