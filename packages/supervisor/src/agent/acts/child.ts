/** @module Another program, run once: argv, no shell, a deadline, bounded output. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface Ran {
  argv: readonly string[];
  /** Its exit code; undefined where it was killed, or could not be started. */
  code?: number;
  /** Both outputs, bounded, without blanks around them; or why it was not started. */
  output: string;
  /** The standard one alone, as it came. */
  stdout: string;
  /** It printed more, and that is not in it. */
  short?: true;
  /** The deadline or the signal came first, and it was killed: what it did is not known. */
  cut: boolean;
}

const MAX_OUTPUT = 64 * 1024;

function killAll(child: ChildProcess, group: boolean): void {
  try {
    if (group && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch {
    // It has ended.
  }
}

/**
 * Runs a program in the C locale to its end. Never rejects: what happened is the value.
 * @param input what it reads; then it has a group of its own, and what it has started is killed with it
 */
export function runOnce(
  argv: readonly string[],
  deadlineMs: number,
  signal: AbortSignal,
  maxOutput = MAX_OUTPUT,
  input?: string,
): Promise<Ran> {
  const [program = '', ...args] = argv;
  return new Promise(resolve => {
    let output = '';
    let stdout = '';
    let cut = false;
    let short = false;
    const child = spawn(program, args, {
      env: { ...process.env, LC_ALL: 'C' },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: input !== undefined,
    });
    // It may end without reading.
    child.stdin?.on('error', () => undefined).end(input);
    const { stdout: out, stderr: err } = child;
    const kill = (): void => {
      cut = true;
      killAll(child, input !== undefined);
      // A descendant that has the pipes open must not keep us waiting.
      out?.destroy();
      err?.destroy();
    };
    const timer = setTimeout(kill, Math.max(1, Math.min(deadlineMs, 0x7fff_ffff)));
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    const take = (chunk: Buffer): void => {
      const all = output + chunk.toString();
      short ||= all.length > maxOutput;
      output = all.slice(0, maxOutput);
    };
    out?.on('data', (chunk: Buffer) => {
      take(chunk);
      stdout = (stdout + chunk.toString()).slice(0, maxOutput);
    });
    err?.on('data', take);
    const done = (code: number | null, more = ''): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      const ended = code === null || cut ? {} : { code };
      resolve({ argv, ...ended, output: `${output}${more}`.trim(), stdout, cut, ...(short ? { short } : {}) });
    };
    child.on('error', error => done(null, error.message));
    child.on('close', code => done(code));
  });
}
