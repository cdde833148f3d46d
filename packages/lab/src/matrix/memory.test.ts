import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunResult } from '../run.ts';
import { runResult } from '../testing/result.ts';
import { MatrixMemory } from './cells.ts';

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
