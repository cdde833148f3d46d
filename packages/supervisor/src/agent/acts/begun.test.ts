/** A start whose agent ends between what it writes down before it and the note of the process: its end is proven by no older copy. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Act, ActKind } from '../../core/act.ts';
import type { Actuator } from '../actuator.ts';
import { bootId, type ProcessFacts, processFacts, startedWith } from '../proc.ts';
import { Units } from '../units.ts';
import { type Copy, Vms } from '../vms.ts';
import { QemuActs } from './qemu.ts';
import { ReferenceActs } from './reference.ts';

let folder: string;
let path: string;
const children: ChildProcess[] = [];
const never = new AbortController().signal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'begun-'));
  path = join(folder, 'copies.json');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const value of [`unix:${join(folder, 'web.qmp')}`, join(folder, 'events')])
    for (const option of ['-qmp', '--events']) {
      const left = startedWith(option, value);
      if (left !== undefined) process.kill(left.pid, 'SIGKILL');
    }
  rmSync(folder, { recursive: true, force: true });
});

const order = (kind: ActKind, more: Partial<Act> = {}): Act => ({
  id: kind,
  kind,
  host: 'a',
  vm: 'web',
  epoch: 2,
  incident: 'inc-1',
  deadline: Date.now() + 5000,
  ...more,
});
/** Epoch 0, long gone. */
const old = (socket: string): Copy => ({ pid: 4_194_000, startTicks: '1', boot: bootId(), socket });

/** A program that stands for a QEMU: it takes its arguments, and never listens. It forks nothing, whose copies would look like it. */
function program(): string {
  const file = join(folder, 'qemu-system-x');
  execFileSync('mkfifo', [`${file}.fifo`]);
  writeFileSync(file, '#!/bin/sh\nexec 3<>"$0.fifo"\nread -r _ <&3\n', { mode: 0o755 });
  return file;
}
const definition = (argv: string[]): string =>
  JSON.stringify({ schema: 1, vmm: 'qemu', argv, cwd: '/', folder: '/run/theirs', socket: '/run/theirs/web.qmp' });
const qemuActs = (vms: Vms): QemuActs =>
  new QemuActs({
    vms,
    units: new Units(),
    folder,
    logs: folder,
    programs: [join(folder, 'qemu-system-x')],
    stepMs: 50,
  });
const referenceActs = (vms: Vms): Actuator => {
  vms.of('web', 'reference').events = join(folder, 'events');
  return new ReferenceActs({ vms, logs: folder, programs: [join(folder, 'qemu-system-x')] }, qemuActs(vms));
};

/** An agent's start that is killed when the process is there and is about to be noted. */
function killedAtNote(kind: 'qemu' | 'reference', act: Act): void {
  const at = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const text = `
    import { Vms } from ${at('../vms.ts')};
    import { Units } from ${at('../units.ts')};
    import { QemuActs } from ${at('qemu.ts')};
    import { ReferenceActs } from ${at('reference.ts')};
    class Killed extends Vms { foundCopy() { process.kill(process.pid, 'SIGKILL'); } }
    const vms = new Killed(${JSON.stringify(path)});
    const [folder, act] = [${JSON.stringify(folder)}, ${JSON.stringify(act)}];
    const programs = [folder + '/qemu-system-x'];
    const qemu = new QemuActs({ vms, units: new Units(), folder, logs: folder, programs });
    vms.of('web', ${JSON.stringify(kind)}).events = folder + '/events';
    const acts = ${kind === 'qemu' ? 'qemu' : 'new ReferenceActs({ vms, logs: folder, programs }, qemu)'};
    console.log(JSON.stringify(await acts.act(act, new AbortController().signal)));`;
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' });
  expect([signal, stdout]).toEqual(['SIGKILL', '']);
}

test.each(['qemu', 'reference'] as const)('kill -9 between mark and note: %s', kind => {
  const events = join(folder, 'events');
  const socket = kind === 'qemu' ? '/run/old/web.qmp' : events;
  new Vms(path).foundCopy('web', old(socket));
  const first = kind === 'qemu' ? qemuActs(new Vms(path)) : referenceActs(new Vms(path));
  const argv = [program(), ...(kind === 'qemu' ? ['-qmp', 'unix:/run/theirs/web.qmp'] : ['--events', '/there'])];
  const text = kind === 'qemu' ? definition(argv) : JSON.stringify({ schema: 1, vmm: 'reference', argv, cwd: '/' });
  return (async () => {
    // Of the epoch in which nothing was begun here the old copy's end is the proof.
    expect(await first.act(order('prove', { epoch: 1 }), never)).toMatchObject({ proof: { epoch: 1 } });
    killedAtNote(kind, order('start', { definition: text }));
    const look = (): ProcessFacts | undefined =>
      kind === 'qemu' ? startedWith('-qmp', `unix:${join(folder, 'web.qmp')}`) : startedWith('--events', events);
    // It begins as a copy of its agent, and goes on without that.
    await expect.poll(look).toBeDefined();
    const runs = look();
    const vms = new Vms(path);
    expect(vms.find('web')?.copy).toBeUndefined();
    const acts = kind === 'qemu' ? qemuActs(vms) : referenceActs(vms);
    const looked = await acts.act(order('prove'), never);
    expect(looked).toMatchObject({ state: 'failed', reason: `it is there: pid ${runs?.pid}` });
    expect(looked.proof).toBeUndefined();
    // Now it is known, and its stop is proven by its own process.
    expect(new Vms(path).find('web')?.copy).toMatchObject({ pid: runs?.pid, epoch: 2 });
    expect(await acts.act(order('stop'), never)).toMatchObject({ proof: { evidence: { pid: String(runs?.pid) } } });
  })();
});

test('where nobody knows its process there is no proof, until the host has booted or nothing came of it', async () => {
  new Vms(path).foundCopy('web', old('/run/old/web.qmp'));
  const socket = join(folder, 'web.qmp');
  const vms = new Vms(path);
  vms.begins('web', { epoch: 2, socket, boot: bootId() });
  for (const kind of ['prove', 'stop', 'terminate'] as const) {
    const result = await qemuActs(new Vms(path)).act(order(kind), never);
    expect(result).toMatchObject({ state: 'unknown', reason: expect.stringContaining('epoch 2 was begun') as string });
    expect(result.proof).toBeUndefined();
  }
  // The administrator starts it at another socket, and ends it: the end of that one is not the end of what was begun.
  const again = new Vms(path);
  again.foundCopy('web', old('/run/old/web.qmp'));
  expect((await qemuActs(again).act(order('prove'), never)).proof).toBeUndefined();
  const booted = new Vms(path);
  booted.begins('web', { epoch: 2, socket, boot: 'another boot' });
  const rebooted = { kind: 'process-gone', epoch: 2, evidence: { process: 'host-rebooted', autostart: 'off' } };
  expect(await qemuActs(new Vms(path)).act(order('prove'), never)).toMatchObject({ proof: rebooted });
  booted.begins('web', { epoch: 2, socket, boot: bootId() });
  booted.cameToNothing('web', 'spawn ENOENT');
  const nothing = { epoch: 2, evidence: { process: 'absent', way: 'spawn ENOENT' } };
  expect(await qemuActs(new Vms(path)).act(order('stop'), never)).toMatchObject({ proof: nothing });
});

test('a start that cannot be written down is none, and what was known stays', async () => {
  const vms = new Vms(join(folder, 'none', 'copies.json'));
  vms.foundCopy('web', old('/run/old/web.qmp'));
  const text = definition([program(), '-qmp', 'unix:/run/theirs/web.qmp']);
  expect(await qemuActs(vms).act(order('start', { definition: text }), never)).toMatchObject({ state: 'failed' });
  expect(startedWith('-qmp', `unix:${join(folder, 'web.qmp')}`)).toBeUndefined();
  expect(vms.find('web')).toMatchObject({ copy: { pid: 4_194_000 } });
  expect(vms.find('web')?.begun).toBeUndefined();
});

test('a program that is not there is proven to run nowhere', async () => {
  const vms = new Vms(path);
  const text = definition([join(folder, 'qemu-system-x')]);
  expect(await qemuActs(vms).act(order('start', { definition: text }), never)).toMatchObject({ state: 'failed' });
  const nothing = { evidence: { process: 'absent', way: expect.stringContaining('ENOENT') as string } };
  expect(await qemuActs(new Vms(path)).act(order('prove'), never)).toMatchObject({ proof: nothing });
});

test('a file of an agent that wrote no starts down: who listens in our own folder is asked for, too', async () => {
  new Vms(path).foundCopy('web', old('/run/old/web.qmp'));
  children.push(spawn(program(), ['-qmp', `unix:${join(folder, 'web.qmp')}`], { stdio: 'ignore' }));
  const pid = children[0]?.pid;
  await expect.poll(() => processFacts(pid ?? 0)?.comm).toBe('qemu-system-x');
  expect(await qemuActs(new Vms(path)).act(order('prove'), never)).toMatchObject({
    state: 'failed',
    reason: `another process has its monitor: pid ${pid}`,
  });
});

test('a process that a source had looked at, and that is gone, is not the one that was begun', () => {
  const socket = join(folder, 'web.qmp');
  const vms = new Vms(path);
  vms.begins('web', { epoch: 2, socket, boot: bootId() });
  vms.foundCopy('web', old(socket));
  expect(vms.find('web')).toMatchObject({ begun: { epoch: 2 } });
  const { startTicks = '' } = processFacts(process.pid) ?? {};
  vms.foundCopy('web', { pid: process.pid, startTicks, boot: bootId(), socket });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    web: { pid: process.pid, startTicks, boot: bootId(), socket, epoch: 2 },
  });
  mkdirSync(join(folder, 'x'));
  writeFileSync(path, JSON.stringify({ web: { begun: { epoch: 'x', socket, boot: 'b' } }, db: null }));
  expect(new Vms(path).find('web')).toBeUndefined();
});
