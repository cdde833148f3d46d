import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Supply } from '../supply/supply.ts';
import type { Assembly } from '../parts.ts';
import type { RunOptions, RunResult } from '../run.ts';
import { findScenario } from '../scenario/load.ts';
import { machineSchema } from '../machines/registry.ts';
import { runResult } from '../testing/result.ts';
import { cellIdentity, MatrixMemory } from './cells.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'memory-'));
  vi.stubEnv('SYNDROME_STATE', join(dir, 'state'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

const result = (verdict: RunResult['verdict'], seconds = 1): RunResult => runResult({ verdict, seconds });

describe('what an interrupted matrix has found out', () => {
  test('is known to the next one, without the cells whose lab failed', () => {
    const first = new MatrixMemory('s');
    first.add('a', result('fail'));
    first.add('b', result('error'));
    expect(first.get('a')).toBeUndefined();
    const next = new MatrixMemory('s');
    expect(next.get('a')).toEqual(result('fail'));
    expect(next.get('b')).toBeUndefined();
    expect(next.get('c')).toBeUndefined();
    expect(new MatrixMemory('other').get('a')).toBeUndefined();
  });

  test('a line torn by a kill costs only itself', () => {
    const first = new MatrixMemory('s');
    first.add('a', result('pass'));
    appendFileSync(first.file, '\n{"identity":"b","result":{"verd');
    const second = new MatrixMemory('s');
    second.add('c', result('fail'));
    const third = new MatrixMemory('s');
    expect([third.get('a')?.verdict, third.get('b'), third.get('c')?.verdict]).toEqual(['pass', undefined, 'fail']);
  });

  test.each(['null', '[]', '{"identity":1,"result":{"verdict":"pass"}}', '{"identity":"a","result":null}', '\0'])(
    'the line %j is no cell',
    line => {
      mkdirSync(join(dir, 'state/matrix'), { recursive: true });
      writeFileSync(join(dir, 'state/matrix/s.ndjson'), `${line}\n`);
      expect(new MatrixMemory('s').get('a')).toBeUndefined();
    },
  );

  test('of a damaged line nothing is believed', () => {
    const sound = result('fail');
    const odd: Partial<Record<keyof RunResult, unknown>>[] = [
      { expectations: undefined },
      { expectations: [null] },
      { causes: {} },
      { parts: null },
      { outcome: 'x' },
      { seconds: 'long' },
      { phases: [] },
      { problem: { code: 5 } },
    ];
    mkdirSync(join(dir, 'state/matrix'), { recursive: true });
    for (const change of [{}, ...odd]) {
      const line = JSON.stringify({ identity: 'a', result: { ...sound, ...change } });
      writeFileSync(join(dir, 'state/matrix/s.ndjson'), `${line}\n`);
      expect(new MatrixMemory('s').get('a')).toEqual(Object.keys(change).length > 0 ? undefined : sound);
    }
  });

  test('is forgotten when the matrix comes to its end, but not what another one has found out', () => {
    const other = new MatrixMemory('s');
    other.add('of another', result('pass'));
    const resumed = new MatrixMemory('s');
    resumed.add('a', result('pass'));
    resumed.complete();
    expect(new MatrixMemory('s').get('a')).toBeUndefined();
    const next = new MatrixMemory('s');
    expect(next.get('of another')?.verdict).toBe('pass');
    next.complete();
    expect(existsSync(next.file)).toBe(false);
  });

  test('can be forgotten at once', () => {
    const first = new MatrixMemory('s');
    first.add('a', result('pass'));
    first.forget();
    expect(new MatrixMemory('s').get('a')).toBeUndefined();
  });
});

describe('a cell is known by', () => {
  const scenario = findScenario('intel-ce-logged');
  let supply: Supply;
  let assembly: Assembly;
  beforeEach(async () => {
    supply = await Supply.open({ cacheDir: join(dir, 'cache'), offline: true });
    for (const name of ['qemu', 'kernel', 'initrd']) writeFileSync(join(dir, name), name);
    const machine = machineSchema.parse({ kind: 'linux-guest' });
    const files = { qemu: [join(dir, 'qemu')], kernel: join(dir, 'kernel'), initrd: join(dir, 'initrd') };
    assembly = { machine, accel: 'tcg', files, modules: [], builtIn: [], parts: { qemu: '11.1.3', kernel: '7.2.12' } };
  });
  const identity = (changed: Partial<Assembly> = {}, options: Partial<RunOptions> = {}): string =>
    cellIdentity(scenario, { ...assembly, ...changed }, { supply, ...options });

  test('the content of the files, not their names', () => {
    const first = identity();
    expect(identity()).toBe(first);
    for (const name of ['qemu', 'kernel']) {
      writeFileSync(join(dir, name), `${name.slice(1)}x`);
      expect(identity(), name).not.toBe(first);
      writeFileSync(join(dir, name), name);
      expect(identity(), name).toBe(first);
    }
  });

  test('what newest is now, the accelerator, the host layer, and the options of the run', () => {
    const all = [
      identity(),
      identity({ parts: { ...assembly.parts, kernel: '7.2.13' } }),
      identity({ accel: 'kvm' }),
      identity({ local: true }),
      identity({ machine: machineSchema.parse({ kind: 'linux-guest', cpu: 'EPYC' }) }),
      identity({}, { timeout: 60e9 }),
      identity({}, { cold: true }),
      identity({ append: 'mce=ignore_ce' }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test('the text of the scenario', () => {
    const file = join(dir, 'own.yaml');
    writeFileSync(file, readFileSync(scenario.file));
    expect(cellIdentity({ ...scenario, file }, assembly, { supply })).toBe(identity());
    appendFileSync(file, '# changed\n');
    expect(cellIdentity({ ...scenario, file }, assembly, { supply })).not.toBe(identity());
  });
});
