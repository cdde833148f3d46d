/** A process that ends at once: whatever was told of it before the answer of its start, its end stands behind that. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Act, ActResult } from '../core/act.ts';
import type { ResultReport, Said, VmReport } from '../core/said.ts';
import { QemuActs } from './acts/qemu.ts';
import { resultOf } from './actuator.ts';
import { Agent } from './agent.ts';
import { agentConfigSchema } from './config.ts';
import { endBehind } from './end-behind.ts';
import { bootId, processFacts } from './proc.ts';
import { TestController } from './testing/controller.ts';
import { Units } from './units.ts';
import { Vms } from './vms.ts';

let folder: string;
const children: ChildProcess[] = [];
const never = new AbortController().signal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'end-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const startOf = (more: Partial<Act> = {}): Act => ({
  id: 's',
  kind: 'start',
  host: 'a',
  vm: 'web',
  epoch: 2,
  incident: 'inc-1',
  deadline: Date.now() + 30_000,
  ...more,
});
const report = (more: Partial<VmReport>): VmReport => ({
  kind: 'vm',
  vm: 'web',
  name: 'web',
  state: 'running',
  vmm: 'qemu',
  disks: ['/d.img'],
  memoryBytes: 2 ** 20,
  autostart: false,
  optedIn: true,
  epoch: 2,
  ...more,
});

/** A process that a start has made, noted as it is; `end` kills it. */
async function started(
  vms: Vms,
  vmm: VmReport['vmm'],
): Promise<{ result: ActResult; ids: Pick<VmReport, 'pid' | 'startTicks'>; end: () => Promise<void> }> {
  const child = spawn(process.execPath, ['-e', "setInterval(() => {}, 1000); console.log('up')"], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout!, 'data');
  const { pid, startTicks } = processFacts(child.pid ?? 0) ?? expect.fail('it does not run');
  vms.of('web', vmm);
  const copy = { pid, startTicks, boot: bootId(), socket: '/s', epoch: 2 };
  vms.foundCopy('web', { ...copy, report: report({ vmm, pid, startTicks }) });
  const seen = { pid: String(pid), startTicks, status: 'running' };
  const end = async (): Promise<void> => {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  return { result: resultOf(startOf(), { state: 'confirmed', seen }), ids: { pid, startTicks }, end };
}

describe('behind the answer of a start', () => {
  test('an agent tells the end of a process that died before it, whatever was told of that before', async () => {
    const controller = await TestController.listen(join(folder, 'c.sock'));
    const end = new AbortController();
    const text = `{host: a, folder: ${folder}/state, controller: ${folder}/c.sock, kmsg: false, trace: false, sysfs: false,
      start: {folder: ${folder}/vms, logs: ${folder}/logs}}`;
    const agent = await Agent.open(agentConfigSchema.parse(parse(text)), {
      tickMs: 10,
      parts: ({ vms }) => ({
        libvirt: {
          act: async () => {
            const { result, ids, end: die } = await started(vms, 'qemu');
            await die();
            // The source was faster than the answer.
            vms.of('web').report = report({ ...ids, state: 'gone', reason: 'absent' });
            return result;
          },
        },
      }),
    });
    const running = agent.run(end.signal);
    try {
      controller.order(startOf({ definition: '<domain/>' }));
      await controller.until(said => said.kind === 'vm');
      const told = controller.said.filter(said => said.kind !== 'source');
      expect(told.map(said => (said.kind === 'event' ? said.event.name : said.kind))).toEqual([
        'result',
        'vmm.exit',
        'vm',
      ]);
      expect((told[0] as ResultReport).state).toBe('confirmed');
      expect(told[2]).toMatchObject({ vm: 'web', state: 'gone', epoch: 2, optedIn: true, memoryBytes: 2 ** 20 });
    } finally {
      end.abort();
      await running;
      await controller.close();
    }
  });

  test('nothing is told of one that runs, of an older one, nor of a start that has failed', async () => {
    const vms = new Vms();
    const { result, end } = await started(vms, 'qemu');
    expect(await endBehind(vms, result, never)).toEqual([]);
    await end();
    expect(await endBehind(vms, { ...result, state: 'failed' }, never)).toEqual([]);
    expect(await endBehind(vms, { ...result, seen: { ...result.seen, startTicks: '1' } }, never)).toEqual([]);
    expect((await endBehind(vms, result, never)).map(said => said.kind)).toEqual(['event', 'vm']);
  });

  test('of a domain why it ended is told in the words of libvirt, which are waited for', async () => {
    const vms = new Vms();
    const { result, end } = await started(vms, 'libvirt');
    await end();
    const behind = endBehind(vms, result, never);
    vms.of('web').report = report({ vmm: 'libvirt', state: 'shut-off', reason: 'failed' });
    expect(await behind).toMatchObject([{ kind: 'vm', state: 'gone', reason: 'failed', epoch: 2 }]);
    vms.of('web').report = report({ vmm: 'libvirt', state: 'shut-off', reason: 'shutdown' });
    expect(await endBehind(vms, result, never)).toMatchObject([{ kind: 'vm', state: 'gone', reason: 'shutdown' }]);
    vms.of('web').report = report({ vmm: 'libvirt' });
    expect(await endBehind(vms, result, AbortSignal.abort())).toEqual([]);
  });

  /** What another host told of it, without its command line. */
  const theirs = { schema: 1, vmm: 'qemu', cwd: '/', folder: '/run/theirs', socket: '/run/theirs/web.qmp' };

  /** A program that speaks as QEMU's monitor does, and is gone as soon as it has said that it runs where `dies` is among its words. */
  const MONITOR = `#!${process.execPath}
    const net = require('node:net');
    const word = process.argv[process.argv.indexOf('-qmp') + 1];
    const answers = {
      'query-status': { running: true, status: 'running' },
      'query-memory-size-summary': { 'base-memory': 67108864 },
    };
    net.createServer(socket => {
      socket.on('error', () => {});
      socket.write('{"QMP":{"version":{"qemu":{"micro":0,"minor":2,"major":7},"package":""},"capabilities":[]}}\\r\\n');
      require('node:readline').createInterface(socket).on('line', line => {
        const { execute, id } = JSON.parse(line);
        socket.write(JSON.stringify({ return: answers[execute] ?? {}, id }) + '\\r\\n', () => {
          if (execute === 'query-status' && process.argv.includes('dies')) process.exit(1);
        });
      });
    }).listen(word.slice(5, word.indexOf(',')));`;

  test('of a bare QEMU that no source has seen it is told what a source would have told first', async () => {
    const program = join(folder, 'qemu-system-x');
    writeFileSync(program, MONITOR, { mode: 0o755 });
    const vms = new Vms();
    const acts = new QemuActs({ vms, units: new Units(), programs: [program], folder, logs: folder });
    const argv = [program, '-qmp', 'unix:/run/theirs/web.qmp,server=on', '-drive', 'file=/d.img', '-cpu', 'max'];
    const definition = JSON.stringify({ ...theirs, argv, facts: { name: 'the web', optedIn: true } });
    const result = await acts.act(startOf({ definition }), never);
    const pid = Number(result.seen?.['pid']);
    const first = {
      vm: 'web',
      name: 'the web',
      vmm: 'qemu',
      pid,
      disks: ['/d.img'],
      memoryBytes: 2 ** 26,
      cpuModel: 'max',
      optedIn: true,
      autostart: false,
      epoch: 2,
    };
    try {
      expect(result).toMatchObject({ state: 'confirmed' });
      expect(vms.find('web')?.copy?.report).toMatchObject({ ...first, state: 'running' });
    } finally {
      process.kill(pid, 'SIGKILL');
    }
    let told: Said[] = [];
    while (told.length === 0) told = await endBehind(vms, result, never);
    expect(told).toMatchObject([{ event: { name: 'vmm.exit' } }, { ...first, state: 'gone' }]);
  });

  test('a start whose process dies at once has failed, or its end is told behind it', async () => {
    const program = join(folder, 'qemu-system-x');
    writeFileSync(program, MONITOR, { mode: 0o755 });
    const argv = [program, '-qmp', 'unix:/run/theirs/web.qmp,server=on', 'dies'];
    const definition = JSON.stringify({ ...theirs, argv });
    const vms = new Vms();
    const acts = new QemuActs({ vms, units: new Units(), programs: [program], folder, logs: folder });
    const result = await acts.act(startOf({ definition }), never);
    if (result.state !== 'confirmed') {
      expect(result).toMatchObject({ state: 'failed' });
      return;
    }
    const pid = Number(result.seen?.['pid']);
    while ((processFacts(pid)?.state ?? 'Z') !== 'Z') await new Promise(resolve => setImmediate(resolve));
    expect(await endBehind(vms, result, never)).toMatchObject([{ event: { name: 'vmm.exit' } }, { state: 'gone' }]);
  });
});
