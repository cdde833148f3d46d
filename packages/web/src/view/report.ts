/** @module Many runs as one report: the worst first, what failed first in each, and the passed run to hold it against. */
import { escapeText, safeText } from '@syndrome/decode/common/screen.ts';
import { type ComparedRun, comparedRun, compareRuns } from '@syndrome/trace/compare/compare.ts';
import type { Cause } from '@syndrome/trace/expect/causes.ts';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import type { Problem, Verdict } from '@syndrome/trace/expect/verdict.ts';
import { isPlace, partLabel } from '@syndrome/trace/parts-line.ts';
import type { Trace } from '@syndrome/trace/reader.ts';
import { summarize } from '@syndrome/trace/summary.ts';
import { type FirstFailure, firstFailure } from './first-failure.ts';
import { causesOfCells, fileName } from './matrix.ts';
import type { MatrixFile } from './matrix-file.ts';
import { compareVersions } from './versions.ts';

/** The passed run that a failed one is best held against. */
interface Beside {
  /** Name of its trace. */
  name: string;
  /** Parts that differ, and how: `kernel 6.19.6 → 7.3.4`. */
  parts: string[];
  /** What the first event says that is not the same in both. */
  first?: string;
}

/** What a run came to: a function of its trace. */
export interface ReportRun {
  /** Path of the trace in the folder, with `/`. */
  name: string;
  /** Bytes of the trace. */
  size: number;
  scenario: string;
  /** What a JUnit file calls it, where that is another name. */
  test?: string;
  startedAt: string;
  verdict: Verdict;
  outcome: Outcome;
  seconds: number;
  /** What the machine was made of, places left out. */
  parts: Readonly<Record<string, string>>;
  identity?: string;
  causes: Cause[];
  problem?: Problem;
  damagedLines: number;
  failure?: FirstFailure;
  beside?: Beside;
}

/** A file that is a trace or a matrix and cannot be read as one. */
export interface UnreadFile {
  name: string;
  code: string;
  message: string;
  hint?: string;
}

/** A test of a JUnit file. */
interface TestCase {
  /** Its suite and its name. */
  test: string;
  /** The JUnit file. */
  file: string;
  verdict: Verdict;
  message?: string;
  /** The path of its trace where it ran, where it names one. */
  trace?: string;
}

/** What a folder of results came to. */
export interface Report {
  type: 'syndrome-report';
  schemaVersion: 1;
  title: string;
  counts: Readonly<Record<Verdict | 'unread', number>>;
  /** The worst first. */
  runs: readonly ReportRun[];
  unread: readonly UnreadFile[];
  /** Tests of which the folder has no trace, the worst first. */
  tests: readonly TestCase[];
  matrices: readonly MatrixFile[];
}

/** From the worst on. What could not be run says more than what passed. */
const WORST: readonly Verdict[] = ['fail', 'error', 'skip', 'pass'];
const worst = (a: { verdict: Verdict }, b: { verdict: Verdict }): number =>
  WORST.indexOf(a.verdict) - WORST.indexOf(b.verdict);

/** What a trace came to. */
export function reportRun(trace: Trace, name: string, size: number): ReportRun {
  const run = comparedRun(trace);
  const { verdict, outcome, seconds, causes, problem } = run.judgement;
  const { scenario, startedAt, parts, identity } = trace.header;
  const failure = firstFailure(run);
  return {
    name,
    size,
    scenario,
    startedAt,
    verdict,
    outcome,
    seconds,
    parts: Object.fromEntries(Object.entries(parts).filter(([part]) => !isPlace(part))),
    ...(identity === undefined ? {} : { identity: identity.run }),
    causes,
    ...(problem === undefined ? {} : { problem }),
    damagedLines: trace.diagnostics.length,
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Parts that two runs do not have in common. */
const otherParts = (a: ReportRun, b: ReportRun): string[] =>
  [...new Set([...Object.keys(a.parts), ...Object.keys(b.parts)])].filter(part => a.parts[part] !== b.parts[part]);

/** What decides between passed runs, the most telling first: the smaller is the nearer. */
type Rank = readonly number[];

/** Values of each part from the oldest on, as the columns of a matrix: also of runs that failed, which lie between. */
function placesOf(runs: readonly ReportRun[]): (part: string, value: string | undefined) => number {
  const places = new Map<string, ReadonlyMap<string, number>>();
  return (part, value = '') => {
    let order = places.get(part);
    if (!order) {
      const values = new Set(runs.map(({ parts }) => parts[part] ?? ''));
      order = new Map([...values].toSorted(compareVersions).map((one, i) => [one, i]));
      places.set(part, order);
    }
    return order.get(value) ?? 0;
  };
}

/** Runs of the same machine that were given the same. What holds of one of them holds of all. */
const alikeIn = (runs: readonly ReportRun[], wanted: Verdict): ReportRun[][] => [
  ...Map.groupBy(
    runs.filter(({ verdict }) => verdict === wanted),
    ({ identity, parts }) => JSON.stringify([identity, parts]),
  ).values(),
];

/**
 * The passed run that each failed one is best held against: the same machine, which then is not steady; else the one of the
 * same scenario of which the fewest parts differ, and of these the nearest in versions, the older one of two.
 * @param runs all of a report: the order of versions is that of all that ran
 * @returns by the name of the failed run; one for which there is none is not in it
 */
export function besidesIn(runs: readonly ReportRun[]): ReadonlyMap<string, ReportRun> {
  const found = new Map<string, ReportRun>();
  const byName = runs.toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
  for (const ofScenario of Map.groupBy(byName, ({ scenario }) => scenario).values()) {
    const passed = alikeIn(ofScenario, 'pass').flatMap(([first]) => first ?? []);
    const placeOf = placesOf(ofScenario);
    const rankOf = (run: ReportRun, other: ReportRun): Rank => {
      const parts = otherParts(run, other);
      const steps = parts.map(part => placeOf(part, other.parts[part]) - placeOf(part, run.parts[part]));
      return [
        run.identity !== undefined && run.identity === other.identity ? 0 : 1,
        parts.length,
        steps.reduce((sum, step) => sum + Math.abs(step), 0),
        steps.some(step => step > 0) ? 1 : 0,
      ];
    };
    for (const [failed, ...others] of alikeIn(ofScenario, 'fail')) {
      if (!failed) continue;
      let best: { other: ReportRun; rank: Rank } | undefined;
      // In the order of their names: of two that are as near the first stays.
      for (const other of passed) {
        const rank = rankOf(failed, other);
        if (best === undefined || isNearer(rank, best.rank)) best = { other, rank };
      }
      if (best) for (const { name } of [failed, ...others]) found.set(name, best.other);
    }
  }
  return found;
}

const isNearer = (rank: Rank, than: Rank): boolean =>
  (rank.map((at, i) => at - (than[i] ?? 0)).find(difference => difference !== 0) ?? 0) < 0;

/** A failed run beside a passed one: what differs, safe to show. */
export function besides(run: ReportRun, other: ReportRun, a: ComparedRun, b: ComparedRun): Beside {
  const { rows, first } = compareRuns(a, b);
  const row = rows[first ?? -1];
  const event = row?.a ?? row?.b;
  const said = event && summarize(event);
  return {
    name: other.name,
    parts: otherParts(run, other).map(part =>
      safeText(`${partLabel(part)} ${run.parts[part] ?? 'none'} → ${other.parts[part] ?? 'none'}`, 200),
    ),
    ...(said === undefined ? {} : { first: safeText(`${row?.a === undefined ? 'missing: ' : ''}${said}`, 400) }),
  };
}

/** All that stands in a report. */
interface ReportInput {
  title: string;
  runs: readonly ReportRun[];
  unread: readonly UnreadFile[];
  tests: readonly TestCase[];
  matrices: readonly MatrixFile[];
}

/** Puts a report together: tests and runs by the traces that they name, the worst first, alike by scenario and versions. */
export function reportOf({ title, runs, unread, tests, matrices }: ReportInput): Report {
  const named = new Map(
    tests.flatMap(test => (test.trace === undefined ? [] : [[fileName(test.trace), test] as const])),
  );
  const all = runs.map(run => {
    const test = named.get(fileName(run.name))?.test;
    return test === undefined || test === run.scenario ? run : { ...run, test };
  });
  const here = new Set(runs.map(({ name }) => fileName(name)));
  const missing = tests.filter(({ trace }) => trace === undefined || !here.has(fileName(trace)));
  const count = (verdict: Verdict): number => [...runs, ...missing].filter(one => one.verdict === verdict).length;
  const byName = ({ scenario, parts, name }: ReportRun, other: ReportRun): number =>
    scenario.localeCompare(other.scenario, 'en') ||
    compareVersions(parts['kernel'] ?? '', other.parts['kernel'] ?? '') ||
    name.localeCompare(other.name, 'en');
  return {
    type: 'syndrome-report',
    schemaVersion: 1,
    title,
    counts: {
      fail: count('fail'),
      error: count('error'),
      skip: count('skip'),
      pass: count('pass'),
      unread: unread.length,
    },
    runs: all.toSorted((a, b) => worst(a, b) || byName(a, b)),
    unread: unread.toSorted((a, b) => a.name.localeCompare(b.name, 'en')),
    tests: missing.toSorted(worst),
    matrices,
  };
}

/** Parts that not all runs have in common: what tells the runs of a report apart. */
export function varyingParts({ runs }: Pick<Report, 'runs'>): string[] {
  const values = new Map<string, Set<string | undefined>>();
  for (const part of new Set(runs.flatMap(({ parts }) => Object.keys(parts))))
    values.set(part, new Set(runs.map(({ parts }) => parts[part])));
  return [...values].flatMap(([part, all]) => (all.size > 1 ? [part] : []));
}

/** What tells a run apart from the others: its parts, safe to show. */
export const partWords = ({ parts }: ReportRun, varying: readonly string[]): string[] =>
  [...(varying.includes('kernel') ? [] : ['kernel']), ...varying].flatMap(part =>
    parts[part] === undefined ? [] : [safeText(`${partLabel(part)} ${parts[part]}`, 120)],
  );

/** How many of each verdict there are, in words, the worst first. */
export const countWords = ({ counts }: Report): string =>
  [...WORST.slice(0, 2), 'unread' as const, ...WORST.slice(2)]
    .flatMap(verdict =>
      counts[verdict] === 0 ? [] : `${counts[verdict]} ${verdict === 'unread' ? 'not read' : verdict}`,
    )
    .join(' · ');

/** Known causes, with the runs that show them. Safe to show. */
export function causesOfRuns({
  runs,
  matrices,
}: Report): { id: string; text: string; history: string; runs: number }[] {
  const all = causesOfCells([...runs, ...matrices.flatMap(({ cells }) => cells)]);
  return all.map(({ id, text, history }) => ({
    id: safeText(id, 100),
    text: escapeText(text),
    history: escapeText(history),
    runs: runs.filter(({ causes }) => causes.some(cause => cause.id === id)).length,
  }));
}
