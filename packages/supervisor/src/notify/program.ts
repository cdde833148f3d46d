/** @module A program of the operator's, named by a configuration: nobody but root or this user may choose what runs. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { messageOf } from '@syndrome/decode/common/errors.ts';

/** Its environment: a PATH, the C locale, and nothing of ours. */
export const PROGRAM_ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** What a program that may be run is, for a hint. */
export const PROGRAM_HINT =
  'Name an executable file by its whole path that belongs to root or to this user, in a folder that nobody else may write to.';

/** Why a program may not be run: somebody else could choose what it is, or it cannot be run; undefined where it may. */
export function whyNotProgram(program: string): string | undefined {
  if (!isAbsolute(program)) return 'is no absolute path';
  try {
    for (const path of [program, dirname(program)]) {
      const { uid, mode } = statSync(path);
      if (uid !== 0 && uid !== process.geteuid?.()) return `lies where another user (uid ${uid}) may change it`;
      if ((mode & 0o022) !== 0) return 'lies where others may change it';
    }
    accessSync(program, constants.X_OK);
  } catch (error) {
    return `cannot be run: ${messageOf(error)}`;
  }
  return undefined;
}
