import { describe, expect, test } from 'vitest';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import { isSimpler, type Point, spaceOf } from '../params/space.ts';
import { diffText, mapText } from './map-text.ts';
import { byVersion, diffOf, mapOf, newestSetups } from './map.ts';
import type { PlacedCell } from './store.ts';

const space = spaceOf({ context: ['idle', 'poll'], pcc: [0, 1], code: ['none', 'data'] });

/** What a kernel makes of the points: `of` says it by the point. */
const cellsOf = (
  of: (point: Point) => Partial<PlacedCell> & { outcome: Outcome },
  points: readonly Point[],
): Map<string, PlacedCell> =>
  new Map(
    points.map(point => [
      JSON.stringify(point),
      {
        identity: 'i',
        lines: [],
        evidence: '',
        engine: 'fork',
        cpuSeconds: 0,
        seconds: 1,
        agreement: 'agree',
        ...of(point),
      },
    ]),
  );

const ALL: Point[] = ['idle', 'poll'].flatMap(context =>
  ['0', '1'].flatMap(pcc => ['none', 'data'].map(code => ({ context, pcc, code }))),
);

const old = cellsOf(
  ({ pcc }) =>
    pcc === '1' ? { outcome: 'panicked', line: 'Kernel panic' } : { outcome: 'signalled', signal: 'BUS_MCEERR_AO' },
  ALL,
);
/** Panics where it polls. */
const fresh = cellsOf(
  ({ pcc, context }) =>
    pcc === '1' || context === 'poll'
      ? { outcome: 'panicked', line: 'Kernel panic', ...(pcc === '0' ? { agreement: 'disagree' } : {}) }
      : { outcome: 'signalled', signal: 'BUS_MCEERR_AO' },
  ALL.slice(0, 7),
);
const KERNELS = [
  { kernel: '6.18.15+deb13-cloud-amd64 amd64', cells: old },
  { kernel: '6.19.6+deb13-cloud-amd64 amd64', cells: fresh },
];

describe('a map', () => {
  const map = mapOf({ name: 'small', title: 'A small space', space }, KERNELS);
  test('merges points that come to the same on every kernel, and leaves out what only one knows', () => {
    expect(map.points).toBe(7);
    expect(map.partly).toBe(1);
    expect(map.agreement).toEqual({ agree: 12, disagree: 2, undecided: 0 });
    expect(map.classes.map(({ points, came }) => [points, came.map(c => c.outcome).join()])).toEqual([
      [3, 'panicked,panicked'],
      [2, 'signalled,signalled'],
      [2, 'signalled,panicked'],
    ]);
    expect(map.classes[2]).toMatchObject({
      always: { context: ['poll'], pcc: ['0'] },
      simplest: { context: 'poll', pcc: '0', code: 'none' },
    });
  });
  test('is told in words', () => {
    expect(mapText(map)).toEqual([
      'small: A small space',
      '7 points known on 6.18.15, 6.19.6, 1 more on some of them; 3 classes',
      'agree 12, disagree 2, undecided 0',
      '',
      '     3  panicked',
      '        only pcc=1',
      '        e.g. context=idle pcc=1 code=none',
      '        line Kernel panic',
      '',
      '     2  signalled BUS_MCEERR_AO',
      '        only context=idle pcc=0',
      '        e.g. context=idle pcc=0 code=none',
      '',
      '     2  6.18.15: signalled BUS_MCEERR_AO  6.19.6: panicked ! (2)',
      '        only context=poll pcc=0',
      '        e.g. context=poll pcc=0 code=none',
      '        line Kernel panic',
    ]);
  });
  test('of nothing has no classes', () => {
    expect(mapOf({ name: 'small', title: '', space }, [])).toMatchObject({ points: 0, partly: 0, classes: [] });
  });
});

test('what changed between two kernels is told in words', () => {
  const diff = diffOf({ from: '6.18.15+deb13', to: '6.19.6+deb13' }, [{ name: 'small', space, from: old, to: fresh }]);
  expect(diffText(diff)).toEqual([
    'small: 7 points known on both, 5 come to the same',
    '',
    '6.19.6: 2 states panic that were signalled in 6.18.15 (small)',
    '  only context=poll pcc=0',
    '  e.g. context=poll pcc=0 code=none',
    '  6.19.6: Kernel panic',
  ]);
  expect(diffText(diffOf({ from: '6.18.15', to: '7.2' }, [{ name: 'small', space, from: old, to: old }]))).toEqual([
    'small: 8 points known on both, 8 come to the same',
    'Nothing that is known of both differs between 6.18.15 and 7.2.',
  ]);
});

test('of one kernel the machine counts of which most is known; kernels stand in the order of their versions', () => {
  const setup = (id: string, kernel: string) => ({ id, kernel, space: 's', name: 'small', parts: {} });
  const found = newestSetups([
    { setup: setup('a', '6.19.6'), cells: fresh },
    { setup: setup('b', '6.2'), cells: fresh },
    { setup: setup('c', '6.19.6'), cells: old },
    { setup: setup('d', '7.0'), cells: new Map() },
  ]);
  expect(found.map(one => one.setup.id)).toEqual(['b', 'c']);
  expect(['7.0', '6.19.10', '6.19.6'].toSorted(byVersion)).toEqual(['6.19.6', '6.19.10', '7.0']);
});

test('a point is simpler that has fewer values behind the first ones', () => {
  const [first, second, , fourth] = ALL as [Point, Point, Point, Point];
  expect(isSimpler(space, first, fourth)).toBe(true);
  expect(isSimpler(space, fourth, second)).toBe(false);
  expect(isSimpler(space, first, first)).toBe(false);
});
