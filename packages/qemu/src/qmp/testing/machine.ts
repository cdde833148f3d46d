/** A real, paused QEMU for tests: connects its monitor to us, and is gone after stop(). */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QmpClient, type QmpClientOptions } from '../client.ts';
import type { QemuTarget } from '@syndrome/lab/supply/qemu.ts';
import { testQemu } from './qemu.ts';

export type TestMachine = {
  qmp: QmpClient;
  process: ChildProcess;
  /** Temporary directory, removed by stop(). */
  dir: string;
  stop(): Promise<void>;
};

/** Arguments of every test machine: emulated, no devices, CPUs stopped before the first instruction. */
const BARE = ['-accel', 'tcg', '-nodefaults', '-display', 'none', '-S', '-no-user-config'];

/** Starts QEMU with `args` after {@link BARE} and attaches to the monitor it connects to us. */
export async function startMachine(
  target: QemuTarget,
  args: string[],
  options: QmpClientOptions = {},
): Promise<TestMachine> {
  const dir = await mkdtemp(join(tmpdir(), 'qmp-'));
  const path = join(dir, 'qmp.sock');
  const server = net.createServer();
  const connection = new Promise<net.Socket>(resolve => server.once('connection', resolve));
  await listening(server, path);
  const { child, gone, stderr } = await start(target, ['-qmp', `unix:${path}`, ...args]);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const socket = await Promise.race([
      connection,
      gone.then(() => Promise.reject(new Error(`QEMU ended before it connected: ${stderr()}`))),
    ]);
    const qmp = await QmpClient.attach(socket, options);
    return { qmp, process: child, dir, stop: () => qmp.close().then(stop) };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    server.close();
  }
}

type StartedQemu = {
  child: ChildProcess;
  /** Resolves when the process has ended. */
  gone: Promise<void>;
  /** The end of what it wrote to stderr. */
  stderr: () => string;
};

/** Starts QEMU with a bare machine and leaves the monitor to the caller. */
async function start(target: QemuTarget, args: string[]): Promise<StartedQemu> {
  const [command, ...first] = await testQemu(target);
  const child = spawn(command!, [...first, ...BARE, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = new Promise<void>(resolve => child.once('close', () => resolve()));
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4096);
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  return { child, gone, stderr: () => text };
}

/** Resolves when the server listens on the unix socket. */
export function listening(server: net.Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
