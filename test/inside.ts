/** Runs the program in the test's own process. */
import { vi } from 'vitest';
import { fail } from '@syndrome/cli/fail.ts';
import { buildProgram } from '@syndrome/cli/program.ts';
import { runProgram } from '@syndrome/cli/run-program.ts';

/** How a command ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the program in this process, which saves a start for each of many cases; what it prints is caught. */
export async function runInside(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<Ended> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const before = signals.map(signal => process.listeners(signal));
  let [stdout, stderr] = ['', ''];
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(text => ((stdout += String(text)), true)),
    vi.spyOn(process.stderr, 'write').mockImplementation(text => ((stderr += String(text)), true)),
  ];
  const exitCode = process.exitCode;
  process.exitCode = undefined;
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  try {
    const code = await runProgram(buildProgram(), args).then(
      () => Number(process.exitCode ?? 0),
      (error: unknown) => fail(error, args),
    );
    return { code, stdout, stderr };
  } finally {
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
    process.exitCode = exitCode;
    for (const [i, signal] of signals.entries())
      for (const listener of process.listeners(signal))
        if (!before[i]?.includes(listener)) process.off(signal, listener);
  }
}
