/** A folder that a command is told to make: looked at before the work, put into its place whole. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { followLinks, isForeign } from './follow.ts';
import { outputFolderMode, outputMode } from './umask.ts';
import { unfinishedName, writeWhole } from './write-whole.ts';

/** Whether a folder that stands in the place was made by the same command: only such a one is replaced. */
type IsOurs = (folder: string, names: readonly string[]) => boolean;

/** The folder's place, symbolic links followed, and whether there is one. @throws Error that says why none is made there */
function findPlace(given: string, isOurs: IsOurs): { path: string; isThere: boolean } {
  if (given === '') throw new Error('not the name of a folder');
  const { path } = followLinks(given);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() === true) return { path, isThere: false };
    throw new Error(`there is no folder ${dirname(given)}`);
  }
  if (!found.isDirectory()) throw new Error('not a folder');
  if (isForeign(found, statSync(dirname(path))))
    throw new Error('a folder of another user in a folder that everybody may write to');
  const names = readdirSync(path);
  if (names.length > 0 && !isOurs(path, names)) throw new Error('has files that this command did not make');
  return { path, isThere: true };
}

/**
 * Looks at a place for a folder before the work whose result goes there. Nothing is made or changed.
 * @param what the option that names it
 * @throws UsageError E_USAGE_FILE
 */
export function checkOutputFolder(what: string, given: string, isOurs: IsOurs): void {
  try {
    findPlace(given, isOurs);
  } catch (cause) {
    const isSystem = (cause as NodeJS.ErrnoException).code !== undefined;
    throw new UsageError(
      'E_USAGE_FILE',
      `${what} ${given}: ${isSystem ? 'cannot be looked at' : (cause as Error).message}`,
      {
        ...(isSystem ? { cause } : {}),
        hint: 'Give the name of a folder that is not there yet, is empty, or was made by this command.',
      },
    );
  }
}

/**
 * Makes a folder with files: who looks at the place sees the old folder or all of the new one, and for a moment between two
 * renames none; where the second one fails, the old one comes back. What was there is removed, if it is empty or {@link IsOurs}.
 * @param files by their names in the folder
 * @throws the error of the file system, or one that says why nothing is written there; then nothing has changed
 */
export async function writeOutputFolder(
  given: string,
  files: AsyncIterable<{ name: string; content: string | Uint8Array }>,
  isOurs: IsOurs,
): Promise<void> {
  const { path } = findPlace(given, isOurs);
  const fresh = unfinishedName(path);
  const old = unfinishedName(path);
  try {
    mkdirSync(fresh);
    for await (const { name, content } of files) writeWhole(join(fresh, name), content, { mode: outputMode() });
    chmodSync(fresh, outputFolderMode());
    // Somebody may have put something there meanwhile.
    const { isThere } = findPlace(given, isOurs);
    if (isThere) renameSync(path, old);
    try {
      renameSync(fresh, path);
    } catch (error) {
      if (isThere) renameSync(old, path);
      throw error;
    }
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
  rmSync(old, { recursive: true, force: true });
}
