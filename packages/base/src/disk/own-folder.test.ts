import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requireOwnFolder, requireSafeTemporary } from './own-folder.ts';

const STRANGER = 12345;
const root = process.getuid?.() === 0;
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'own-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const mode = (): number => statSync(dir).mode & 0o7777;

describe('a folder that only its user may change', () => {
  test('is accepted, through a link too, and left as it is', () => {
    writeFileSync(join(dir, 'f'), '');
    symlinkSync('.', join(dir, 'link'));
    for (const open of [0o700, 0o755]) {
      chmodSync(dir, open);
      requireOwnFolder(dir);
      requireOwnFolder(join(dir, 'link'));
      expect(mode()).toBe(open);
    }
  });

  test.each([0o775, 0o757, 0o1777, 0o1770 | 0o020])('is refused with mode %o, and told what to do', open => {
    writeFileSync(join(dir, 'f'), '');
    chmodSync(dir, open);
    expect(() => requireOwnFolder(dir)).toThrow(/others may write to .*chmod go-w/);
    expect(mode()).toBe(open);
  });

  test('that is new, empty and open is closed; one like /tmp is not', () => {
    chmodSync(dir, 0o777);
    requireOwnFolder(dir);
    expect(mode()).toBe(0o755);
    chmodSync(dir, 0o1777);
    expect(() => requireOwnFolder(dir)).toThrow('others may write');
  });

  test('is refused when it is another user’s', context => {
    if (!root) return context.skip('only root can lay out a folder of another user');
    mkdirSync(join(dir, 'theirs'));
    chownSync(join(dir, 'theirs'), STRANGER, STRANGER);
    expect(() => requireOwnFolder(join(dir, 'theirs'))).toThrow(
      /belongs to another user \(uid 12345, this is 0\): chown it/,
    );
  });

  test('is none when it is a file, or not there', () => {
    writeFileSync(join(dir, 'f'), '');
    expect(() => requireOwnFolder(join(dir, 'f'))).toThrow('is no folder');
    expect(() => requireOwnFolder(join(dir, 'none'))).toThrow('ENOENT');
  });
});

describe('a folder for temporary files', () => {
  test('is one’s own, or has the sticky bit', () => {
    requireSafeTemporary(dir);
    chmodSync(dir, 0o1777);
    requireSafeTemporary(dir);
    chmodSync(dir, 0o777);
    expect(() => requireSafeTemporary(dir)).toThrow('no sticky bit');
  });

  test('is not another user’s', context => {
    if (!root) return context.skip('only root can lay out a folder of another user');
    chownSync(dir, STRANGER, STRANGER);
    expect(() => requireSafeTemporary(dir)).toThrow('belongs to another user (uid 12345)');
  });
});
