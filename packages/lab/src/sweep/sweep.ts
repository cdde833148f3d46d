/** @module A sweep of a space over kernels: what is not known is measured, all is judged, what disagrees is made small and named. */
import { LabInterrupted } from '../errors.ts';
import type { Engine, EngineKind } from '../engine/engine.ts';
import { openEngine } from '../engine/open.ts';
import { type Point, sizeOf } from '../params/space.ts';
import type { PartChoices } from '../part-choices.ts';
import type { Services } from '../parts.ts';
import { type Cell, SpaceMachines } from './space-machines.ts';
import type { IsolationCounts } from './isolation.ts';
import { type Agreement, judgeCell, type Judged, nameOf } from './judge.ts';
import { isLost, type KnownCell, measure, measuredOf, type MeasureServices } from './measure.ts';
import { minimise } from './minimise.ts';
import type { SweepSpace } from './spaces.ts';
import type { MeasuredCell, PlacedCell, SweepStore } from './store.ts';
import { pointsIn, takePoints, type Take } from './take.ts';

/** A kind of disagreement: what was predicted by which rule, what was seen, and the smallest cell that shows it. */
interface Finding {
  /** The rule, and what differs. */
  name: string;
  kernel: string;
  rule: string;
  differs: NonNullable<Judged['differs']>;
  /** How many of the cells show it. */
  cells: number;
  /** The smallest point that is known to show it, and how many runs it took to find. */
  smallest: Point;
  tried: number;
  /** The line that tells most of what was seen, and what the rules said. */
  line?: string;
  predicted?: string;
  trace?: string;
}

/** What `sweep --json` prints. */
export interface SweepReport {
  schemaVersion: 1;
  space: string;
  kernels: string[];
  /** Isolated injections that were made now. */
  cells: number;
  /** Cells that were known. */
  cached: number;
  /** Wall time of the whole command, s. */
  seconds: number;
  /** CPU time of it with all machines, s. */
  cpuSeconds: number;
  engine: string;
  /** Why no cheaper engine did it. */
  refusals: string[];
  /** Of all cells, those measured now and those known. */
  agree: number;
  disagree: number;
  undecided: number;
  /** Why cells are undecided: what the rules would have to know, and how many cells that leaves open. */
  open: { dependsOn: string; cells: number; example: string }[];
  isolation: IsolationCounts;
  findings: Finding[];
  /** Cells that the lab could not carry out. */
  failed: { cell: string; why: string }[];
}

interface SweepOptions {
  choices: PartChoices;
  services: Services;
  store: SweepStore;
  jobs: number;
  seed: number;
  take: Take;
  again: boolean;
  engine?: EngineKind;
  /** So many new cells, over all kernels. */
  limit?: number;
  /** `performance.now()` at the start of the command. */
  started: number;
  onPlan?: (plan: { kernel: string; points: number; known: number; left: number; seconds?: number }) => void;
  onProgress?: (progress: { done: number; of: number; disagree: number; eta?: number }) => void;
  onNote?: (text: string) => void;
}

/** Cells of a plan are looked up so many at a time. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

/** Kinds of disagreement that are made small; of more each has its first cell. */
const MOST_MINIMISED = 12;

interface Planned {
  fresh: Cell[];
  known: KnownCell[];
}

const judged = (cell: Cell, measured: MeasuredCell): KnownCell => ({
  cell,
  measured,
  agreement: judgeCell(cell.predicted, measured).agreement,
});

/** What is known of the points of a sweep, and what is to be measured: at most so many cells. */
async function plan(
  machines: SpaceMachines,
  { store, take, seed, again }: SweepOptions,
  limit: number,
): Promise<Planned> {
  const known = again ? new Map<string, PlacedCell>() : await store.known(machines.setup);
  const found: Planned = { fresh: [], known: [] };
  // Of a whole space all that is known counts, of a sample what is in it.
  const keep = async (one: KnownCell, before?: Agreement): Promise<void> => {
    const { cell, measured, agreement } = one;
    if (agreement !== before) await store.add(machines.setup, cell.place, { ...measured, agreement });
    found.known.push(one);
  };
  if (take === 'full')
    for (const [place, there] of known)
      await keep(judged(await machines.cell(JSON.parse(place) as Point), there), there.agreement);
  for (const point of pointsIn(machines.space.space, take, seed)) {
    if (found.fresh.length >= limit) break;
    if (take === 'full' && known.has(JSON.stringify(point))) continue;
    const cell = await machines.cell(point);
    const there = known.get(cell.place) ?? (again ? undefined : await store.cell(cell.identity));
    if (there === undefined) found.fresh.push(cell);
    else await keep(judged(cell, there), known.get(cell.place)?.agreement);
  }
  return found;
}

const engineLabel = (engines: readonly string[], chosen: Engine): string =>
  engines.length === 0 ? chosen.kind : engines.join('+');

/** Sweeps a space over kernels, one after the other. @throws LabInterrupted, SweepError, SupplyError, LabSkip */
export async function sweepKernels(
  space: SweepSpace,
  kernels: readonly string[],
  options: SweepOptions,
): Promise<SweepReport> {
  const { services, store, jobs, seed, limit = NO_LIMIT, onPlan, onProgress } = options;
  const own = process.cpuUsage();
  const engine = await openEngine({ services, ...(options.engine === undefined ? {} : { kind: options.engine }) });
  const alone = {
    restore: await openEngine({ kind: 'restore', services }),
    cold: await openEngine({ kind: 'cold', services }),
  };
  const report: SweepReport = {
    schemaVersion: 1,
    space: space.name,
    kernels: [],
    cells: 0,
    cached: 0,
    seconds: 0,
    cpuSeconds: 0,
    engine: engine.kind,
    refusals: engine.refusals.map(({ engine: kind, message }) => `${kind}: ${message}`),
    agree: 0,
    disagree: 0,
    undecided: 0,
    open: [],
    isolation: { checked: 0, cold: 0, unsteady: [] },
    findings: [],
    failed: [],
  };
  const engines: string[] = [];
  let machineSeconds = 0;
  try {
    const first = takePoints(space.space, 1, seed)[0] ?? {};
    for (const [i, kernel] of kernels.entries()) {
      const machines = await SpaceMachines.open(space, first, { ...options.choices, kernel }, services);
      await store.setup(machines.setup);
      report.kernels.push(machines.setup.kernel);
      // What one kernel has left over of the limit goes to the next.
      const share = limit === NO_LIMIT ? limit : Math.ceil((limit - report.cells) / (kernels.length - i));
      const { fresh, known } = await plan(machines, options, share);
      const points = options.take === 'full' ? sizeOf(space.space) : fresh.length + known.length;
      const rate =
        known.slice(-500).reduce((sum, { measured }) => sum + measured.seconds, 0) /
        Math.max(1, Math.min(500, known.length));
      onPlan?.({
        kernel: machines.setup.kernel,
        points,
        known: known.length,
        left: fresh.length,
        ...(known.length === 0 ? {} : { seconds: (rate * fresh.length) / jobs }),
      });
      const began = performance.now();
      let [done, disagree] = [0, 0];
      const by: MeasureServices = {
        engine,
        alone,
        store,
        jobs,
        seed,
        ...(services.signal === undefined ? {} : { signal: services.signal }),
        onCell: ({ agreement }) => {
          done++;
          if (agreement === 'disagree') disagree++;
          const eta = (((performance.now() - began) / 1000) * (fresh.length - done)) / done;
          onProgress?.({ done, of: fresh.length, disagree, ...(done < 5 ? {} : { eta }) });
        },
      };
      const measured = await measure(machines, fresh, by);
      report.cells += measured.cells.length;
      report.cached += known.length;
      report.failed.push(...measured.failed);
      report.isolation.checked += measured.isolation.checked;
      report.isolation.cold += measured.isolation.cold;
      report.isolation.unsteady.push(...measured.isolation.unsteady);
      machineSeconds += measured.machineSeconds;
      for (const one of measured.engines) if (!engines.includes(one)) engines.push(one);
      for (const why of measured.refusals) if (!report.refusals.includes(why)) report.refusals.push(why);
      const all = [...known, ...measured.cells];
      for (const { agreement } of all) report[agreement satisfies Agreement]++;
      addOpen(report.open, all);
      report.findings.push(...(await findingsOf(machines, all, by, options)));
    }
  } finally {
    for (const one of [engine, alone.restore, alone.cold]) await one.close();
  }
  if (services.signal?.aborted) throw new LabInterrupted();
  const { user, system } = process.cpuUsage(own);
  report.engine = engineLabel(engines, engine);
  report.seconds = (performance.now() - options.started) / 1000;
  report.cpuSeconds = machineSeconds + (user + system) / 1e6;
  return report;
}

/** Counts what leaves cells open. */
function addOpen(open: SweepReport['open'], cells: readonly KnownCell[]): void {
  for (const { cell, agreement } of cells) {
    if (agreement !== 'undecided') continue;
    const { predicted, spec } = cell;
    const dependsOn = predicted?.dependsOn.join(', ') ?? 'there are no rules for it';
    const known = open.find(one => one.dependsOn === dependsOn);
    if (known === undefined) open.push({ dependsOn, cells: 1, example: spec.scenario.title });
    else known.cells++;
  }
}

/** The kinds of disagreement among cells, each with the smallest cell that shows it. */
async function findingsOf(
  machines: SpaceMachines,
  cells: readonly KnownCell[],
  { engine, store, signal }: MeasureServices,
  { onNote }: SweepOptions,
): Promise<Finding[]> {
  const kinds = Map.groupBy(
    cells.filter(({ agreement }) => agreement === 'disagree'),
    ({ cell, measured }) => nameOf(cell.predicted, judgeCell(cell.predicted, measured)),
  );
  const findings: Finding[] = [];
  for (const [name, some] of kinds) {
    const [first] = some as [KnownCell, ...KnownCell[]];
    const known = new Map(cells.map(one => [one.cell.place, one.measured]));
    let tried = 0;
    let trace = first.measured.trace;
    let line = first.measured.line;
    const shows = async (point: Point): Promise<boolean> => {
      if (signal?.aborted) throw new LabInterrupted();
      const cell = await machines.cell(point);
      let measured = known.get(cell.place) ?? (await store.cell(cell.identity));
      if (measured === undefined) {
        tried++;
        const run = await engine.run(cell.spec, { keep: () => false });
        if (isLost(run)) return false;
        measured = measuredOf(cell, run);
        const { agreement } = judgeCell(cell.predicted, measured);
        await store.add(machines.setup, cell.place, { ...measured, agreement });
      }
      const verdict = judgeCell(cell.predicted, measured);
      if (verdict.agreement !== 'disagree' || nameOf(cell.predicted, verdict) !== name) return false;
      ({ trace, line } = measured);
      return true;
    };
    const small = findings.length < MOST_MINIMISED;
    if (small) onNote?.(`looking for the smallest cell of ${name}`);
    const smallest = small ? await minimise(machines.space, first.cell.point, shows) : first.cell.point;
    const { differs } = judgeCell(first.cell.predicted, first.measured);
    findings.push({
      name,
      kernel: machines.setup.kernel,
      rule: first.cell.predicted?.rule ?? '',
      differs: differs ?? { what: 'outcome', predicted: '', observed: '' },
      cells: some.length,
      smallest,
      tried,
      ...(line === undefined ? {} : { line }),
      ...(first.cell.predicted?.message === undefined ? {} : { predicted: first.cell.predicted.message }),
      ...(trace === undefined ? {} : { trace }),
    });
  }
  return findings.toSorted((a, b) => b.cells - a.cells);
}
