/** @module The processes of a drill: each is started here, and none outlives it. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import { pids, processFacts } from '@syndrome/supervisor/agent/proc.ts';

const MAIN = join(import.meta.dirname, '../main.ts');
const END_MS = 5000;

/** Agents, controller and observer. */
export class Processes {
  readonly #children: { child: ChildProcess; ended: Promise<void> }[] = [];

  /** Starts a command of this program; what it says goes to a file. */
  command(args: readonly string[], log: string): void {
    const fd = openSync(log, 'a', 0o600);
    const cache = getCompileCacheDir();
    // As bin/syndrome starts them: with the cache that this program has.
    const env = cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) };
    this.#keep(spawn(process.execPath, [...process.execArgv, MAIN, ...args], { stdio: ['ignore', fd, fd], env }));
    closeSync(fd);
  }

  /** Starts a module that tells something by messages, and ends when nobody listens. */
  teller(module: string, args: readonly string[], onMessage: (message: unknown) => void): void {
    const child = fork(module, args, { stdio: 'inherit' });
    child.on('message', onMessage);
    this.#keep(child);
  }

  /** What has ended although nobody asked it to. */
  get lost(): string | undefined {
    const gone = this.#children.find(({ child }) => child.exitCode !== null || child.signalCode !== null);
    return gone === undefined ? undefined : gone.child.spawnargs.slice(1).join(' ');
  }

  /** Ends all, in order, and waits for it. */
  async end(): Promise<void> {
    for (const { child } of this.#children) child.kill('SIGTERM');
    const patience = setTimeout(() => this.#children.forEach(({ child }) => child.kill('SIGKILL')), END_MS);
    await Promise.all(this.#children.map(({ ended }) => ended));
    clearTimeout(patience);
  }

  #keep(child: ChildProcess): void {
    const ended = new Promise<void>(resolve => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    this.#children.push({ child, ended });
  }
}

/** Ends every QEMU of the VM with that `-uuid`, and no other process. */
export function endVm(uuid: string): void {
  for (const pid of pids()) {
    const argv = processFacts(pid)?.argv ?? [];
    if (argv.some((word, i) => word === '-uuid' && argv[i + 1] === uuid)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It was faster.
      }
    }
  }
}
