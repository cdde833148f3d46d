/**
 * A site of processes on this machine: controllers, agents of two hosts and one VM, which are killed and paused by whoever has it, and
 * come back.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StorePlace } from '@syndrome/base/store/open.ts';
import type { CopiesLine } from '@syndrome/cli/drill/copies.ts';
import { endVm, Processes } from '@syndrome/cli/drill/processes.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { processFacts } from '@syndrome/supervisor/agent/proc.ts';
import type { Order } from '@syndrome/supervisor/core/input.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';

export const HOSTS = ['a', 'b'] as const;
type Host = (typeof HOSTS)[number];
const MAIN = join(import.meta.dirname, '../../packages/cli/src/main.ts');
const COPIES = join(import.meta.dirname, '../../packages/cli/src/drill/copies.ts');

const POLICY = {
  schema: 1,
  name: 'kills',
  version: '1',
  mode: 'act',
  rules: [
    { name: 'died', of: 'vm', when: { consequence: ['died'] }, do: 'restart-elsewhere' },
    { name: 'third-error', of: 'vm', when: { errors: 3, within: '1d' }, do: 'restart-elsewhere' },
    { name: 'vm-error', of: 'vm', when: { errors: 1 }, do: 'tell' },
  ],
  deadlines: { act: '5s', stop: '5s', start: '5s', migrate: '5s', prove: '3s', fence: '5s' },
};

/** What a list of the controller says of a VM. */
export interface VmAnswer {
  copies: { host: string; epoch: number; state: string; proof?: unknown }[];
}

export class SoakSite {
  readonly folder: string;
  readonly controllers: readonly string[];
  readonly vm: string = randomUUID();
  /** What an observer has seen in /proc, and nowhere else. */
  readonly copies: CopiesLine[] = [];
  readonly #parts = new Map<string, ChildProcess>();
  readonly #observer = new Processes();
  readonly #program: readonly string[];

  /**
   * Writes the files of the site, as those of three machines.
   * @param given.url of a PostgreSQL for two controllers; else one works on a file
   */
  constructor(folder: string, { program, url }: { program: readonly string[]; url?: string }) {
    this.folder = folder;
    this.#program = program;
    this.controllers = url === undefined ? ['controller'] : ['controller', 'controller-2'];
    const write = (name: string, data: object): void =>
      writeFileSync(join(folder, name), JSON.stringify(data), { mode: 0o600 });
    write('policy.yaml', POLICY);
    const controller = { site: 'kills', folder: join(folder, 'c'), policy: join(folder, 'policy.yaml') };
    write('controller.yaml', url === undefined ? controller : { ...controller, store: url });
    for (const host of HOSTS) {
      const vms = join(folder, host, 'vms');
      mkdirSync(vms, { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, `${host}.drill`), '', { mode: 0o600 });
      const agent = {
        host,
        controller: join(folder, 'c/run/agents.sock'),
        start: { folder: vms, logs: join(folder, host, 'logs'), programs: program.slice(0, 1) },
        kmsg: false,
        trace: false,
        drill: join(folder, `${host}.drill`),
      };
      write(`${host}.yaml`, { site: 'kills', folder: join(folder, host), agent });
    }
  }

  get store(): StorePlace {
    return readPlaces(this.#file('controller')).store;
  }

  get running(): CopiesLine['copies'] {
    return this.copies.at(-1)?.copies ?? [];
  }

  /** Starts all parts, and the VM on the first host. */
  async begin(): Promise<void> {
    this.#observer.teller(COPIES, [this.vm], line => void this.copies.push(line as CopiesLine));
    for (const name of [...this.controllers, ...HOSTS]) this.start(name);
    const socket = join(this.folder, 'a/vms/vm.qmp');
    writeFileSync(`${socket}.json`, JSON.stringify({ vm: this.vm, name: 'vm', optedIn: true }), { mode: 0o600 });
    const [program = '', ...first] = this.#program;
    const words = ['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-uuid', this.vm];
    spawn(program, [...first, ...words, '-qmp', `unix:${socket},server=on,wait=off`], {
      stdio: 'ignore',
      detached: true,
    }).unref();
  }

  /** Ends everything, whatever state it is in. */
  async end(): Promise<void> {
    for (const part of this.#parts.values()) part.kill('SIGKILL');
    endVm(this.vm);
    await this.#observer.end();
  }

  start(name: string): void {
    const fd = openSync(this.logFile(name), 'a', 0o600);
    const [command, file] = this.controllers.includes(name) ? ['controller', 'controller'] : ['agent', name];
    const args = [MAIN, command ?? '', '--config', this.#file(file ?? '')];
    this.#parts.set(name, spawn(process.execPath, args, { stdio: ['ignore', fd, fd] }));
    closeSync(fd);
  }

  /** Ends a part with -9. @throws Error where it had ended by itself */
  async kill(name: string): Promise<void> {
    const child = this.#alive(name);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Stops a part for a while, as a machine that swaps or is migrated. */
  async pause(name: string, ms: number): Promise<void> {
    const child = this.#alive(name);
    child.kill('SIGSTOP');
    await sleep(ms);
    child.kill('SIGCONT');
  }

  /** Ends a part in order. */
  async stop(name: string): Promise<void> {
    const child = this.#alive(name);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  killVm(): void {
    endVm(this.vm);
  }

  /** Stops the VM's processes for a while. */
  async pauseVm(ms: number): Promise<void> {
    const all = this.running.map(({ pid }) => pid);
    const tell = (signal: NodeJS.Signals): void => {
      for (const pid of all) {
        // A number may be another process's by now.
        if (processFacts(pid)?.argv.includes(this.vm) !== true) continue;
        try {
          process.kill(pid, signal);
        } catch {
          // It was faster.
        }
      }
    };
    tell('SIGSTOP');
    await sleep(ms);
    tell('SIGCONT');
  }

  /** Tells the VM's host that a page was lost. */
  loseAPage(page: number): void {
    const line = { vm: this.vm, when: Date.now(), gpa: hex64(BigInt(page) << 12n), kind: 'srao' };
    appendFileSync(join(this.folder, `${this.#hostOf()}.drill`), `${JSON.stringify(line)}\n`);
  }

  /** A list of the controller; none while it does not answer. */
  async list<T>(what: 'actions' | 'vms' | 'pages'): Promise<T[] | undefined> {
    const question = { ask: 'list', list: what } as const;
    return (await ask(this.#admin, question, { deadlineMs: 2000 }).catch(() => undefined)) as T[] | undefined;
  }

  async order(order: Order): Promise<void> {
    await ask(this.#admin, { ask: 'order', by: 'test', order }).catch(() => undefined);
  }

  /** Acts that an agent began, over all its lives: it writes a line before each. */
  begun(host: Host): string[] {
    const log = readFileSync(this.logFile(host), 'utf8');
    return [...log.matchAll(/agent: [\w-]+ \S+ \((\S+), epoch \d+\)$/gm)].map(m => m[1] ?? '');
  }

  logFile(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  get #admin(): string {
    return readPlaces(this.#file('controller')).sockets.admin;
  }

  #file(name: string): string {
    return join(this.folder, `${name}.yaml`);
  }

  /** The host in whose folder the VM's monitor is; where it has just gone, that where it may have been. */
  #hostOf(): Host {
    const [copy] = this.running;
    const argv = copy === undefined ? [] : (processFacts(copy.pid)?.argv ?? []);
    return argv.some(word => word.includes(join(this.folder, 'b/'))) ? 'b' : 'a';
  }

  #alive(name: string): ChildProcess {
    const child = this.#parts.get(name);
    if (child === undefined) throw new Error(`${name} was never started`);
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${name} has ended by itself: ${readFileSync(this.logFile(name), 'utf8').slice(-2000)}`);
    return child;
  }
}
