/**
 * @module A real systemd as PID 1 of a PID namespace of its own, for tests: with its own /run, /etc/systemd/system and cgroup2, so that
 * no unit of the machine is touched. It ends with the process that started it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './libvirt-hosts.ts';

const run = promisify(execFile);
const SYSTEMD = '/usr/lib/systemd/systemd';

/** Why no systemd can be run here; undefined where one can. */
export function noSystemd(): string | undefined {
  if (process.geteuid?.() !== 0) return 'a PID 1 in a namespace of its own needs root';
  return existsSync(SYSTEMD) ? undefined : `no ${SYSTEMD}: apt-get install -y --no-install-recommends systemd`;
}

/** $0: a folder whose `units` become /etc/systemd/system. */
const START = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t proc proc /proc
umount -R /sys/fs/cgroup || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind "$0/units" /etc/systemd/system
export container=test
exec ${SYSTEMD} --unit=lab.target --log-target=console`;

export class RealSystemd {
  readonly #unshare: ChildProcess;
  readonly #units: string;
  /** Program and arguments that ask it. */
  systemctl: readonly string[] = [];

  private constructor(unshare: ChildProcess, units: string) {
    this.#unshare = unshare;
    this.#units = units;
  }

  /** Starts it; waits until it says that it runs. */
  static async start(folder: string): Promise<RealSystemd> {
    const units = join(folder, 'units');
    mkdirSync(units);
    writeFileSync(join(units, 'lab.target'), '[Unit]\nDefaultDependencies=no\n');
    const how = [
      '--pid',
      '--fork',
      '--kill-child',
      '--mount',
      '--uts',
      '--ipc',
      '--cgroup',
      'bash',
      '-c',
      START,
      folder,
    ];
    const unshare = spawn('unshare', how, { stdio: 'ignore' });
    const systemd = new RealSystemd(unshare, units);
    const init = (): string | undefined => {
      const [pid] = readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8').trim().split(' ');
      return pid === '' ? undefined : pid;
    };
    await until(async () => {
      const pid = init();
      if (pid === undefined) return false;
      systemd.systemctl = ['nsenter', '-t', pid, '-m', '-p', 'systemctl'];
      return (await systemd.ask('is-system-running').catch(() => '')) === 'running';
    });
    return systemd;
  }

  /** Writes a service; systemd reads it with the next start, enable or disable. */
  unit(name: string, argv: readonly string[], service: readonly string[] = []): void {
    const lines = [
      '[Unit]',
      'DefaultDependencies=no',
      '[Service]',
      `ExecStart=${argv.join(' ')}`,
      ...service,
      '[Install]',
      'WantedBy=lab.target',
      '',
    ];
    writeFileSync(join(this.#units, name), lines.join('\n'));
  }

  /** What systemctl prints. @throws where it fails */
  async ask(...words: readonly string[]): Promise<string> {
    const [program = '', ...first] = this.systemctl;
    return (await run(program, [...first, ...words], { timeout: 30_000 })).stdout.trim();
  }

  /** Ends it, and with it all that it started. Its services are stopped first: only then it takes away their own /tmp. */
  async end(): Promise<void> {
    if (this.#unshare.exitCode !== null || this.#unshare.signalCode !== null) return;
    const services = readdirSync(this.#units).filter(name => name.endsWith('.service'));
    if (services.length > 0 && this.systemctl.length > 0) await this.ask('stop', ...services).catch(() => undefined);
    const ended = new Promise(resolve => this.#unshare.once('exit', resolve));
    this.#unshare.kill('SIGKILL');
    await ended;
  }
}
