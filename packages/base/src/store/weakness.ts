/** @module In what a server keeps less than it could, for a person. */
import type { StorePlace } from './open.ts';
import { isStoreUrl, parsePostgresUrl } from './postgres-url.ts';
import type { Store } from './store.ts';

/**
 * Sentences on the server that is there now; none where nothing is weaker than it could be.
 * @throws StoreError
 * @example await weaknessesOf({ at: 'postgresql://u@db1,db2/x' }, store)
 */
export async function weaknessesOf({ at }: StorePlace, store: Store): Promise<string[]> {
  if (!isStoreUrl(at)) return [];
  const { hosts } = parsePostgresUrl(at);
  if (hosts.length === 1) return [];
  const [row] = await store.query(`select current_setting('synchronous_standby_names') as names`);
  if (String(row?.['names'] ?? '').trim() !== '') return [];
  return [
    'store: several servers are named, and the one that writes waits for no other (synchronous_standby_names is empty): ' +
      'what it has confirmed last is lost where another one takes its place',
  ];
}
