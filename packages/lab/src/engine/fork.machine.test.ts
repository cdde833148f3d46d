import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CONTROL, Hub } from '../fork/hub.ts';
import { forkLibrary } from '../fork/library.ts';
import { ForkServer } from '../fork/server.ts';
import { machineChannels } from '../machine/qemu-args.ts';
import { prepareRun, tracedRun } from '../run.ts';
import type { RunSpec } from '../run-spec.ts';
import { startMachine } from '../start.ts';
import { Supply } from '../supply/supply.ts';
import { TraceRecorder } from '../trace/recorder.ts';
import type { Engine } from './engine.ts';
import { forkingCommand } from './forking-command.ts';
import { openEngine } from './open.ts';
import { StoppedMachines } from './stopped-machines.ts';
import { evidence } from './testing/evidence.ts';
import { plainHeader } from './testing/header.ts';
import { fatal, scenario, srao } from './testing/specs.ts';

const dir = mkdtempSync(join(tmpdir(), 'fork-'));
let supply: Supply;
let engine: Engine;
beforeAll(async () => {
  vi.stubEnv('SYNDROME_STATE', join(dir, 'state'));
  supply = await Supply.open();
  engine = await openEngine({ kind: 'fork', services: { supply } });
});
afterAll(async () => {
  await engine.close();
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

test('a forked run sees what one sees whose machine was booted, and has its steps and their times in order', async () => {
  const forked = await engine.run(srao, { keep: () => false });
  expect([forked.engine, forked.refusals, forked.trace]).toEqual(['fork', [], undefined]);
  expect(forked.result).toMatchObject({ verdict: 'pass', outcome: 'signalled', restored: true, trace: '' });
  const booted = await tracedRun({ ...srao, cold: true }, { supply });
  expect(evidence(forked)).toEqual(evidence(booted));
  expect(forked.events.filter(e => e.name === 'lab.step')).toHaveLength(srao.scenario.steps.length);
  expect(forked.events.findLast(e => e.name === 'lab.forked')?.fields).toEqual({ step: 6 });
  expect(forked.events.map(e => e.seq)).toEqual(forked.events.map((_, i) => i + 1));
  expect(forked.events.every((e, i) => e.t >= (forked.events[i - 1]?.t ?? 0))).toBe(true);
  expect(forked.cpuSeconds.qemu).toBeGreaterThan(0);
});

test('a kept trace is whole', async () => {
  const trace = join(dir, 'kept.ndjson');
  const run = await engine.run(srao, { trace });
  const lines = readFileSync(trace, 'utf8').trim().split('\n');
  expect(run.trace).toBe(trace);
  expect(lines).toHaveLength(run.events.length + 1);
});

test('twenty forks of two kinds leave the memory of their machine as it was', async () => {
  const run = await prepareRun(srao, { supply });
  const hub = await Hub.open();
  const machines = new StoppedMachines(hub, await forkLibrary(supply), { supply });
  try {
    const point = await machines.at(run, scenario, 5);
    const before = await point.hash();
    const outcomes: string[] = [];
    const work = async (specs: RunSpec[]): Promise<void> => {
      for (const spec of specs) {
        const { result } = await tracedRun(spec, {
          supply,
          prepared: run,
          keep: () => false,
          point: {
            steps: 5,
            recorded: point.recorded,
            restarts: 0,
            take: async (...at) => (await point.fork(...at)).session,
          },
        });
        outcomes.push(`${result.verdict} ${result.outcome}`);
      }
    };
    const mixed = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? srao : fatal));
    await Promise.all([work(mixed), work(mixed.toReversed())]);
    expect(outcomes.toSorted()).toEqual([
      ...Array<string>(10).fill('pass panicked'),
      ...Array<string>(10).fill('pass signalled'),
    ]);
    expect(await point.hash()).toBe(before);
  } finally {
    await machines.close();
    hub.close();
  }
}, 200_000);

test('what would be shared with a fork is refused, and said', async () => {
  const run = await prepareRun(srao, { supply });
  const hub = await Hub.open();
  const token = hub.token();
  const arrival = hub.arrival(token);
  const library = await forkLibrary(supply);
  // As a drive that its guest writes to: a file that QEMU has open for writing, and that is no line of the lab.
  const disk = join(dir, 'disk');
  const recorder = new TraceRecorder(plainHeader);
  const session = await startMachine(run.assembly, recorder, AbortSignal.timeout(100_000), {
    cacheDir: supply.cacheDir,
    identities: run.machine,
    around: (command, folder) => [
      ...forkingCommand(run.assembly, command, { library, hub: hub.path, folder, token }),
      '-chardev',
      `file,id=written,path=${disk}`,
    ],
  });
  try {
    const control = (await arrival).sockets.get(CONTROL);
    if (!control) throw new Error('no control');
    const server = new ForkServer(hub, control, machineChannels(run.assembly));
    expect(await server.arm()).toEqual({ why: 'descriptor', detail: disk });
    await expect(server.fork()).rejects.toThrow(/could not be forked: descriptor/);
  } finally {
    await session.stop();
    hub.close();
  }
});

test('a machine that cannot be forked is restored, and the run says why', async () => {
  const made = await engine.run({
    ...srao,
    scenario: { ...srao.scenario, machine: { ...srao.scenario.machine, erst: true } as never },
  });
  expect(made).toMatchObject({
    engine: 'restore',
    refusals: [
      { engine: 'fork', why: 'writable-store' },
      { engine: 'template', why: 'writable-store' },
    ],
    result: { verdict: 'pass' },
  });
});

describe('kill -9', () => {
  test('of the lab ends the machines that stand still, and their forks', async () => {
    const program = fileURLToPath(new URL('testing/hold.ts', import.meta.url));
    const lab = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = await new Promise<string>((resolve, reject) => {
      createInterface({ input: lab.stdout }).once('line', resolve);
      lab.once('exit', code => reject(new Error(`it ended with ${code}`)));
    });
    const { pids } = JSON.parse(said) as { pids: number[] };
    expect(pids).toHaveLength(2);
    const alive = (): number[] => pids.filter(pid => existsSync(`/proc/${pid}/exe`));
    expect(alive()).toEqual(pids);
    lab.kill('SIGKILL');
    await vi.waitFor(() => expect(alive()).toEqual([]), { timeout: 20_000 });
  });
});
