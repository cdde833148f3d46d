import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { userFiles } from './user-files.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'syndrome-test-'))));
afterEach(() => rmSync(dir, { recursive: true }));

test('a folder is taken with its links and permissions', () => {
  mkdirSync(join(dir, 'bin'), { mode: 0o755 });
  writeFileSync(join(dir, 'bin', 'tool'), 'x', { mode: 0o755 });
  writeFileSync(join(dir, 'data'), 'y', { mode: 0o644 });
  symlinkSync('tool', join(dir, 'bin', 'sh'));
  const { entries, archive } = userFiles(dir);
  expect(archive).toBeUndefined();
  expect(entries.map(entry => [entry.path, entry.type])).toEqual([
    ['bin', 'directory'],
    ['bin/sh', 'symlink'],
    ['bin/tool', 'file'],
    ['data', 'file'],
  ]);
  expect(entries.find(entry => entry.path === 'bin/tool')).toMatchObject({ mode: 0o755, data: Buffer.from('x') });
  expect(entries.find(entry => entry.path === 'bin/sh')).toMatchObject({ target: 'tool' });
});

test('an archive is taken as it is, and padded so that another one can follow', () => {
  writeFileSync(join(dir, 'initramfs'), Buffer.alloc(5, 7));
  const { entries, archive } = userFiles(join(dir, 'initramfs'));
  expect(entries).toEqual([]);
  expect(archive).toEqual(Buffer.from([7, 7, 7, 7, 7, 0, 0, 0]));
});

test('what is not there is a reason to skip', () => {
  expect(() => userFiles(join(dir, 'nothing'))).toThrow(expect.objectContaining({ code: 'E_LAB_FILES' }));
});
