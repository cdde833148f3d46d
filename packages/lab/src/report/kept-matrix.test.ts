import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KeptMatrix } from './kept-matrix.ts';
import { MATRIX_VERSION, type MatrixReport } from './matrix.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kept-'));
  vi.stubEnv('SYNDROME_STATE', join(dir, 'state'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});
const report = (seconds: number): MatrixReport => ({
  schemaVersion: MATRIX_VERSION,
  axis: 'kernel',
  scenario: 'intel-ce-logged',
  seconds,
  cells: [],
});

test('a matrix has one file of its user’s own, which is the newest state of it', () => {
  const kept = new KeptMatrix('intel-ce-logged', new Date('2026-11-30T12:34:56.789Z'));
  kept.write(report(1));
  kept.write(report(2));
  expect(kept.file).toBe(join(dir, `state/matrices/intel-ce-logged-20261130T123456-789Z-${process.pid}.json`));
  expect(readdirSync(dirname(kept.file))).toHaveLength(1);
  expect(JSON.parse(readFileSync(kept.file, 'utf8'))).toEqual(report(2));
  expect(statSync(kept.file).mode & 0o777).toBe(0o600);
  expect(kept.lost).toBeUndefined();
});

test('where it cannot be written the matrix goes on, and that is told', () => {
  const kept = new KeptMatrix('intel-ce-logged', new Date());
  writeFileSync(join(dir, 'state'), 'no folder');
  kept.write(report(1));
  expect(kept.lost).toMatchObject({ code: 'ENOTDIR' });
});

test('a state folder that others can write to is refused', () => {
  new KeptMatrix('x', new Date()).write(report(1));
  chmodSync(join(dir, 'state'), 0o777);
  expect(() => new KeptMatrix('x', new Date())).toThrow(expect.objectContaining({ code: 'E_LAB_STATE_DIR' }) as Error);
});
