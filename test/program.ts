/** Runs the program as a user does, and looks for what it may have left behind. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BIN = join(import.meta.dirname, '../bin/syndrome');

interface Running {
  child: ChildProcess;
  /** Resolves when stdout or stderr holds the text; rejects when the program ends without it. */
  until(text: string): Promise<void>;
  /** Everything printed, and how it ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

/** A folder for TMPDIR and the state of one program, so that a test sees what stays. */
export class Sandbox {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'st-'));
  readonly env: NodeJS.ProcessEnv = {
    ...process.env,
    TMPDIR: this.dir,
    SYNDROME_STATE: join(this.dir, 'state'),
    NO_COLOR: '1',
  };

  start(...args: string[]): Running {
    const child = spawn(BIN, args, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    const waiting = new Set<() => void>();
    const grow = (): void => waiting.forEach(check => check());
    child.stdout.on('data', (chunk: Buffer) => ((stdout += chunk.toString()), grow()));
    child.stderr.on('data', (chunk: Buffer) => ((stderr += chunk.toString()), grow()));
    const ended = new Promise<Awaited<Running['ended']>>(resolve =>
      child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
    );
    const until = (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!(stdout + stderr).includes(text)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        void ended.then(e =>
          reject(new Error(`the program ended (${e.code}) without "${text}":\n${e.stdout}${e.stderr}`)),
        );
        check();
      });
    return { child, until, ended };
  }

  /** Like start(); SIGUSR2 then throws in the program where nothing catches it. */
  startThrowing(...args: string[]): Running {
    const script = 'process.on("SIGUSR2", () => { throw new Error("nobody catches this") })';
    const { NODE_OPTIONS } = this.env;
    this.env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(script)}`;
    try {
      return this.start(...args);
    } finally {
      if (NODE_OPTIONS === undefined) delete this.env.NODE_OPTIONS;
      else this.env.NODE_OPTIONS = NODE_OPTIONS;
    }
  }

  async run(...args: string[]): Promise<Awaited<Running['ended']>> {
    return this.start(...args).ended;
  }

  /** Runs a line of bash in which `$SYNDROME` is the program. */
  shell(script: string): { status: number | null; stdout: string; stderr: string } {
    const env = { ...this.env, SYNDROME: BIN };
    return spawnSync('bash', ['-c', script], { env, encoding: 'utf8', timeout: 120_000 });
  }

  /** Processes whose command line names this folder, apart from the program itself. */
  processes(): string[] {
    return readdirSync('/proc')
      .filter(pid => /^\d+$/.test(pid) && Number(pid) !== process.pid)
      .flatMap(pid => {
        try {
          const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
          return line.includes(this.dir) ? [`${pid} ${line.slice(0, 4000)}`] : [];
        } catch {
          return [];
        }
      });
  }

  /** Run folders that still exist. */
  folders(): string[] {
    return readdirSync(this.dir).filter(name => name.startsWith('syndrome-'));
  }

  /** Waits until nothing of the program is left; throws with what is after `ms`. */
  async clean(ms = 10_000): Promise<void> {
    const deadline = Date.now() + ms;
    for (;;) {
      const left = [...this.processes(), ...this.folders()];
      if (left.length === 0) return;
      if (Date.now() > deadline) throw new Error(`still there: ${left.join('; ')}`);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }

  /** Writes a file into the folder. */
  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
