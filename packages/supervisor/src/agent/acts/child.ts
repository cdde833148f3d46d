/** @module Another program, run once: argv, no shell, a deadline, bounded output. */
import { spawn } from 'node:child_process';

export interface Ran {
  argv: readonly string[];
  /** Its exit code; undefined where it was killed, or could not be started. */
  code?: number;
  /** Both outputs, bounded, without blanks around them; or why it was not started. */
  output: string;
  /** The deadline or the signal came first, and it was killed: what it did is not known. */
  cut: boolean;
}

const MAX_OUTPUT = 64 * 1024;

/** Runs a program in the C locale to its end. Never rejects: what happened is the value. */
export function runOnce(argv: readonly string[], deadlineMs: number, signal: AbortSignal): Promise<Ran> {
  const [program = '', ...args] = argv;
  return new Promise(resolve => {
    let output = '';
    let cut = false;
    const child = spawn(program, args, {
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kill = (): void => {
      cut = true;
      child.kill('SIGKILL');
      // A descendant that has the pipes open must not keep us waiting.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(kill, Math.max(1, Math.min(deadlineMs, 0x7fff_ffff)));
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(0, MAX_OUTPUT);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const done = (code: number | null, more = ''): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      resolve({ argv, ...(code === null || cut ? {} : { code }), output: `${output}${more}`.trim(), cut });
    };
    child.on('error', error => done(null, error.message));
    child.on('close', code => done(code));
  });
}
