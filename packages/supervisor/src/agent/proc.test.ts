import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { bootId, listenerInode, listenerOf, processFacts, startedWith, statOf, unitOf, howGone } from './proc.ts';

describe('processes', () => {
  test('a stat line is taken apart, whatever the name of the process holds', () => {
    const line = `42 (a (b) c) S 1 42 42 0 -1 4194560 ${'0 '.repeat(12)}987654 0 0`;
    expect(statOf(line)).toEqual({ comm: 'a (b) c', state: 'S', startTicks: '987654' });
    for (const bad of ['', '42', '42 (a', '42 (a) S', '42 (a) S 1 2 3']) expect(statOf(bad)).toBeUndefined();
  });

  test('this process is there, with its own words', () => {
    const facts = processFacts(process.pid);
    expect(facts?.argv[0]).toContain('node');
    expect(howGone({ pid: process.pid, startTicks: facts?.startTicks ?? '' })).toBeUndefined();
    expect(howGone({ pid: process.pid, startTicks: '1' })).toBe('other-start-time');
    expect(bootId()).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a zombie is gone, and so is what was reaped', async () => {
    // The shell becomes a program that never asks for its child, which ends then; a shell itself might ask.
    const script = '(read _ <&3) & echo $!; exec sleep 30';
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    const [text] = (await once(parent.stdio[1] as net.Socket, 'data')) as [Buffer];
    const pid = Number(text.toString());
    const until = async (done: () => boolean): Promise<void> => {
      while (!done()) await new Promise(resolve => setTimeout(resolve, 5));
    };
    await until(() => processFacts(parent.pid ?? 0)?.comm === 'sleep');
    (parent.stdio[3] as net.Socket).destroy();
    await until(() => processFacts(pid)?.state === 'Z');
    const facts = processFacts(pid);
    expect(howGone({ pid, startTicks: facts?.startTicks ?? '' })).toBe('zombie');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(howGone({ pid: parent.pid ?? 0, startTicks: '5' })).toBe('absent');
    // Where nothing can be looked at nothing is known.
    expect(howGone({ pid: process.pid, startTicks: '5' }, '/nonexistent')).toBeUndefined();
  });

  test('who listens on a socket is found by its inode', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'proc-'));
    const path = join(folder, 'a.sock');
    const server = net.createServer().listen(path);
    await once(server, 'listening');
    expect(listenerOf(path)?.pid).toBe(process.pid);
    expect(listenerOf(join(folder, 'b.sock'))).toBeUndefined();
    server.close();
    rmSync(folder, { recursive: true });
  });

  test('all command lines are read into one buffer, and the longest ones whole', () => {
    const proc = mkdtempSync(join(tmpdir(), 'proc-'));
    const argv = (pid: number): string[] => ['/usr/bin/qemu', '-name', `vm-${pid}`, 'ä'.repeat(pid === 7 ? 9000 : 1)];
    for (let pid = 1; pid <= 50; pid++) {
      mkdirSync(join(proc, `${pid}`));
      writeFileSync(
        join(proc, `${pid}/cmdline`),
        argv(pid)
          .map(word => `${word}\0`)
          .join(''),
      );
      writeFileSync(join(proc, `${pid}/stat`), `${pid} (qemu) S 1 ${'0 '.repeat(17)}5 0`);
    }
    const made = vi.spyOn(Buffer, 'allocUnsafe');
    try {
      expect(startedWith('-name', 'vm-7', proc)?.argv).toEqual(argv(7));
      expect(startedWith('-name', 'vm-51', proc)).toBeUndefined();
      // One for each search, and what the long line and the facts of its process need.
      expect(made.mock.calls.length).toBeLessThan(20);
    } finally {
      made.mockRestore();
      rmSync(proc, { recursive: true });
    }
  });

  test('a connected socket of the same path is no listener', () => {
    const text =
      'Num       RefCount Protocol Flags    Type St Inode Path\n' +
      '0000000000000000: 00000003 00000000 00000000 0001 03 11111 /run/a b.sock\n' +
      '0000000000000000: 00000002 00000000 00010000 0001 01 22222 /run/a b.sock\n';
    expect(listenerInode(text, '/run/a b.sock')).toBe('22222');
    expect(listenerInode(text, '/run/a')).toBeUndefined();
  });

  test('the unit of a process', () => {
    expect(unitOf('0::/system.slice/system-vm.slice/vm@web.service\n')).toEqual({ name: 'vm@web.service' });
    // A user's service lies below that of its manager.
    const nested = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/vm@web.service\n';
    expect(unitOf(nested)).toEqual({ name: 'vm@web.service', user: 1000 });
    expect(unitOf('2:cpu:/x.service\n1:name=systemd:/system.slice/a.service/sub\n')).toEqual({ name: 'a.service' });
    expect(unitOf('0::/user.slice/user-0.slice/session-1.scope\n')).toBeUndefined();
  });
});
