/** @module Another program, run once: argv, no shell, a deadline, bounded output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { messageOf } from '@syndrome/decode/common/errors.ts';

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
  /** No process of it was made: it did nothing, and will do nothing. */
  unstarted?: true;
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

/** Bytes as text, up to a bound; a character whose bytes come apart, or lie across the bound, is not broken. */
class BoundedText {
  text = '';
  isShort = false;
  #room: number;

  constructor(maxBytes: number) {
    this.#room = maxBytes;
  }

  take(chunk: Buffer, decoder: StringDecoder): void {
    const fits = chunk.subarray(0, this.#room);
    this.#room -= fits.length;
    this.isShort ||= fits.length < chunk.length;
    this.text += decoder.write(fits);
  }
}

interface RunOptions {
  /** Bytes of both outputs together, and of the standard one alone. */
  maxOutput?: number;
  /** What it reads; then it has a group of its own, and what it has started is killed with it. */
  input?: string;
  /** Its environment; by default that of this process. */
  env?: Readonly<Record<string, string | undefined>>;
}

/** Runs a program in the C locale to its end. Never rejects: what happened is the value. */
export function runOnce(
  argv: readonly string[],
  deadlineMs: number,
  signal: AbortSignal,
  { maxOutput = MAX_OUTPUT, input, env = process.env }: RunOptions = {},
): Promise<Ran> {
  const [program = '', ...args] = argv;
  return new Promise(resolve => {
    const output = new BoundedText(maxOutput);
    const stdout = new BoundedText(maxOutput);
    let cut = false;
    let child: ChildProcess;
    try {
      child = spawn(program, args, {
        env: { ...env, LC_ALL: 'C' },
        stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        detached: input !== undefined,
      });
    } catch (error) {
      // Of some causes an event tells, of others (ENOTDIR, E2BIG, …) an exception.
      resolve({ argv, output: messageOf(error), stdout: '', unstarted: true, cut });
      return;
    }
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
    const read = (from: typeof out, into: readonly BoundedText[]): void => {
      for (const text of into) {
        const decoder = new StringDecoder('utf8');
        from?.on('data', (chunk: Buffer) => text.take(chunk, decoder));
      }
    };
    read(out, [output, stdout]);
    read(err, [output]);
    const done = (code: number | null, more = ''): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      const ended = code === null || cut ? {} : { code };
      const how = {
        ...(output.isShort ? { short: true as const } : {}),
        ...(child.pid === undefined ? { unstarted: true as const } : {}),
      };
      resolve({ argv, ...ended, output: `${output.text}${more}`.trim(), stdout: stdout.text, cut, ...how });
    };
    child.on('error', error => done(null, error.message));
    child.on('close', code => done(code));
  });
}
