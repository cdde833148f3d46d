/**
 * `npm run fuzz [-- --runs N --seed S --only NAME --case N --json]`: random bytes, spoiled golden inputs and spliced
 * records through every decoder and parser. Nothing may throw, print control characters, answer with more than the
 * input is worth, or keep memory. A case depends on seed, target and number alone: the command that repeats it is
 * printed with each failure. Exit code 1 when anything failed.
 */
import { setFlagsFromString } from 'node:v8';
import { parseArgs } from 'node:util';
import { runInNewContext } from 'node:vm';
import { Chance } from './chance.ts';
import { BLOCK, TARGETS } from './fuzz/targets.ts';
import type { Target } from './fuzz/targets.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    case: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string, smallest: number): number {
  const n = Number(text.replaceAll('_', ''));
  if (Number.isSafeInteger(n) && n >= smallest) return n;
  console.error(`--${name} ${text}: give a whole number from ${smallest} on`);
  process.exit(2);
}
const runs = whole('runs', values.runs, 1);
const seed = whole('seed', values.seed, 0);
const single = values.case === undefined ? undefined : whole('case', values.case, 0);
const { only } = values;
const chosen = TARGETS.filter(t => only === undefined || t.name === only || t.name.startsWith(`${only}:`));
if (chosen.length === 0 || (single !== undefined && chosen.length !== 1)) {
  console.error(`--only ${only ?? ''}: the names are ${TARGETS.map(t => t.name).join(' ')}; --case needs one of them`);
  process.exit(2);
}

/** Heap that may stay used between the first and the last quarter of a target's cases, in bytes. */
const MAX_GROWTH = 16 << 20;
/** Slowest case that is no failure, in milliseconds: far beyond what a busy machine explains. */
const MAX_CASE_MS = 10_000;
/** A target is stopped after so many failures. */
const MAX_FAILURES = 5;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

interface Result {
  name: string;
  cases: number;
  seconds: number;
  slowestMs: number;
  heapGrowth: number;
  failures: { case: number; wrong: string[] }[];
}

/** Runs the cases `first` to `last` - 1; earlier cases of the first block run too, unjudged. */
function run(target: Target, first: number, last: number): Result {
  const result: Result = { name: target.name, cases: 0, seconds: 0, slowestMs: 0, heapGrowth: 0, failures: [] };
  const started = performance.now();
  const quarter = first + Math.floor((last - first) / 4);
  let step = target.open();
  let base: number | undefined;
  for (let n = first - (first % BLOCK); n < last; n++) {
    if (n % BLOCK === 0) step = target.open();
    if (n === quarter && last - first >= 4 * BLOCK) base = heap();
    const before = performance.now();
    let wrong: string[];
    try {
      wrong = step(new Chance(seed, target.name, n), n);
    } catch (error) {
      wrong = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
      step = target.open();
    }
    const ms = performance.now() - before;
    if (n < first) continue;
    result.cases++;
    result.slowestMs = Math.max(result.slowestMs, ms);
    if (ms > MAX_CASE_MS) wrong.push(`took ${Math.round(ms)} ms`);
    if (wrong.length === 0) continue;
    result.failures.push({ case: n, wrong: wrong.slice(0, 4) });
    if (result.failures.length === MAX_FAILURES) break;
  }
  if (base !== undefined) {
    step = target.open();
    result.heapGrowth = heap() - base;
    if (result.heapGrowth > MAX_GROWTH) {
      result.failures.push({
        case: last - 1,
        wrong: [`${result.heapGrowth >> 20} MiB more heap than after a quarter`],
      });
    }
  }
  result.seconds = (performance.now() - started) / 1000;
  return result;
}

const weights = chosen.reduce((sum, t) => sum + t.weight, 0);
const results: Result[] = [];
for (const target of chosen) {
  const share = Math.ceil((runs * target.weight) / weights);
  const result = single === undefined ? run(target, 0, share) : run(target, single, single + 1);
  results.push(result);
  if (values.json) continue;
  const { name, cases, seconds, slowestMs, heapGrowth, failures } = result;
  console.log(
    `${failures.length === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(22)} ${String(cases).padStart(9)} cases ${seconds.toFixed(1).padStart(8)} s` +
      `  slowest ${slowestMs.toFixed(0)} ms  heap ${(heapGrowth / 2 ** 20).toFixed(1)} MiB`,
  );
  for (const failure of failures) {
    console.log(`  npm run fuzz -- --seed ${seed} --only ${name} --case ${failure.case}`);
    for (const wrong of failure.wrong) console.log(`    ${wrong.slice(0, 2000)}`);
  }
}
const failed = results.reduce((sum, r) => sum + r.failures.length, 0);
const total = results.reduce((sum, r) => sum + r.cases, 0);
const seconds = results.reduce((sum, r) => sum + r.seconds, 0);
if (values.json)
  console.log(JSON.stringify({ schemaVersion: 1, seed, cases: total, seconds, failed, results }, null, 2));
else console.log(`${total} cases in ${seconds.toFixed(0)} s, seed ${seed}: ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
