/**
 * `npm run fuzz [-- options]`: see `--help`, which fuzz/options.ts writes. Exit code 1 when anything failed, 2 for a wrong
 * command line, 130 when it was interrupted.
 */
import { runInJobs } from './fuzz/jobs.ts';
import { type Options, readCommandLine } from './fuzz/options.ts';
import { type Result, runTarget } from './fuzz/run.ts';

async function main({ targets, runs, seed, single, jobs, json }: Options): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const { signal } = interrupted;
  const weights = targets.reduce((sum, t) => sum + t.weight, 0);
  const results: Result[] = [];
  const onResult = (result: Result): void => {
    results.push(result);
    if (json) return;
    const { name, cases, seconds, slowestMs, heapGrowth, failures, notes } = result;
    console.log(
      `${failures.length === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(24)} ${String(cases).padStart(9)} cases ${seconds.toFixed(1).padStart(8)} s` +
        `  slowest ${slowestMs.toFixed(0)} ms  heap ${(heapGrowth / 2 ** 20).toFixed(1)} MiB`,
    );
    for (const note of notes) console.log(`       ${note}`);
    for (const failure of failures) {
      console.log(`  npm run fuzz -- --seed ${seed} --only ${name} --case ${failure.case}`);
      for (const wrong of failure.wrong)
        console.log(`    ${JSON.stringify(wrong.slice(0, 2000)).replaceAll('\\n', '\n    ')}`);
    }
  };
  const started = performance.now();
  const planned = targets.map(t => ({
    target: t,
    name: t.name,
    cases: Math.min(t.most ?? Infinity, Math.ceil((runs * t.weight) / weights)),
  }));
  if (!json) {
    const cases = single === undefined ? planned.reduce((sum, p) => sum + p.cases, 0) : 1;
    console.log(`cases: ${cases}, targets: ${targets.length}, seed: ${seed}, jobs: ${jobs}`);
  }
  if (jobs > 1 && single === undefined) {
    await runInJobs(planned, { seed, jobs, stop: signal, onResult });
  } else {
    for (const { target, cases } of planned) {
      const range = single === undefined ? ([0, cases] as const) : ([single, single + 1] as const);
      onResult(await runTarget(target, seed, range, { stopped: () => signal.aborted }));
      if (signal.aborted) break;
    }
  }
  const failed = results.reduce((sum, r) => sum + r.failures.length, 0);
  const total = results.reduce((sum, r) => sum + r.cases, 0);
  const seconds = (performance.now() - started) / 1000;
  if (json) {
    const all = { schemaVersion: 1, seed, cases: total, seconds, failed, interrupted: signal.aborted, results };
    console.log(JSON.stringify(all, null, 2));
  } else {
    const cut = signal.aborted ? ', interrupted' : '';
    console.log(`${total} cases in ${seconds.toFixed(0)} s, seed ${seed}: ${failed} failed${cut}`);
  }
  process.exitCode = failed > 0 ? 1 : signal.aborted ? 130 : 0;
}

const asked = readCommandLine(process.argv.slice(2));
if ('print' in asked) {
  process.stdout.write(asked.print);
} else if ('wrong' in asked) {
  console.error(asked.wrong);
  process.exitCode = 2;
} else {
  await main(asked);
}
