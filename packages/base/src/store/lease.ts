/**
 * @module Who of several processes may write. The epoch grows with each change of owner, and every write of an owner is tied
 * to its epoch: one that was paused beyond its time is refused, whatever it still believes.
 */
import { StoreError } from './errors.ts';
import type { Migration } from './migrate.ts';
import type { Query, Store } from './store.ts';

/** The table of leases, as the first step of a schema that wants them. */
export const LEASE_TABLE: Migration['statements'] = [
  'create table lease(name text primary key, owner text not null, epoch bigint not null, expires bigint not null)',
];

/** A lease that was taken. */
export interface Lease {
  name: string;
  owner: string;
  epoch: bigint;
}

/**
 * Takes a lease that is free, expired or one's own, by the clock of the store. An owner calls it again in time to keep it.
 * @param ttlMs how long nobody else gets it
 * @returns the lease; undefined while another one holds it
 */
export async function takeLease(store: Store, name: string, owner: string, ttlMs: number): Promise<Lease | undefined> {
  const { now } = store.dialect;
  const [row] = await store.query(
    `insert into lease(name, owner, epoch, expires) values ($1, $2, 1, ${now} + $3)
     on conflict (name) do update set
       owner = excluded.owner,
       epoch = case when lease.owner = excluded.owner then lease.epoch else lease.epoch + 1 end,
       expires = excluded.expires
     where lease.owner = excluded.owner or lease.expires < ${now}
     returning epoch`,
    [name, owner, ttlMs],
  );
  return row === undefined ? undefined : { name, owner, epoch: row['epoch'] as bigint };
}

/**
 * Renews a lease inside of a transaction, and ties the transaction to it.
 * @throws StoreError E_STORE_LEASE when it has passed to another owner, also where that one has gone again
 */
export async function underLease(
  store: Store,
  query: Query,
  { name, owner, epoch }: Lease,
  ttlMs: number,
): Promise<void> {
  const [row] = await query(
    `update lease set expires = ${store.dialect.now} + $4 where name = $1 and owner = $2 and epoch = $3 returning epoch`,
    [name, owner, epoch, ttlMs],
  );
  if (row === undefined) throw new StoreError('E_STORE_LEASE', `${owner} has lost the lease ${name} of epoch ${epoch}`);
}

/** A lease as the store has it. */
interface Held {
  owner: string;
  /** When it ends if nobody renews it, ms UTC by the clock of the store; 0 where it was given back. The holder of one that grows lives. */
  until: number;
  /** For how long it is over, ms; less than 0 while it is held. */
  overMs: number;
}

/** Who holds a lease, or has held it last. */
export async function holderOf({ query, dialect }: Store, name: string): Promise<Held | undefined> {
  const [row] = await query(`select owner, expires, ${dialect.now} - expires as over from lease where name = $1`, [
    name,
  ]);
  if (row === undefined) return undefined;
  return { owner: String(row['owner']), until: Number(row['expires']), overMs: Number(row['over']) };
}

/** Gives a lease back at once, if it is still held. */
export async function releaseLease(store: Store, { name, owner, epoch }: Lease): Promise<void> {
  await store.query('update lease set expires = 0 where name = $1 and owner = $2 and epoch = $3', [name, owner, epoch]);
}
