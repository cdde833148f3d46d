import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesOf } from './folder.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'repro-test-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the files that a line of QEMU names are found in every kind of option, each with a name of its own', () => {
  const file = (name: string): string => {
    const path = join(folder, name);
    writeFileSync(path, name);
    return path;
  };
  const [kernel, xen, initrd, disk] = ['vmlinuz', 'xen', 'a.cpio', 'b.cpio'].map(file);
  const args = [
    '-kernel',
    String(xen),
    '-initrd',
    `${kernel} console=hvc0,${initrd}`,
    '-drive',
    `if=none,file=${disk}`,
    '-m',
    '/nowhere',
    '-chardev',
    'file,id=x,path=console.out',
    '-x',
    '/dev/null',
  ];
  expect(filesOf(args)).toEqual([
    { from: xen, name: 'xen' },
    { from: kernel, name: 'vmlinuz' },
    { from: initrd, name: 'a.cpio' },
    { from: disk, name: 'b.cpio' },
  ]);
});
