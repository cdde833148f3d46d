/** @module A store by where it is: the path of a file, or the URL of a PostgreSQL. Its engine is loaded when it is asked for. */
import type { Deadlines } from './postgres.ts';
import { isStoreUrl } from './postgres-url.ts';
import type { Store } from './store.ts';

/** As a site or a command line names it. */
export interface StorePlace {
  /** An absolute path, or postgresql://user@host/database. */
  at: string;
  /** With the password of a PostgreSQL; of mode 0600. */
  passwordFile?: string;
  /** Of a PostgreSQL: its tables are in a schema of this name, made where it is missing; by default those of the user. */
  schema?: string;
}

/** A store; one in a file can be copied while it is used. */
type OpenedStore = Store & { backup?: (path: string) => Promise<void> };

/**
 * Opens a store; a file is made where there is none.
 * @param deadlines of a server: those that are to be others
 * @throws StoreError
 */
export async function openStore(
  { at, passwordFile, schema }: StorePlace,
  deadlines: Partial<Deadlines> = {},
): Promise<OpenedStore> {
  if (!isStoreUrl(at)) return (await import('./sqlite.ts')).openSqlite(at);
  const { openPostgres } = await import('./postgres.ts');
  return openPostgres(at, {
    deadlines,
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(schema === undefined ? {} : { schema }),
  });
}
