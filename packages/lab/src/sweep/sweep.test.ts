import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { templateOf } from '@syndrome/decode/outlook/line-template.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import type { CellRun, Engine } from '../engine/engine.ts';
import type { LabOutlook } from '../outlook.ts';
import { pointsOf, type Point } from '../params/space.ts';
import type { RunSpec } from '../run-spec.ts';
import { AGAIN_ONE_IN, checkIsolation, checksOf } from './isolation.ts';
import { judgeCell, nameOf } from './judge.ts';
import { minimise } from './minimise.ts';
import { observe } from './observation.ts';
import { findSpace, spaceNames } from './spaces.ts';
import { type MeasuredCell, type PlacedCell, type Setup, SweepStore } from './store.ts';
import { pointsIn, takePoints } from './take.ts';

const dir = mkdtempSync(join(tmpdir(), 'sweep-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A run on a page at `page`, whose process has this number; the kernel calls the page `what`. */
const eventsOf = (page: bigint, pid: number, t: number, what = 'dirty LRU page'): TraceEvent[] => {
  const pfn = page / 4096n;
  return [
    { layer: 'lab', source: 'lab', name: 'lab.value', fields: { name: 'page', value: page } },
    { layer: 'lab', source: 'lab', name: 'lab.injected', fields: { kind: 'mce' } },
    {
      layer: 'vmm',
      source: 'qmp',
      name: 'vmm.memory-failure',
      fields: { recipient: 'guest', action: 'inject', actionRequired: false, recursive: false },
    },
    {
      layer: 'guest',
      source: 'console',
      raw: `[   ${t}.123456] Memory failure: 0x${pfn.toString(16)}: recovery action for ${what}: Recovered`,
      name: 'guest.memory-failure',
      fields: { pfn, page: what, result: 'Recovered' },
    },
    {
      layer: 'process',
      source: 'agent',
      name: 'process.signal',
      fields: { proc: 'victim', pid, signal: 'SIGBUS', code: 'BUS_MCEERR_AO' },
    },
  ].map((event, i) => ({ seq: i + 1, t: t * 1e9 + i, ...event })) as TraceEvent[];
};

describe('the spaces that come with the program', () => {
  test.each(spaceNames())('%s: every value of every axis is in a point that can be run', name => {
    const space = findSpace(name);
    const open = new Set(space.space.axes.flatMap(axis => axis.values.map(value => `${axis.name}=${value.label}`)));
    for (const point of takePoints(space.space, 'pairwise', 1)) {
      expect(space.at(point).expect).toEqual([]);
      for (const [axis, label] of Object.entries(point)) open.delete(`${axis}=${label}`);
    }
    expect([...open]).toEqual([]);
  });
  test('are told by their names', () => {
    expect(() => findSpace('intel-statu')).toThrow('there is no space "intel-statu"');
    expect(() => findSpace('/nowhere/space.yaml')).toThrow('cannot be read');
  });
});

describe('points', () => {
  const { space } = findSpace('intel-status');
  test('of a sample are the first of a larger one', () => {
    expect(takePoints(space, 30, 5)).toEqual(takePoints(space, 60, 5).slice(0, 30));
    expect([...pointsIn(space, 30, 5)]).toEqual(takePoints(space, 30, 5));
    expect(takePoints(space, 30, 6)).not.toEqual(takePoints(space, 30, 5));
  });
});

describe('what a cell came to', () => {
  test('is the same at other addresses, of other processes, at other times', () => {
    const one = observe(eventsOf(0x91e1000n, 98, 7));
    expect(one).toMatchObject({ outcome: 'signalled', signal: 'BUS_MCEERR_AO', page: 'dirty LRU page: Recovered' });
    expect(one.line).toBe('Memory failure: <n>: recovery action for dirty LRU page: Recovered');
    expect(observe(eventsOf(0x4321000n, 312, 55))).toEqual(one);
    expect(observe(eventsOf(0x91e1000n, 98, 7, 'clean LRU page')).evidence).not.toBe(one.evidence);
  });
  test('has lines without stamps and numbers', () => {
    expect(templateOf('[    7.5] [Hardware Error]: x')).toBe('x');
    expect(templateOf('[   12.123456][   T12] mce: [Hardware Error]: TSC 5a1b2c3d4e ADDR 91e1000')).toBe(
      'TSC <n> ADDR <n>',
    );
  });
});

const outlook = (more: Partial<LabOutlook> = {}): LabOutlook => ({
  outcome: 'signalled',
  rule: 'linux.sigbus.handled',
  certainty: 'certain',
  possible: ['signalled'],
  dependsOn: [],
  within: 30,
  signal: 'BUS_MCEERR_AO',
  message: 'Memory failure: 0x1234: recovery action for <page type>: Recovered',
  ...more,
});

describe('a judgement', () => {
  const seen = observe(eventsOf(0x91e1000n, 98, 7));
  test.each<[string, LabOutlook | undefined, object]>([
    ['agrees', outlook(), { agreement: 'agree' }],
    ['has no rules', undefined, { agreement: 'undecided' }],
    ['is left open', outlook({ certainty: 'depends', possible: ['signalled', 'logged'] }), { agreement: 'undecided' }],
    [
      'has another outcome',
      outlook({ possible: ['panicked', 'logged'] }),
      { differs: { what: 'outcome', predicted: 'panicked or logged' } },
    ],
    [
      'has another signal',
      outlook({ signal: 'BUS_MCEERR_AR' }),
      { differs: { what: 'signal', observed: 'BUS_MCEERR_AO' } },
    ],
    [
      'lacks a line',
      outlook({ message: 'mce: Uncorrected hardware memory error in user-access at 1234' }),
      { differs: { what: 'line' } },
    ],
  ])('%s', (_, predicted, wanted) => {
    expect(judgeCell(predicted, seen)).toMatchObject(wanted);
  });
  test('has a name that cells of one fault share', () => {
    const other = outlook({ possible: ['panicked'], rule: 'linux.mce.fatal' });
    expect(nameOf(other, judgeCell(other, seen))).toBe('linux.mce.fatal: outcome signalled, not panicked');
  });
});

test('the smallest cell has the first value on every axis that makes no difference', async () => {
  const space = findSpace('intel-status');
  const point: Point =
    [...takePoints(space.space, 400, 3)].find(p => p['pcc'] === '1' && p['context'] === 'idle') ?? {};
  let asked = 0;
  const smallest = await minimise(space, point, async tried => {
    asked++;
    return Promise.resolve(tried['pcc'] === '1' && tried['context'] !== 'user');
  });
  expect(smallest).toEqual({ ...pointsOf(space.space).next().value, context: 'idle', pcc: '1' });
  expect(asked).toBeLessThan(60);
});

describe('a store', () => {
  const setup = (id: string): Setup => ({ id, space: 'digest', name: 'a', kernel: '7.2', parts: { kernel: '7.2' } });
  const cell = (identity: string): Required<Pick<PlacedCell, 'agreement'>> & MeasuredCell => ({
    ...observe(eventsOf(0x91e1000n, 98, 7)),
    identity,
    engine: 'restore',
    cpuSeconds: 0.25,
    seconds: 1.5,
    agreement: 'agree',
  });
  test('has what was added at once, after it was opened again', async () => {
    const file = join(dir, 'cells.sqlite');
    const store = await SweepStore.open(file);
    await store.setup(setup('s1'));
    await store.setup(setup('s1'));
    await Promise.all(Array.from({ length: 300 }, (_, i) => store.add(setup('s1'), `p${i}`, cell(`i${i}`))));
    // Another space has the same run.
    await store.add(setup('s2'), 'q', cell('i7'));
    await store.close();
    const again = await SweepStore.open(file);
    const known = await again.known(setup('s1'));
    expect(known.size).toBe(300);
    expect(known.get('p41')).toEqual(cell('i41'));
    expect([...(await again.known(setup('s2'))).keys()]).toEqual(['q']);
    const { agreement: _, ...unplaced } = cell('i7');
    expect(await again.cell('i7')).toEqual(unplaced);
    expect(await again.setups('a')).toEqual([setup('s1')]);
    await again.close();
  });
});

describe('isolation', () => {
  test('measures about one in a hundred again, the first one always, the same for a seed', () => {
    const all = Array.from({ length: 20_000 }, (_, n) => checksOf(n, 1));
    expect(all[0]).toContain('restore');
    for (const [kind, oneIn] of Object.entries(AGAIN_ONE_IN)) {
      const n = all.filter(checks => checks.includes(kind as 'cold')).length;
      // Five standard deviations.
      expect(Math.abs(n - 20_000 / oneIn)).toBeLessThan(5 * Math.sqrt(20_000 / oneIn));
    }
    expect(checksOf(4711, 9)).toEqual(checksOf(4711, 9));
  });

  const runOf = (events: TraceEvent[], trace: string): CellRun =>
    ({ events, trace, engine: 'restore' }) as unknown as CellRun;
  /** Gives one run after the other, the last one again and again. */
  const plays = (...runs: CellRun[]): Engine => {
    let next = 0;
    const run = (): Promise<CellRun> => Promise.resolve(runs[Math.min(next++, runs.length - 1)] as CellRun);
    return { kind: 'restore', refusals: [], run, close: () => Promise.resolve() };
  };
  const spec = { scenario: { title: 'a cell' } } as RunSpec;
  const good = runOf(eventsOf(0x91e1000n, 98, 7), '/good');
  const other = runOf(eventsOf(0x91e1000n, 98, 7, 'clean LRU page'), '/other');

  test('is shown by a run that says the same', async () => {
    const elsewhere = runOf(eventsOf(0x5000000n, 7, 80), '/elsewhere');
    expect(await checkIsolation(spec, good, { engine: plays(good), alone: plays(elsewhere) })).toBeUndefined();
  });
  test('is not denied by a cell that differs from itself', async () => {
    expect(await checkIsolation(spec, good, { engine: plays(other), alone: plays(other) })).toContain(
      'only here: guest.memory-failure',
    );
  });
  test.each([
    ['a guest that no longer answers', { layer: 'guest', source: 'agent', name: 'guest.silent', fields: {} }],
    ['a VMM that has died', { layer: 'vmm', source: 'qmp', name: 'vmm.exit', fields: { code: 139, expected: false } }],
  ])('is broken by %s alone, as another outcome', async (_, event) => {
    const silent = runOf(
      [...eventsOf(0x91e1000n, 98, 7), { seq: 99, t: 99e9, ...event } as unknown as TraceEvent],
      '/silent',
    );
    await expect(checkIsolation(spec, good, { engine: plays(good), alone: plays(silent) })).rejects.toThrow('outcome');
  });
  test('does not count that the agent of a forked machine greets the lab anew', async () => {
    const greeted = runOf(
      [
        ...eventsOf(0x91e1000n, 98, 7),
        {
          seq: 99,
          t: 99e9,
          layer: 'guest',
          source: 'agent',
          name: 'guest.agent-ready',
          fields: {},
        } as unknown as TraceEvent,
      ],
      '/greeted',
    );
    expect(await checkIsolation(spec, good, { engine: plays(good), alone: plays(greeted) })).toBeUndefined();
  });
  test('is broken by a cell that is always another one alone: both traces are named', async () => {
    await expect(checkIsolation(spec, good, { engine: plays(good), alone: plays(other) })).rejects.toMatchObject({
      code: 'E_SWEEP_ISOLATION',
      hint: 'Compare the two runs: syndrome compare /good /other',
    });
  });
});
