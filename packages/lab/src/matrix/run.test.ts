import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Supply } from '../supply/supply.ts';
import { scenarioData } from '../run-spec.ts';
import { findScenario } from '../scenario/load.ts';
import type { CellParts } from '@syndrome/trace/axes.ts';
import { MatrixMemory } from './cells.ts';
import { automaticJobs, runMatrix } from './run.ts';

const GIB = 2 ** 30;

test.each([
  ['as many as cores', 2, 64 * GIB, 256, 2],
  ['as many as fit into memory', 16, 4 * GIB, 1536, 2],
  ['one, where not even one fits', 16, GIB / 2, 1536, 1],
])('automatic jobs: %s', (_what, cores, memory, mib, jobs) => {
  const { machine } = findScenario('intel-ce-logged');
  expect(automaticJobs({ machine: { ...machine, memory: mib } }, { cores, memory })).toBe(jobs);
});

test('automatic jobs follow what this process may use', () => {
  const scenario = findScenario('intel-ce-logged');
  const now = automaticJobs(scenario);
  expect(now).toBeGreaterThanOrEqual(1);
  const spy = vi.spyOn(process, 'availableMemory').mockReturnValue(GIB / 4);
  expect(automaticJobs(scenario)).toBe(1);
  spy.mockRestore();
});

/** Cells of machines that cannot be put together: the parts are looked for by real programs, and nothing boots. */
describe('runMatrix', () => {
  const scenario = scenarioData(findScenario('intel-ce-logged'));
  let dir: string;
  let supply: Supply;
  /** Asked for its version it says when it began and when it ended, and is slow in between. */
  const QEMU = `#!/bin/sh
echo begin >> "$0.log"
read -r _ < "$0.gate"
echo end >> "$0.log"
exit 1
`;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'matrix-'));
    vi.stubEnv('SYNDROME_STATE', join(dir, 'state'));
    supply = await Supply.open({ cacheDir: join(dir, 'cache'), offline: true });
    writeFileSync(join(dir, 'qemu'), QEMU);
    chmodSync(join(dir, 'qemu'), 0o755);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(dir, { recursive: true });
  });
  const cells: CellParts[] = ['a', 'b', 'c', 'd', 'e'].map(cpu => ({ cpu }));
  const log = (): string[] => {
    try {
      return readFileSync(join(dir, 'qemu.log'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  const running = (): number => log().filter(l => l === 'begin').length - log().filter(l => l === 'end').length;

  test.each([1, 2, 3])('has %i machines in the making, and never more', async jobs => {
    execFileSync('mkfifo', [join(dir, 'qemu.gate')]);
    const gate = openSync(join(dir, 'qemu.gate'), constants.O_RDWR);
    const peaks: number[] = [];
    let finished = false;
    const spec = { scenario, qemu: join(dir, 'qemu') };
    const ended = runMatrix(() => spec, cells, { supply, jobs, memory: new MatrixMemory('m') }).finally(
      () => (finished = true),
    );
    await expect.poll(running, { timeout: 10_000 }).toBe(jobs);
    while (!finished) {
      peaks.push(running());
      // One goes on; another one may begin.
      const before = log().filter(l => l === 'end').length;
      writeSync(gate, '\n');
      await expect
        .poll(() => finished || log().filter(l => l === 'end').length > before, { timeout: 10_000, interval: 5 })
        .toBe(true);
    }
    closeSync(gate);
    expect(Math.max(...peaks)).toBe(jobs);
    const results = await ended;
    expect(results.map(r => r.cell)).toEqual(cells);
    expect(new Set(results.map(r => `${r.result.verdict} ${r.result.problem?.code}`))).toEqual(
      new Set(['error E_SUPPLY_FILE']),
    );
  });

  test('an interruption ends it, and what was not begun is not run', async () => {
    const controller = new AbortController();
    const seen: CellParts[] = [];
    const spec = { scenario, qemu: '/bin/false' };
    const ended = runMatrix(() => spec, cells, {
      supply,
      jobs: 1,
      memory: new MatrixMemory('m'),
      signal: controller.signal,
      onCell: ({ cell }) => {
        seen.push(cell);
        if (seen.length === 2) controller.abort(new DOMException('interrupted', 'AbortError'));
      },
    });
    await expect(ended).rejects.toMatchObject({ code: 'E_LAB_INTERRUPTED' });
    expect(seen).toEqual(cells.slice(0, 2));
  });
});
