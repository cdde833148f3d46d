import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { supplyError } from './errors.ts';

interface ChildOptions {
  cwd?: string;
  signal?: AbortSignal | undefined;
  /** Milliseconds until the child and its children are killed. */
  deadlineMs: number;
  /** Called with each complete line of stdout; then `stdout` of the result stays empty. */
  onLine?: (line: string) => void;
  /** Called with each complete line of file descriptor 3 (apt's status lines). */
  onStatus?: (line: string) => void;
}

export interface ChildResult {
  code: number;
  stdout: string;
  stderr: string;
}

const KEEP = 1 << 20;

function lines(onLine: (line: string) => void): { push(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    push(chunk) {
      // Only what is new is searched, however small the pieces of a long line are.
      const [first = '', ...parts] = decoder.write(chunk).split('\n');
      rest += first;
      for (const part of parts) {
        onLine(rest);
        rest = part;
      }
      if (rest.length > KEEP) rest = '';
    },
    end() {
      if (rest !== '') onLine(rest);
    },
  };
}

/**
 * Runs a program without a shell, in its own process group and with LC_ALL=C, and waits for its end. A non-zero exit is
 * returned, not thrown. Throws E_SUPPLY_ABORTED, E_SUPPLY_DEADLINE (the whole group is killed first) or
 * E_SUPPLY_NOT_DEBIAN when the program does not exist. Output beyond 1 MiB is dropped.
 */
export async function runChild(program: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  const { signal } = options;
  if (signal?.aborted) throw supplyError('E_SUPPLY_ABORTED', 'interrupted', { cause: signal.reason });
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: 'C', LANGUAGE: 'C' };
  return await new Promise<ChildResult>((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env,
      // Its own group, so that apt's transport helpers end with it.
      detached: true,
      stdio: options.onStatus ? ['ignore', 'pipe', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let killed: Error | undefined;
    const kill = (why: Error): void => {
      killed ??= why;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // already gone
      }
    };
    const onAbort = (): void => kill(supplyError('E_SUPPLY_ABORTED', 'interrupted', { cause: signal?.reason }));
    const timer = setTimeout(
      () => kill(supplyError('E_SUPPLY_DEADLINE', `${program} did not end within ${options.deadlineMs} ms`)),
      options.deadlineMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };

    // A character may come in two pieces.
    const decoder = new StringDecoder('utf8');
    const out = options.onLine ? lines(options.onLine) : undefined;
    child.stdout?.on('data', (chunk: Buffer) => {
      if (out) out.push(chunk);
      else if (stdout.length < KEEP) stdout += decoder.write(chunk);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < KEEP) stderr += text;
    });
    if (options.onStatus) {
      const status = lines(options.onStatus);
      child.stdio[3]?.on('data', (chunk: Buffer) => status.push(chunk));
    }
    child.on('error', error => {
      done();
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      reject(
        missing
          ? supplyError('E_SUPPLY_NOT_DEBIAN', `${program} is not installed on this machine`, {
              hint: 'Parts are taken from Debian packages with apt-get and dpkg-deb. Install apt and dpkg, or give your own files (--qemu, --kernel).',
              cause: error,
            })
          : supplyError('E_SUPPLY_APT', `${program} could not be started: ${messageOf(error)}`, { cause: error }),
      );
    });
    child.on('close', (code, sig) => {
      done();
      out?.end();
      if (killed) reject(killed);
      else resolve({ code: code ?? 1, stdout, stderr: sig ? `${stderr}\nkilled by ${sig}` : stderr });
    });
  });
}
