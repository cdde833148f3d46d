/** @module The files with which a server shows who it is, and we to it (postgresql.org/docs/current/libpq-ssl.html). */
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { PrivateFileError } from '../disk/private-file.ts';
import { readTlsFiles, type TlsFile } from '../disk/tls-files.ts';
import { StoreError } from './errors.ts';
import type { PostgresPlace } from './postgres-url.ts';

type Files = NonNullable<PostgresPlace['tls']>;

/** As a URL names them. */
const PARAMETER: Readonly<Record<TlsFile, string>> = {
  ca: 'sslrootcert',
  cert: 'sslcert',
  key: 'sslkey',
  crl: 'sslcrl',
};

/**
 * What stands in the files that a URL names, read anew for each connection, so that a new certificate needs no restart.
 * @throws StoreError E_STORE_OPEN where one cannot be read, or where others may read the key
 */
export const readTls = (files: Files): Partial<Record<keyof Files, string>> =>
  readTlsFiles(files, (which, file, cause) => {
    const why = cause instanceof PrivateFileError ? cause.message : `cannot be read: ${messageOf(cause)}`;
    const hint = cause instanceof PrivateFileError ? { hint: cause.hint } : {};
    return new StoreError('E_STORE_OPEN', `${PARAMETER[which]}: ${file} ${why}`, { cause, ...hint });
  });
