/**
 * The guest of the thread "x86/mce/amd: Fix VM crash during deferred error handling" under the eyes of a supervisor: an AMD host
 * loses a page, its VM is told (action optional), and minutes later (a second here, by check_interval) the poll of Linux 6.19.6
 * panics. All of it is one incident, and it names the kernel's bug. The guest has no driver that tells QEMU of a panic (that
 * kernel's modules are not on offer any more): it resets at once, and the supervisor has to see what that is. What is done about it is in
 * supervisor-amd-host.machine.test.ts.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assemble } from '@syndrome/lab/parts.ts';
import { findScenario } from '@syndrome/lab/scenario/load.ts';
import type { Session } from '@syndrome/lab/session.ts';
import { startMachine } from '@syndrome/lab/start.ts';
import { runStep } from '@syndrome/lab/steps/registry.ts';
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { TraceRecorder } from '@syndrome/lab/trace/recorder.ts';
import { layersOf } from '@syndrome/lab/trace/layers.ts';
import { TRACE_VERSION, type TraceEvent, type TraceHeader } from '@syndrome/trace/event.ts';
import { Sandbox } from './program.ts';
import { relayQmp } from './qmp-relay.ts';

const VM = 'amd-guest';
/** Of what is waited for once the page is lost, ms. */
const TOLD_MS = 120_000;

let sandbox: Sandbox;
const ends: (() => unknown)[] = [];
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  sandbox.remove();
});

/** The site of one host: who reads it is told, and nothing is done. */
function site(): { file: string; vms: string; socket: string } {
  const vms = join(sandbox.dir, 'vms');
  mkdirSync(vms, { mode: 0o700 });
  const file = join(sandbox.dir, 'site.yaml');
  const agent = { host: 'amd', start: { folder: vms }, kmsg: false, trace: false };
  writeFileSync(file, JSON.stringify({ site: 'test', folder: join(sandbox.dir, 'site'), policy: 'notify', agent }), {
    mode: 0o600,
  });
  return { file, vms, socket: join(vms, `${VM}.qmp`) };
}

/** The machine of the scenario with that kernel in its guest, up to where the guest answers. */
async function machine(recorder: (layers: TraceRecorder['header']['layers']) => TraceRecorder): Promise<Session> {
  const scenario = findScenario('amd-deferred');
  const supply = await Supply.open();
  const assembly = await assemble(scenario.machine, { kernel: '6.19.6', accel: 'tcg' }, { supply });
  const session = await startMachine(assembly, recorder(layersOf(assembly.machine)), AbortSignal.timeout(500_000), {
    cacheDir: supply.cacheDir,
  });
  ends.push(() => session.stop());
  return session;
}

interface Explained {
  incident: { consequence?: string; witnesses: Record<string, unknown>; remarks: string[]; cause: string };
  decisions: { rule: string; inputs: Record<string, unknown> }[];
  notices: { body: { type: string; severity: string; lost?: unknown } }[];
}

test('the guest of Linux 6.19.6 panics at its poll: one incident, told and explained', async () => {
  const { file, vms, socket } = site();
  const facts = { vm: VM, optedIn: true, log: join(vms, 'stderr.log'), console: join(vms, 'console.log') };
  for (const path of [facts.log, facts.console]) writeFileSync(path, '');
  writeFileSync(`${socket}.json`, JSON.stringify(facts), { mode: 0o600 });
  /** What QEMU and its guest write goes where an administrator would have it written. */
  const write = ({ layer, source, raw }: TraceEvent): void => {
    if (raw === undefined) return;
    if (source === 'stderr' && layer === 'vmm') appendFileSync(facts.log, `${raw}\n`);
    if (source === 'console' && layer === 'guest') appendFileSync(facts.console, `${raw}\n`);
  };
  const session = await machine(layers => {
    const header: TraceHeader = {
      type: 'trace',
      version: TRACE_VERSION,
      tool: 'test',
      scenario: 'amd-deferred',
      startedAt: new Date().toISOString(),
      layers,
      expect: [],
      settle: 0,
      parts: {},
    };
    const recorder = new TraceRecorder(header);
    recorder.listen(write);
    return recorder;
  });
  const relay = await relayQmp(session.qmp, socket);
  ends.push(() => relay.close());
  const supervisor = sandbox.start('supervise', '--config', file);
  ends.push(async () => {
    supervisor.child.kill('SIGTERM');
    await supervisor.ended;
  });
  const fleet = async <T>(...words: string[]): Promise<T> => {
    const { stdout, stderr } = await sandbox.run('fleet', ...words, '--config', file, '--json');
    expect(stdout, stderr).not.toBe('');
    return JSON.parse(stdout) as T;
  };
  const until = async (what: string, is: () => Promise<boolean>): Promise<void> => {
    const end = performance.now() + TOLD_MS;
    while (!(await is())) {
      if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
      await sleep(200);
    }
  };
  await supervisor.until('connected to');
  await until('the VM to be known', async () =>
    (await fleet<{ vms: { id: string }[] }>('vms')).vms.some(v => v.id === VM),
  );

  // The scenario up to the lost page; what follows is the guest's own doing.
  for (const one of findScenario('amd-deferred').steps) {
    await runStep(session, one);
    if (one.step === 'host-poison') break;
  }
  await supervisor.until('memory.poisoned');
  let explained: Explained | undefined;
  await until('the panic and what the console says of it', async () => {
    explained = await fleet<Explained>('explain', 'inc-1');
    return explained.incident.consequence !== undefined && explained.incident.remarks.length >= 2;
  });

  expect(
    (await fleet<{ incidents: { state: string }[] }>('incidents')).incidents.filter(i => i.state !== 'absorbed'),
  ).toHaveLength(1);
  expect(explained?.incident).toMatchObject({ cause: 'page', consequence: 'panicked' });
  expect(Object.keys(explained?.incident.witnesses ?? {}).toSorted()).toEqual([
    'qemu-log vmm.sigbus-injected',
    'qmp vmm.memory-failure',
  ]);
  const remarks = explained?.incident.remarks.join('\n') ?? '';
  expect(remarks).toContain('WRMSR of MSR 0xc0002098');
  expect(remarks).toContain('known bug of Linux 6.19 up to 6.19.9');
  expect(remarks).toContain('MCA architectural violation!');
  const told = explained?.notices.map(n => n.body) ?? [];
  expect(told.filter(n => n.type !== 'vm.memory.located')).toMatchObject([
    { type: 'vm.memory.poisoned', severity: 'warning' },
    { type: 'vm.memory.poisoned', severity: 'critical' },
  ]);
  // The address is known from QEMU's line: with the first notice, or right behind it.
  expect(told.slice(0, 2).some(n => n.lost !== undefined)).toBe(true);
  const panicked = explained?.decisions.filter(d => d.rule === 'guest-panicked');
  expect(panicked).toMatchObject([{ inputs: { consequence: 'panicked', untold: true, asked: 'restart-elsewhere' } }]);
});
