import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, readSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openInput, openInputStream, readInput } from './input-file.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'in-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a regular file is read, through a link too', async () => {
  const file = join(dir, 'file');
  writeFileSync(file, 'content');
  symlinkSync('file', join(dir, 'link'));
  for (const path of [file, join(dir, 'link')]) {
    const fd = openInput(path);
    const buffer = Buffer.alloc(100);
    expect(buffer.toString('utf8', 0, readSync(fd, buffer))).toBe('content');
    closeSync(fd);
    expect(await text(openInputStream(path))).toBe('content');
    expect(readInput(path, 7).toString()).toBe('content');
    expect(() => readInput(path, 6)).toThrow('larger than 6 bytes');
  }
});

test('what has no end, or waits, is not opened', () => {
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const [path, kind] of [
    [pipe, 'named pipe'],
    ['/dev/zero', 'character device'],
    [dir, 'folder'],
  ] as const) {
    const message = `not a regular file but a ${kind}`;
    expect(() => openInput(path)).toThrow(message);
    expect(() => openInputStream(path)).toThrow(message);
    expect(() => readInput(path, 10)).toThrow(message);
  }
  expect(() => openInput(join(dir, 'none'))).toThrow('ENOENT');
});

test('a file of the kernel, whose size nobody knows, is read up to the limit', () => {
  expect(readInput('/proc/version', 4096).toString()).toMatch(/^Linux /);
  expect(() => readInput('/proc/version', 4)).toThrow('larger than 4 bytes');
});

test('what another program writes into a pipe is read to its end', async () => {
  // A shell makes the pipe: what Node makes between two programs is a socket.
  const script = `import { openInputStream } from ${JSON.stringify(join(import.meta.dirname, 'input-file.ts'))};
    import { text } from 'node:stream/consumers';
    process.stdout.write(await text(openInputStream('/dev/stdin')));`;
  const env = { ...process.env, NODE: process.execPath, SCRIPT: script };
  const child = spawn('sh', ['-c', 'printf piped | "$NODE" --input-type=module -e "$SCRIPT"'], { env, stdio: 'pipe' });
  expect(await text(child.stdout)).toBe('piped');
});
