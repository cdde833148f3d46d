/** @module The password of a PostgreSQL: a file of its own, or a line of a PGPASSFILE (postgresql.org/docs/current/libpq-pgpass.html). */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PrivateFileError, readPrivateFile } from '../disk/private-file.ts';
import { StoreError } from './errors.ts';
import { SOCKET_FOLDER } from './postgres-url.ts';

const MAX_PASSFILE = 64 * 1024;
const MAKE = 'Make one with `install -m 600 /dev/null FILE`, and write the password into it.';

/** host:port:database:user:password; a colon or a backslash in one of them has a backslash before it. */
const LINE = /^((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*)/;

/** For whom a password is looked up. */
interface Account {
  host: string;
  port: number;
  database: string;
  user: string;
}

/**
 * The password for a server: that of the file, else the first line of PGPASSFILE (or ~/.pgpass) that is for it; read anew for each
 * connection, so that a rotation needs no restart.
 * @returns undefined where there is none: sockets and certificates need none
 * @throws StoreError E_STORE_OPEN where a file is not its user's alone; its text never holds what the file holds
 */
export function passwordFor(account: Account, file: string | undefined, env = process.env): string | undefined {
  if (file !== undefined) return read(file).replace(/\r?\n$/, '');
  const named = env['PGPASSFILE'];
  const passfile = named ?? join(homedir(), '.pgpass');
  if (named === undefined && !existsSync(passfile)) return undefined;
  // As libpq: what is looked for on the socket of the usual folder stands under localhost, on another one under its folder.
  const host = account.host === SOCKET_FOLDER ? 'localhost' : account.host;
  const wanted = [host, String(account.port), account.database, account.user];
  for (const line of read(passfile, MAX_PASSFILE).split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const [, ...fields] = LINE.exec(line) ?? [];
    if (fields.length > 0 && wanted.every((word, i) => fields[i] === '*' || unescaped(fields[i]) === word))
      return unescaped(fields[4]);
  }
  return undefined;
}

const unescaped = (field = ''): string => field.replaceAll(/\\(.)/g, '$1');

function read(path: string, limit?: number): string {
  try {
    return readPrivateFile(path, MAKE, limit);
  } catch (error) {
    if (error instanceof PrivateFileError)
      throw new StoreError('E_STORE_OPEN', `the password file ${path} ${error.message}`, {
        hint: error.hint,
        ...(error.cause === undefined ? {} : { cause: error.cause }),
      });
    throw error;
  }
}
