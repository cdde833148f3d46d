/** @module The files with which a server shows who it is, and we to it (postgresql.org/docs/current/libpq-ssl.html). */
import { readFileSync } from 'node:fs';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { PrivateFileError, readPrivateFile } from '../disk/private-file.ts';
import { StoreError } from './errors.ts';
import type { PostgresPlace } from './postgres-url.ts';

type Files = NonNullable<PostgresPlace['tls']>;

const MAX_KEY = 64 * 1024;

/**
 * What stands in the files that a URL names, read anew for each connection, so that a new certificate needs no restart.
 * @throws StoreError E_STORE_OPEN where one cannot be read, or where others may read the key
 */
export function readTls({ ca, cert, key }: Files): Partial<Record<keyof Files, string>> {
  return {
    ...(ca !== undefined && { ca: read('sslrootcert', ca, file => readFileSync(file, 'utf8')) }),
    ...(cert !== undefined && { cert: read('sslcert', cert, file => readFileSync(file, 'utf8')) }),
    ...(key !== undefined && {
      key: read('sslkey', key, file => readPrivateFile(file, 'Name the key of the certificate.', MAX_KEY)),
    }),
  };
}

function read(parameter: string, file: string, how: (file: string) => string): string {
  try {
    return how(file);
  } catch (cause) {
    const why = cause instanceof PrivateFileError ? cause.message : `cannot be read: ${messageOf(cause)}`;
    const hint = cause instanceof PrivateFileError ? { hint: cause.hint } : {};
    throw new StoreError('E_STORE_OPEN', `${parameter}: ${file} ${why}`, { cause, ...hint });
  }
}
