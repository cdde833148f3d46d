/** @module A program of the operator's, named by a configuration: nobody but root may choose what runs, or this user where it is not root. */
import { accessSync, closeSync, constants, fstatSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { messageOf } from '@syndrome/decode/common/errors.ts';

/** Its environment: a PATH, the C locale, and nothing of ours. */
export const PROGRAM_ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** What a program that may be run is, for a hint. */
export const PROGRAM_HINT =
  'Name an executable file by its whole path that belongs to root (where this process is not root, to its user: weaker), in folders that nobody else may write to.';

/** Linux: open(2), a handle of a file that is only looked at and run; x86-64 and arm64 have the same. */
const O_PATH = 0o10_000_000;

/** What was looked at, and may be run. */
export interface OpenProgram {
  /** To be closed. */
  fd: number;
  /** Why somebody who is not root can choose what runs, where this process is not root itself. */
  weak: string | undefined;
}

/** Every folder on the way to a file. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    folders.push(at);
    if (at === dirname(at)) return folders;
  }
}

/** Looks whether somebody else could choose what lies at a place; remembers the first thing on the way to it that is this user's, and not root's. */
class Chosen {
  readonly me = process.geteuid?.() ?? 0;
  own: string | undefined;

  /** Why what lies at a path could be somebody else's choice. */
  fault(path: string, { uid, mode }: { uid: number; mode: number }): string | undefined {
    if (uid !== 0 && uid !== this.me) return `can be changed by another user: ${path} belongs to uid ${uid}`;
    // In a folder with the sticky bit others may not touch what is not theirs.
    const sticky = (mode & constants.S_IFMT) === constants.S_IFDIR && (mode & 0o1000) !== 0;
    if ((mode & 0o022) !== 0 && !sticky) return `can be changed by others: they may write to ${path}`;
    if (uid !== 0) this.own ??= path;
    return undefined;
  }

  /** The same of every folder on the way to a file, as it is named and as it is. @throws the error of the file system */
  way(path: string, real: string): string | undefined {
    for (const folder of new Set([...foldersOf(path), ...foldersOf(real)])) {
      const why = this.fault(folder, statSync(folder));
      if (why !== undefined) return why;
    }
    return undefined;
  }
}

/**
 * Opens a program, and looks at what was opened: it belongs to root, and so does every folder on the way to it; where this process is
 * not root itself, its own user's are taken too, which is weaker. Nobody else may write to any of them.
 * @returns why not, where somebody else could choose what it is, or it cannot be run
 */
export function openProgram(program: string): OpenProgram | string {
  if (!isAbsolute(program)) return 'is no absolute path';
  const chosen = new Chosen();
  let fd: number | undefined;
  try {
    const real = realpathSync(program);
    const way = chosen.way(program, real);
    if (way !== undefined) return way;
    fd = openSync(real, O_PATH | constants.O_NOFOLLOW);
    const stats = fstatSync(fd);
    const why = stats.isFile() ? chosen.fault(real, stats) : 'is no file';
    if (why === undefined) accessSync(`/proc/self/fd/${fd}`, constants.X_OK);
    else closeSync(fd);
    if (why !== undefined) return why;
    const { own, me } = chosen;
    const weak = `${own} belongs to uid ${me}, not to root: whoever gets to run as this user chooses what runs`;
    return { fd, weak: own === undefined ? undefined : weak };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    return `cannot be run: ${messageOf(error)}`;
  }
}

/**
 * Why somebody else could choose what a program finds at a path, a file or a folder: its owner, who may write to it, or to a folder on the way to it;
 * undefined where nobody could.
 * @throws the error of the file system
 */
export function whyNotChosen(path: string): string | undefined {
  const chosen = new Chosen();
  const real = realpathSync(path);
  const why = chosen.way(path, real) ?? chosen.fault(real, statSync(real));
  return why === undefined ? undefined : `${path} ${why}`;
}

/** Why a program may not be run: somebody else could choose what it is, or it cannot be run; undefined where it may. */
export function whyNotProgram(program: string): string | undefined {
  const opened = openProgram(program);
  if (typeof opened === 'string') return opened;
  closeSync(opened.fd);
  return undefined;
}
