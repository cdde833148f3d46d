import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

/**
 * A name beside `path` for a file that is not finished yet. No other process has it, also one with the same pid in another
 * container on the same folder, and no other call in this one.
 */
export function unfinishedName(path: string): string {
  return `${path}.${process.pid}.${randomBytes(8).toString('hex')}.new`;
}

/** Of a file that is written whole. */
interface WholeOptions {
  /** Whatever the umask: 0600 unless given. */
  mode?: number;
  /** Whom it shall belong to, where this user may give it away. */
  owner?: { uid: number; gid: number };
}

/**
 * Writes a file in one step: a reader sees the old one or all of the new one, also after a crash of the machine, and nothing
 * is left beside it when that fails. A symbolic link at `path` is replaced, never followed.
 * @throws the error of the file system
 */
export function writeWhole(path: string, content: string | Uint8Array, options: WholeOptions = {}): void {
  const { mode = 0o600, owner } = options;
  const fresh = unfinishedName(path);
  try {
    // Made by this call or not at all: nobody else has it open, and no link leads elsewhere.
    const fd = openSync(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    try {
      if (owner !== undefined) giveTo(fd, owner);
      fchmodSync(fd, mode);
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

function giveTo(fd: number, { uid, gid }: { uid: number; gid: number }): void {
  try {
    fchownSync(fd, uid, gid);
  } catch {
    // Only root can: the file is ours then, as it is with `mv`.
  }
}
