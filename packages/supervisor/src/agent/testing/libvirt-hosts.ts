/**
 * Two libvirt hosts on this machine, for tests: each with its own libvirtd, virtlogd and virtlockd, its own UUID, configuration
 * and state, bound over libvirt's folders in a mount namespace. What is under /run/libvirt of a host lies in its `run` here, so
 * that one definition serves both, as on two real hosts.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LIBVIRT_APT_LINE } from '@syndrome/lab/supply/testing/required.ts';

const run = promisify(execFile);
const COMMAND_MS = 30_000;

const PROGRAMS = ['libvirtd', 'virtlogd', 'virtlockd', 'virsh', 'qemu-io', 'qemu-system-x86_64', 'unshare', 'nsenter'];

/** Why no libvirt hosts can be made here; undefined where they can. */
export function noLibvirt(): string | undefined {
  if (process.getuid?.() !== 0) return 'libvirt hosts in namespaces need root';
  const folders = (process.env['PATH'] ?? '').split(':');
  const missing = PROGRAMS.filter(p => !folders.some(folder => existsSync(join(folder, p))));
  return missing.length === 0 ? undefined : `missing: ${missing.join(', ')} (${LIBVIRT_APT_LINE})`;
}

/** A UUID that is the same for a name. */
export function uuidOf(name: string): string {
  const h = createHash('md5').update(name).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20)}`;
}

const configuration = (folder: string, name: string, shared: string): Record<string, string> => ({
  'libvirtd.conf': `host_uuid = "${uuidOf(name)}"
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
log_outputs = "2:file:${folder}/log/libvirtd.log"
`,
  'qemu.conf': `lock_manager = "lockd"
security_driver = "none"
stdio_handler = "logd"
migrate_tls_force = 0
user = "root"
group = "root"
namespaces = []
cgroup_controllers = []
remember_owner = 0
`,
  'qemu-lockd.conf': `auto_disk_leases = 1
require_lease_for_disks = 1
file_lockspace_dir = "${shared}/leases"
`,
  'virtlogd.conf': '',
  'virtlockd.conf': '',
});

/** The host's folders that are its own. */
const BOUND = {
  run: '/run/libvirt',
  etc: '/etc/libvirt',
  lib: '/var/lib/libvirt',
  cache: '/var/cache/libvirt',
  log: '/var/log/libvirt',
};

/** Ends what was started, by pid files, also when this process was killed: its standard input ends then. */
const REAPER = `cat >/dev/null
for f in "$0"/*/*.pid "$0"/*/run/qemu/*.pid; do
  p=$(cat "$f" 2>/dev/null) || continue
  if grep -qaF "$0" "/proc/$p/cmdline" 2>/dev/null; then kill -9 "$p"; fi
done
n=0; while [ $n -lt 100 ] && ! rm -rf "$0" 2>/dev/null; do n=$((n + 1)); sleep 0.05; done`;

export class LibvirtHost {
  readonly name: string;
  readonly folder: string;

  constructor(name: string, folder: string) {
    this.name = name;
    this.folder = folder;
  }

  get socket(): string {
    return join(this.folder, 'run', 'libvirt-sock');
  }

  get uri(): string {
    return `qemu+unix:///system?socket=${this.socket}`;
  }

  /** virsh on this host, from outside. */
  async virsh(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, LC_ALL: 'C' };
    return (await run('virsh', ['-q', '-c', this.uri, ...args], { timeout: COMMAND_MS, env })).stdout;
  }

  /** Whether a process is in this host's mount namespace: both hosts are in one /proc. */
  sees(): (pid: number) => boolean {
    const own = readlinkSync(`/proc/${this.#pid('keep')}/ns/mnt`);
    return pid => {
      try {
        return readlinkSync(`/proc/${pid}/ns/mnt`) === own;
      } catch {
        return false;
      }
    };
  }

  async startDaemon(program: 'virtlogd' | 'virtlockd' | 'libvirtd'): Promise<void> {
    const own = ['-d', '-p', join(this.folder, `${program}.pid`), '-f', join(this.folder, 'etc', `${program}.conf`)];
    const inside = ['-t', String(this.#pid('keep')), '-m', '-u', '-n', '--', program];
    await run('nsenter', [...inside, ...own], { timeout: COMMAND_MS });
  }

  /** Its libvirtd is killed; VMs run on. */
  async killLibvirtd(): Promise<void> {
    const pid = this.#pid('libvirtd');
    process.kill(pid, 'SIGKILL');
    await until(() => !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
  }

  /** Makes its folders and its namespace, and starts its daemons. */
  async up(shared: string): Promise<void> {
    for (const part of [...Object.keys(BOUND), 'run/vm']) await mkdir(join(this.folder, part), { recursive: true });
    for (const [file, text] of Object.entries(configuration(this.folder, this.name, shared)))
      await writeFile(join(this.folder, 'etc', file), text);
    const binds = Object.entries(BOUND).map(([part, over]) => `mount --bind "$0/${part}" ${over}`);
    const keep = ['hostname "$1"', ...binds, 'touch "$0/ready"', 'exec tail -f "$0/ready"'].join(' && ');
    for (const over of Object.values(BOUND)) await mkdir(over, { recursive: true });
    const args = ['--mount', '--uts', '--net', '--propagation', 'private', 'sh', '-c', keep, this.folder, this.name];
    const child = spawn('unshare', args, { stdio: 'ignore', detached: true });
    child.unref();
    await writeFile(join(this.folder, 'keep.pid'), String(child.pid));
    await until(() => existsSync(join(this.folder, 'ready')));
    for (const program of ['virtlogd', 'virtlockd', 'libvirtd'] as const) await this.startDaemon(program);
  }

  #pid(what: string): number {
    return Number(readFileSync(join(this.folder, `${what}.pid`), 'latin1'));
  }
}

export interface LibvirtHosts {
  a: LibvirtHost;
  b: LibvirtHost;
  /** A folder that both see at the same path. */
  shared: string;
  /** Ends all that was started, and removes the folder. */
  down(): Promise<void>;
}

/** Starts two hosts, `a` and `b`. The folder is short: paths of unix sockets are. */
export async function libvirtHosts(): Promise<LibvirtHosts> {
  const base = await mkdtemp('/tmp/sv-');
  const reaper: ChildProcess = spawn('sh', ['-c', REAPER, base], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = new Promise(resolve => reaper.once('close', resolve));
  const down = async (): Promise<void> => {
    reaper.stdin?.end();
    await ended;
  };
  const shared = join(base, 'shared');
  const [a, b] = [new LibvirtHost('a', join(base, 'a')), new LibvirtHost('b', join(base, 'b'))];
  try {
    await mkdir(join(shared, 'leases'), { recursive: true });
    await Promise.all([a.up(shared), b.up(shared)]);
    return { a, b, shared, down };
  } catch (error) {
    await down();
    throw error;
  }
}

/** A definition of a small emulated guest, with its console and its agent's socket under the host's own /run/libvirt/vm. */
export async function guestDefinition(
  hosts: LibvirtHosts,
  name: string,
  parts: { kernel: string; initrd: string },
): Promise<string> {
  const disk = join(hosts.shared, `${name}.raw`);
  await writeFile(disk, '');
  await truncate(disk, 64 << 20);
  return `<domain type='qemu'>
  <name>${name}</name>
  <uuid>${uuidOf(name)}</uuid>
  <metadata><syndrome:vm xmlns:syndrome='urn:syndrome:supervisor:1' act='yes'/></metadata>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>${parts.kernel}</kernel>
    <initrd>${parts.initrd}</initrd>
    <cmdline>console=ttyS0 panic=-1 syndrome.port=/dev/ttyS1 mce=30000000</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact' check='none'><model>Skylake-Server</model></cpu>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>preserve</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source file='${disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <serial type='pty'><log file='/run/libvirt/vm/${name}.console' append='on'/></serial>
    <serial type='unix'><source mode='bind' path='/run/libvirt/vm/${name}.agent'/></serial>
    <panic model='isa'/>
    <memballoon model='none'/>
  </devices>
</domain>`;
}

/** Kernel and initramfs of the lab's guests: those that it would start itself. */
export async function guestParts(): Promise<{ kernel: string; initrd: string }> {
  const program = join(import.meta.dirname, '../../../../../bin/syndrome');
  const { stdout } = await run(program, ['run', 'intel-uc-fatal', '--print-cmd'], { timeout: 300_000 });
  const after = (option: string): string => new RegExp(`${option} (\\S+)`).exec(stdout)?.[1] ?? '';
  return { kernel: after('-kernel'), initrd: after('-initrd') };
}

/** The console of a guest so far. */
export function consoleOf(host: LibvirtHost, name: string): Promise<string> {
  return readFile(join(host.folder, 'run/vm', `${name}.console`), 'latin1').catch(() => '');
}

/** Waits for something, with a deadline. */
export async function until(is: () => boolean | Promise<boolean>, deadlineMs = COMMAND_MS): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${String(is)}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
