import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Act, ActKind, StopProof } from '../../core/act.ts';
import { NO_POLICY } from '../../core/policy.ts';
import { proofFault } from '../../core/proof.ts';
import { bootId, processFacts } from '../proc.ts';
import type { VmReport } from '../../core/said.ts';
import { VmmLogSource } from '../sources/vmm-log.ts';
import { Units } from '../units.ts';
import { Vms } from '../vms.ts';
import { HostActs, isPoisoned, pageSize } from './host.ts';
import { QemuActs } from './qemu.ts';
import { isReference, ReferenceActs } from './reference.ts';

let folder: string;
let vms: Vms;
const children: ChildProcess[] = [];
const never = new AbortController().signal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'acts-'));
  vms = new Vms();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const order = (kind: ActKind, more: Partial<Act> = {}): Act => ({
  id: `${kind}-1`,
  kind,
  host: 'a',
  vm: 'web',
  epoch: 3,
  incident: 'inc-1',
  deadline: Date.now() + 20_000,
  ...more,
});

/** A process that stands for a QEMU whose monitor does not answer. */
async function copy(script = 'setInterval(() => {}, 1000)', autostart = false): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', `${script}; console.log('up')`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout!, 'data');
  const { pid, startTicks } = processFacts(child.pid ?? 0)!;
  vms.foundCopy('web', { pid, startTicks, boot: bootId(), socket: join(folder, 'web.qmp') });
  vms.of('web').report = {
    kind: 'vm',
    vm: 'web',
    name: 'web',
    state: 'running',
    vmm: 'qemu',
    disks: [],
    memoryBytes: 0,
    autostart,
    optedIn: true,
    epoch: 2,
  };
  return child;
}
const programs = (): string[] => [
  '/usr/bin/qemu-system-x86_64',
  join(folder, 'qemu-system-x'),
  join(folder, 'fake-qemu'),
];
const acts = (): QemuActs =>
  new QemuActs({ vms, units: new Units(), programs: programs(), folder, logs: folder, stepMs: 50 });

describe('stopping a process', () => {
  test('is proven by its very pid and start being gone', async () => {
    const child = await copy();
    const result = await acts().act(order('stop'), never);
    expect(result).toMatchObject({
      action: 'stop-1',
      state: 'confirmed',
      epoch: 3,
      proof: {
        kind: 'process-gone',
        vm: 'web',
        host: 'a',
        epoch: 3,
        evidence: { pid: String(child.pid), way: 'SIGTERM', autostart: 'off', boot: bootId() },
      },
    });
    // What the core takes for a proof.
    expect(proofFault(NO_POLICY, 'web', { host: 'a', epoch: 3 }, result.proof as StopProof)).toBeUndefined();
  });

  test('a process that ignores SIGTERM is killed', async () => {
    await copy("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)");
    expect(await acts().act(order('terminate'), never)).toMatchObject({ proof: { evidence: { way: 'SIGKILL' } } });
  });

  test('a process of the same number and another start is left alone', async () => {
    const child = await copy();
    const known = vms.find('web')!.copy!;
    vms = new Vms();
    vms.foundCopy('web', { ...known, startTicks: '1' });
    expect(await acts().act(order('stop'), never)).toMatchObject({ proof: { evidence: { way: 'it had ended' } } });
    expect(processFacts(child.pid!)).toBeDefined();
  });

  test('is no proof where something starts it again', async () => {
    await copy(undefined, true);
    const result = await acts().act(order('stop'), never);
    expect(result.state).toBe('confirmed');
    expect(result.proof).toBeUndefined();
    expect(await acts().act(order('autostart-off'), never)).toMatchObject({ state: 'failed' });
  });

  test('prove only looks', async () => {
    expect(await acts().act(order('prove'), never)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('knows no VM'),
    });
    const child = await copy();
    expect(await acts().act(order('prove'), never)).toMatchObject({
      state: 'failed',
      reason: `it is there: pid ${child.pid}`,
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await acts().act(order('prove'), never)).toMatchObject({
      state: 'confirmed',
      proof: { kind: 'process-gone' },
    });
  });

  test('is one of every process of the VM, and none where it left alive', async () => {
    const first = await copy();
    const second = await copy();
    expect(vms.find('web')?.copy?.others).toMatchObject([{ pid: first.pid }]);
    expect(await acts().act(order('stop'), never)).toMatchObject({
      state: 'failed',
      reason: `another process of it is there: pid ${first.pid}`,
    });
    expect(processFacts(second.pid!)?.state ?? 'Z').toBe('Z');
    first.kill('SIGKILL');
    await once(first, 'exit');
    expect(await acts().act(order('prove'), never)).toMatchObject({ proof: { kind: 'process-gone' } });
    vms.hasLeft('web');
    const left = await acts().act(order('prove'), never);
    expect(left).toMatchObject({ state: 'unknown', reason: expect.stringContaining('alive') });
    expect(left.proof).toBeUndefined();
  });

  test('after a reboot of the host every older copy is gone', async () => {
    await copy();
    const known = vms.find('web')!.copy!;
    vms = new Vms();
    vms.foundCopy('web', { ...known, boot: 'another boot' });
    const proof = { evidence: { process: 'host-rebooted' } };
    expect(await acts().act(order('prove'), never)).toMatchObject({ proof });
  });

  test('what a bare QEMU cannot do is refused, and what has no monitor fails', async () => {
    await copy();
    for (const kind of ['migrate', 'quarantine', 'fence'] as const)
      expect(await acts().act(order(kind), never)).toMatchObject({ state: 'refused' });
    for (const kind of ['pause', 'reset'] as const)
      expect(await acts().act(order(kind), never)).toMatchObject({
        state: 'failed',
        reason: expect.stringContaining('monitor'),
      });
  });
});

describe('starting', () => {
  const definition = (argv: string[]): string =>
    JSON.stringify({ schema: 1, vmm: 'qemu', argv, cwd: '/', folder: '/run/theirs', socket: '/run/theirs/web.qmp' });

  test('needs a definition of a bare QEMU, and a program that is allowed', async () => {
    for (const text of [undefined, '<domain/>', '{}', definition([])])
      expect(await acts().act(order('start', text === undefined ? {} : { definition: text }), never)).toMatchObject({
        state: 'refused',
      });
    for (const program of ['/bin/sh', 'qemu-system-x86_64', '/tmp/qemu-system-x86_64/sh'])
      expect(await acts().act(order('start', { definition: definition([program]) }), never)).toMatchObject({
        state: 'refused',
        reason: expect.stringContaining('may start'),
      });
  });

  test('refuses what has lost a secret that it needs', async () => {
    const text = JSON.stringify({
      ...JSON.parse(definition(['/usr/bin/qemu-system-x86_64'])),
      cut: ['password of -spice'],
    });
    expect(await acts().act(order('start', { definition: text }), never)).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('password of -spice'),
    });
  });

  test('refuses a second copy', async () => {
    const child = await copy();
    expect(
      await acts().act(order('start', { definition: definition(['/usr/bin/qemu-system-x86_64']) }), never),
    ).toMatchObject({
      state: 'failed',
      reason: `it runs here already: pid ${child.pid}`,
    });
  });

  test('says how a program ended that does not come up, and where there is none', async () => {
    const program = join(folder, 'qemu-system-x');
    const start = order('start', { definition: definition([program]) });
    expect(await acts().act(start, never)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('ENOENT'),
    });
    writeFileSync(program, '#!/bin/sh\necho no disk >&2\nexit 3\n', { mode: 0o755 });
    expect(await acts().act(start, never)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('code 3'),
    });
    expect(readFileSync(join(folder, 'web.log'), 'utf8')).toContain('no disk');
  });
});

describe('pages of the host', () => {
  const put = (name: string, content: string | Uint8Array): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  const flags = (poisoned: boolean): Buffer => {
    const out = Buffer.alloc(6 * 8);
    out.writeBigUInt64LE(poisoned ? 1n << 19n : 0n, 5 * 8);
    return out;
  };

  test('are only touched where the configuration allows it', async () => {
    const acts2 = new HostActs({ allowed: false });
    expect(await acts2.act(order('soft-offline', { pfn: 5n }))).toMatchObject({ state: 'refused' });
    expect(await new HostActs({ allowed: true }).act(order('soft-offline'))).toMatchObject({ state: 'refused' });
  });

  test('are verified by what the kernel says of the page', async () => {
    put('proc/self/auxv', readFileSync('/proc/self/auxv'));
    put('sys/devices/system/memory/hard_offline_page', '');
    put('proc/kpageflags', flags(false));
    const host = new HostActs({ allowed: true, sys: join(folder, 'sys'), proc: join(folder, 'proc') });
    expect(await host.act(order('hard-offline', { pfn: 5n }))).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('in use'),
    });
    const address = (5n * pageSize()).toString(16).padStart(16, '0');
    expect(readFileSync(join(folder, 'sys/devices/system/memory/hard_offline_page'), 'utf8')).toBe(`0x${address}\n`);
    put('proc/kpageflags', flags(true));
    expect(await host.act(order('hard-offline', { pfn: 5n }))).toMatchObject({ state: 'confirmed' });
    expect(isPoisoned(4n, join(folder, 'proc'))).toBe(false);
    expect(isPoisoned(6n, join(folder, 'proc'))).toBeUndefined();
    rmSync(join(folder, 'sys'), { recursive: true });
    put('proc/kpageflags', flags(false));
    expect(await host.act(order('re-offline', { pfn: 5n }))).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('ENOENT'),
    });
  });
});

describe('the reference VMM', () => {
  test('is asked to take a page away, and what it says counts', async () => {
    const control = join(folder, 'control');
    writeFileSync(control, '');
    vms.of('web', 'reference').control = control;
    const reference = new ReferenceActs({ vms, logs: folder }, acts());
    const say = (name: 'vmm.quarantined' | 'vmm.quarantine-refused', reason = 'no slot is left'): void => {
      const fields =
        name === 'vmm.quarantined'
          ? { gpa: 0x4020_0000n, bytes: 4096n, by: 'control', slots: 3 }
          : { gpa: 0x4020_0000n, by: 'control', reason };
      vms.saw({ kind: 'event', source: 'vmm', vm: 'web', event: { name, fields } as never });
    };
    const quarantine = order('quarantine', { gpa: 0x4020_0123n });
    const first = reference.act(quarantine, never);
    say('vmm.quarantined');
    expect(await first).toMatchObject({ state: 'confirmed' });
    expect(readFileSync(control, 'utf8')).toBe('{"cmd":"quarantine","gpa":"0x0000000040200123"}\n');
    const second = reference.act(quarantine, never);
    say('vmm.quarantine-refused');
    expect(await second).toMatchObject({ state: 'failed', reason: 'no slot is left' });
    // The VMM was faster: it has done so by itself.
    const third = reference.act(quarantine, never);
    say('vmm.quarantine-refused', 'it is quarantined already');
    expect(await third).toMatchObject({ state: 'confirmed', seen: { was: 'quarantined' } });
    expect(await reference.act({ ...quarantine, deadline: Date.now() + 20 }, never)).toMatchObject({
      state: 'unknown',
    });
    expect(await reference.act(order('quarantine'), never)).toMatchObject({ state: 'refused' });
    expect(await reference.act(order('prove'), never)).toMatchObject({ state: 'unknown' });
  });

  /** Says that it runs its guest, as the reference VMM does, and goes on. */
  const FAKE = `
    import { appendFileSync } from 'node:fs';
    const at = name => process.argv[process.argv.indexOf(name) + 1];
    if (process.argv.includes('--dies')) process.exit(3);
    const line = { v: 1, seq: 0, t_ns: 1, event: 'started', pid: process.pid, vcpus: 1, ms: 3, control: at('--control') };
    appendFileSync(at('--events'), JSON.stringify(line) + '\\n');
    setInterval(() => {}, 1000);`;

  test('is started with the files that its new host names, and runs when it says so', async () => {
    const program = join(folder, 'vmm.mjs');
    writeFileSync(program, FAKE);
    const [events, control] = [join(folder, 'events'), join(folder, 'control')];
    const argv = [
      process.execPath,
      program,
      '--events',
      '/there/events',
      '--kernel',
      '/k',
      '--control',
      '/there/control',
    ];
    const definition = JSON.stringify({ schema: 1, vmm: 'reference', argv, cwd: '/' });
    expect([isReference(definition), isReference('<domain/>'), isReference(undefined)]).toEqual([true, false, false]);
    const reference = new ReferenceActs({ vms, logs: join(folder, 'logs'), programs: [process.execPath] }, acts());
    const start = order('start', { definition });
    // Not configured here.
    expect(await reference.act(start, never)).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('vmms'),
    });
    const end = new AbortController();
    const told: VmReport[] = [];
    const source = new VmmLogSource('web', events, {
      vms,
      epochOf: () => 3,
      facts: { control },
      pollMs: 5,
      firstMs: 5,
    });
    const running = source.run(
      said => void (said.kind === 'vm' && told.push(said)),
      end.signal,
      () => undefined,
    );
    try {
      const none = new ReferenceActs({ vms, logs: folder }, acts());
      expect(await none.act(start, never)).toMatchObject({
        state: 'refused',
        reason: expect.stringContaining('programs'),
      });
      const other = order('start', { definition: '{"schema":1,"vmm":"qemu"}' });
      expect(await reference.act(other, never)).toMatchObject({ state: 'refused' });
      const dies = order('start', {
        definition: JSON.stringify({ schema: 1, vmm: 'reference', argv: [...argv, '--dies'], cwd: '/' }),
      });
      expect(await reference.act(dies, never)).toMatchObject({
        state: 'failed',
        reason: expect.stringContaining('code 3'),
      });
      const started = await reference.act(start, never);
      const pid = Number(started.seen?.['pid']);
      expect(started).toMatchObject({ state: 'confirmed', seen: { status: 'started' } });
      expect(processFacts(pid)?.argv).toEqual(
        [process.execPath, program, '--kernel', '/k'].concat('--events', events, '--control', control),
      );
      expect(told).toMatchObject([{ vm: 'web', state: 'running', pid, epoch: 3, vmm: 'reference' }]);
      expect(await reference.act(start, never)).toMatchObject({
        state: 'failed',
        reason: `it runs here already: pid ${pid}`,
      });
      expect(await reference.act(order('stop'), never)).toMatchObject({
        state: 'confirmed',
        proof: { kind: 'process-gone', evidence: { pid: String(pid), way: 'SIGTERM' } },
      });
    } finally {
      end.abort();
      await running;
      const { copy: left } = vms.of('web');
      if (left !== undefined && processFacts(left.pid)?.startTicks === left.startTicks)
        process.kill(left.pid, 'SIGKILL');
    }
  });
});
