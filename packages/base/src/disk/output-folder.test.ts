import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkOutputFolder, writeOutputFolder } from './output-folder.ts';
import { outputFolderMode, outputMode } from './umask.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'output-folder-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const isOurs = (_: string, names: readonly string[]): boolean => names.every(name => name.startsWith('our-'));
async function* files(...names: string[]): AsyncGenerator<{ name: string; content: string }> {
  for (const name of names) yield await Promise.resolve({ name, content: `of ${name}` });
}

describe('a folder is made', () => {
  test('with all its files, and readable as the user makes files', async () => {
    const out = join(dir, 'out');
    await writeOutputFolder(out, files('our-1', 'our-2'), isOurs);
    expect(readdirSync(out)).toEqual(['our-1', 'our-2']);
    expect(readFileSync(join(out, 'our-2'), 'utf8')).toBe('of our-2');
    expect(statSync(join(out, 'our-1')).mode & 0o777).toBe(outputMode());
    expect(statSync(out).mode & 0o777).toBe(outputFolderMode());
    expect(readdirSync(dir)).toEqual(['out']);
  });
  test('in the place of an empty one, of one of the same command, and through a link', async () => {
    const out = join(dir, 'out');
    mkdirSync(out);
    await writeOutputFolder(out, files('our-1'), isOurs);
    symlinkSync(out, join(dir, 'link'));
    await writeOutputFolder(join(dir, 'link'), files('our-2'), isOurs);
    expect(readdirSync(out)).toEqual(['our-2']);
    expect(readdirSync(dir)).toEqual(['link', 'out']);
  });
});

describe('nothing is touched', () => {
  test('where a folder has something else in it', async () => {
    const out = join(dir, 'out');
    mkdirSync(out);
    for (const name of ['our-1', 'thesis.tex']) writeFileSync(join(out, name), 'mine');
    expect(() => checkOutputFolder('--out', out, isOurs)).toThrow(/--out .*has files that this command did not make/);
    await expect(writeOutputFolder(out, files('our-1'), isOurs)).rejects.toThrow('did not make');
    expect(readFileSync(join(out, 'our-1'), 'utf8')).toBe('mine');
    expect(readdirSync(dir)).toEqual(['out']);
  });
  test('where it is a file, its name is empty, or it is below no folder', () => {
    expect(() => checkOutputFolder('--out', join(dir, 'a/b'), isOurs)).toThrow(`there is no folder ${join(dir, 'a')}`);
    writeFileSync(join(dir, 'file'), '');
    expect(() => checkOutputFolder('--out', join(dir, 'file'), isOurs)).toThrow('not a folder');
    expect(() => checkOutputFolder('--out', '', isOurs)).toThrow('not the name of a folder');
  });
  test('where the work for it fails: the old one stays', async () => {
    const out = join(dir, 'out');
    await writeOutputFolder(out, files('our-1'), isOurs);
    async function* failing(): AsyncGenerator<{ name: string; content: string }> {
      yield* files('our-2');
      throw new Error('lost');
    }
    await expect(writeOutputFolder(out, failing(), isOurs)).rejects.toThrow('lost');
    expect(readdirSync(out)).toEqual(['our-1']);
    expect(readdirSync(dir)).toEqual(['out']);
  });
  test.skipIf(process.geteuid?.() === 0)('where the user may not write', async () => {
    chmodSync(dir, 0o500);
    await expect(writeOutputFolder(join(dir, 'out'), files('our-1'), isOurs)).rejects.toThrow('EACCES');
    chmodSync(dir, 0o700);
    expect(existsSync(join(dir, 'out'))).toBe(false);
  });
});
