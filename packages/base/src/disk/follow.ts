/** Where a path for an output really leads, and whether somebody else has laid it there. */
import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** As many as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** Who we are to the file system. */
const me = (): number => process.geteuid?.() ?? 0;

/** Everybody may put something into this folder. */
const isShared = (folder: Stats): boolean => (folder.mode & 0o002) !== 0;

/**
 * Whether what lies in a folder may be used as it is: in one that everybody may write to (/tmp) only what is this user's own
 * or that of the folder's owner. Linux has the same rule (fs.protected_symlinks, fs.protected_regular), where it is switched
 * on and the folder is sticky.
 */
export function isForeign(thing: Stats, folder: Stats): boolean {
  return isShared(folder) && thing.uid !== me() && thing.uid !== folder.uid;
}

/** Of the thing itself; undefined where there is none, or where a file is taken for a folder. */
function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** A path without symbolic links. */
interface Followed {
  path: string;
  /** It stands for a file that is open already (/dev/stdout, /proc/self/fd/3). */
  descriptor: boolean;
}

/**
 * Follows the symbolic links of a path, the last one too. Its end need not be there.
 * @throws the error of the file system; an error for a link of somebody else in a folder that everybody may write to
 */
export function followLinks(path: string): Followed {
  const rest = (path.startsWith('/') ? path : `${process.cwd()}/${path}`).split('/').toReversed();
  let at = '/';
  let links = 0;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    const next = join(at, name);
    const stats = statsOf(next);
    if (stats === undefined) {
      // It is to be made; what is asked for below it will not be found.
      return { path: join(next, ...rest.toReversed()), descriptor: false };
    }
    if (!stats.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (isForeign(stats, statSync(at))) {
      throw new Error(`${next} is a symbolic link of another user in a folder that everybody may write to`);
    }
    // What such a link says is no path.
    if (/^\/proc\/\d+\/(?:task\/\d+\/)?fd$/.test(at))
      return { path: join(next, ...rest.toReversed()), descriptor: true };
    if (++links > MAX_LINKS) throw new Error(`too many symbolic links at ${next}`);
    const to = readlinkSync(next);
    if (to.startsWith('/')) at = '/';
    rest.push(...to.split('/').toReversed());
  }
  return { path: at, descriptor: false };
}
