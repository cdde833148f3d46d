/**
 * What a path leads to, held fast before anything is opened: to open a named pipe waits for its other end, to open a device
 * may do something. What is found is what is opened then, whatever the path leads to by that time.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';

/** open(2): a descriptor that names the file and does nothing else. Node has no name for it; x86 and arm64 have one value. */
const O_PATH = 0o10000000;

type Kind =
  | 'regular file'
  | 'folder'
  | 'pipe'
  | 'named pipe'
  | 'character device'
  | 'block device'
  | 'socket'
  | 'symbolic link';

/** Something in the file system that was found and not opened yet. */
interface Found {
  kind: Kind;
  stats: Stats;
  /** Opens it. */
  open: (flags: number) => number;
}

function kindOf(stats: Stats, fd: number): Kind {
  if (stats.isFile()) return 'regular file';
  if (stats.isDirectory()) return 'folder';
  if (stats.isCharacterDevice()) return 'character device';
  if (stats.isBlockDevice()) return 'block device';
  if (stats.isSymbolicLink()) return 'symbolic link';
  if (stats.isSocket()) return 'socket';
  // A pipe without a name (`|`, `<(…)`) has its other end already: to open it waits for nobody.
  return readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:') ? 'pipe' : 'named pipe';
}

/**
 * Looks at what is there and hands it to `use`, with the way to open it.
 * @param flags O_NOFOLLOW to look at a symbolic link itself
 * @throws the error of the file system
 */
export function look<T>(path: string, use: (found: Found) => T, flags = 0): T {
  const fd = openSync(path, O_PATH | flags);
  try {
    const stats = fstatSync(fd);
    const open = (how: number): number => openSync(`/proc/self/fd/${fd}`, how | constants.O_NOCTTY);
    return use({ kind: kindOf(stats, fd), stats, open });
  } finally {
    closeSync(fd);
  }
}
