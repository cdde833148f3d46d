import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { QmpClient, type TranscriptEntry } from './client.ts';
import { QmpClosedError, QmpCommandError, QmpDeadlineError, QmpNegotiationError } from './errors.ts';
import { compareWithSchema } from './testing/schema.ts';
import { startMachine, type TestMachine } from './testing/machine.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function machine(...args: Parameters<typeof startMachine>): Promise<TestMachine> {
  const started = await startMachine(...args);
  cleanups.push(() => started.stop());
  return started;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    value => expect.fail(`resolved to ${String(value)}`),
    (error: unknown) => error,
  );
}

describe.each(['x86_64', 'aarch64'] as const)('a real QEMU for %s', target => {
  const args = target === 'aarch64' ? ['-M', 'virt', '-cpu', 'max', '-m', '64'] : ['-m', '64'];

  test('greets, negotiates out-of-band execution and says the same of itself twice', async () => {
    const { qmp } = await machine(target, args);
    const { qemu, package: pkg } = await qmp.execute('query-version');
    expect(qmp.greeting).toEqual({ version: qemu, package: pkg, capabilities: ['oob'] });
    expect(qmp.oob).toBe(true);
    expect(await qmp.execute('query-status')).toMatchObject({ running: false, status: 'prelaunch' });
    expect(await qmp.execute('query-kvm')).toMatchObject({ enabled: false });
    expect((await qmp.execute('query-cpus-fast')).map(cpu => cpu.target)).toEqual([target]);
    expect((await qmp.execute('query-machines')).length).toBeGreaterThan(0);
  });

  test('has every command, event, member and value the table claims', async () => {
    const { qmp } = await machine(target, args);
    expect(compareWithSchema(await qmp.execute('query-qmp-schema'))).toEqual([]);
  });
});

describe('a real QEMU', () => {
  test('knows some commands and refuses others', async () => {
    const { qmp } = await machine('x86_64', ['-m', '64']);
    expect(await Promise.all([qmp.has('stop'), qmp.has('mce')])).toEqual([true, false]);
    expect(await failure(qmp.execute('x-no-such-thing'))).toMatchObject({ class: 'CommandNotFound' });
    expect(await failure(qmp.execute('qom-get', { path: '/nope', property: 'x' }))).toMatchObject({
      class: 'DeviceNotFound',
    });
    expect(await failure(qmp.hmp('info status', { cpuIndex: 9 }))).toBeInstanceOf(QmpCommandError);
    expect(await qmp.hmp('info status')).toMatch(/^VM status: paused/);
  });

  test('gives a u64 exactly', async () => {
    const { qmp } = await machine('x86_64', ['-m', '64', '-cpu', 'EPYC,ucode-rev=0xb200000000000135']);
    const [cpu] = await qmp.execute('query-cpus-fast');
    expect(await qmp.execute('qom-get', { path: cpu!['qom-path'], property: 'ucode-rev' })).toBe(0xb200000000000135n);
  });

  test('takes a 64-bit integer exactly', async () => {
    const { qmp } = await machine('x86_64', ['-m', '64', '-object', 'iothread,id=i']);
    const property = { path: '/objects/i', property: 'poll-max-ns' };
    for (const value of [9007199254740993n, 9223372036854775807n]) {
      await qmp.execute('qom-set', { ...property, value });
      expect(await qmp.execute('qom-get', property)).toBe(value);
    }
  });

  test('sends the events of what it is told', async () => {
    const { qmp } = await machine('x86_64', ['-m', '64']);
    for (const [command, event] of [
      ['cont', 'RESUME'],
      ['stop', 'STOP'],
      ['system_powerdown', 'POWERDOWN'],
      ['system_reset', 'RESET'],
    ] as const) {
      const waited = qmp.waitEvent(event, 10_000);
      const { events } = await qmp.executeObserved(command);
      expect(events.map(e => e.event)).toContain(event);
      await waited;
    }
    await qmp.execute('set-action', { reboot: 'shutdown', shutdown: 'pause' });
    const shutdown = qmp.waitEvent('SHUTDOWN', 10_000);
    await qmp.execute('system_reset');
    expect((await shutdown).data).toEqual({ guest: false, reason: 'host-qmp-system-reset' });
  });

  test('executes out of band what allows it', async () => {
    const { qmp } = await machine('x86_64', ['-m', '64']);
    expect(await qmp.execute('query-yank', {}, { oob: true })).toMatchObject([{ type: 'chardev' }]);
    expect(await failure(qmp.execute('query-status', {}, { oob: true }))).toMatchObject({
      desc: 'The command query-status does not support OOB',
    });
  });

  test('answers many overlapping commands, each its own', async () => {
    const { qmp } = await machine('x86_64', ['-m', '64', '-smp', '4']);
    const [schema, ...printed] = await Promise.all([
      qmp.execute('query-qmp-schema'),
      ...Array.from({ length: 40 }, (_, i) => qmp.hmp(`print ${i + 1}`)),
    ]);
    expect(schema.length).toBeGreaterThan(1000);
    expect(printed).toEqual(Array.from({ length: 40 }, (_, i) => `0x${(i + 1).toString(16)}\r\n`));
  });

  test('that is killed ends the connection and every call', async () => {
    const { qmp, process } = await machine('x86_64', ['-m', '64']);
    process.kill('SIGSTOP');
    const pending = failure(qmp.execute('query-status'));
    const waiting = failure(qmp.waitEvent('STOP', 60_000));
    process.kill('SIGKILL');
    expect(await pending).toBeInstanceOf(QmpClosedError);
    expect(await waiting).toBeInstanceOf(QmpClosedError);
    expect(await qmp.closed).toBeInstanceOf(QmpClosedError);
  });

  test('that hangs is noticed, and its late answer does not harm', async () => {
    const entries: TranscriptEntry[] = [];
    const { qmp, process } = await machine('x86_64', ['-m', '64'], { onTranscript: entry => entries.push(entry) });
    process.kill('SIGSTOP');
    expect(await failure(qmp.hmp('print 1', { deadlineMs: 50 }))).toBeInstanceOf(QmpDeadlineError);
    process.kill('SIGCONT');
    expect(await qmp.hmp('print 2')).toBe('0x2\r\n');
    expect(entries.map(e => e.note)).toContain("dropped: late answer to 'human-monitor-command'");
  });

  test('says goodbye to quit', async () => {
    const { qmp } = await machine('x86_64', ['-m', '64']);
    const { events } = await qmp.executeObserved('quit');
    expect(events.map(e => [e.event, e.data['reason']])).toEqual([['SHUTDOWN', 'host-qmp-quit']]);
    expect(await qmp.closed).toBeInstanceOf(QmpClosedError);
  });

  test('as the listening side serves one client at a time; its human monitor is recognised', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'qmp-'));
    const [qmpPath, hmpPath] = [join(dir, 'qmp'), join(dir, 'hmp')];
    // QEMU opens its sockets in order, so these two listen when the third, which connects to us, has greeted.
    const first = await machine('x86_64', [
      '-m',
      '64',
      '-qmp',
      `unix:${qmpPath},server=on,wait=off`,
      '-monitor',
      `unix:${hmpPath},server=on,wait=off`,
    ]);
    cleanups.push(() => rm(dir, { recursive: true, force: true }));
    expect(first.qmp.greeting.capabilities).toEqual(['oob']);
    const client = await QmpClient.connect({ path: qmpPath });
    expect(await failure(QmpClient.connect({ path: qmpPath }, { deadlineMs: 200 }))).toMatchObject({
      code: 'E_QMP_DEADLINE',
      hint: expect.stringMatching(/another client/) as string,
    });
    expect(await failure(QmpClient.connect({ path: hmpPath }))).toBeInstanceOf(QmpNegotiationError);
    await client.close();
    const again = await QmpClient.connect({ path: qmpPath });
    expect(await again.execute('query-status')).toMatchObject({ status: 'prelaunch' });
    await again.close();
  });
});
