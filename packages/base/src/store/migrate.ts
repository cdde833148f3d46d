/** @module The schema, step by step. A step that was gone is never changed: its hash is kept, and looked at. */
import { createHash } from 'node:crypto';
import { StoreError } from './errors.ts';
import type { Store } from './store.ts';

export interface Migration {
  /** From 1, without holes. */
  number: number;
  /** What it is for, in a few words. */
  name: string;
  /** In SQL that every engine speaks. */
  statements: readonly string[];
}

const hashOf = (m: Migration): string => createHash('sha256').update(m.statements.join(';\n')).digest('hex');

/**
 * Brings a store to the schema of this version, all steps in one transaction. Several processes may do it at once.
 * @throws StoreError E_STORE_NEWER, E_STORE_CHANGED: nothing is written then
 */
export async function migrate(store: Store, migrations: readonly Migration[]): Promise<void> {
  await store.query(
    'create table if not exists migration(number bigint primary key, name text not null, sha256 text not null)',
  );
  await store.transaction(async query => {
    await query(store.dialect.alone('migration'));
    const done = await query('select number, name, sha256 from migration order by number');
    for (const { number, name, sha256 } of done) {
      const known = migrations.find(m => BigInt(m.number) === number);
      if (known === undefined)
        throw new StoreError(
          'E_STORE_NEWER',
          `the store has step ${number} of its schema (${name}), which this version does not know`,
        );
      if (hashOf(known) !== sha256)
        throw new StoreError(
          'E_STORE_CHANGED',
          `step ${number} of the schema (${known.name}) was another one when this store went it`,
        );
    }
    for (const migration of migrations.slice(done.length)) {
      for (const statement of migration.statements) await query(statement);
      await query('insert into migration(number, name, sha256) values ($1, $2, $3)', [
        migration.number,
        migration.name,
        hashOf(migration),
      ]);
    }
  });
}
