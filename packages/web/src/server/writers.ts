/** @module Which files a running process still writes: a run that says nothing for a while is told from one that was killed. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** To look at every process takes a while. */
const SAME_MS = 1000;

const listOf = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    // It has ended, or it is another user's.
    return [];
  }
};

/** open(2): the two bits of how it was opened, as /proc/PID/fdinfo has them. */
function isWritten(pid: string, fd: string): boolean {
  const flags = /^flags:\s*0*([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 0o3) !== 0;
}

/** Paths below `folders` that some process has open for writing. Of processes of others nothing is seen. */
function scan(folders: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const pid of listOf('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of listOf(`/proc/${pid}/fd`)) {
      try {
        const path = readlinkSync(`/proc/${pid}/fd/${fd}`);
        if (folders.some(folder => path.startsWith(folder)) && isWritten(pid, fd)) found.add(path);
      } catch {
        // It was closed meanwhile.
      }
    }
  }
  return found;
}

/** Files that are being written, looked at no more often than is worth it. */
export class Writers {
  #at = -Infinity;
  #found: ReadonlySet<string> = new Set();

  /**
   * @param path real and absolute
   * @param folders gives the real paths that it may lie in: others are not looked at
   */
  has(path: string, folders: () => readonly string[]): boolean {
    const now = performance.now();
    if (now - this.#at > SAME_MS) [this.#at, this.#found] = [now, scan(folders())];
    return this.#found.has(path);
  }
}
