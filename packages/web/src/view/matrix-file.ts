/** @module A matrix as `syndrome matrix --json` writes it. It may come from anybody: what is not as it must be is told, never thrown. */
import { AXIS_NAMES, type Axis, CELL_PARTS, type CellParts } from '@syndrome/trace/axes.ts';
import type { Cause } from '@syndrome/trace/expect/causes.ts';
import type { ExpectationResult } from '@syndrome/trace/expect/judge.ts';
import { OUTCOMES } from '@syndrome/trace/expect/outcome.ts';
import type { Judgement, Problem } from '@syndrome/trace/expect/verdict.ts';

/** One run of a matrix. */
export interface MatrixCell extends Judgement {
  /** Its place on the axis of its matrix; empty for the scenario's own choice. */
  version: string;
  /** All that was varied or chosen, the place on the axis too. */
  chosen: CellParts;
  scenario: string;
  title: string;
  /** Path of the trace where the matrix was measured; empty where none is named. */
  trace: string;
  parts: Readonly<Record<string, string>>;
  /** Seconds from the start until the guest was ready, and until the injection. */
  phases: { ready?: number; injected?: number };
  /** The machine came from its kept state instead of a boot. */
  restored: boolean;
}

/** Between which versions a bisection found the change. */
export interface Bisection {
  change: 'good to bad' | 'bad to good';
  /** The last version that is like the first of all, and the first that is not. */
  last: string;
  first: string;
  untested: readonly string[];
  /** Of the two, what had another verdict when it was tried once more. */
  unsteady: readonly { version: string; verdicts: readonly string[] }[];
}

/** A matrix of one file. */
export interface MatrixFile {
  name: string;
  scenario: string;
  /** What its versions are of. */
  axis: Axis;
  cells: readonly MatrixCell[];
  /** All versions that could have been measured, where the file says so; empty where it does not. */
  versions: readonly string[];
  bisection?: Bisection;
  /** Entries that say no verdict or outcome. */
  damaged: number;
}

/** Why a file is not shown, and what to do. */
interface MatrixTrouble {
  message: string;
  hint: string;
}

/** Of `syndrome matrix --json`, and of `bisect --json`. Version 1 was always over guest kernels, and named them `kernels`. */
const VERSION = 2;
/** More cells than anybody measures. */
const MAX_CELLS = 200_000;
const VERDICTS = ['pass', 'fail', 'error', 'skip'] as const;
const STATUSES = ['pass', 'fail', 'not-judged'] as const;
const KINDS = ['within', 'never', 'count', 'outcome', 'outlook'] as const;

type Bag = Readonly<Record<string, unknown>>;

const bagOf = (value: unknown): Bag => (typeof value === 'object' && value !== null ? (value as Bag) : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const oneOf = <T extends string>(all: readonly T[], value: unknown): T | undefined => all.find(one => one === value);
const textsOf = (value: unknown): string[] => listOf(value).filter(text => typeof text === 'string');
const secondsOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
const numbersOf = (value: unknown): number[] => listOf(value).filter(n => typeof n === 'number');

function expectationOf(value: unknown): ExpectationResult[] {
  const { expectation, kind, status, evidence, nearest, reason } = bagOf(value);
  const what = oneOf(KINDS, kind);
  const became = oneOf(STATUSES, status);
  if (what === undefined || became === undefined) return [];
  return [
    {
      expectation: textOf(expectation),
      kind: what,
      status: became,
      evidence: numbersOf(evidence),
      nearest: numbersOf(nearest),
      reason: textOf(reason),
    },
  ];
}

function problemOf(value: unknown): Problem | undefined {
  const { code, message, hint } = bagOf(value);
  if (typeof code !== 'string') return undefined;
  return { code, message: textOf(message), ...(typeof hint === 'string' ? { hint } : {}) };
}

/** What a cell says that it is made of. */
function chosenOf(value: unknown): CellParts {
  const bag = bagOf(value);
  const parts = CELL_PARTS.flatMap(part => (typeof bag[part] === 'string' ? [[part, bag[part]]] : []));
  return Object.fromEntries(parts) as CellParts;
}

function cellOf(value: unknown, scenario: string, axis: Axis): MatrixCell | undefined {
  const { cell, result } = bagOf(value);
  const chosen = chosenOf(cell);
  const run = bagOf(result);
  const verdict = oneOf(VERDICTS, run['verdict']);
  const outcome = oneOf(OUTCOMES, run['outcome']);
  if (verdict === undefined || outcome === undefined) return undefined;
  const causes = listOf(run['causes']).map((one): Cause => {
    const { id, text, history } = bagOf(one);
    return { id: textOf(id), text: textOf(text), history: textOf(history) };
  });
  const problem = problemOf(run['problem']);
  const parts = Object.entries(bagOf(run['parts'])).filter(([, part]) => typeof part === 'string');
  const { ready, injected } = bagOf(run['phases']);
  return {
    version: chosen[axis] ?? '',
    chosen,
    scenario,
    title: textOf(run['title']),
    verdict,
    outcome,
    seconds: secondsOf(run['seconds']) ?? 0,
    expectations: listOf(run['expectations']).flatMap(expectationOf),
    causes,
    ...(problem ? { problem } : {}),
    trace: textOf(run['trace']),
    parts: Object.fromEntries(parts) as Record<string, string>,
    phases: {
      ...(secondsOf(ready) === undefined ? {} : { ready: secondsOf(ready) ?? 0 }),
      ...(secondsOf(injected) === undefined ? {} : { injected: secondsOf(injected) ?? 0 }),
    },
    restored: run['restored'] === true,
  };
}

function bisectionOf(bag: Bag): Bisection | undefined {
  const change = oneOf(['good to bad', 'bad to good'] as const, bag['change']);
  const [last, first] = [textOf(bag['last']), textOf(bag['first'])];
  if (change === undefined || last === '' || first === '') return undefined;
  const unsteady = listOf(bag['unsteady']).map(one => {
    const { version, verdicts } = bagOf(one);
    return { version: textOf(version), verdicts: textsOf(verdicts) };
  });
  return { change, last, first, untested: textsOf(bag['untested']), unsteady };
}

/** Whether a file is a matrix: its first members say so, in the order in which they are written. */
export const isMatrixText = (head: string): boolean => /^\s*\{\s*"schemaVersion"\s*:[^[]{0,1000}"cells"\s*:/.test(head);

/**
 * Reads a matrix.
 * @param text of `syndrome matrix --json`, or of a bisection
 * @example readMatrix('{"schemaVersion":1,"scenario":"amd-deferred","seconds":1,"cells":[]}', 'm.json')
 */
export function readMatrix(text: string, name: string): MatrixFile | MatrixTrouble {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {
      message: isMatrixText(text.slice(0, 2000))
        ? `${name} is cut or damaged: its JSON has no end or an error in it`
        : `${name} is no matrix`,
      hint: 'A matrix is what `syndrome matrix … --json` prints. The same matrix, started again after an interruption, has its cells already.',
    };
  }
  const bag = bagOf(value);
  const { schemaVersion, scenario, cells } = bag;
  if (typeof schemaVersion === 'number' && schemaVersion > VERSION) {
    return {
      message: `${name} is of version ${schemaVersion}; this page reads ${VERSION}`,
      hint: 'Use a newer Syndrome: each reads all versions up to its own.',
    };
  }
  const axis = schemaVersion === 1 ? 'kernel' : schemaVersion === VERSION ? oneOf(AXIS_NAMES, bag['axis']) : undefined;
  const versions = bag['versions'] ?? bag['kernels'];
  if (axis === undefined || typeof scenario !== 'string' || !Array.isArray(cells))
    return { message: `${name} is no matrix`, hint: 'A matrix is what `syndrome matrix … --json` prints.' };
  const read = cells.slice(0, MAX_CELLS).map(one => cellOf(one, scenario, axis));
  const whole = read.filter(one => one !== undefined);
  const bisection = bisectionOf(bag);
  return {
    name,
    scenario,
    axis,
    cells: whole,
    versions: textsOf(versions).slice(0, MAX_CELLS),
    ...(bisection === undefined ? {} : { bisection }),
    damaged: cells.length - whole.length,
  };
}
