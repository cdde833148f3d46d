import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

/**
 * The keeper: a shell that starts the command and holds the reading end of a pipe from this process. When the pipe
 * closes, for whatever reason (also `kill -9`), it kills the command and removes the run folder. It lives in a session
 * of its own, so that Ctrl-C reaches this process first. `read` is a builtin: nothing of the keeper stays behind.
 */
const KEEPER = `
dir=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- 4>&- &
pid=$!
( while read -r _ <&3; do :; done; kill -KILL $pid 2>/dev/null ) 4>&- &
watch=$!
exec 3<&-
wait $pid 2>/dev/null; code=$?
kill $watch 2>/dev/null
rm -rf -- "$dir"
times >&4
exit $code
`;

/** How the command ended: an exit code, or the number of the signal that killed it. */
export interface ExitStatus {
  code?: number;
  signal?: number;
  /** We ended it. */
  expected: boolean;
}

/** A process that runs a machine. */
export interface MachineProcess {
  readonly exited: Promise<ExitStatus>;
  /** User and system time in seconds, once it has ended; undefined where nobody has told it. */
  readonly cpuSeconds: number | undefined;
  /** Ends it at once and waits until it is gone. */
  stop(): Promise<ExitStatus>;
}

/**
 * What the children of a shell have used, s, of what its `times` prints: a line of its own user and system time, then one of
 * theirs (POSIX, XCU 2.14 times).
 * @example childTimes('0m0.00s 0m0.00s\n0m1.50s 1m0.25s\n') // 61.75
 */
export function childTimes(text: string): number | undefined {
  const found = /^.*\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s\n$/.exec(text)?.slice(1).map(Number);
  if (found === undefined) return undefined;
  const [userMinutes = 0, user = 0, systemMinutes = 0, system = 0] = found;
  return 60 * (userMinutes + systemMinutes) + user + system;
}

/** A command that cannot outlive this process. */
export class KeptProcess implements MachineProcess {
  readonly exited: Promise<ExitStatus>;
  cpuSeconds: number | undefined;
  #child: ChildProcess;
  #expected = false;

  /**
   * @param dir removed when the command has ended
   * @param onStderr complete lines of what the command prints (stdout and stderr)
   */
  constructor(argv: readonly string[], dir: string, onStderr: (line: string) => void) {
    this.#child = spawn('/bin/sh', ['-c', KEEPER, 'syndrome-keeper', dir, ...argv], {
      // The last is of the keeper alone: what its command has used.
      stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'pipe'],
      detached: true,
      env: { ...process.env, LC_ALL: 'C' },
    });
    this.#child.stdin?.on('error', () => {});
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      const decoder = new StringDecoder('utf8');
      let rest = '';
      stream?.on('data', (chunk: Buffer) => {
        const lines = (rest + decoder.write(chunk)).split(/\r?\n/);
        rest = (lines.pop() ?? '').slice(-8192);
        for (const line of lines) onStderr(line.slice(0, 8192));
      });
      stream?.on('end', () => {
        if (rest !== '') onStderr(rest);
      });
    }
    let times = '';
    this.#child.stdio[4]?.on('data', (chunk: Buffer) => (times += chunk.toString('latin1')));
    this.exited = new Promise(resolve => {
      this.#child.once('close', () => (this.cpuSeconds = childTimes(times)));
      this.#child.once('error', () => resolve({ code: 127, expected: this.#expected }));
      this.#child.once('close', (code, signal) => {
        // A shell reports a signalled child as 128 + n.
        if (code !== null && code > 128) resolve({ signal: code - 128, expected: this.#expected });
        else if (code !== null) resolve({ code, expected: this.#expected });
        else resolve({ signal: signal === 'SIGKILL' ? 9 : 15, expected: this.#expected });
      });
    });
  }

  /** What follows is meant to end the command: its end is no accident. */
  expectExit(): void {
    this.#expected = true;
  }

  /** Ends the command at once and waits until it and its folder are gone. */
  async stop(): Promise<ExitStatus> {
    this.#expected = true;
    this.#child.stdin?.end();
    return this.exited;
  }
}
