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
"$@" 3<&- &
pid=$!
( while read -r _ <&3; do :; done; kill -KILL $pid 2>/dev/null ) &
watch=$!
exec 3<&-
wait $pid 2>/dev/null; code=$?
kill $watch 2>/dev/null
rm -rf -- "$dir"
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
  /** Ends it at once and waits until it is gone. */
  stop(): Promise<ExitStatus>;
}

/** A command that cannot outlive this process. */
export class KeptProcess implements MachineProcess {
  readonly exited: Promise<ExitStatus>;
  #child: ChildProcess;
  #expected = false;

  /**
   * @param dir removed when the command has ended
   * @param onStderr complete lines of what the command prints (stdout and stderr)
   */
  constructor(argv: readonly string[], dir: string, onStderr: (line: string) => void) {
    this.#child = spawn('/bin/sh', ['-c', KEEPER, 'syndrome-keeper', dir, ...argv], {
      stdio: ['pipe', 'pipe', 'pipe'],
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
    this.exited = new Promise(resolve => {
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
