/**
 * Two sanlock daemons on this machine, for tests: each with its own /run/sanlock in a mount namespace, both on one lockspace file, as two hosts on
 * shared storage. They run without a watchdog (`-w 0`): none is reset here.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SanlockPlace } from '../sanlock.ts';
import { until } from './libvirt-hosts.ts';

const run = promisify(execFile);
const COMMAND_MS = 30_000;
const APT_LINE = 'apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold sanlock';

/** Why no two daemons can be had here; undefined where they can. */
export function noSanlock(): string | undefined {
  if (process.getuid?.() !== 0) return 'sanlock daemons in namespaces need root';
  const folders = (process.env['PATH'] ?? '').split(':');
  const missing = ['sanlock', 'wdmd', 'unshare', 'nsenter'].filter(p => !folders.some(f => existsSync(join(f, p))));
  if (missing.length > 0) return `missing: ${missing.join(', ')} (${APT_LINE})`;
  const own = spawnSync('unshare', ['--mount', 'true'], { timeout: COMMAND_MS });
  return own.status === 0 ? undefined : 'no mount namespace can be made here';
}

/** One host: its daemon. */
export class SanlockHost {
  readonly #daemon: ChildProcess;
  readonly #lease: string;

  constructor(daemon: ChildProcess, lease: string) {
    this.#daemon = daemon;
    this.#lease = lease;
  }

  /** How its commands are called from outside of its namespace. */
  get place(): SanlockPlace {
    const enter = ['nsenter', `--mount=/proc/${this.#daemon.pid}/ns/mnt`];
    return { sanlock: [...enter, 'sanlock'], wdmd: [...enter, 'wdmd'] };
  }

  /** A command of sanlock on it. */
  async client(...args: string[]): Promise<string> {
    const [program = '', ...first] = this.place.sanlock ?? [];
    const { stdout } = await run(program, [...first, 'client', ...args], { timeout: COMMAND_MS });
    return stdout;
  }

  async join(): Promise<void> {
    await this.client('add_lockspace', '-s', this.#lease, '-o', '2');
  }

  async leave(): Promise<void> {
    await this.client('rem_lockspace', '-s', this.#lease);
  }

  /** The host is gone, at once: nothing is given back. */
  async kill(): Promise<void> {
    if (this.#daemon.exitCode !== null || this.#daemon.signalCode !== null) return;
    const exit = once(this.#daemon, 'exit');
    this.#daemon.kill('SIGKILL');
    await exit;
  }
}

/**
 * Two hosts, host ids 1 and 2 of lockspace LS1, io_timeout 2 s; neither has joined. Their daemons have to be killed by who asks for them.
 * @param folder short: the path of a socket has 107 bytes
 */
export async function sanlockHosts(folder: string): Promise<[a: SanlockHost, b: SanlockHost]> {
  const leases = join(folder, 'leases');
  await writeFile(leases, '');
  await truncate(leases, 1 << 20);
  const env = { ...process.env, SANLOCK_PRIVILEGED: '0' };
  await run('sanlock', ['direct', 'init', '-s', `LS1:0:${leases}:0`, '-o', '2'], { env, timeout: COMMAND_MS });
  const start = async (name: string, id: number): Promise<SanlockHost> => {
    const own = join(folder, name);
    await mkdir(own);
    // The shell becomes the daemon: to end the one is to end the other.
    const script =
      'mkdir -p /run/sanlock && mount --bind "$1" /run/sanlock && exec sanlock daemon -D -w 0 -U root -G root -e "$2"';
    const argv = ['--mount', 'sh', '-c', script, 'sh', own, name];
    const daemon = spawn('unshare', argv, { env, stdio: 'ignore' });
    await until(() => existsSync(join(own, 'sanlock.sock')));
    return new SanlockHost(daemon, `LS1:${id}:${leases}:0`);
  };
  return [await start('a', 1), await start('b', 2)];
}
