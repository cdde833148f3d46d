/** Two agents on this machine, with real QEMUs: what is told, done, proven, and started elsewhere. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { bootSector } from '@syndrome/qemu/qmp/testing/boot-sector.ts';
import { testQemu } from '@syndrome/qemu/qmp/testing/qemu.ts';
import type { Act, ActKind, ActResult } from '../core/act.ts';
import type { ResultReport, Said, SeenEvent, VmReport } from '../core/said.ts';
import { Agent } from './agent.ts';
import { parse } from 'yaml';
import { agentConfigSchema } from './config.ts';
import { pids, processFacts } from './proc.ts';
import { TestController } from './testing/controller.ts';

let folder: string;
let controller: TestController;
const ends: { end: AbortController; done: Promise<void> }[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ag-'));
  controller = await TestController.listen(join(folder, 'c.sock'));
});
afterEach(async () => {
  await stopHosts();
  await controller.close();
  // Copies of this test only: their command lines name its folder.
  for (const pid of copies()) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function stopHosts(): Promise<void> {
  for (const { end } of ends) end.abort();
  await Promise.all(ends.splice(0).map(e => e.done));
}

/** Counted from /proc, and from nothing that the agent says. */
const copies = (): number[] =>
  pids().filter(pid => {
    const { argv = [], state } = processFacts(pid) ?? {};
    return state !== 'Z' && argv.includes('-qmp') && argv.some(word => word.includes(folder));
  });

async function host(name: string): Promise<Agent> {
  const program = (await testQemu('x86_64'))[0];
  const own = join(folder, name);
  mkdirSync(join(own, 'vms'), { recursive: true, mode: 0o700 });
  const text = `host: ${name}
folder: ${own}/state
controller: ${folder}/c.sock
kmsg: false
trace: false
start: { folder: ${own}/vms, logs: ${own}/logs, programs: ['${program}'] }`;
  const agent = await Agent.open(agentConfigSchema.parse(parse(text)));
  const end = new AbortController();
  ends.push({ end, done: agent.run(end.signal) });
  return agent;
}

/** The smallest VM that takes machine checks, on host a. */
async function startVm(): Promise<number> {
  const [program, ...first] = await testQemu('x86_64');
  const disk = join(folder, 'disk.img');
  writeFileSync(disk, bootSector());
  const vms = join(folder, 'a', 'vms');
  const log = join(vms, 'web.log');
  writeFileSync(join(vms, 'web.qmp.yaml'), `optedIn: true\nlog: ${log}\n`);
  writeFileSync(log, '');
  const words = `-accel tcg -nodefaults -display none -no-user-config -name web -m 64 -cpu qemu64,+mce,+mca -device pvpanic
    -drive file=${disk},format=raw,if=ide -msg timestamp=on -trace monitor_protocol_event_emit -D ${log}
    -S -qmp unix:${vms}/web.qmp,server=on,wait=off`;
  const child = spawn(program as string, [...first, ...words.trim().split(/\s+/)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return child.pid ?? 0;
}

const isVm =
  (host: string, state: string) =>
  (said: Said): boolean =>
    said.kind === 'vm' && said.vm === 'web' && said.state === state && hostOf(said) === host;
const hostOf = (said: Said): string => [...controller.rows.values()].find(row => row.said === said)?.host ?? '';
const isEvent =
  (name: string) =>
  (said: Said): said is SeenEvent =>
    said.kind === 'event' && said.event.name === name;

let n = 0;
async function order(host: string, kind: ActKind, epoch: number, more: Partial<Act> = {}): Promise<ActResult> {
  const id = `act-${++n}`;
  controller.order({ id, kind, host, vm: 'web', epoch, incident: 'inc-1', deadline: Date.now() + 60_000, ...more });
  return controller.until((s): s is ResultReport => s.kind === 'result' && s.action === id && hostOf(s) === host);
}
/** Lets the guest run, until it takes machine checks. */
async function boot(agent: Agent): Promise<void> {
  await controller.until(isVm('a', 'paused'));
  const qmp = agent.vms.find('web')!.qmp!;
  const ready = qmp.waitEvent('GUEST_CRASHLOADED', 60_000);
  await qmp.execute('cont');
  await ready;
  await controller.until(isVm('a', 'running'));
}

describe('agents and real QEMUs', () => {
  test('a machine check is told; the stop is proven; the VM runs on the other host, once', async () => {
    const a = await host('a');
    await host('b');
    const pid = await startVm();
    const first = (await controller.until(isVm('a', 'paused'))) as VmReport;
    expect(first).toMatchObject({ pid, vmm: 'qemu', optedIn: true, autostart: false, memoryBytes: 64 << 20, epoch: 0 });
    expect(first.disks).toEqual([join(folder, 'disk.img')]);
    await boot(a);

    await a.vms.find('web')!.qmp!.hmp('mce 0 9 0xbd000000000000c0 5 0x300000 0x8c');
    expect(await controller.until(isEvent('vmm.memory-failure'))).toMatchObject({
      source: 'qmp',
      vm: 'web',
      event: { fields: { recipient: 'guest', action: 'inject' } },
    });

    expect(await order('a', 'pause', 1)).toMatchObject({ state: 'confirmed', seen: { status: 'paused' } });
    expect(await order('a', 'reset', 1)).toMatchObject({ state: 'confirmed' });
    expect(await order('a', 'prove', 1)).toMatchObject({ state: 'failed', reason: `it is there: pid ${pid}` });
    expect(await order('a', 'autostart-off', 1)).toMatchObject({ state: 'confirmed' });
    const stopped = await order('a', 'stop', 1);
    expect(stopped).toMatchObject({
      state: 'confirmed',
      proof: { kind: 'process-gone', host: 'a', epoch: 1, evidence: { pid: String(pid), way: 'quit' } },
    });
    expect(copies()).toEqual([]);
    await controller.until(isVm('a', 'gone'));

    const { definition = '' } = first;
    const started = await order('b', 'start', 2, { definition });
    expect(started).toMatchObject({ state: 'confirmed', seen: { status: 'running' } });
    expect(copies()).toEqual([Number(started.seen?.['pid'])]);
    expect(await controller.until(isVm('b', 'running'))).toMatchObject({ optedIn: true, epoch: 2 });
    // A copy is there, and the old host has seen nothing newer: it is the epoch that the controller gives that counts.
    expect(await order('b', 'start', 2, { definition })).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('runs here already'),
    });
    expect(await order('b', 'stop', 1)).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('older than 2'),
    });
    expect(existsSync(join(folder, 'b', 'logs', 'web.log'))).toBe(true);
    expect(await order('b', 'terminate', 2)).toMatchObject({ proof: { kind: 'process-gone', host: 'b', epoch: 2 } });
    expect(copies()).toEqual([]);
  });

  test('a QEMU that does not answer is killed, and that is proven', async () => {
    await host('a');
    const pid = await startVm();
    await controller.until(isVm('a', 'paused'));
    process.kill(pid, 'SIGSTOP');
    const stopped = await order('a', 'stop', 1);
    expect(stopped).toMatchObject({ proof: { evidence: { pid: String(pid), way: 'SIGKILL' } } });
    expect(copies()).toEqual([]);
  });

  test('a QEMU that is killed is told gone', async () => {
    await host('a');
    const pid = await startVm();
    await controller.until(isVm('a', 'paused'));
    process.kill(pid, 'SIGKILL');
    await controller.until(isEvent('vmm.exit'));
    expect(await controller.until(isVm('a', 'gone'))).toMatchObject({ pid });
    expect(await order('a', 'prove', 1)).toMatchObject({ proof: { kind: 'process-gone' } });
  });

  test('an event that came while no agent was there is seen in what QEMU itself wrote down', async () => {
    const inject = 'mce 0 9 0x9d000000000000c0 5 0x300000 0x8c';
    const a = await host('a');
    await startVm();
    await boot(a);
    await stopHosts();
    const nobody = await QmpClient.connect({ path: join(folder, 'a', 'vms', 'web.qmp') });
    await nobody.hmp(inject);
    await nobody.close();
    expect(controller.said.filter(isEvent('vmm.memory-failure'))).toEqual([]);

    const again = await host('a');
    await controller.until(() => again.vms.find('web')?.qmp !== undefined);
    await again.vms.find('web')!.qmp!.hmp(inject);
    const seen = await controller.until(isEvent('vmm.memory-failure'));
    expect(seen).toMatchObject({ source: 'qmp', event: { fields: { recipient: 'guest' } } });
    // One that came both ways teaches its number; the one before it was lost, and is told.
    const lost = await controller.until((s): s is SeenEvent => s.kind === 'event' && s.source === 'qemu-log');
    expect(lost).toMatchObject({ vm: 'web', event: { name: 'vmm.memory-failure', fields: {} } });
    expect(lost.when).toBeLessThan(seen.when ?? 0);
    expect(controller.said).toContainEqual(expect.objectContaining({ source: 'qmp', state: 'back', lostEvents: 1 }));
  });
});
