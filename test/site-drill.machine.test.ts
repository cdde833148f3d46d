/** A drill on a site as a reader has it: controller and agent, a bare QEMU with two monitors, and the program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootSector } from '@syndrome/qemu/qmp/testing/boot-sector.ts';
import { testQemu } from '@syndrome/qemu/qmp/testing/qemu.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { serveAgent } from '@syndrome/supervisor/site/serve-agent.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Sandbox } from './program.ts';

const RULES = [
  { name: 'second', of: 'vm', when: { errors: 2 }, do: 'restart-elsewhere' },
  { name: 'first', of: 'vm', when: { errors: 1 }, do: 'tell' },
];

const sandbox = new Sandbox();
const end = new AbortController();
const told: string[] = [];
let served: Promise<void>[] = [];
const vms: ChildProcess[] = [];

const at = (name: string): string => join(sandbox.dir, name);
const write = (name: string, data: unknown): string => {
  writeFileSync(at(name), JSON.stringify(data), { mode: 0o600 });
  return at(name);
};

/** A QEMU whose guest takes machine checks; its first monitor is the agent's, the second one that of a drill. */
async function startVm(name: string, facts: object): Promise<void> {
  const [program = '', ...first] = await testQemu('x86_64');
  writeFileSync(at(`${name}.img`), bootSector());
  write(`vms/${name}.qmp.json`, facts);
  const words = `-accel tcg -nodefaults -display none -no-user-config -name ${name} -m 64 -cpu qemu64,+mce,+mca -device pvpanic
    -drive file=${at(`${name}.img`)},format=raw,if=ide -S -qmp unix:${at(`vms/${name}.qmp`)},server=on,wait=off
    -qmp unix:${at(`lines/${name}.sock`)},server=on,wait=off`;
  const child = spawn(program, [...first, ...words.trim().split(/\s+/)], { stdio: ['ignore', 'ignore', 'inherit'] });
  vms.push(child);
  let qmp: QmpClient | undefined;
  while (qmp === undefined) {
    qmp = await QmpClient.connect({ path: at(`lines/${name}.sock`) }).catch(() => undefined);
    if (qmp === undefined) await new Promise(resolve => setTimeout(resolve, 20));
  }
  const ready = qmp.waitEvent('GUEST_CRASHLOADED', 60_000);
  await qmp.execute('cont');
  await ready;
  await qmp.close();
}

beforeAll(async () => {
  for (const folder of ['vms', 'lines']) mkdirSync(at(folder), { mode: 0o700 });
  const policy = write('policy.json', { schema: 1, name: 'drilled', version: '1', mode: 'act', rules: RULES });
  const agent = { host: 'h1', folders: [at('vms')], kmsg: false, trace: false, sysfs: false, storage: [sandbox.dir] };
  const base = { site: 'home', folder: at('state'), policy };
  write('no-drill.json', { ...base, agent });
  const file = write('site.json', { ...base, agent: { ...agent, drill: at('drill.ndjson') } });
  const site = readSite(file);
  writeFileSync(at('drill.ndjson'), '');
  served = [
    serveController(
      site,
      end.signal,
      () => undefined,
      line => told.push(line),
    ),
    serveAgent(site, end.signal, () => undefined),
  ];
  await Promise.all([startVm('web', { optedIn: true }), startVm('db', {})]);
  for (;;) {
    const vms = await ask(readPlaces(file).sockets.admin, { ask: 'list', list: 'vms' }).catch(() => []);
    const running = (vms as { copies: { state: string }[] }[]).filter(vm => vm.copies[0]?.state === 'running');
    if (running.length === 2) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
});
afterAll(async () => {
  end.abort();
  await Promise.allSettled(served);
  for (const vm of vms) vm.kill('SIGKILL');
  sandbox.remove();
});

const drill = (more: string[], vm = 'web'): ReturnType<Sandbox['run']> =>
  sandbox.run('drill', 'srao', '--config', at('site.json'), '--vm', vm, '--qmp', at(`lines/${vm}.sock`), ...more);

interface Report {
  verdict: string;
  witnesses: string[];
  decided: { rung: string; rule: string };
  steps: { step: string; ms?: number }[];
  gaps: { step: string; why: string }[];
}

test('refuses, with the reason, and injects nothing', async () => {
  const page = ['--addr', '0x300000'];
  const refusals = await Promise.all([
    drill(page, 'db'),
    drill([...page, '--config', at('no-drill.json')]),
    drill([...page, '--qmp', at('vms/web.qmp')]),
    drill([...page, '--qmp', at('lines/db.sock')]),
    drill([...page, '--vm', 'nobody']),
  ]);
  refusals.push(await sandbox.run('drill', 'srao', '--config', at('site.json'), '--vm', 'web', ...page));
  // A monitor has one client: this one comes alone.
  refusals.push(await drill(page), await drill([...page, '--dry-run']));
  expect(refusals.map(({ code, stderr }) => [code, /\[(E_\w+)\]/.exec(stderr)?.[1]])).toEqual([
    [2, 'E_DRILL_VM'],
    [2, 'E_DRILL_SITE'],
    [2, 'E_DRILL_VM'],
    [2, 'E_DRILL_VM'],
    [2, 'E_DRILL_VM'],
    [2, 'E_USAGE'],
    [2, 'E_INJECT_FATAL'],
    [0, undefined],
  ]);
  const [closed, site, agents, foreign, unknown, missing, fatal, dry] = refusals.map(r => r.stderr + r.stdout);
  expect(closed).toContain('its owner has not opted in; nothing was injected');
  expect(site).toContain('does not allow drills');
  expect(site).toContain('Write `drill: ');
  expect(agents).toContain("is the agent's monitor");
  expect(foreign).toContain('is not known to be its monitor');
  expect(unknown).toContain('the controller knows none of that name');
  expect(missing).toContain('--qmp is missing: libvirt does not run VM web here');
  expect(fatal).toContain('Repeat with --yes');
  expect(dry).toContain('nothing is injected; this would be: mce 0 9 0xbd000000000000c0 0x5 0x300000 0x8c');
  expect(told).toEqual([]);
});

test('the first page is told: all steps come, with their times', async () => {
  const { code, stdout, stderr } = await drill(['--addr', '0x300000', '--yes', '--json', '--timeout', '30']);
  expect(stderr).toMatch(/^> mce 0 9 0xbd000000000000c0 0x5 0x300000 0x8c\n$/);
  const report = JSON.parse(stdout) as Report;
  expect({ code, report }).toMatchObject({
    code: 0,
    report: { schemaVersion: 1, drill: 'srao', verdict: 'pass', vm: 'web', host: 'h1', qemu: 'inject', gaps: [] },
  });

  expect(report.decided).toMatchObject({ rung: 'tell', rule: 'first' });
  expect(report.witnesses).toEqual(['drill lab.injected', 'qmp vmm.memory-failure']);
  expect(report.steps.map(({ step, ms }) => [step, typeof ms])).toEqual(
    ['durable', 'incident', 'witness', 'notice', 'address'].map(step => [step, 'number']),
  );
  expect(told.some(line => line.includes('vm.memory.poisoned'))).toBe(true);
});

test('what has to follow and does not come is a gap, and exit code 1', async () => {
  // There is no other host: the VM that runs is not stopped, because it has nowhere to go.
  const { code, stdout } = await drill(['--addr', '0x301000', '--yes', '--timeout', '4']);

  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAIL {2}drill srao {2}VM web on h1\n/);
  expect(stdout).toContain('decided     restart-elsewhere, by rule second of drilled@1#');
  expect(stdout).toMatch(/\n {2}act +did not come within 4 s\n/);
  expect(stdout).toContain('gap         act: nothing was sent to an agent');
  expect(stdout).toMatch(/\n {2}proof +did not come within 4 s\n/);
  expect(stdout).toMatch(/\n {2}start +did not come within 4 s\n/);
  expect(stdout).toContain('gap         start: it was not seen running elsewhere');
});
