/** @module The files with which two sides of a TLS connection show who they are. */
import { readFileSync } from 'node:fs';
import { readPrivateFile } from './private-file.ts';

/** Paths of files in PEM. */
export interface TlsFiles {
  /** The authority whose certificates are believed. */
  ca: string;
  cert: string;
  /** Of this user (or root) alone, mode 0600. */
  key: string;
  /** Certificates that the authority has called back. */
  crl?: string | undefined;
}
export type TlsFile = keyof TlsFiles;

const MAX_KEY = 64 * 1024;

/**
 * What stands in the files, read anew whenever it is asked for: a new certificate needs no restart.
 * @param wrong makes the error of a file that cannot be read, or whose key others may read
 */
export function readTlsFiles<T extends Partial<TlsFiles>>(
  files: T,
  wrong: (which: TlsFile, file: string, cause: unknown) => Error,
): Partial<Record<TlsFile, string>> {
  return Object.fromEntries(
    (Object.entries(files) as [TlsFile, string | undefined][]).flatMap(([which, file]) => {
      if (file === undefined) return [];
      try {
        const text =
          which === 'key'
            ? readPrivateFile(file, 'Name the key of the certificate.', MAX_KEY)
            : readFileSync(file, 'utf8');
        return [[which, text]];
      } catch (cause) {
        throw wrong(which, file, cause);
      }
    }),
  );
}
