/** @module Another program, run once: argv, no shell, a deadline, bounded output. */
import { spawn } from 'node:child_process';

export interface Ran {
  argv: readonly string[];
  /** Its exit code; undefined where it was killed, or could not be started. */
  code?: number;
  /** Both outputs, bounded, without blanks around them; or why it was not started. */
  output: string;
  /** It printed more, and that is not in it. */
  short?: true;
  /** The deadline or the signal came first, and it was killed: what it did is not known. */
  cut: boolean;
}

const MAX_OUTPUT = 64 * 1024;

/** Runs a program in the C locale to its end. Never rejects: what happened is the value. */
export function runOnce(
  argv: readonly string[],
  deadlineMs: number,
  signal: AbortSignal,
  maxOutput = MAX_OUTPUT,
): Promise<Ran> {
  const [program = '', ...args] = argv;
  return new Promise(resolve => {
    let output = '';
    let cut = false;
    let short = false;
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
      const all = output + chunk.toString();
      short ||= all.length > maxOutput;
      output = all.slice(0, maxOutput);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const done = (code: number | null, more = ''): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      const ended = code === null || cut ? {} : { code };
      resolve({ argv, ...ended, output: `${output}${more}`.trim(), cut, ...(short ? { short } : {}) });
    };
    child.on('error', error => done(null, error.message));
    child.on('close', code => done(code));
  });
}
