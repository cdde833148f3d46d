/** @module Where leases are, in a simulation: the same statements as in production, on an SQLite in memory whose clock is that of the agenda. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { LEASE_TABLE } from '@syndrome/base/store/lease.ts';
import type { Store } from '@syndrome/base/store/store.ts';

/**
 * A store that has leases and nothing else.
 * @param now ms, an integer
 * @param isAway whether its server answers nobody now
 */
export function leaseStore(now: () => number, isAway: () => boolean): Store {
  const db = new DatabaseSync(':memory:');
  for (const statement of LEASE_TABLE) db.exec(statement);
  db.function('now_ms', () => BigInt(now()));
  const prepared = new Map<string, StatementSync>();
  const query: Store['query'] = async (sql, values = []) => {
    if (isAway()) throw new StoreError('E_STORE_LOST', 'its server is away');
    const statement = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, statement);
    statement.setReadBigInts(true);
    const named = Object.fromEntries(values.map((value, i) => [`$${i + 1}`, value]));
    return Promise.resolve(statement.all(named) as Awaited<ReturnType<Store['query']>>);
  };
  return {
    dialect: {
      engine: 'sqlite',
      now: 'now_ms()',
      forUpdate: '',
      alone: () => 'select 1',
      byBytes: '',
      hasTable: 'select 1 from sqlite_master where name = $1',
    },
    query,
    transaction: f => f(query),
    close: () => Promise.resolve(db.close()),
  };
}
