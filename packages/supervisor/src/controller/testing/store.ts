/**
 * The store of a test: a file in its folder. Where a test has started a PostgreSQL (SYNDROME_TEST_POSTGRES is the URL of it, `{}` for the
 * database), a database of its own, named after the folder: the same tests run on both.
 */
import { basename, join } from 'node:path';
import { openStore, type StorePlace } from '@syndrome/base/store/open.ts';

const server = (): string | undefined => process.env['SYNDROME_TEST_POSTGRES'];
const database = (folder: string): string => `t${Buffer.from(basename(folder)).toString('hex')}`;

/** Where the store of a folder is. */
export const placeIn = (folder: string): StorePlace => ({
  at: server()?.replace('{}', database(folder)) ?? join(folder, 'store.db'),
});

/** Makes the store of a folder. */
export async function newStore(folder: string): ReturnType<typeof openStore> {
  const url = server();
  if (url !== undefined) {
    const root = await openStore({ at: url.replace('{}', 'postgres') });
    await root.query(`create database ${database(folder)}`);
    await root.close();
  }
  return openStore(placeIn(folder));
}
