import { chmodSync, lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';

const isOurs = (stats: Stats): boolean => stats.uid === process.geteuid?.() || stats.uid === 0;
const modeText = (stats: Stats): string => (stats.mode & 0o7777).toString(8).padStart(4, '0');

/**
 * Holds that only this user (and root) can change what lies in a folder: programs are run from a cache, memory of machines is
 * loaded from it. An empty folder that its user has made with open rights is closed to others.
 * @throws Error that says what is wrong, and what to do; the error of the file system
 */
export function requireOwnFolder(path: string): void {
  const real = realpathSync(path);
  const stats = statSync(real);
  if (!stats.isDirectory()) throw new Error(`${path} is no folder`);
  if (!isOurs(stats)) {
    throw new Error(
      `${path} belongs to another user (uid ${stats.uid}, this is ${process.geteuid?.()}): chown it, or choose another folder`,
    );
  }
  if ((stats.mode & 0o022) === 0) return;
  // In one with the sticky bit (/tmp) everybody is meant to have something.
  if (stats.uid === process.geteuid?.() && (stats.mode & 0o1000) === 0 && readdirSync(real).length === 0) {
    chmodSync(real, stats.mode & 0o755);
    return;
  }
  throw new Error(`others may write to ${path} (mode ${modeText(stats)}): chmod go-w it, or choose another folder`);
}

/** Why what lies at a path may be somebody else's work: its owner, or who may write to it; undefined when it is this user's. */
export function whyNotOwn(path: string): string | undefined {
  const stats = lstatSync(path);
  if (!isOurs(stats)) return `${path} belongs to another user (uid ${stats.uid}, this is ${process.geteuid?.()})`;
  if (stats.isSymbolicLink()) return `${path} is a symbolic link`;
  return (stats.mode & 0o022) === 0 ? undefined : `others may write to ${path} (mode ${modeText(stats)})`;
}

/**
 * Holds that nobody else can put something in the place of what this user makes in a folder for temporary files: it has the
 * sticky bit, or others may not write to it.
 * @throws Error that says what is wrong; the error of the file system
 */
export function requireSafeTemporary(path: string): void {
  const stats = statSync(path);
  if (!stats.isDirectory()) throw new Error(`${path} is no folder`);
  if (!isOurs(stats)) throw new Error(`${path} belongs to another user (uid ${stats.uid})`);
  if ((stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0) {
    throw new Error(`others may put something else in the place of what is made in ${path}: it has no sticky bit`);
  }
}
