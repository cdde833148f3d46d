import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Snapshot } from './snapshot.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'snapshot-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const name = (kernel: string, argv: string[] = ['-m', '256'], extra: string[] = []): string =>
  new Snapshot(join(dir, 'cache'), argv, { qemu: [], kernel, initrd: 'none', guest: { kernel, initrd: 'none' } }, extra)
    .file;

test('another kernel under the same path has another state, also when size and time are the same', () => {
  const kernel = join(dir, 'bzImage');
  writeFileSync(kernel, 'first');
  const first = name(kernel);
  expect(name(kernel)).toBe(first);
  writeFileSync(kernel, 'other');
  expect(name(kernel)).not.toBe(first);
});

test('the command line and what was done after the boot are part of the name', () => {
  const kernel = join(dir, 'bzImage');
  writeFileSync(kernel, 'first');
  const names = [name(kernel), name(kernel, ['-m', '512']), name(kernel, ['-m', '256'], ['/modules/msr.ko'])];
  expect(new Set(names).size).toBe(3);
});
