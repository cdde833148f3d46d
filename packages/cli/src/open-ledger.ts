/** @module The ledger that a command line names: a file that is there, a PostgreSQL, or that of a site. */
import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import { openInput } from '@syndrome/base/disk/input-file.ts';
import { openStore, type StorePlace } from '@syndrome/base/store/open.ts';
import { isStoreUrl, parsePostgresUrl } from '@syndrome/base/store/postgres-url.ts';
import { messageOf, UsageError } from '@syndrome/decode/common/errors.ts';

/** A place for a text of the command line. */
export const placeNamed = (text: string, passwordFile?: string): StorePlace => ({
  at: isStoreUrl(text) ? text : resolve(text),
  ...(passwordFile === undefined ? {} : { passwordFile }),
});

/** How a place is called, without what is secret. @throws StoreError E_STORE_OPEN */
export const placeLabel = ({ at, schema }: StorePlace): string =>
  isStoreUrl(at) ? `${parsePostgresUrl(at).label}${schema === undefined ? '' : `, schema ${schema}`}` : at;

/**
 * Opens what has to be there: a file that is not would be made.
 * @throws UsageError with the code that is given; StoreError
 */
export async function openLedger(
  place: StorePlace,
  code: string,
  deadlines: Parameters<typeof openStore>[1] = {},
): ReturnType<typeof openStore> {
  try {
    if (!isStoreUrl(place.at)) closeSync(openInput(place.at));
  } catch (cause) {
    throw new UsageError(code, `cannot read the ledger ${place.at}: ${messageOf(cause)}`, { cause });
  }
  return openStore(place, deadlines);
}
