import { availableParallelism } from 'node:os';
import { LabInterrupted } from '../errors.ts';
import type { Engine } from '../engine/engine.ts';
import { freshEngine } from '../engine/fresh.ts';
import type { Services } from '../parts.ts';
import { prepareRun } from '../run.ts';
import type { RunSpec } from '../run-spec.ts';
import type { Scenario } from '../scenario/load.ts';
import type { CellParts } from '@syndrome/trace/axes.ts';
import type { CellResult, MatrixMemory } from './cells.ts';

/** What a QEMU needs besides its guest's memory, MiB. */
const OVERHEAD_MIB = 400;

/** What this process may use, where a control group bounds it less than what is free (cgroups(7)). */
const here = (): { cores: number; memory: number } => ({
  cores: availableParallelism(),
  memory: process.availableMemory(),
});

/**
 * How many machines of this scenario may run at once: as many as there are cores and memory for.
 * @param limits cores, and memory in bytes
 */
export function automaticJobs(scenario: Pick<Scenario, 'machine'>, limits = here()): number {
  const byMemory = Math.floor(limits.memory / 2 ** 20 / (scenario.machine.memory + OVERHEAD_MIB));
  return Math.max(1, Math.min(limits.cores, byMemory));
}

interface MatrixServices extends Services {
  /** What carries the runs out; default: each machine is restored. */
  engine?: Engine;
  jobs: number;
  memory: MatrixMemory;
  onCell?: (entry: CellResult, known: boolean) => void;
}

/**
 * Carries out a run for every cell, of what `specOf` says with the parts of the cell; cells that are known from an interrupted run are not run again. A cell whose lab
 * failed is tried once more the next time. The caller says when the memory may forget.
 * @throws LabInterrupted; what was found out until then is kept
 */
export async function runMatrix(
  specOf: (cell: CellParts) => RunSpec,
  cells: readonly CellParts[],
  services: MatrixServices,
): Promise<CellResult[]> {
  const engine = services.engine ?? freshEngine('restore', services);
  const results = new Map<CellParts, CellResult>();
  const waiting = [...cells];
  const worker = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const { variant: _, ...parts } = cell;
      const chosen: RunSpec = { ...specOf(cell), ...parts };
      // What is wrong with a machine that cannot be put together, the run says.
      const prepared = await prepareRun(chosen, services).catch(() => undefined);
      const identity = prepared?.identity.run;
      const known = identity === undefined ? undefined : services.memory.get(identity);
      const result = known ?? (await engine.run(chosen, prepared ? { prepared } : {})).result;
      if (!known && identity !== undefined) services.memory.add(identity, result);
      results.set(cell, { cell, result });
      services.onCell?.({ cell, result }, known !== undefined);
    }
  };
  const workers = Array.from({ length: Math.min(services.jobs, cells.length) }, worker);
  const ended = await Promise.allSettled(workers);
  if (services.signal?.aborted) throw new LabInterrupted();
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return cells.flatMap(cell => results.get(cell) ?? []);
}
