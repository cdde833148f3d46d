import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * A name beside `path` for a file that is not finished yet. No other process has it, also one with the same pid in another
 * container on the same folder, and no other call in this one.
 */
export function unfinishedName(path: string): string {
  return `${path}.${process.pid}.${randomBytes(8).toString('hex')}.new`;
}

/**
 * Writes a file in one step: a reader sees the old one or all of the new one, also after a crash of the machine, and nothing
 * is left beside it when that fails.
 * @throws the error of the file system
 */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o666): void {
  const fresh = unfinishedName(path);
  try {
    const fd = openSync(fresh, 'wx', mode);
    try {
      writeFileSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
