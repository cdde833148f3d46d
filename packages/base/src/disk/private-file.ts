/** @module Secrets in files that their owner alone may read. What goes wrong is said without them. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { messageOf } from '@syndrome/decode/common/errors.ts';

const MAX_BYTES = 4096;

/** Why a file holds no secret: words that follow its name, and what to do. */
export class PrivateFileError extends Error {
  readonly hint: string;

  constructor(why: string, hint: string, cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }
}

/**
 * The text of a file that this user (or root) alone may read: of mode 0600 or less, no link, at most 4096 bytes.
 * @param make how such a file is made, for the error
 * @throws PrivateFileError; its text never holds what the file holds
 */
export function readPrivateFile(path: string, make: string, limit = MAX_BYTES): string {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { uid, mode, size } = fstatSync(fd);
      if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new PrivateFileError('is no file', 'Name a file.');
      if (uid !== 0 && uid !== process.geteuid?.())
        throw new PrivateFileError(`belongs to another user (uid ${uid})`, 'chown it.');
      if ((mode & 0o077) !== 0) throw new PrivateFileError('may be read by others', `chmod 600 ${path}`);
      if (size > limit) throw new PrivateFileError('is too large for a secret', 'It holds one line.');
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof PrivateFileError) throw error;
    throw new PrivateFileError(`cannot be read: ${messageOf(error)}`, make, error);
  }
}
