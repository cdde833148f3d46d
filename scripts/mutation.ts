/**
 * `npm run mutation [-- room… --sample N --seed S --json --file NAME]`: changes one thing at a time in the sources of the
 * rooms `registers`, `mca` and `arm` and runs the room's own tests on it. A change that no test notices is a survivor: a
 * gap of the tests, or a change that changes nothing. The score is the share that was noticed; below 85 % the exit code
 * is 1. Without `--sample` every mutant runs. A sample takes the kinds of change in turn, so that the many strings of
 * the tables do not drown the few decisions. What is never changed stands in mutation/mutants.ts.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Chance } from './chance.ts';
import { commandLine, wrongCommandLine } from './command-line.ts';
import { applyMutant, describeMutant, mutantsOf } from './mutation/mutants.ts';
import type { Mutant } from './mutation/mutants.ts';
import type { Job, Outcome } from './mutation/worker.ts';
import { roomOf, rooms as allRooms } from './rooms.ts';

const ROOT = join(import.meta.dirname, '..');
const ROOMS = ['registers', 'mca', 'arm'];
const GOAL = 0.85;
/** A mutant that takes so many times as long as the unchanged room hangs; at least MIN_DEADLINE_MS. */
const DEADLINE_FACTOR = 4;
const MIN_DEADLINE_MS = 8_000;
/** The first run loads and compiles everything. */
const BASELINE_MS = 300_000;
/** Loaded modules stay in memory: a new process after so many mutants. */
const MUTANTS_PER_PROCESS = 200;
const WORKER_HEAP_MIB = 1024;

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    file: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const rooms = positionals.length === 0 ? ROOMS : positionals;
const sample = values.sample === undefined ? Infinity : Number(values.sample);
const unknown = rooms.find(room => !ROOMS.includes(room));
if (unknown !== undefined || !(sample > 0)) {
  wrongCommandLine(
    unknown === undefined ? '--sample takes a number above 0' : `no room ${unknown}: ${ROOMS.join(' ')}`,
  );
}

/** The process that runs the tests; it is ended and started anew when a mutant hangs or breaks it. */
class Tests {
  #child: ChildProcess | undefined;
  #jobs = 0;

  /** Undefined: no answer by the deadline, or the process died. */
  async run(job: Job, deadline: number): Promise<Outcome | undefined> {
    if (this.#jobs++ % MUTANTS_PER_PROCESS === 0) await this.stop();
    this.#child ??= fork(join(import.meta.dirname, 'mutation', 'worker.ts'), {
      execArgv: [`--max-old-space-size=${WORKER_HEAP_MIB}`, '--no-warnings'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const child = this.#child;
    const limit = AbortSignal.timeout(deadline);
    const over = new AbortController();
    const signal = AbortSignal.any([limit, over.signal]);
    child.send(job);
    try {
      return await Promise.race([
        once(child, 'message', { signal }).then(([message]) => message as Outcome),
        once(child, 'exit', { signal }).then(() => undefined),
      ]);
    } catch {
      return undefined;
    } finally {
      over.abort();
      if (limit.aborted || child.exitCode !== null || child.signalCode !== null) await this.stop();
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

/** `count` mutants: from each operator in turn, in an order that the seed decides. */
function sampled(mutants: readonly Mutant[], count: number, seed: string): Mutant[] {
  if (mutants.length <= count) return [...mutants];
  const chance = new Chance(seed, mutants[0]?.file ?? '');
  const groups = [...Map.groupBy(mutants, m => m.operator).entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => chance.shuffled(group));
  const out: Mutant[] = [];
  for (let i = 0; out.length < count; i++) {
    for (const group of groups) {
      const next = group[i];
      if (next !== undefined && out.length < count) out.push(next);
    }
  }
  return out.toSorted((a, b) => (a.file === b.file ? a.start - b.start : a.file < b.file ? -1 : 1));
}

interface RoomResult {
  room: string;
  possible: number;
  tried: number;
  killed: number;
  hung: number;
  invalid: number;
  score: number;
  seconds: number;
  operators: Record<string, { tried: number; killed: number }>;
  survivors: { file: string; line: number; column: number; operator: string; change: string }[];
}

const tests = new Tests();
let number = 0;

async function mutateRoom(room: string): Promise<RoomResult> {
  const inRoom = (pattern: string): string[] =>
    globSync(`${allRooms[room]?.folder}/${pattern}`, { cwd: ROOT })
      .filter(file => roomOf(file) === room)
      .toSorted();
  const own = inRoom('**/*.test.ts').filter(f => !f.endsWith('.machine.test.ts'));
  const files = inRoom('**/*.ts').filter(f => !f.endsWith('.test.ts') && !f.includes('/testing/'));
  const sources = new Map(files.map(f => [f, readFileSync(join(ROOT, f), 'utf8')]));
  const all = [...sources].flatMap(([file, source]) => mutantsOf(file, source));
  const asked = all.filter(m => values.file === undefined || m.file.endsWith(values.file));
  const mutants = sampled(asked, sample, values.seed);

  const baseline = await tests.run({ id: 0, tests: own }, BASELINE_MS);
  if (baseline?.outcome !== 'survived') {
    throw new Error(`the tests of ${room} fail on the unchanged sources: ${baseline?.by ?? 'no answer'}`);
  }
  // The quick ones first: most mutants die there.
  const ms = (test: string): number => baseline.ms[test] ?? 0;
  const order = own.toSorted((a, b) => ms(a) - ms(b));
  const usual = own.reduce((sum, test) => sum + ms(test), 0);
  const deadline = Math.ceil(Math.max(MIN_DEADLINE_MS, DEADLINE_FACTOR * usual));

  const started = performance.now();
  const result: RoomResult = {
    room,
    possible: asked.length,
    tried: 0,
    killed: 0,
    hung: 0,
    invalid: 0,
    score: 0,
    seconds: 0,
    operators: {},
    survivors: [],
  };
  for (const mutant of mutants) {
    const { file, line, column, operator } = mutant;
    const source = sources.get(file) ?? '';
    const job: Job = { id: ++number, tests: order, file, source: applyMutant(source, mutant) };
    const outcome = await tests.run(job, deadline);
    if (outcome?.outcome === 'invalid') {
      result.invalid++;
      continue;
    }
    const counts = (result.operators[operator] ??= { tried: 0, killed: 0 });
    counts.tried++;
    result.tried++;
    if (outcome === undefined) result.hung++;
    if (outcome === undefined || outcome.outcome === 'killed') {
      counts.killed++;
      result.killed++;
      continue;
    }
    const change = describeMutant(source, mutant);
    result.survivors.push({ file, line, column, operator, change });
    if (!values.json) console.log(`survived  ${file}:${line}:${column}  ${operator}: ${change}`);
  }
  result.seconds = (performance.now() - started) / 1000;
  result.score = result.tried === 0 ? 1 : result.killed / result.tried;
  return result;
}

const results: RoomResult[] = [];
try {
  for (const room of rooms) {
    const result = await mutateRoom(room);
    results.push(result);
    if (values.json) continue;
    const { possible, tried, killed, hung, invalid, score, seconds } = result;
    console.log(
      `${room}: ${killed} of ${tried} mutants noticed, ${(score * 100).toFixed(1)} % (${hung} by the deadline; ${invalid} did not compile; ` +
        `${possible} possible; ${seconds.toFixed(0)} s, ${((seconds * 1000) / Math.max(1, tried)).toFixed(0)} ms each)`,
    );
  }
} finally {
  await tests.stop();
}
if (values.json)
  console.log(JSON.stringify({ schemaVersion: 1, seed: values.seed, goal: GOAL, rooms: results }, null, 2));
process.exitCode = results.every(r => r.score >= GOAL) ? 0 : 1;
