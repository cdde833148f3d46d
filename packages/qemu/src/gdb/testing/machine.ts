/** A real QEMU for tests with a gdbstub on a unix socket; it is gone after stop(). */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GdbClient, type GdbClientOptions } from '../client.ts';
import { testQemu } from './qemu.ts';

export type TestMachine = {
  gdb: GdbClient;
  process: ChildProcess;
  /** The gdbstub's socket, where the machine listens. */
  path: string;
  stop(): Promise<void>;
};

/** Arguments of every test machine: emulated, no devices, CPUs stopped before the first instruction. */
const BARE = ['-accel', 'tcg', '-nodefaults', '-display', 'none', '-S', '-no-user-config', '-m', '64'];

/** Starts QEMU with `args` after {@link BARE}, waits until its gdbstub listens, and connects. */
export async function startMachine(
  target: 'x86_64' | 'aarch64',
  args: string[],
  options: GdbClientOptions = {},
): Promise<TestMachine> {
  const dir = await mkdtemp(join(tmpdir(), 'gdb-'));
  const path = join(dir, 'gdb.sock');
  const ready = join(dir, 'ready.sock');
  // QEMU opens its character devices in order: when the second connects to us, the first listens.
  const server = net.createServer(socket => socket.on('error', () => {}));
  const readiness = new Promise<void>(resolve => server.once('connection', () => resolve()));
  await listening(server, ready);
  const [command, ...first] = await testQemu(target);
  const child = spawn(
    command!,
    [
      ...first,
      ...BARE,
      '-chardev',
      `socket,id=gdb,path=${path},server=on,wait=off`,
      '-gdb',
      'chardev:gdb',
      '-chardev',
      `socket,id=ready,path=${ready}`,
      '-mon',
      'chardev=ready,mode=control',
      ...args,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const gone = new Promise<void>(resolve => child.once('close', () => resolve()));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-4096);
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
    server.close();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    await Promise.race([
      readiness,
      gone.then(() => Promise.reject(new Error(`QEMU ended before it was ready: ${stderr}`))),
    ]);
    const gdb = await GdbClient.connect({ path }, options);
    return { gdb, process: child, path, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves when the server listens on the unix socket. */
export function listening(server: net.Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
