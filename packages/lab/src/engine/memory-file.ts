import { createHash, randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, readSync, statfsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '../errors.ts';

/** A file system in memory that every Linux has: the file is mapped, and written back to no disk. */
const FOLDER = '/dev/shm';

/**
 * A file in memory that has no name: others open it by its number in this process, and it ends with this process however that
 * ends (proc(5), /proc/PID/fd).
 */
export class MemoryFile {
  readonly #fd: number;

  /** @throws LabError E_LAB_STATE where there is no place for one */
  constructor() {
    const name = join(FOLDER, `syndrome-${process.pid}-${randomBytes(8).toString('hex')}`);
    try {
      this.#fd = openSync(name, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
      unlinkSync(name);
    } catch (cause) {
      throw new LabError('E_LAB_STATE', `no file can be made in ${FOLDER} for the memory of a machine`, { cause });
    }
  }

  get path(): string {
    return `/proc/${process.pid}/fd/${this.#fd}`;
  }

  /** SHA-256 of what is in it. */
  hash(): string {
    const hash = createHash('sha256');
    const block = Buffer.alloc(1 << 20);
    for (let at = 0, bytes = 0; (bytes = readSync(this.#fd, block, 0, block.length, at)) > 0; at += bytes) {
      hash.update(block.subarray(0, bytes));
    }
    return hash.digest('hex');
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Bytes that are free for files in memory. */
export function memoryFileRoom(): number {
  const { bavail, bsize } = statfsSync(FOLDER);
  return bavail * bsize;
}
