/**
 * A real controller on SQLite, real agents and real QEMUs: three bad pages, and the VM runs on the other host, once. And golden
 * scenarios (golden-scenarios.test.ts) on these parts, each by its name.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@syndrome/base/store/sqlite.ts';
import type { Store } from '@syndrome/base/store/store.ts';
import { event } from '@syndrome/decode/events/event.ts';
import { bootSector } from '@syndrome/qemu/qmp/testing/boot-sector.ts';
import { testQemu } from '@syndrome/qemu/qmp/testing/qemu.ts';
import { Agent } from '@syndrome/supervisor/agent/agent.ts';
import { agentConfigSchema } from '@syndrome/supervisor/agent/config.ts';
import { pids, processFacts } from '@syndrome/supervisor/agent/proc.ts';
import { runController } from '@syndrome/supervisor/controller/controller.ts';
import { MOVES } from '@syndrome/supervisor/controller/testing/policy.ts';
import type { Notice } from '@syndrome/supervisor/core/notice.ts';
import type { Policy } from '@syndrome/supervisor/core/policy.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

let folder: string;
const running: { end: AbortController; done: Promise<void> }[] = [];
const parents: ChildProcess[] = [];
function begin(): void {
  folder = mkdtempSync(join(tmpdir(), 'sv-'));
}
async function endAll(): Promise<void> {
  for (const { end } of running) end.abort();
  await Promise.all(running.splice(0).map(r => r.done));
  for (const pid of copies()) process.kill(pid, 'SIGKILL');
  for (const parent of parents.splice(0)) parent.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** Counted from /proc, and from nothing that anybody says. */
const copies = (vm = ''): number[] =>
  pids().filter(pid => {
    const { argv = [], state } = processFacts(pid) ?? {};
    return state !== 'Z' && argv.includes('-qmp') && argv.some(word => word.includes(folder) && word.includes(vm));
  });

async function host(name: string, programs?: string[]): Promise<Agent> {
  programs ??= [(await testQemu('x86_64'))[0] ?? ''];
  const own = join(folder, name);
  mkdirSync(join(own, 'vms'), { recursive: true, mode: 0o700 });
  const text = `host: ${name}
folder: ${own}/state
controller: ${folder}/run/agents.sock
kmsg: false
trace: false
storage: ['${folder}']
start: { folder: ${own}/vms, logs: ${own}/logs, programs: ${JSON.stringify(programs)} }`;
  const agent = await Agent.open(agentConfigSchema.parse(parse(text)));
  const end = new AbortController();
  running.push({ end, done: agent.run(end.signal) });
  return agent;
}

/** Looks every few ms, until something is so; what is not so in time is named. */
async function until(what: () => boolean | Promise<boolean>, deadlineMs = 40_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await what())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${String(what)}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** The controller, and whom it told what. */
async function controller(policy: Policy): Promise<{ store: Store; told: Notice[] }> {
  const store = await openSqlite(join(folder, 'store.db'));
  const told: Notice[] = [];
  const end = new AbortController();
  const done = runController(
    {
      store,
      agentSocket: join(folder, 'run/agents.sock'),
      adminSocket: join(folder, 'run/admin.sock'),
      targets: ['one'],
      targetsOf: () => ['one'],
      deliver: notice => {
        told.push(notice);
        return Promise.resolve({ ok: true });
      },
      policy: { policy, by: 'test' },
      log: () => undefined,
    },
    end.signal,
  );
  running.push({ end, done: done.then(() => store.close()) });
  return { store, told };
}

/** A command line of a VM whose guest takes machine checks. */
async function commandOf(name: string, on: string): Promise<string[]> {
  const disk = join(folder, `${name}.img`);
  writeFileSync(disk, bootSector());
  const words = `-accel tcg -nodefaults -display none -no-user-config -name ${name} -m 64 -cpu qemu64,+mce,+mca -device pvpanic
    -drive file=${disk},format=raw,if=ide -qmp unix:${join(folder, on, 'vms', `${name}.qmp`)},server=on,wait=off`;
  return [...(await testQemu('x86_64')), ...words.trim().split(/\s+/)];
}

/** Starts a VM on a host, and waits until its agent sees it run. @param wrap words before its command line */
async function startVm(agent: Agent, on: string, name: string, facts: object, wrap: string[] = []): Promise<void> {
  writeFileSync(join(folder, on, 'vms', `${name}.qmp.yaml`), JSON.stringify(facts));
  const [program = '', ...words] = [...wrap, ...(await commandOf(name, on))];
  parents.push(spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] }));
  await until(() => agent.vms.find(name)?.report?.state === 'running');
}

/** What the kernel of a host says where it takes pages of a VM away; there is no such kernel outside of the lab. */
function losePages(agent: Agent, vm: string, ...frames: bigint[]): void {
  for (const pfn of frames) {
    const fields = { pfn, page: 'dirty LRU page', result: 'Recovered' };
    agent.take({ kind: 'event', source: 'kmsg', vm, event: event('host.memory-failure', fields), pfn });
  }
}

describe('two agents and a controller', () => {
  beforeEach(begin);
  afterEach(endAll);
  test('three bad pages, a proof, and one copy on the other host', async () => {
    const { store, told } = await controller(MOVES);
    const [a, b] = [await host('a'), await host('b')];
    await startVm(a, 'a', 'web', { optedIn: true });
    const before = copies();
    expect(before).toHaveLength(1);

    let most = 0;
    const counting = setInterval(() => (most = Math.max(most, copies().length)), 20);
    losePages(a, 'web', 0x5000n, 0x6000n, 0x7000n);

    await until(() => b.vms.find('web')?.report?.state === 'running');
    await until(() => told.some(n => n.type === 'vm.restarted'));
    clearInterval(counting);
    const after = copies();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
    expect(most).toBe(1);
    const acts = await store.query('select kind, host, state from act order by seq, id');
    expect(acts.map(act => Object.values(act).join(' ')).slice(0, 4)).toEqual([
      'check b confirmed',
      'autostart-off a confirmed',
      'stop a confirmed',
      'start b confirmed',
    ]);
    expect(b.vms.find('web')?.report).toMatchObject({ optedIn: true, epoch: 1 });
  });
});

describe('golden scenarios on real parts', () => {
  const died: Policy['rules'][number] = {
    name: 'died',
    of: 'vm',
    when: { errors: 1, consequence: ['died'] },
    do: 'restart-elsewhere',
    drain: false,
    notice: 0,
    settle: 0,
  };
  const policy: Policy = { ...MOVES, rules: [died, ...MOVES.rules] };
  let store: Store;
  let told: Notice[];
  let a: Agent;
  let b: Agent;
  let c: Agent;

  /** A program that a host may start, and that comes back well on b without a VM. */
  const wrapper = (): string => join(folder, 'qemu');
  beforeAll(async () => {
    begin();
    const [program = ''] = await testQemu('x86_64');
    writeFileSync(
      wrapper(),
      `#!/bin/bash\ncase "$*" in */b/vms/quiet.qmp*) exit 0;; esac\nexec -a "$0" ${program} "$@"\n`,
      { mode: 0o755 },
    );
    ({ store, told } = await controller(policy));
    a = await host('a', [program, wrapper()]);
    b = await host('b', [program, wrapper()]);
  });
  afterAll(endAll);

  const notices = (vm: string): string[] => told.filter(n => n.vm === vm).map(n => n.type);
  const acts = async (vm: string): Promise<string[]> =>
    (await store.query('select kind, host, state, vm from act order by seq, id'))
      .filter(act => act['vm'] === vm)
      .map(act => `${String(act['kind'])} ${String(act['host'])} ${String(act['state'])}`);
  const decided = async (rule: string, vm: string): Promise<string[]> =>
    (await store.query('select vm, body from decision order by number'))
      .filter(d => d['vm'] === vm && String(d['body']).includes(rule))
      .map(d => String(d['body']));
  /** The process of a VM on a host, as the agent knows it. */
  const pidOf = (agent: Agent, vm: string): number => agent.vms.find(vm)?.copy?.pid ?? 0;
  const runs = (agent: Agent, vm: string): boolean => agent.vms.find(vm)?.report?.state === 'running';
  const isGone = (agent: Agent, vm: string): boolean => agent.vms.find(vm)?.report?.state === 'gone';

  test('sigbus-without-error, two-crashes-monitor-wedged: without a word of the kernel nothing follows; two that die at once both run again', async () => {
    for (const vm of ['alone', 'one', 'two', 'wedged']) await startVm(a, 'a', vm, { optedIn: true });
    process.kill(pidOf(a, 'wedged'), 'SIGSTOP');
    process.kill(pidOf(a, 'alone'), 'SIGBUS');
    for (const [vm, pfn] of [
      ['one', 0x100n],
      ['two', 0x200n],
    ] as const)
      a.take({
        kind: 'event',
        source: 'kmsg',
        vm,
        event: event('host.sigbus-sent', { pfn, comm: 'qemu-system-x86', pid: pidOf(a, vm) }),
        pfn,
      });
    await until(() => notices('one').length > 0 && notices('two').length > 0);
    for (const vm of ['one', 'two']) process.kill(pidOf(a, vm), 'SIGBUS');
    await until(() => runs(b, 'one') && runs(b, 'two') && isGone(a, 'alone'));
    await until(() => notices('one').includes('vm.restarted') && notices('two').includes('vm.restarted'));
    expect(notices('alone')).toEqual([]);
    expect(await acts('alone')).toEqual([]);
    expect(['alone', 'one', 'two'].map(vm => copies(`/${vm}.qmp`).length)).toEqual([0, 1, 1]);
  });

  test('planned-poweroff: a VM that its owner stops is not started again', async () => {
    await startVm(a, 'a', 'planned', { optedIn: true });
    losePages(a, 'planned', 0x300n);
    await until(() => notices('planned').length > 0);
    await ask(join(folder, 'run/admin.sock'), {
      ask: 'order',
      by: 'ann',
      order: { order: 'planned-stop', vm: 'planned' },
    });
    process.kill(pidOf(a, 'planned'), 'SIGTERM');
    await until(() => isGone(a, 'planned'));
    // What comes after it in the agent's spool is decided after it.
    await startVm(a, 'a', 'after', { optedIn: true });
    losePages(a, 'after', 0x310n);
    await until(() => notices('after').length > 0);
    expect(await acts('planned')).toEqual([]);
    expect(notices('planned')).toEqual(['vm.memory.poisoned']);
  });

  test('owned-by-another-controller: three pages are told, and nothing is done', async () => {
    await startVm(a, 'a', 'owned', { optedIn: true, owner: 'masakari' });
    losePages(a, 'owned', 0x400n, 0x401n, 0x402n);
    await until(() => notices('owned').filter(type => type === 'vm.memory.poisoned').length === 3);
    expect(await acts('owned')).toEqual([]);
    expect(copies('/owned.qmp')).toHaveLength(1);
  });

  test('zombie-is-no-copy: a process that its parent does not reap is gone, and that is the proof', async () => {
    await startVm(a, 'a', 'undead', { optedIn: true }, ['sh', '-c', '"$@" & exec sleep 600', 'sh']);
    const pid = pidOf(a, 'undead');
    losePages(a, 'undead', 0x500n, 0x501n, 0x502n);
    await until(() => runs(b, 'undead'));
    expect(processFacts(pid)?.state).toBe('Z');
    const [proof = ''] = await decided('core/stop-proof', 'undead');
    expect(proof).toContain('"process":"zombie"');
    await until(() => notices('undead').includes('vm.restarted'));
    expect(notices('undead')).not.toContain('alert.unproven');
  });

  test('old-host-autostarts: what the old host starts again by itself is a second copy: it is told, and stopped', async () => {
    await until(async () => (await acts('undead')).includes('autostart-off a confirmed'));
    const stops = async (): Promise<number> =>
      (await acts('undead')).filter(done => done === 'stop a confirmed').length;
    const before = await stops();
    const [program = '', ...words] = await commandOf('undead', 'a');
    // Another disk: QEMU's own lock would be the first wall.
    writeFileSync(join(folder, 'twin.img'), bootSector());
    const twin = words.map(word => word.replace(join(folder, 'undead.img'), join(folder, 'twin.img')));
    parents.push(spawn(program, twin, { stdio: ['ignore', 'ignore', 'inherit'] }));
    await until(() => notices('undead').includes('alert.second-copy'));
    // The host knows the newer epoch by now and reports its copy under it; we have ordered that epoch on the other host.
    expect(told.find(n => n.type === 'alert.second-copy')?.summary).toContain('That on a is the old one');
    await until(async () => (await stops()) > before);
    await until(() => copies('/undead.qmp').length === 1 && isGone(a, 'undead'));
    expect(runs(b, 'undead')).toBe(true);
  });

  test('fenced-but-not-restarted: a start that comes back well and that nobody has seen is none; another host is taken', async () => {
    const [, ...words] = await commandOf('quiet', 'a');
    writeFileSync(join(folder, 'a/vms/quiet.qmp.yaml'), JSON.stringify({ optedIn: true }));
    parents.push(spawn(wrapper(), words, { stdio: ['ignore', 'ignore', 'inherit'] }));
    await until(() => runs(a, 'quiet'));
    losePages(a, 'quiet', 0x600n, 0x601n, 0x602n);
    await until(async () => (await acts('quiet')).some(act => act.startsWith('start b')));
    c = await host('c', [wrapper()]);
    await until(() => runs(c, 'quiet'));
    await until(() => notices('quiet').includes('vm.restarted'));
    const done = await acts('quiet');
    expect(done.filter(act => act.startsWith('start '))).toEqual([
      expect.not.stringContaining('confirmed'),
      'start c confirmed',
    ]);
    expect(copies('/quiet.qmp')).toHaveLength(1);
  });
  test('two-crashes-monitor-wedged: a monitor that answers no more is told', async () => {
    await until(() => told.some(n => n.type === 'alert.source-stalled'), 60_000);
    expect(copies('/wedged.qmp')).toHaveLength(1);
    expect(await acts('wedged')).toEqual([]);
  });
});
