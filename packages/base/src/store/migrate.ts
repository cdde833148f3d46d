/** @module The schema, step by step. A step that was gone is never changed: its hash is kept, and looked at. */
import { createHash } from 'node:crypto';
import { StoreError } from './errors.ts';
import type { Query, Store } from './store.ts';

export interface Migration {
  /** From 1, without holes. */
  number: number;
  /** What it is for, in a few words. */
  name: string;
  /** In SQL that every engine speaks. */
  statements: readonly string[];
}

const hashOf = (m: Migration): string => createHash('sha256').update(m.statements.join(';\n')).digest('hex');

/** Steps as they are noted, in their order: what tells one schema from another. */
export const stepsOf = (migrations: readonly Migration[]): { number: number; name: string; sha256: string }[] =>
  migrations.map(m => ({ number: m.number, name: m.name, sha256: hashOf(m) }));

/**
 * Brings a store to the schema of this version, all steps in one transaction. Several processes may do it at once.
 * @returns how many steps it has gone
 * @throws StoreError E_STORE_NEWER, E_STORE_CHANGED: nothing is written then
 */
export async function migrate(store: Store, migrations: readonly Migration[]): Promise<number> {
  await store.query(
    'create table if not exists migration(number bigint primary key, name text not null, sha256 text not null)',
  );
  return store.transaction(async query => {
    await query(store.dialect.alone('migration'));
    const steps = migrations.slice(await known(query, migrations));
    for (const step of steps) {
      for (const statement of step.statements) await query(statement);
      await query('insert into migration(number, name, sha256) values ($1, $2, $3)', [
        step.number,
        step.name,
        hashOf(step),
      ]);
    }
    return steps.length;
  });
}

/**
 * How many steps a store has gone; 0 for an empty one. Nothing is written.
 * @throws StoreError E_STORE_NEWER, E_STORE_CHANGED
 */
export async function stepsDone({ query, dialect }: Store, migrations: readonly Migration[]): Promise<number> {
  const [there] = await query(dialect.hasTable, ['migration']);
  return there === undefined ? 0 : known(query, migrations);
}

/** @throws StoreError E_STORE_OLDER where steps are still to be gone, E_STORE_NEWER, E_STORE_CHANGED */
export async function requireSchema(store: Store, migrations: readonly Migration[]): Promise<void> {
  const done = await stepsDone(store, migrations);
  if (done < migrations.length)
    throw new StoreError('E_STORE_OLDER', `the store has gone ${done} of ${migrations.length} steps of the schema`, {
      hint: '`syndrome store migrate` goes the others, and so does a controller when it starts.',
    });
}

/** The number of steps that were gone, each of them as this version knows it. */
async function known(query: Query, migrations: readonly Migration[]): Promise<number> {
  const done = await query('select number, name, sha256 from migration order by number');
  for (const { number, name, sha256 } of done) {
    const step = migrations.find(m => BigInt(m.number) === number);
    if (step === undefined)
      throw new StoreError(
        'E_STORE_NEWER',
        `the store has step ${number} of its schema (${name}), which this version does not know`,
      );
    if (hashOf(step) !== sha256)
      throw new StoreError(
        'E_STORE_CHANGED',
        `step ${number} of the schema (${step.name}) was another one when this store went it`,
      );
  }
  return done.length;
}
