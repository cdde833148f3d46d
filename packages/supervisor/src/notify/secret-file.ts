/** @module Secrets in files that their owner alone may read. What goes wrong is said without them. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { NotifyError } from './errors.ts';

/** Bytes of a secret: Standard Webhooks 1.0.0, "Symmetric signatures": between 24 and 64. */
const [LEAST, MOST] = [24, 64];

type Wrong = (why: string, hint: string, cause?: unknown) => NotifyError;

const wrongOf =
  (path: string): Wrong =>
  (why, hint, cause) =>
    new NotifyError('E_NOTIFY_SECRET', `the secret file ${path} ${why}`, {
      hint,
      ...(cause === undefined ? {} : { cause }),
    });

/**
 * The text of a secret file, without blanks around it.
 * @throws NotifyError E_NOTIFY_SECRET; its text never holds what the file holds
 */
export function readPrivate(path: string, make: string): string {
  const wrong = wrongOf(path);
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { uid, mode, size } = fstatSync(fd);
      if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw wrong('is no file', 'Name a file.');
      if (uid !== 0 && uid !== process.geteuid?.()) throw wrong(`belongs to another user (uid ${uid})`, 'chown it.');
      if ((mode & 0o077) !== 0) throw wrong('may be read by others', `chmod 600 ${path}`);
      if (size > 4096) throw wrong('is too large for a secret', 'It holds one line.');
      return readFileSync(fd, 'utf8').trim();
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof NotifyError) throw error;
    throw wrong(`cannot be read: ${messageOf(error)}`, make, error);
  }
}

/**
 * The bytes of a secret: one line `whsec_` and base64, in a file that its owner alone may read. Read anew for each notice, so
 * that a rotation needs no restart.
 * @throws NotifyError E_NOTIFY_SECRET; its text never holds what the file holds
 */
export function readSecret(path: string): Uint8Array {
  const text = readPrivate(path, 'Make one: (printf whsec_; head -c 32 /dev/urandom | base64) > FILE; chmod 600 FILE');
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const bytes = base64 === undefined ? undefined : Buffer.from(base64, 'base64');
  if (bytes === undefined || bytes.length < LEAST || bytes.length > MOST)
    throw wrongOf(path)(`holds no secret`, `It holds one line: whsec_ and base64 of ${LEAST} to ${MOST} bytes.`);
  return bytes;
}
