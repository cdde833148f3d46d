import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { prepareRun, tracedRun } from '../run.ts';
import type { RunSpec } from '../run-spec.ts';
import { Supply } from '../supply/supply.ts';
import { openEngine } from './open.ts';
import { Templates } from './templates.ts';
import { evidence } from './testing/evidence.ts';
import { fatal, scenario, srao } from './testing/specs.ts';

const dir = mkdtempSync(join(tmpdir(), 'template-'));
let supply: Supply;
beforeAll(async () => {
  vi.stubEnv('SYNDROME_STATE', join(dir, 'state'));
  supply = await Supply.open();
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

test('a loaded run sees what one sees whose machine was booted, and leaves no file with a name', async () => {
  const engine = await openEngine({ kind: 'template', services: { supply } });
  try {
    const loaded = await engine.run(srao, { keep: () => false });
    expect([loaded.engine, loaded.refusals, loaded.trace]).toEqual(['template', [], undefined]);
    expect(loaded.result).toMatchObject({ verdict: 'pass', outcome: 'signalled', restored: true });
    const booted = await tracedRun({ ...srao, cold: true }, { supply });
    expect(evidence(loaded)).toEqual(evidence(booted));
    expect(loaded.events.filter(e => e.name === 'lab.step')).toHaveLength(srao.scenario.steps.length);
    expect(loaded.events.findLast(e => e.name === 'lab.loaded')?.fields).toEqual({ step: 6 });
    expect(loaded.cpuSeconds.qemu).toBeGreaterThan(0);
    expect(readdirSync('/dev/shm').filter(name => name.startsWith(`syndrome-${process.pid}-`))).toEqual([]);
  } finally {
    await engine.close();
  }
});

test('loads of two kinds leave the memory in its file as it was', async () => {
  const run = await prepareRun(srao, { supply });
  const templates = new Templates({ supply });
  try {
    const point = await templates.at(run, scenario, 5);
    const before = await templates.hash(run, scenario, 5);
    const work = async (specs: RunSpec[]): Promise<string[]> => {
      const outcomes: string[] = [];
      for (const spec of specs) {
        const { result } = await tracedRun(spec, { supply, prepared: run, keep: () => false, point });
        outcomes.push(`${result.verdict} ${result.outcome}`);
      }
      return outcomes;
    };
    expect((await Promise.all([work([srao, fatal]), work([fatal, srao])])).flat()).toEqual([
      'pass signalled',
      'pass panicked',
      'pass panicked',
      'pass signalled',
    ]);
    expect(await templates.hash(run, scenario, 5)).toBe(before);
  } finally {
    await templates.close();
  }
});

test('a machine whose forks would share its file is restored, and what was not loaded says why', async () => {
  const engine = await openEngine({ kind: 'template', services: { supply } });
  try {
    const made = await engine.run({
      ...srao,
      scenario: { ...srao.scenario, machine: { ...srao.scenario.machine, erst: true } as never },
    });
    expect(made).toMatchObject({
      engine: 'restore',
      refusals: [{ engine: 'template', why: 'writable-store' }],
      result: { verdict: 'pass' },
    });
  } finally {
    await engine.close();
  }
});
