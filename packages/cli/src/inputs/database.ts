/** @module rasdaemon's database, read whole from its file and handed to the decoder row by row. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { rasTables } from '@syndrome/decode/text/tools/ras-rows.ts';
import type { Row, RowValue } from '@syndrome/decode/text/tools/ras-rows.ts';
import { InputError } from './input-error.ts';
import { MAX_IMAGE, rolledBack, standAlone, withWal } from './sqlite-image.ts';

/** While it is written to it is read again. */
const TRIES = 20;
const PAUSE_MS = 50;
/** After so many rows what was made of them goes out. */
const TURN = 256;
const NOT_OURS = 'a database of SQLite with none of the tables that rasdaemon makes';

export interface DatabaseImage {
  main: Uint8Array;
  wal?: Uint8Array | undefined;
  journal?: Uint8Array | undefined;
}

interface RowTaker {
  row(table: string, id: number | undefined, row: Row): boolean;
}

/** Something of a database that could not be read. */
type Lost = (message: string) => void;

function readWhole(path: string): Uint8Array | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    if (size > MAX_IMAGE)
      throw new InputError('E_INPUT', `${path} is larger than a database that is read`, {
        hint: 'Cut it with sqlite3, or print it with ras-mc-ctl --errors.',
      });
    const bytes = new Uint8Array(size);
    let at = 0;
    for (let n = 1; at < size && n > 0; at += n) n = readSync(fd, bytes, at, size - at, at);
    return bytes.subarray(0, at);
  } finally {
    closeSync(fd);
  }
}

/** What tells that a file was written to. */
function stateOf(path: string): string {
  return ['', '-wal', '-journal']
    .map(more => {
      const stat = statSync(path + more, { throwIfNoEntry: false, bigint: true });
      return stat === undefined ? '-' : `${stat.ino}/${stat.size}/${stat.mtimeNs}`;
    })
    .join(' ');
}

/** Reads a database with its companions as they were at one moment, without a lock: rasdaemon would lose what it cannot write. */
export async function readDatabase(path: string): Promise<DatabaseImage> {
  for (let n = 1; ; n++) {
    const before = stateOf(path);
    const image = {
      main: readWhole(path) ?? new Uint8Array(0),
      wal: readWhole(`${path}-wal`),
      journal: readWhole(`${path}-journal`),
    };
    if (stateOf(path) === before || n === TRIES) return image;
    await setTimeout(PAUSE_MS);
  }
}

const sqliteWords = (error: unknown): string => (error instanceof Error ? error.message : 'it cannot be read');

async function sqlite(): Promise<typeof import('node:sqlite')> {
  const found = await import('node:sqlite').catch(() => undefined);
  if (found !== undefined && 'deserialize' in found.DatabaseSync.prototype) return found;
  throw new InputError('E_INPUT', 'this Node cannot read a database of SQLite', {
    hint: 'Use Node 24.21 or newer, or print the database with `ras-mc-ctl --errors`.',
  });
}

/**
 * Hands every row of rasdaemon's tables to the decoder, table by table.
 * @param lost is told of each table that could not be read to its end
 * @throws {InputError} for what is no database, or none of rasdaemon
 */
export async function eachRow(
  name: string,
  image: DatabaseImage,
  taker: RowTaker,
  lost: Lost,
  between: () => Promise<void> | undefined = () => undefined,
): Promise<void> {
  const { DatabaseSync } = await sqlite();
  const { main, wal, journal } = image;
  const { image: whole, isCut } = standAlone(
    withWal(journal === undefined ? main : rolledBack(main, journal), wal ?? new Uint8Array(0)),
  );
  if (isCut) lost('the file ends in the middle of the database');
  const database = new DatabaseSync(':memory:', { allowExtension: false, defensive: true });
  try {
    let names: string[];
    try {
      database.deserialize(whole);
      const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
      names = rows.map(row => String(row['name']));
    } catch (error) {
      throw new InputError('E_INPUT', `${name} is a damaged database: ${sqliteWords(error)}`, {
        hint: 'Take a new copy, or ask `sqlite3 FILE .recover` for what is left of it.',
      });
    }
    const tables = rasTables(names);
    if (tables.length === 0)
      throw new InputError('E_INPUT', `${name} is ${NOT_OURS}`, {
        hint: 'rasdaemon keeps its own as ras-mc_event.db.',
      });
    for (const table of tables) {
      let unread = 0;
      let rows = 0;
      try {
        const statement = database.prepare(`SELECT rowid AS "rowid of it", * FROM "${table}" ORDER BY rowid`);
        statement.setReadBigInts(true);
        for (const { 'rowid of it': id, ...row } of statement.iterate()) {
          if (!taker.row(table, typeof id === 'bigint' ? Number(id) : undefined, row as Record<string, RowValue>))
            unread++;
          if (++rows % TURN === 0) await between();
        }
      } catch (error) {
        lost(`table ${table} could not be read to its end: ${sqliteWords(error)}`);
      }
      if (unread > 0)
        lost(
          `${unread} ${unread === 1 ? 'row' : 'rows'} of table ${table} ${unread === 1 ? 'says' : 'say'} nothing that could be read`,
        );
    }
  } finally {
    database.close();
  }
}
