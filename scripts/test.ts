/**
 * `npm test [-- fast|long|machine] [vitest arguments]`: the fast tests, then those that need packages, QEMU and kernels, and beside
 * them those of what is published and of servers. `long` by itself adds long searches to its own tests: hundreds of kills, thousands of
 * histories. Ends with the files that took longest and a line `N passed, N failed`, whatever happens; an interruption is a failure.
 */
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { isHostile } from '@syndrome/decode/common/screen.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { runChild } from './child.mjs';
import { wrongCommandLine } from './command-line.ts';

const root = join(import.meta.dirname, '..');
const SLOWEST = 20;
const PROJECTS = ['fast', 'long', 'machine'];
const [first, ...rest] = process.argv.slice(2);
const only = PROJECTS.find(project => project === first);
const extra = only === undefined && first !== undefined ? [first, ...rest] : rest;

if (extra.length > 0) {
  // Vitest answers an option that it does not know with a stack, and shows the names of files as they are.
  const { createCLI } = await import('vitest/node');
  try {
    const cli = createCLI();
    cli.parse(['node', 'vitest', 'run', ...extra], { run: false });
    cli.matchedCommand?.checkUnknownOptions();
    cli.matchedCommand?.checkOptionValue();
  } catch (error) {
    notRun(messageOf(error));
  }
  if (extra.some(isHostile)) notRun(`no test is named so: ${extra.join(' ')}`);
}

/** The last line is of the same form as ever. */
function notRun(why: string): never {
  console.log('0 passed, 1 failed');
  return wrongCommandLine(why);
}

interface Counts {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  success: boolean;
  testResults: {
    name: string;
    status: string;
    message: string;
    /** Milliseconds since 1970. */
    startTime: number;
    endTime: number;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

// Asked for by name, the long tests search longer too: kills of all parts, and histories of the world.
if (only === 'long') {
  process.env['SYNDROME_LONG_SEARCH'] = '1';
  process.env['SYNDROME_KILLS'] ??= '300';
  process.env['SYNDROME_WORLD_RUNS'] ??= '10000';
  process.env['SYNDROME_SIM_HOURS'] ??= '200000';
}

let [passed, failed, skipped] = [0, 0, 0];
/** What failed, said once more at the end: of a long run often only the end is kept. */
const failures: string[] = [];
/** Seconds that a file of tests took, by its name: what a shorter run has to begin with. */
const took = new Map<string, number>();
let interrupted: number | undefined;
const folder = mkdtempSync(join(tmpdir(), 'syndrome-test-'));

/** Runs the tests of a project, and counts them. @param out where what they print goes, of those that run beside others */
async function run(project: string, out?: number): Promise<void> {
  const report = join(folder, `${project}.json`);
  const args = [
    'run',
    '--project',
    project,
    '--passWithNoTests',
    // Vitest leaves one processor free, which of two is half of them.
    '--maxWorkers=100%',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...extra,
  ];
  const vitest = await runChild(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: root,
    ...(out === undefined ? {} : { stdio: ['ignore', out, out] }),
  });
  if (vitest.interrupted) {
    failed++;
    interrupted = vitest.code;
    return;
  }
  if (!existsSync(report)) {
    console.error(`the ${project} tests did not run (exit ${vitest.code})`);
    failed++;
    return;
  }
  const counts = JSON.parse(readFileSync(report, 'utf8')) as Counts;
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  skipped += counts.numPendingTests;
  failures.push(...failuresOf(counts));
  for (const { name, startTime, endTime } of counts.testResults)
    took.set(relative(root, name), (endTime - startTime) / 1000);
  // A file that cannot be loaded fails no test, but the run.
  if (vitest.code !== 0 && counts.numFailedTests === 0) failed++;
}

/** A failed test, or a file of tests that could not be loaded: where, which, and the beginning of why. */
function failuresOf(counts: Counts): string[] {
  return counts.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    const tests = assertionResults.filter(test => test.status === 'failed');
    if (tests.length === 0) return status === 'failed' ? [`FAILED ${file}\n${beginning(message)}`] : [];
    return tests.map(test => `FAILED ${file}: ${test.fullName}\n${beginning(test.failureMessages.join('\n'))}`);
  });
}

const beginning = (why: string): string =>
  stripVTControlCharacters(why)
    .split('\n')
    .slice(0, 40)
    .map(line => `  ${line}`)
    .join('\n');

/** Tests with machines, and beside them what waits for other things than an emulator, one project after the other. */
async function machine(...others: string[]): Promise<void> {
  const beside = join(folder, 'beside.txt');
  const out = openSync(beside, 'w');
  console.log(`beside the tests with machines run others (${others.join(', ')}); what they say comes behind`);
  const inTurn = async (): Promise<void> => {
    for (const project of others) if (interrupted === undefined) await run(project, out);
  };
  try {
    await Promise.all([run('machine'), inTurn()]);
  } finally {
    closeSync(out);
    process.stdout.write(readFileSync(beside));
  }
}

try {
  if (only === 'machine') await machine('servers');
  else if (only !== undefined) await run(only);
  else {
    await run('fast');
    if (interrupted === undefined) await machine('long', 'servers');
  }
} catch (error) {
  failed++;
  console.error(error);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) console.log(failure);
const slowest = [...took].sort(([, a], [, b]) => b - a).slice(0, SLOWEST);
if (took.size > SLOWEST) {
  console.log(`took longest: ${slowest.map(([file, seconds]) => `${file} ${seconds.toFixed(0)} s`).join(', ')}`);
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = interrupted ?? (failed === 0 && passed > 0 ? 0 : 1);
