/** `watch` and `inject` on a VM that Syndrome did not start. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { testQemu } from '@syndrome/lab/supply/testing/parts.ts';
import { Sandbox } from './program.ts';

let sandbox: Sandbox;
let qemu: ChildProcess;
let socket: string;
let second: string;

/** A paused machine with two monitors, as a management layer would start it. */
beforeEach(async () => {
  sandbox = new Sandbox();
  [socket, second] = [join(sandbox.dir, 'a.sock'), join(sandbox.dir, 'b.sock')];
  const argv = await testQemu('x86_64');
  const monitors = [socket, second].flatMap(path => ['-qmp', `unix:${path},server=on,wait=off`]);
  const args = ['-accel', 'tcg', '-S', '-nodefaults', '-display', 'none', '-cpu', 'Skylake-Server', ...monitors];
  const appeared = new Promise<void>(resolve => {
    const watcher = watch(sandbox.dir, () => {
      if (!existsSync(second)) return;
      watcher.close();
      resolve();
    });
  });
  qemu = spawn(argv[0] ?? '', [...argv.slice(1), ...args], { stdio: 'ignore' });
  await appeared;
});

afterEach(async () => {
  if (qemu.exitCode === null && qemu.signalCode === null) {
    qemu.kill('SIGKILL');
    await once(qemu, 'close');
  }
  sandbox.remove();
});

test('watch shows what inject does, decoded, and ends with the VM', async () => {
  const watching = sandbox.start('watch', '--qmp', socket, '--json');
  await watching.until('watching ');
  const injected = await sandbox.run('inject', 'ce', '--addr', '0x1000', '--qmp', second, '--json');
  expect(JSON.parse(injected.stdout), injected.stderr).toMatchObject({ injected: true, result: { action: 'inject' } });
  expect(injected.code).toBe(0);
  await watching.until('vmm.memory-failure');
  qemu.kill('SIGTERM');
  const { stdout, code } = await watching.ended;
  const events = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { name: string; fields: object });
  expect(events.map(e => e.name)).toEqual(['vmm.memory-failure', 'vmm.shutdown']);
  expect(events[0]?.fields).toMatchObject({
    recipient: 'guest',
    action: 'inject',
    actionRequired: false,
    recursive: false,
  });
  expect(code).toBe(0);
});

describe('inject', () => {
  test('asks where the outlook lets the guest die, says how, and sends nothing', async () => {
    const watching = sandbox.start('watch', '--qmp', second, '--json');
    await watching.until('watching ');
    const deferred = ['inject', 'amd-deferred', '--addr', '0x1000', '--qmp', socket];
    // The CPU of this machine is Intel's: nobody takes the record for a deferred error.
    const harmless = await sandbox.run(...deferred, '--dry-run', '--json');
    expect(JSON.parse(harmless.stdout)).toMatchObject({ fatal: true });
    const refused = await sandbox.run(...deferred, '--set', 'vendor=amd');
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain('[E_INJECT_FATAL]');
    expect(refused.stderr).toContain('Linux: panics, with version=6.19.6 [linux.amd-destat.crash]');
    expect(refused.stderr).toContain('Xen: panics [xen.amd-address-bug]');
    const json = await sandbox.run(...deferred, '--set', 'vendor=amd', '--json');
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ injected: false, fatal: true, consent: { needed: true } });
    // What is known of the machine by itself is enough for this one.
    const done = await sandbox.run(...deferred, '--json');
    expect(JSON.parse(done.stdout), done.stderr).toMatchObject({ injected: true, consent: { needed: false } });
    await watching.until('vmm.memory-failure');
    qemu.kill('SIGTERM');
    const { stdout } = await watching.ended;
    expect(stdout.match(/vmm\.memory-failure/g)).toHaveLength(1);
  });
  test('refuses a fatal kind without --yes and touches nothing', async () => {
    const refused = await sandbox.run('inject', 'uc-fatal', '--qmp', socket);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--yes');
    expect(refused.stderr).toContain('Linux: panics [linux.mce.fatal]');
    // The machine has no operating system: with --yes QEMU answers by a reset.
    const done = await sandbox.run('inject', 'uc-fatal', '--qmp', socket, '--yes');
    expect(done.stdout).toContain('QEMU: reset');
    expect(done.stdout).toContain('MCE capability is not enabled');
  });
  test("says what is wrong with the request, in QEMU's terms", async () => {
    const bank = await sandbox.run('inject', 'mce', '--status', '0x8000000000000000', '--bank', '99', '--qmp', socket);
    expect([bank.code, bank.stderr]).toEqual([3, expect.stringContaining('E_HMP_MCE_BANK')]);
    const cpu = await sandbox.run('inject', 'ce', '--addr', '0x1000', '--cpu', '7', '--qmp', socket);
    expect([cpu.code, cpu.stderr]).toEqual([3, expect.stringContaining('E_HMP_BAD_CPU')]);
    const ghes = await sandbox.run('inject', 'ghes', '--addr', '0x1000', '--qmp', socket);
    expect([ghes.code, ghes.stderr]).toEqual([3, expect.stringContaining('E_GHES')]);
    const valid = await sandbox.run('inject', 'mce', '--status', '0x1', '--qmp', socket);
    expect([valid.code, valid.stderr]).toEqual([2, expect.stringContaining('VAL')]);
    const near = await sandbox.run('inject', 'sroa', '--qmp', socket);
    expect([near.code, near.stderr]).toEqual([2, expect.stringContaining('Did you mean "srao"?')]);
  });
  test('--dry-run and --print-cmd connect to nothing', async () => {
    const dry = await sandbox.run('inject', 'srao', '--addr', '0x1234000', '--broadcast', '--dry-run');
    expect(dry.stdout).toMatch(/^mce -b 0 9 0xbd000000000000c0 0x5 0x1234000 0x8c\n/);
    const print = await sandbox.run('inject', 'uc-fatal', '--print-cmd');
    expect(print.stdout).toBe('mce 0 1 0xb200000000000000 0x4 0x0 0x0\n');
  });
  test('a socket where nobody listens is a clear error', async () => {
    const { code, stderr } = await sandbox.run(
      'inject',
      'ce',
      '--addr',
      '0x1000',
      '--qmp',
      join(sandbox.dir, 'no.sock'),
    );
    expect([code, stderr]).toEqual([3, expect.stringContaining('E_QMP_CONNECT')]);
  });
});
