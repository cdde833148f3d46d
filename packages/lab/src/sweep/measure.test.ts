import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import type { CellRun, Engine } from '../engine/engine.ts';
import type { LabOutlook } from '../outlook.ts';
import type { RunSpec } from '../run-spec.ts';
import { measure, type MeasureServices } from './measure.ts';
import type { Cell, SpaceMachines } from './space-machines.ts';
import { SweepStore } from './store.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'measure-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const setup = { id: 's', space: 'digest', name: 'small', kernel: '7.2', parts: {} };
const machines = { setup } as unknown as SpaceMachines;
const LOGGED: LabOutlook = {
  outcome: 'logged',
  rule: 'linux.poll.corrected',
  certainty: 'certain',
  possible: ['logged'],
  dependsOn: [],
  within: 30,
};
const cellOf = (i: number): Cell => ({
  point: { n: String(i) },
  place: `p${i}`,
  identity: `i${i}`,
  spec: { scenario: { title: `cell ${i}` } } as RunSpec,
  predicted: LOGGED,
  prefix: '',
});
const CELLS = Array.from({ length: 12 }, (_, i) => cellOf(i));

/** A run as it was recorded: the record was logged, or nothing was printed. */
const recorded = (logged: boolean): CellRun => {
  const events = [
    { layer: 'lab', source: 'lab', name: 'lab.injected', fields: { kind: 'mce' } },
    ...(logged
      ? [
          {
            layer: 'guest',
            source: 'console',
            name: 'guest.mce-logged',
            raw: '[    7.1] mce: [Hardware Error]: Machine check events logged',
          },
        ]
      : []),
  ].map((event, i) => ({ seq: i + 1, t: i, ...event })) as TraceEvent[];
  return {
    events,
    engine: 'fork',
    refusals: [],
    cpuSeconds: { qemu: 0.5 },
    result: { verdict: 'pass', seconds: 1 },
  } as unknown as CellRun;
};

/** Gives what `of` says of the how manieth run of a cell, and counts the runs that are under way. */
function playing(of: (title: string, times: number) => CellRun): Engine & { most: number; ran: string[] } {
  const times = new Map<string, number>();
  let [now, most] = [0, 0];
  const ran: string[] = [];
  return {
    kind: 'fork',
    refusals: [],
    ran,
    get most() {
      return most;
    },
    run: async ({ scenario: { title } }) => {
      most = Math.max(most, ++now);
      ran.push(title);
      const n = (times.get(title) ?? 0) + 1;
      times.set(title, n);
      await new Promise(setImmediate);
      now--;
      return of(title, n);
    },
    close: () => Promise.resolve(),
  };
}

const servicesOf = (engine: Engine, store: SweepStore, more: Partial<MeasureServices> = {}): MeasureServices => ({
  engine,
  alone: { restore: engine, cold: engine },
  store,
  jobs: 3,
  seed: 1,
  ...more,
});

test('an interrupted sweep has lost nothing that was measured, and goes on with the rest', async () => {
  const file = join(dir, 'cells.sqlite');
  const interrupt = new AbortController();
  const store = await SweepStore.open(file);
  let done = 0;
  const first = playing(() => recorded(true));
  const stopped = measure(
    machines,
    CELLS,
    servicesOf(first, store, {
      signal: interrupt.signal,
      onCell: () => {
        if (++done === 4) interrupt.abort();
      },
    }),
  );
  await expect(stopped).rejects.toThrow(/interrupted/);
  await store.close();

  const again = await SweepStore.open(file);
  const known = await again.known(setup);
  expect(known.size).toBe(done);
  expect(done).toBeLessThan(CELLS.length);
  const rest = CELLS.filter(({ place }) => !known.has(place));
  const second = playing(() => recorded(true));
  const made = await measure(machines, rest, servicesOf(second, again));
  expect(made.cells.length).toBe(CELLS.length - done);
  expect([...(await again.known(setup)).values()].map(({ agreement }) => agreement)).toEqual(CELLS.map(() => 'agree'));
  await again.close();
});

test('what disagrees is measured again when nothing else runs: it counts, or is told as unsteady', async () => {
  const store = await SweepStore.open(join(dir, 'cells.sqlite'));
  // Cell 3 is too slow once, cell 5 shows nothing ever.
  const engine = playing((title, times) => recorded(!(title === 'cell 5' || (title === 'cell 3' && times === 1))));
  const made = await measure(machines, CELLS, servicesOf(engine, store));
  const counts = Object.groupBy(made.cells, ({ agreement }) => agreement);
  expect(counts.disagree?.map(({ cell }) => cell.place)).toEqual(['p5']);
  expect(counts.agree?.length).toBe(11);
  expect(made.isolation.unsteady).toEqual([
    { cell: 'cell 3', differs: 'it disagreed with the rules once: linux.poll.corrected: outcome none, not logged' },
  ]);
  expect(engine.most).toBe(3);
  expect(engine.ran.slice(-2).toSorted()).toEqual(['cell 3', 'cell 5']);
  await store.close();
});
