/** @module The secrets of targets. What goes wrong with their files is said without them. */
import { PrivateFileError, readPrivateFile } from '@syndrome/base/disk/private-file.ts';
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
  try {
    return readPrivateFile(path, make).trim();
  } catch (error) {
    if (error instanceof PrivateFileError) throw wrongOf(path)(error.message, error.hint, error.cause);
    throw error;
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
