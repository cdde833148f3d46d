import { chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkFiles, whyNotFile } from './check.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-'));
  writeFileSync(join(folder, 'disk.img'), 'x');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the files that a VM needs', () => {
  test('are there', () => {
    expect(whyNotFile(join(folder, 'disk.img'))).toBeUndefined();
    expect(whyNotFile(folder)).toBeUndefined();
    expect(whyNotFile('/proc/self/exe')).toBeUndefined();
  });

  test('are not: each is named', () => {
    const needs = [join(folder, 'disk.img'), join(folder, 'OVMF.fd'), join(folder, 'disk.img/below')];
    const act = { id: 'c', kind: 'check', host: 'b', epoch: 0, incident: 'i', deadline: 0 } as const;
    expect(checkFiles({ ...act, needs })).toMatchObject({
      state: 'failed',
      reason: `${join(folder, 'OVMF.fd')} is not there, ${join(folder, 'disk.img/below')} is not there`,
    });
    expect(checkFiles({ ...act, needs: needs.slice(0, 1) })).toMatchObject({
      state: 'confirmed',
      seen: { files: '1' },
    });
  });

  test('our own links are followed, in the middle too; a loop ends', () => {
    mkdirSync(join(folder, 'a'));
    symlinkSync(join(folder, 'a'), join(folder, 'b'));
    symlinkSync('../disk.img', join(folder, 'a/relative'));
    symlinkSync('loop', join(folder, 'loop'));
    expect(whyNotFile(join(folder, 'b/relative'))).toBeUndefined();
    expect(whyNotFile(join(folder, 'loop'))).toContain('too many links');
  });

  test.runIf(process.geteuid?.() === 0)("another user's link is not followed", () => {
    symlinkSync('/etc/shadow', join(folder, 'theirs'));
    lchownSync(join(folder, 'theirs'), 12_345, 12_345);
    chownSync(join(folder, 'disk.img'), 12_345, 12_345);
    expect(whyNotFile(join(folder, 'theirs'))).toContain('link of user 12345');
    expect(whyNotFile(join(folder, 'disk.img'))).toBeUndefined();
  });

  test('what is neither a file nor a device is none', () => {
    expect(whyNotFile('/dev/null')).toContain('is no file');
    expect(whyNotFile('relative')).toContain('no whole path');
  });
});
