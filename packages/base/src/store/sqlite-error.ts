/** @module What SQLite's result codes mean for us. sqlite.org/rescode.html; the low byte is the primary code. */
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { type StoreCode, StoreError } from './errors.ts';

const CODES: Readonly<Record<number, StoreCode>> = {
  3: 'E_STORE_OPEN', // SQLITE_PERM
  5: 'E_STORE_BUSY', // SQLITE_BUSY
  6: 'E_STORE_BUSY', // SQLITE_LOCKED
  8: 'E_STORE_OPEN', // SQLITE_READONLY
  10: 'E_STORE_IO', // SQLITE_IOERR
  11: 'E_STORE_DAMAGED', // SQLITE_CORRUPT
  13: 'E_STORE_FULL', // SQLITE_FULL
  14: 'E_STORE_OPEN', // SQLITE_CANTOPEN
  26: 'E_STORE_DAMAGED', // SQLITE_NOTADB
};

/** The error for people behind one of SQLite or of the file system; a StoreError stays what it is. */
export function sqliteError(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
  if (full) return new StoreError('E_STORE_FULL', `no room for the store (${what})`, { cause: error });
  if (typeof errcode !== 'number') {
    const system = typeof code === 'string' && !code.startsWith('ERR_');
    return new StoreError(system ? 'E_STORE_IO' : 'E_STORE_SQL', `${what}: ${messageOf(error)}`, { cause: error });
  }
  return new StoreError(CODES[errcode & 0xff] ?? 'E_STORE_SQL', `${what}: ${messageOf(error)}`, { cause: error });
}
