import type { StoreCode } from './errors.ts';

/** What the store throws, for `--explain`: what happened, and what to do. */
export const STORE_ERROR_CODES: Readonly<Record<StoreCode, string>> = {
  E_STORE_BUSY:
    'Another process kept the store for itself for too long, or was in the way each time. Look for one that hangs, and try again.',
  E_STORE_CHANGED:
    'A step of the schema that the store has gone through is not the one that this version has. The file was made by another program; use that one, or another file.',
  E_STORE_DAMAGED:
    'The file is no store, or parts of it are damaged. Nothing was written to it. Move it away and put the last backup in its place; what agents still hold in their spools comes again.',
  E_STORE_ENGINE:
    'This Node has no node:sqlite, or an SQLite with a known loss of data: use Node 24 or later. Or the PostgreSQL is older than 15, or runs with fsync=off and so loses what it has confirmed.',
  E_STORE_EXISTS:
    'A backup and an export never replace a file, and an import goes into an empty store alone: give another name, or another database.',
  E_STORE_EXPORT:
    'The file is no export of a ledger, or it was cut or changed: its end or its hash is not right. Nothing of it was imported. Export again, or copy the file again.',
  E_STORE_FULL:
    'The disk is full. Nothing that was accepted is lost, and nothing more is accepted until there is room again.',
  E_STORE_IO:
    'The operating system failed to read or write the file of the store. What is on the disk is not sure any more: look at the disk, and start again.',
  E_STORE_LEASE:
    'Another process has become the owner of what this one was about to write; nothing was written. This process was paused or too slow, or the clock was changed.',
  E_STORE_LOST:
    'No PostgreSQL answers that can be written to: it is down, it starts, it is a standby, or the network is cut; the message says which. Nothing was written by what failed. A controller that works goes on by itself when it is there again.',
  E_STORE_NEWER:
    'The store was written by a later version of the program, which this one would damage. Use that version.',
  E_STORE_OLDER:
    'The store was written by an earlier version and has not gone all steps of the schema: `syndrome store migrate` goes them, and so does a controller when it starts. Make a backup first.',
  E_STORE_OPEN:
    'The file of the store cannot be opened, belongs to another user, or can be read or written by others: it has to be of mode 0600 in a folder that others cannot write to. Of a PostgreSQL: its URL, user, password, certificate or database is wrong. The message says which.',
  E_STORE_SQL: 'The store refused a statement: a fault of this program. Please report it.',
  E_STORE_UNKNOWN:
    'The connection to PostgreSQL was lost before it had answered: what was sent may be written or not. A controller looks, and writes it once; what a person did has to be looked at before it is done again.',
  E_STORE_USE:
    'The store was used after it, or a transaction of it, had ended: a fault of this program. Please report it.',
};
