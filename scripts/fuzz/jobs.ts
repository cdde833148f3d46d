/** Shares the cases of targets among processes. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Result, merged } from './run.ts';
import { BLOCK } from './target.ts';
import type { Part } from './worker.ts';

/** Cuts `cases` at blocks into as many ranges as there are jobs, or fewer. */
export function ranges(cases: number, jobs: number): [number, number][] {
  const size = Math.ceil(cases / jobs / BLOCK) * BLOCK;
  const all: [number, number][] = [];
  for (let first = 0; first < cases; first += size) all.push([first, Math.min(cases, first + size)]);
  return all;
}

/** Runs targets in `jobs` processes; each result is told when all parts of the target have ended. */
export async function runInJobs(
  targets: readonly { name: string; cases: number }[],
  { seed, jobs, stop, onResult }: { seed: number; jobs: number; stop: AbortSignal; onResult: (r: Result) => void },
): Promise<void> {
  const parts: Part[] = targets.flatMap(t => ranges(t.cases, jobs).map(range => ({ target: t.name, seed, range })));
  const left = new Map(targets.map(t => [t.name, ranges(t.cases, jobs).length]));
  const done = new Map<string, Result[]>();
  const take = (result: Result): void => {
    const all = [...(done.get(result.name) ?? []), result];
    done.set(result.name, all);
    if (all.length === left.get(result.name)) onResult(merged(all));
  };
  const worker = async (): Promise<void> => {
    const child: ChildProcess = fork(join(import.meta.dirname, 'worker.ts'));
    const exited = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`a process of the fuzzer has ended: ${String(code ?? signal)}`);
    });
    exited.catch(() => {});
    const tellStop = (): void => void child.send('stop');
    stop.addEventListener('abort', tellStop);
    try {
      for (let part = parts.shift(); part !== undefined && !stop.aborted; part = parts.shift()) {
        child.send(part);
        const [result] = (await Promise.race([once(child, 'message'), exited])) as [Result];
        take(result);
      }
    } finally {
      stop.removeEventListener('abort', tellStop);
      if (child.connected) child.disconnect();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, parts.length) }, worker));
  // Of what was interrupted, what was done.
  for (const [name, all] of done) if (all.length !== left.get(name)) onResult(merged(all));
}
