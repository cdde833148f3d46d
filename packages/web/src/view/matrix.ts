/** @module A matrix laid out: lines of scenarios over versions, where the outcome changes, which versions are bad. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { AXES, type Axis, besidesOf, optionsOf } from '@syndrome/trace/axes.ts';
import type { Cause } from '@syndrome/trace/expect/causes.ts';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import { problemText } from '@syndrome/trace/verdict-lines.ts';
import type { Bisection, MatrixCell, MatrixFile } from './matrix-file.ts';
import { compareVersions } from './versions.ts';

/** Kernels between which nothing passed, at least one of which failed. */
interface BadRange {
  first: MatrixCell;
  last: MatrixCell;
  count: number;
  /** The neighbours that passed. */
  before?: MatrixCell;
  after?: MatrixCell;
}

/** A line of the table: everything but the place on the axis is the same in it. */
export interface MatrixLine {
  /** Names it in the page; unique. */
  name: string;
  scenario: string;
  axis: Axis;
  /** What it is besides, of other parts, CPU and file: safe to show, may be empty. */
  besides: string;
  title: string;
  /** By version, in the order of the file. */
  cells: ReadonlyMap<string, MatrixCell>;
  /** Kernels at which the verdict or the outcome is another than at the one measured before. */
  changes: ReadonlySet<string>;
  bad: readonly BadRange[];
  /** All versions that could have been measured; empty where that is not known. */
  versions: readonly string[];
  /** What the bisection found that measured it. */
  bisection?: Bisection;
}

/** The whole table of one axis. */
export interface MatrixGrid {
  axis: Axis;
  versions: readonly string[];
  lines: readonly MatrixLine[];
}

/** Letters of the outcomes; a page shows the word beside or behind each. */
export const LETTERS: Readonly<Record<Outcome, string>> = {
  none: 'N',
  logged: 'L',
  signalled: 'S',
  killed: 'K',
  panicked: 'P',
  reset: 'R',
  hung: 'H',
  'vmm-died': 'V',
  'domain-crashed': 'D',
};

/** Whether a run said something of the system under test. */
export const isJudged = ({ verdict }: MatrixCell): boolean => verdict === 'pass' || verdict === 'fail';

/** Whether a run contradicts what the outlook had said. */
export const isSurprise = ({ expectations }: MatrixCell): boolean =>
  expectations.some(({ kind, status }) => kind === 'outlook' && status === 'fail');

/** What matrices are over, in words. @example overWords(files) // 'kernels and QEMU versions' */
export const overWords = (files: readonly MatrixFile[]): string =>
  [...new Set(files.map(({ axis }) => AXES[axis].many))].join(' and ');

/** A version in words. */
export const versionName = (version: string): string =>
  version === '' ? "the scenario's own" : safeText(version, 120);

/**
 * Joins the versions of several lines: each keeps its order; what only one has stands by its version among the others.
 * @example joined([['6.18', '7.0'], ['6.18', '6.19', '7.0']]) // 6.18 6.19 7.0
 */
export function joined(lists: readonly (readonly string[])[]): string[] {
  const all: string[] = [];
  const known = new Set<string>();
  for (const list of lists) {
    const own = new Set(list);
    let at = 0;
    for (const version of list) {
      if (known.has(version)) {
        at = all.indexOf(version) + 1;
        continue;
      }
      for (
        let next = all[at];
        next !== undefined && !own.has(next) && compareVersions(next, version) < 0;
        next = all[at]
      )
        at++;
      all.splice(at++, 0, version);
      known.add(version);
    }
  }
  return all;
}

/** Of the cells of a line in their order. */
function badRanges(cells: readonly MatrixCell[]): BadRange[] {
  const ranges: BadRange[] = [];
  let open: BadRange | undefined;
  let before: MatrixCell | undefined;
  for (const cell of cells) {
    if (cell.verdict === 'fail') {
      if (open) {
        open.last = cell;
        open.count++;
      } else {
        open = { first: cell, last: cell, count: 1, ...(before ? { before } : {}) };
        ranges.push(open);
      }
    } else if (cell.verdict === 'pass') {
      if (open) open.after = cell;
      open = undefined;
      before = cell;
    }
  }
  return ranges;
}

function lineOf(
  name: string,
  cells: readonly MatrixCell[],
  { axis, versions, bisection }: MatrixFile,
  file: string | undefined,
): MatrixLine {
  const [first] = cells;
  const { chosen = {}, scenario = '', title = '' } = first ?? {};
  const changes = new Set<string>();
  let before: MatrixCell | undefined;
  for (const cell of cells) {
    if (before && (before.verdict !== cell.verdict || before.outcome !== cell.outcome)) changes.add(cell.version);
    before = cell;
  }
  const besides = [...besidesOf(chosen, axis), file ?? ''].filter(Boolean);
  return {
    name,
    scenario,
    axis,
    title,
    besides: safeText(besides.join(' · '), 200),
    cells: new Map(cells.map(cell => [cell.version, cell])),
    changes,
    bad: badRanges(cells),
    versions,
    ...(bisection === undefined ? {} : { bisection }),
  };
}

/**
 * Lays matrices out: a table for each axis, in it a line for each scenario and each choice of other parts of each file.
 * @param files the names of their lines count through all of them
 */
export function gridsOf(files: readonly MatrixFile[]): MatrixGrid[] {
  const numbered = files.map((file, number) => ({ file, number: number + 1 }));
  return [...Map.groupBy(numbered, ({ file }) => file.axis)].map(([axis, of]) => gridOf(axis, of));
}

function gridOf(axis: Axis, numbered: readonly { file: MatrixFile; number: number }[]): MatrixGrid {
  const files = numbered.map(({ file }) => file);
  const twice = new Set(files.map(({ scenario }) => scenario)).size < files.length;
  const lines = numbered.flatMap(({ file, number }) => {
    const { cells, name } = file;
    const groups = Map.groupBy(cells, ({ chosen }) => JSON.stringify(besidesOf(chosen, axis)));
    return [...groups.values()].map((group, i) => lineOf(`${number}.${i + 1}`, group, file, twice ? name : undefined));
  });
  const axes = files.flatMap(({ versions }) => (versions.length === 0 ? [] : [versions]));
  return { axis, versions: joined([...axes, ...lines.map(({ cells }) => [...cells.keys()])]), lines };
}

/** The cell that a failed one is best compared with: the nearest that passed, the older one of two; of a passed one the nearest that failed. */
export function neighbourOf(line: MatrixLine, cell: MatrixCell): MatrixCell | undefined {
  const cells = [...line.cells.values()];
  const at = cells.indexOf(cell);
  const other = cell.verdict === 'pass' ? 'fail' : 'pass';
  let best: MatrixCell | undefined;
  let distance = Infinity;
  for (const [i, one] of cells.entries()) {
    if (one.verdict !== other || Math.abs(i - at) >= distance) continue;
    best = one;
    distance = Math.abs(i - at);
  }
  return best;
}

/** What is known of the causes that cells show, each once. */
export function causesOfCells(cells: Iterable<Pick<MatrixCell, 'causes'>>): Cause[] {
  return [...new Map([...cells].flatMap(({ causes }) => causes).map(cause => [cause.id, cause])).values()];
}

/** Cells that say nothing of the system under test, and why. */
export function unjudged(line: MatrixLine): { version: string; why: string }[] {
  return [...line.cells.values()].flatMap(({ version, verdict, problem }) =>
    verdict === 'pass' || verdict === 'fail' || problem === undefined ? [] : [{ version, why: problemText(problem) }],
  );
}

/** Words that a shell takes as they are. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** A command for copying; undefined where a name in it would have to be quoted, so that nothing hostile is ever pasted. */
function command(words: readonly string[]): string | undefined {
  return words.every(word => PLAIN.test(word)) ? words.join(' ') : undefined;
}

/**
 * The bisections that find where a range begins and ends among all versions on offer; images of one's own are not on offer, and
 * between neighbours there is nothing to find.
 */
export function bisections(
  { first, last, before, after }: BadRange,
  { versions, axis }: Pick<MatrixLine, 'versions' | 'axis'>,
): string[] {
  const between = (good: MatrixCell | undefined, bad: MatrixCell): string[] => {
    const places = [good?.version ?? '', bad.version].map(version => versions.indexOf(version));
    const [at = -1, other = -1] = places;
    if (at >= 0 && other >= 0 && Math.abs(at - other) === 1) return [];
    if (!good || [good, bad].some(({ version }) => !/^\d[^/]*$/.test(version))) return [];
    const { [axis]: _, ...others } = bad.chosen;
    const over = axis === 'kernel' ? [] : ['--over', AXES[axis].option.slice(2)];
    const ends = ['--good', good.version, '--bad', bad.version];
    const text = command(['syndrome', 'bisect', bad.scenario, ...over, ...ends, ...optionsOf(others)]);
    return text === undefined ? [] : [text];
  };
  return [between(before, first), between(after, last)].flat();
}

/** The command that carries a cell out again. */
export function runCommand(cell: MatrixCell): string | undefined {
  return command(['syndrome', 'run', cell.scenario, ...optionsOf(cell.chosen)]);
}

/** The bad range that a cell lies in. */
export function rangeOf({ cells, bad }: MatrixLine, cell: MatrixCell): BadRange | undefined {
  const order = [...cells.values()];
  const at = order.indexOf(cell);
  return bad.find(({ first, last }) => order.indexOf(first) <= at && at <= order.indexOf(last));
}

/** What the bisection of a line found; safe to show. */
export function bisectionWords({ bisection, axis }: MatrixLine): string[] {
  if (bisection === undefined) return [];
  const { one } = AXES[axis];
  const { change, last, first, untested, unsteady } = bisection;
  const [to, from] = change === 'good to bad' ? ['bad', 'good'] : ['good', 'bad'];
  return [
    `first ${to} ${one} ${versionName(first)}, last ${from} ${versionName(last)}`,
    ...unsteady.map(
      ({ version, verdicts }) =>
        `not steady: ${versionName(version)} was ${safeText(verdicts.join(', then '), 100)}; the change may lie elsewhere`,
    ),
    ...(untested.length === 0 ? [] : [`could not be tested: ${untested.map(versionName).join(' ')}`]),
  ];
}

/** A range in words, safe to show. */
export function rangeText({ first, last, count, before, after }: BadRange): string {
  const name = ({ version }: MatrixCell): string => versionName(version);
  const which =
    count === 1 ? `bad only ${name(first)}` : `first bad ${name(first)} · last bad ${name(last)} · ${count} bad`;
  return [
    which,
    before ? `good before: ${name(before)}` : 'none good measured before',
    after ? `good again: ${name(after)}` : 'none good measured after',
  ].join(' · ');
}

/** What a cell came to, in words: for who does not see it. */
export function cellText(cell: MatrixCell | undefined, changed: boolean): string {
  if (!cell) return 'not measured';
  return [
    cell.verdict,
    cell.outcome,
    ...(changed ? ['changed'] : []),
    ...(isSurprise(cell) ? ['not what the outlook said'] : []),
  ].join(', ');
}

/** The last part of a path, of any system. */
export const fileName = (path: string): string => path.split(/[/\\]/).at(-1) ?? '';

/** How many cells of each verdict a line has, in words. */
export function countText({ cells }: MatrixLine): string {
  const counts = Map.groupBy(cells.values(), ({ verdict }) => verdict);
  return (['pass', 'fail', 'error', 'skip'] as const)
    .flatMap(verdict => {
      const { length } = counts.get(verdict) ?? [];
      return length === 0 ? [] : `${length} ${verdict}`;
    })
    .join(' · ');
}

/**
 * The part of a table that words ask for: each is of a line (scenario, other parts, CPU, file), else of a version or of what
 * came of it (`fail`, `panicked`).
 */
export function findGrid(grid: MatrixGrid, find: string): MatrixGrid {
  let found = grid;
  for (const word of find.toLowerCase().split(/\s+/).filter(Boolean)) {
    const has = (text: string): boolean => text.toLowerCase().includes(word);
    const some = found.lines.filter(({ scenario, besides, title }) => [scenario, besides, title].some(has));
    if (some.length > 0) {
      found = { ...found, lines: some };
      continue;
    }
    const { lines: shown } = found;
    const came = (version: string): boolean =>
      shown.some(line => {
        const cell = line.cells.get(version);
        return cell !== undefined && (has(cell.verdict) || has(cell.outcome));
      });
    found = { ...found, versions: found.versions.filter(version => has(versionName(version)) || came(version)) };
  }
  return found;
}
