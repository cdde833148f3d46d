import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agentBinary } from './agent-build.ts';
import type { GuestArch } from './agent-build.ts';
import { AgentClient } from './client.ts';
import { ConsoleReader } from './console.ts';
import { AgentClosedError, AgentDeadlineError } from './errors.ts';
import { buildInitramfs } from './initramfs.ts';
import { testFirmware, testKernel, testQemu, testToolchain } from './testing/parts.ts';

let dir = '';
const agents: Partial<Record<GuestArch, string>> = {};
const running: ChildProcess[] = [];

async function agentFor(arch: GuestArch): Promise<string> {
  agents[arch] ??= await agentBinary({ arch, toolchain: await testToolchain(arch), cacheDir: join(dir, 'agents') });
  return agents[arch];
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'guest-'));
});

afterEach(async () => {
  await Promise.all(
    running.splice(0).map(async child => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await exited(child);
    }),
  );
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise(resolve => child.once('exit', resolve));
}

describe('the agent as an ordinary process', () => {
  const hostArch: GuestArch = process.arch === 'arm64' ? 'arm64' : 'amd64';

  async function start(): Promise<{ client: AgentClient; stream: Duplex; child: ChildProcess }> {
    const child = spawn(await agentFor(hostArch), ['fd:3'], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
    running.push(child);
    const stream = child.stdio[3];
    if (!(stream instanceof Duplex)) throw new Error('no socket to the agent');
    const client = new AgentClient(stream);
    await client.ready();
    return { client, stream, child };
  }

  test('a subject maps, is read, verified, made to spin and ended', async () => {
    const { client } = await start();
    const { pid } = await client.call('spawn', { name: 'victim', kill: 'early' });
    const a = await client.call('map', { proc: 'victim', id: 'a', pages: 3, fill: 0x5a });
    // Its name is set by the subject itself, which has by now answered.
    expect(await readFile(`/proc/${pid}/comm`, 'utf8')).toBe('victim\n');
    expect(a).toMatchObject({ bytes: 12288, pagesize: 4096, pid, present: true, kill: 'early' });
    expect(a.virt % 4096n).toBe(0n);
    expect(await client.call('touch', { proc: 'victim', id: 'a', page: 2, offset: 7 })).toMatchObject({
      virt: a.virt + 0x2007n,
      value: 0x5a,
    });
    expect(await client.call('verify', { proc: 'victim', id: 'a' })).toMatchObject({ intact: true, bytes: 12288 });
    const spin = await client.call('spin', { proc: 'victim', id: 'a', cpu: 0 });
    expect(spin.cpu).toBe(0);
    await expect(client.call('touch', { proc: 'victim', id: 'a' })).rejects.toMatchObject({ errno: 'EBUSY' });
    const moved = await client.call('translate', { proc: 'victim', id: 'a', page: 1 });
    expect(moved).toMatchObject({ virt: a.virt + 0x1000n, present: true });
    expect((await client.call('ps', {})).data[0]).toMatch(/^proc=victim pid=\d+ state=R spinning=1 /);
    expect((await client.call('stop', { proc: 'victim' })).iterations).toBeGreaterThan(0);
    await client.call('unmap', { proc: 'victim', id: 'a' });
    await expect(client.call('touch', { proc: 'victim', id: 'a' })).rejects.toMatchObject({ errno: 'ENOENT' });
    const after = client.lastSeq;
    await client.call('kill', { proc: 'victim', signal: 'SIGKILL' });
    expect(await client.nextEvent(e => e.name === 'exit', { after })).toMatchObject({
      fields: { proc: 'victim', pid, status: 'signaled', signo: 9, signal: 'SIGKILL' },
    });
    await expect(client.call('stop', { proc: 'victim' })).rejects.toMatchObject({ errno: 'ESRCH' });
    expect(client.diagnostics.size).toBe(0);
  });

  test('an empty choice is refused at once', async () => {
    const { client } = await start();
    await expect(client.call('spawn', { name: 'x', kill: '' })).rejects.toMatchObject({ errno: 'EINVAL' });
    await client.call('spawn', { name: 'x' });
    await expect(client.call('map', { proc: 'x', id: 'a', kind: '' })).rejects.toMatchObject({ errno: 'EINVAL' });
    await expect(client.call('map', { proc: 'x', id: 'a', kind: 'private shared' })).rejects.toMatchObject({
      errno: 'EINVAL',
    });
  });

  test('a signal is reported, ends the subject on request, or is left to the kernel', async () => {
    const { client } = await start();
    for (const [action, outcome] of [
      ['report', undefined],
      ['exit', { status: 'exited', code: 128 + 7 }],
      ['default', { status: 'signaled', signal: 'SIGBUS' }],
    ] as const) {
      const { pid } = await client.call('spawn', { name: action });
      await client.call('on-signal', { proc: action, action, signal: 'SIGBUS' });
      const after = client.lastSeq;
      await client.call('kill', { proc: action, signal: 'SIGBUS' });
      const first = await client.nextEvent(() => true, { after });
      expect(first.name).toBe(action === 'default' ? 'exit' : 'signal');
      const last = outcome === undefined ? first : await client.nextEvent(e => e.name === 'exit', { after });
      expect(last.fields).toMatchObject(outcome ?? { proc: action, pid, signo: 7, code: 0, codename: 'SI_USER' });
    }
    expect((await client.call('ps', {})).count).toBe(1);
  });

  test('a subject that does not answer blocks nobody', async () => {
    const { client } = await start();
    await client.call('spawn', { name: 'stuck' });
    await client.call('map', { proc: 'stuck', id: 'a' });
    await client.call('kill', { proc: 'stuck', signal: 'SIGSTOP' });
    // On another CPU it runs on until it is interrupted.
    const state = async (): Promise<string | undefined> => (await client.call('ps', {})).data[0];
    await expect.poll(state, { timeout: 10_000 }).toContain('state=T');
    const waiting = client.call('touch', { proc: 'stuck', id: 'a' }, { deadlineMs: 500 }).catch((e: unknown) => e);
    expect(await state()).toContain('state=T');
    expect(await waiting).toMatchObject({ errno: 'ETIMEDOUT' });
    await client.call('kill', { proc: 'stuck', signal: 'SIGCONT' });
    // The answer to the request that was given up is not passed on.
    expect(await client.call('touch', { proc: 'stuck', id: 'a' })).toMatchObject({ value: 0x5a });
    expect(client.diagnostics.size).toBe(0);
  });

  test('files are read in lines and written whole; their errors have names', async () => {
    const { client } = await start();
    const path = join(dir, 'a file%');
    const text = `first\n\n${'long '.repeat(3000)}\n\x01ä\nno newline`;
    await writeFile(path, text);
    expect(await client.readText(path)).toBe(text);
    expect(await client.call('read', { path, max: 7 })).toMatchObject({
      bytes: 7,
      truncated: true,
      data: ['first', ''],
    });
    await writeFile(path, '');
    await client.call('write', { path, value: 'x\ny%' });
    expect(await readFile(path, 'utf8')).toBe('x\ny%');
    await expect(client.call('read', { path: `${path}.none` })).rejects.toMatchObject({ errno: 'ENOENT' });
    await expect(client.call('insmod', { path })).rejects.toMatchObject({ code: 'E_GUEST_AGENT' });
  });

  test('registers are read and written 32 bits at a time, of a file and of what it maps', async () => {
    const { client } = await start();
    const path = join(dir, 'registers');
    const bytes = Buffer.alloc(8192);
    bytes.writeUInt32LE(0x0123_4567, 4100);
    await writeFile(path, bytes);
    for (const how of ['file', 'map']) {
      expect(await client.call('register', { path, offset: 4100, how })).toMatchObject({ word: 0x0123_4567n });
      expect(await client.call('register', { path, offset: 4104, how, value: 0xffff_fffe })).toMatchObject({
        word: 0xffff_fffen,
      });
      expect((await readFile(path)).readUInt32LE(4104)).toBe(0xffff_fffe);
      await client.call('register', { path, offset: 4104, how, value: 0 });
    }
    await expect(client.call('register', { path, offset: 2 })).rejects.toMatchObject({ errno: 'EINVAL' });
    await expect(client.call('register', { path, offset: 8192 })).rejects.toMatchObject({ errno: 'EIO' });
    await expect(client.call('register', { path: join(dir, 'none'), offset: 0 })).rejects.toMatchObject({
      errno: 'ENOENT',
    });
  });

  test('a file that is followed tells each of its lines', async () => {
    const { client } = await start();
    const path = join(dir, 'lines');
    await writeFile(path, `one  two\n${'x'.repeat(5000)}\n=%\n`);
    const last = client.nextEvent(e => e.name === 'line' && e.fields.text === '=%', { after: 0, deadlineMs: 10_000 });
    const said: string[] = [];
    client.onEvent(event => void (event.name === 'line' && said.push(event.fields.text)));
    await client.call('follow', { path });
    await last;
    // What does not fit into the buffer is not told whole.
    expect([said[0], said.at(-1)]).toEqual(['one  two', '=%']);
    expect(said.filter(text => text.length > 4096)).toEqual([]);
  });

  test('it never stops a machine that is not its own', async () => {
    const { client } = await start();
    await expect(client.call('reboot', { how: 'poweroff' })).rejects.toMatchObject({ errno: 'EPERM' });
  });

  test('the kernel uses a page of any kind in a system call, and small pages are counted in it', async () => {
    const { client } = await start();
    await client.call('spawn', { name: 'x' });
    const { virt } = await client.call('map', { proc: 'x', id: 'm', kind: 'memfd', pages: 3, lock: false });
    expect(await client.call('system-call', { proc: 'x', id: 'm', at: 2 })).toMatchObject({ result: 8 });
    expect(await client.call('touch', { proc: 'x', id: 'm', at: 2 })).toMatchObject({ virt: virt + 0x2000n });
    expect(await client.call('system-call', { proc: 'x', id: 'm', call: 'read' })).toMatchObject({ result: 8 });
    expect(await client.call('system-call', { proc: 'x', id: 'm', call: 'copy' })).toMatchObject({ result: 8 });
    // What read(2) has written into it.
    expect(await client.call('verify', { proc: 'x', id: 'm' })).toMatchObject({ intact: false, offset: 0n });
    await expect(client.call('touch', { proc: 'x', id: 'm', at: 3 })).rejects.toMatchObject({ errno: 'EINVAL' });
    await expect(client.call('map', { proc: 'x', id: 'h', kind: 'memfd', size: '2m' })).rejects.toMatchObject({
      errno: 'EINVAL',
    });
    await expect(client.call('disk', {})).rejects.toMatchObject({ errno: 'EPERM' });
  });

  test('nothing that is written to it ends it', async () => {
    const { client, stream, child } = await start();
    let seed = 12345;
    const random = (): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 8;
    const words = [
      '1',
      '7',
      'map',
      'touch',
      'spawn',
      'name=%41',
      'name=%4',
      'proc=x',
      '=',
      'a=',
      '0x',
      '%00',
      '\x1b[2J',
    ];
    words.push('translate', 'virt=0xffffffffffffffff', 'pages=99999999999999999999', 'timeout-ms=0', 'x'.repeat(5000));
    for (let i = 0; i < 2000; i++) {
      const length = random() % 12;
      const line = Array.from({ length }, () => words[random() % words.length]).join(random() % 9 === 0 ? '' : ' ');
      stream.write(random() % 11 === 0 ? Buffer.from(Array.from({ length: 50 }, () => random() & 0xff)) : `${line}\n`);
    }
    stream.write('\n');
    await client.call('sync', {});
    expect(child.exitCode).toBeNull();
    expect(client.diagnostics.get('rejected-line')).toBeGreaterThan(100);
    expect(client.diagnostics.get('not-a-line')).toBeUndefined();
  });

  test('it ends with its host, and its subjects with it', async () => {
    const { client, child } = await start();
    const { pid } = await client.call('spawn', { name: 'orphan' });
    client.close();
    expect(await exited(child)).toBe(0);
    await expect(readFile(`/proc/${pid}/comm`)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(client.call('ps', {})).rejects.toThrow(AgentClosedError);
  });
});

/** Listens where QEMU connects to when it starts, so that nothing the guest says is missed. */
async function listen(path: string): Promise<{ server: Server; socket: Promise<Socket> }> {
  const server = createServer();
  const socket = new Promise<Socket>(resolve => server.once('connection', resolve));
  await new Promise<void>(resolve => server.listen(path, resolve));
  return { server, socket };
}

type Machine = { arch: GuestArch; target: 'x86_64' | 'aarch64'; port: string; args: string[]; append: string };

const machines: Record<string, () => Promise<Machine>> = {
  'x86-64': () =>
    Promise.resolve({
      arch: 'amd64',
      target: 'x86_64',
      port: '/dev/ttyS1',
      args: ['-cpu', 'Skylake-Server'],
      append: 'console=ttyS0',
    }),
  'arm64 with a device tree': () =>
    Promise.resolve({
      arch: 'arm64',
      target: 'aarch64',
      port: '/dev/ttyAMA1',
      args: ['-M', 'virt,gic-version=3', '-cpu', 'max,pauth-impdef=on'],
      append: 'console=ttyAMA0',
    }),
  'arm64 with UEFI and ACPI': async () => ({
    arch: 'arm64',
    target: 'aarch64',
    port: '/dev/ttyAMA1',
    args: '-M virt,gic-version=3,ras=on,acpi=on -cpu max,pauth-impdef=on -bios'.split(' ').concat(await testFirmware()),
    append: 'console=ttyAMA0 acpi=force',
  }),
};

interface Booted {
  qemu: ChildProcess;
  client: AgentClient;
  identity: Awaited<ReturnType<AgentClient['ready']>>;
  /** The lines of the console, so far. */
  lines: () => Promise<string[]>;
  close: () => void;
}

/** What QEMU has written of a console: into a file, since a socket loses what its reader does not take in time. */
async function linesOf(file: string): Promise<string[]> {
  const lines: string[] = [];
  new ConsoleReader({ onLine: line => lines.push(line.text) }).push(await readFile(file));
  return lines;
}

/**
 * An emulated guest may fall silent in its boot, about once in forty under load; the lab starts such a machine once more, and
 * so does this.
 */
async function booted([program = '', ...args]: readonly string[], more = 1): Promise<Booted> {
  const paths = { console: join(dir, `console${more}`), agent: join(dir, `agent${more}`) };
  const port = await listen(paths.agent);
  const serials = ['-serial', `file:${paths.console}`, '-serial', `unix:${paths.agent}`];
  const qemu = spawn(program, [...args, ...serials], { stdio: 'ignore' });
  running.push(qemu);
  const lines = (): Promise<string[]> => linesOf(paths.console);
  const client = new AgentClient(await port.socket);
  const close = (): void => void port.server.close();
  try {
    return { qemu, client, identity: await client.ready(60_000), lines, close };
  } catch (cause) {
    qemu.kill('SIGKILL');
    close();
    if (!(cause instanceof AgentDeadlineError) || more === 0) {
      throw new Error(`the guest said: ${(await lines()).slice(-20).join('\n')}`, { cause });
    }
    return booted([program, ...args], more - 1);
  }
}

describe('the agent as PID 1', () => {
  test.each(Object.keys(machines))('%s: poison reaches the process that reads it', async name => {
    const machine = await (machines[name] as () => Promise<Machine>)();
    const [program = '', ...prefix] = await testQemu(machine.target);
    const image = join(dir, `${machine.arch}.cpio`);
    const agent = await readFile(await agentFor(machine.arch));
    await writeFile(image, buildInitramfs([{ type: 'file', path: 'init', data: agent, mode: 0o755 }]));
    const args = ['-accel', 'tcg', ...machine.args, '-smp', '2', '-m', '512'];
    args.push('-nodefaults', '-display', 'none', '-no-reboot');
    args.push('-kernel', await testKernel(machine.arch), '-initrd', image);
    args.push('-append', `${machine.append} panic=-1 quiet syndrome.port=${machine.port}`);
    const { qemu, client, identity, lines, close } = await booted([program, ...prefix, ...args]);
    try {
      const { pid1, cpus } = identity;
      expect({ pid1, cpus }).toEqual({ pid1: true, cpus: 2 });

      const { pid } = await client.call('spawn', { name: 'victim', kill: 'early' });
      const page = await client.call('map', { proc: 'victim', id: 'a', pages: 2 });
      expect(page.phys).toBeGreaterThan(0n);
      expect(await client.call('translate', { proc: 'victim', virt: page.virt })).toMatchObject({ phys: page.phys });
      expect(await client.call('touch', { proc: 'victim', id: 'a' })).toMatchObject({ value: 0x5a });

      await client.call('poison', { proc: 'victim', id: 'a', how: 'madvise' });
      const signal = { proc: 'victim', pid, signo: 7, signal: 'SIGBUS', codename: 'BUS_MCEERR_AR', code: 4, lsb: 12 };
      const after = client.lastSeq;
      expect(await client.call('touch', { proc: 'victim', id: 'a' })).toMatchObject({
        code: 4,
        codename: 'BUS_MCEERR_AR',
        addr: page.virt,
        lsb: 12,
      });
      const event = await client.nextEvent(e => e.name === 'signal', { after });
      expect(event.fields).toEqual({ ...signal, addr: page.virt });
      expect(await client.call('verify', { proc: 'victim', id: 'a' })).toMatchObject({ intact: false, offset: 0n });
      expect(await client.call('touch', { proc: 'victim', id: 'a', page: 1 })).toMatchObject({ value: 0x5a });

      const log = [];
      for (let more = true; more; ) {
        const part = await client.call('kmsg', { max: 500 });
        log.push(...part.data);
        more = part.more;
      }
      const pfn = (page.phys ?? 0n) >> 12n;
      expect(log.join('\n')).toContain(`Memory failure: 0x${pfn.toString(16)}: Sending SIGBUS to victim:${pid}`);

      await client.call('on-signal', { proc: 'victim', action: 'default' });
      await expect(client.call('touch', { proc: 'victim', id: 'a' })).rejects.toMatchObject({ errno: 'ESRCH' });
      expect(await client.nextEvent(e => e.name === 'exit', { after })).toMatchObject({
        fields: { proc: 'victim', pid, status: 'signaled', signo: 7, signal: 'SIGBUS' },
      });

      await client.call('spawn', { name: 'huge' });
      expect(await client.call('map', { proc: 'huge', id: 'h', kind: 'hugetlb', size: '2m' })).toMatchObject({
        bytes: 2 << 20,
        pagesize: 2 << 20,
      });
      const thp = await client.call('map', { proc: 'huge', id: 't', kind: 'private', size: '2m' });
      expect((thp.phys ?? 1n) % (2n << 20n)).toBe(0n);
      await client.call('reboot', { how: 'poweroff' });
      expect(await exited(qemu)).toBe(0);
      // Firmware leaves escape sequences before it on the same line.
      const said = await lines();
      expect(
        said.filter(line => line.endsWith('syndrome agent 1.0.0 ready')),
        said.join('\n'),
      ).toHaveLength(1);
      expect(client.diagnostics.size).toBe(0);
    } finally {
      close();
    }
  });
});
