/**
 * Runs the cases of one target. Whatever the target, a case may not throw, take for ever, or change what all objects
 * inherit, and all of them together may not keep memory.
 */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Chance } from '../chance.ts';
import { BLOCK, type Step, type Target } from './target.ts';

interface Limits {
  /** Heap that may stay used between the first and the last quarter of a target's cases, in bytes. */
  growth: number;
  /** Slowest case that is no failure, in milliseconds: far beyond what a busy machine explains. */
  caseMs: number;
  /** A target is stopped after so many failures. */
  failures: number;
}

export const LIMITS: Limits = { growth: 16 << 20, caseMs: 10_000, failures: 5 };

export interface Result {
  name: string;
  cases: number;
  seconds: number;
  slowestMs: number;
  heapGrowth: number;
  failures: { case: number; wrong: string[] }[];
  notes: string[];
}

/** After so long what else waits gets its turn: signals, messages. */
const TURN_MS = 100;

let collect: (() => void) | undefined;

function heap(): number {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  return process.memoryUsage().heapUsed;
}

/** What all objects inherit, with what is in it before any case. */
const INHERITED: readonly { from: object; known: ReadonlySet<PropertyKey> }[] = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
].map(from => ({ from, known: new Set(Reflect.ownKeys(from)) }));

/** Whether a case has given something to all objects; it is taken away, so that the next one is judged by itself. */
function polluted(): boolean {
  let found = false;
  for (const { from, known } of INHERITED) {
    const keys = Reflect.ownKeys(from);
    if (keys.length === known.size) continue;
    found = true;
    for (const key of keys) if (!known.has(key)) Reflect.deleteProperty(from, key);
  }
  return found;
}

/** The outcome of a case that answers later, or that it did not in time. */
async function inTime(outcome: Promise<string[]>, ms: number): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string[]>(resolve => {
    timer = setTimeout(() => resolve([`has not ended after ${ms} ms`]), ms);
  });
  try {
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
  }
}

const wordsOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : `threw ${String(error)}`;

/**
 * Runs the cases `first` to `last` - 1; earlier cases of the first block run too, unjudged.
 * @param stopped asked between cases; what was done until then is the result
 */
export async function runTarget(
  target: Target,
  seed: number,
  [first, last]: readonly [number, number],
  { limits = LIMITS, stopped = () => false }: { limits?: Limits; stopped?: () => boolean } = {},
): Promise<Result> {
  const result: Result = {
    name: target.name,
    cases: 0,
    seconds: 0,
    slowestMs: 0,
    heapGrowth: 0,
    failures: [],
    notes: [],
  };
  const started = performance.now();
  const quarter = first + Math.floor((last - first) / 4);
  let turn = started;
  let step: Step = target.open();
  let base: number | undefined;
  for (let n = first - (first % BLOCK); n < last; n++) {
    if (n % BLOCK === 0) step = target.open();
    if (n === quarter && last - first >= 4 * BLOCK) base = heap();
    const before = performance.now();
    if (before - turn > TURN_MS) {
      await setImmediate();
      turn = performance.now();
      if (stopped()) break;
    }
    const from = performance.now();
    let wrong: string[];
    try {
      const outcome = step(new Chance(seed, target.name, n), n);
      wrong = outcome instanceof Promise ? await inTime(outcome, limits.caseMs) : outcome;
    } catch (error) {
      wrong = [wordsOf(error)];
      step = target.open();
    }
    const ms = performance.now() - from;
    if (polluted()) wrong = [...wrong, 'all objects have inherited something'];
    if (n < first) continue;
    result.cases++;
    result.slowestMs = Math.max(result.slowestMs, ms);
    if (ms > limits.caseMs && target.measures !== true) wrong = [...wrong, `took ${Math.round(ms)} ms`];
    if (wrong.length === 0) continue;
    result.failures.push({ case: n, wrong: wrong.slice(0, 4) });
    if (result.failures.length === limits.failures) break;
  }
  if (base !== undefined) {
    step = target.open();
    result.heapGrowth = heap() - base;
    if (result.heapGrowth > limits.growth) {
      const wrong = [`${(result.heapGrowth / 2 ** 20).toFixed(1)} MiB more heap than after a quarter`];
      result.failures.push({ case: last - 1, wrong });
    }
  }
  const note = target.note?.();
  if (note !== undefined) result.notes.push(note);
  result.seconds = (performance.now() - started) / 1000;
  return result;
}

/** The results of several parts of one target as one. */
export function merged(parts: readonly Result[]): Result {
  const [first] = parts;
  if (first === undefined) throw new Error('nothing to put together');
  return {
    name: first.name,
    cases: parts.reduce((sum, p) => sum + p.cases, 0),
    seconds: parts.reduce((sum, p) => sum + p.seconds, 0),
    slowestMs: Math.max(...parts.map(p => p.slowestMs)),
    heapGrowth: Math.max(...parts.map(p => p.heapGrowth)),
    failures: parts.flatMap(p => p.failures).toSorted((a, b) => a.case - b.case),
    notes: parts.flatMap(p => p.notes),
  };
}
