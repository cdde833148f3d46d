/** A real controller on SQLite, two real agents and a real QEMU: three bad pages, and the VM runs on the other host, once. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@syndrome/base/store/sqlite.ts';
import { event } from '@syndrome/decode/events/event.ts';
import { bootSector } from '@syndrome/qemu/qmp/testing/boot-sector.ts';
import { testQemu } from '@syndrome/qemu/qmp/testing/qemu.ts';
import { Agent } from '@syndrome/supervisor/agent/agent.ts';
import { agentConfigSchema } from '@syndrome/supervisor/agent/config.ts';
import { pids, processFacts } from '@syndrome/supervisor/agent/proc.ts';
import { runController } from '@syndrome/supervisor/controller/controller.ts';
import { MOVES } from '@syndrome/supervisor/controller/testing/policy.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';

let folder: string;
const running: { end: AbortController; done: Promise<void> }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sv-'));
});
afterEach(async () => {
  for (const { end } of running) end.abort();
  await Promise.all(running.splice(0).map(r => r.done));
  for (const pid of copies()) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Counted from /proc, and from nothing that anybody says. */
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
controller: ${folder}/run/agents.sock
kmsg: false
trace: false
storage: ['${folder}']
start: { folder: ${own}/vms, logs: ${own}/logs, programs: ['${program}'] }`;
  const agent = await Agent.open(agentConfigSchema.parse(parse(text)));
  const end = new AbortController();
  running.push({ end, done: agent.run(end.signal) });
  return agent;
}

/** Looks every few ms, within the time of the test. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise(resolve => setTimeout(resolve, 20));
}

test('three bad pages, a proof, and one copy on the other host', async () => {
  const store = await openSqlite(join(folder, 'store.db'));
  const told: string[] = [];
  const end = new AbortController();
  const controller = runController(
    {
      store,
      agentSocket: join(folder, 'run/agents.sock'),
      adminSocket: join(folder, 'run/admin.sock'),
      targets: ['one'],
      targetsOf: () => ['one'],
      deliver: notice => {
        told.push(notice.type);
        return Promise.resolve({ ok: true });
      },
      policy: { policy: MOVES, by: 'test' },
      log: () => undefined,
    },
    end.signal,
  );
  running.push({ end, done: controller.then(() => store.close()) });
  const [a, b] = [await host('a'), await host('b')];

  const disk = join(folder, 'disk.img');
  writeFileSync(disk, bootSector());
  const vms = join(folder, 'a', 'vms');
  writeFileSync(join(vms, 'web.qmp.yaml'), 'optedIn: true\n');
  const [program, ...first] = await testQemu('x86_64');
  const words = `-accel tcg -nodefaults -display none -no-user-config -name web -m 64 -cpu qemu64,+mce,+mca -device pvpanic
    -drive file=${disk},format=raw,if=ide -qmp unix:${vms}/web.qmp,server=on,wait=off`;
  spawn(program as string, [...first, ...words.trim().split(/\s+/)], { stdio: ['ignore', 'ignore', 'inherit'] });
  await until(() => a.vms.find('web')?.report?.state === 'running');
  const before = copies();
  expect(before).toHaveLength(1);

  let most = 0;
  const counting = setInterval(() => (most = Math.max(most, copies().length)), 20);
  for (const pfn of [0x5000n, 0x6000n, 0x7000n]) {
    const fields = { pfn, page: 'dirty LRU page', result: 'Recovered' };
    a.take({ kind: 'event', source: 'kmsg', vm: 'web', event: event('host.memory-failure', fields), pfn });
  }

  await until(() => b.vms.find('web')?.report?.state === 'running');
  await until(() => told.includes('vm.restarted'));
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
