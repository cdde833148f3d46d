import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unfinishedName, writeWhole } from './write-whole.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'whole-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a file is replaced, with the mode that is asked for, and nothing stays beside it', () => {
  const file = join(dir, 'f');
  writeWhole(file, 'first');
  writeWhole(file, Buffer.from('second'), { mode: 0o640 });
  expect(readFileSync(file, 'utf8')).toBe('second');
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(readdirSync(dir)).toEqual(['f']);
});

test('what cannot be put in place leaves what was there, and nothing beside it', () => {
  const folder = join(dir, 'f');
  mkdirSync(join(folder, 'full'), { recursive: true });
  expect(() => writeWhole(folder, 'x')).toThrow(/EISDIR|ENOTEMPTY/);
  expect(readdirSync(dir)).toEqual(['f']);
  expect(readdirSync(folder)).toEqual(['full']);
});

test('two names of one process differ', () => {
  expect(unfinishedName('f')).not.toBe(unfinishedName('f'));
});
