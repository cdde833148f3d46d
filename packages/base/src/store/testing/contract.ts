/** What every engine of the store has to hold; each runs it with a store of its own. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LEASE_TABLE, releaseLease, takeLease, underLease } from '../lease.ts';
import { migrate, type Migration } from '../migrate.ts';
import type { Store } from '../store.ts';

const FIRST: Migration = {
  number: 1,
  name: 'a table',
  statements: ['create table thing(id bigint primary key, word text, part double precision)', ...LEASE_TABLE],
};
const SECOND: Migration = { number: 2, name: 'a column', statements: ['alter table thing add column more text'] };

const INSERT = 'insert into thing(id, word) values ($1, $2)';

/**
 * @param open opens the store: the same one each time, until `clear`
 * @param clear removes the store, that the next `open` finds it empty
 */
export function storeContract(engine: string, open: () => Promise<Store>, clear: () => Promise<void>): void {
  describe(`a store (${engine})`, () => {
    let store: Store;
    const words = async (): Promise<unknown[]> =>
      (await store.query('select word from thing order by id')).map(r => r['word']);

    beforeEach(async () => {
      store = await open();
      await migrate(store, [FIRST]);
    });
    afterEach(async () => {
      await store.close();
      await clear();
    });

    test('gives values back as they are: integers of 64 bits exactly, whatever their size', async () => {
      const values = [1n, -(1n << 63n), (1n << 63n) - 1n, BigInt(Number.MAX_SAFE_INTEGER) + 2n];
      for (const value of values) await store.query(INSERT, [value, `w${value}`]);
      const rows = await store.query('select id, word from thing order by id');
      expect(rows).toEqual(values.toSorted((a, b) => (a < b ? -1 : 1)).map(id => ({ id, word: `w${id}` })));
      expect(await store.query('select count(*) as n from thing')).toEqual([{ n: 4n }]);
      const odd = ['', 'ä\u{1f4a3}', '$1 ?1 ;--\n', null];
      await store.query('delete from thing');
      for (const [id, word] of odd.entries()) await store.query(INSERT, [id, word]);
      expect(await words()).toEqual(odd);
      await store.query('update thing set part = $1', [0.5]);
      expect(await store.query('select part from thing where id = $1', [0])).toEqual([{ part: 0.5 }]);
    });

    test('takes a parameter more than once, and more than nine', async () => {
      const twelve = Array.from({ length: 12 }, (_, i) => i);
      await store.query(`insert into thing(id) values ${twelve.map(i => `($${i + 1})`).join(', ')}`, twelve);
      expect(await store.query('select id from thing where id = $1 or id = $1 + $2 order by id', [3, 8])).toEqual([
        { id: 3n },
        { id: 11n },
      ]);
    });

    test('inserts once, and says whether it did', async () => {
      const once = `${INSERT} on conflict do nothing returning id`;
      expect(await store.query(once, [1, 'a'])).toEqual([{ id: 1n }]);
      expect(await store.query(once, [1, 'b'])).toEqual([]);
      expect(await words()).toEqual(['a']);
    });

    test('a transaction is all or nothing', async () => {
      const failed = store.transaction(async query => {
        await query(INSERT, [1, 'a']);
        throw new Error('ours');
      });
      await expect(failed).rejects.toThrow('ours');
      const refused = store.transaction(async query => {
        await query(INSERT, [1, 'a']);
        await query(INSERT, [1, 'b']);
      });
      await expect(refused).rejects.toMatchObject({ code: 'E_STORE_SQL' });
      expect(await words()).toEqual([]);
      expect(await store.transaction(async query => (await query(INSERT, [1, 'a']), 'result'))).toBe('result');
      expect(await words()).toEqual(['a']);
    });

    test('nothing comes between the statements of a transaction', async () => {
      await store.query(INSERT, [1, '0']);
      const add = (): Promise<void> =>
        store.transaction(async query => {
          const [row] = await query(`select word from thing where id = 1${store.dialect.forUpdate}`);
          await new Promise(resolve => setImmediate(resolve));
          await query('update thing set word = $1 where id = 1', [String(Number(row?.['word']) + 1)]);
        });
      await Promise.all([add(), add(), store.query(INSERT, [2, 'x']), add()]);
      expect(await words()).toEqual(['3', 'x']);
    });

    test('what was committed is there for whoever opens it next', async () => {
      await store.query(INSERT, [1, 'a']);
      await store.close();
      store = await open();
      expect(await words()).toEqual(['a']);
    });

    test('is of no use once it is closed, nor a transaction once it is over', async () => {
      let leaked: Store['query'] | undefined;
      await store.transaction(async query => void (leaked = query));
      await expect(leaked?.('select 1')).rejects.toMatchObject({ code: 'E_STORE_USE' });
      const other = await open();
      await other.close();
      await other.close();
      await expect(other.query('select 1')).rejects.toMatchObject({ code: 'E_STORE_USE' });
      await expect(other.transaction(async () => {})).rejects.toMatchObject({ code: 'E_STORE_USE' });
    });

    test('a wrong statement is told as one, and the next one works', async () => {
      await expect(store.query('select nothing from nowhere')).rejects.toMatchObject({ code: 'E_STORE_SQL' });
      expect(await store.query('select 1 as one')).toEqual([{ one: 1n }]);
    });

    test('its clock is that of its machine, in milliseconds', async () => {
      const [row] = await store.query(`select ${store.dialect.now} as now`);
      expect(Math.abs(Number(row?.['now']) - Date.now())).toBeLessThan(60_000);
      expect(typeof row?.['now']).toBe('bigint');
    });

    test('goes the steps of the schema once each, also when two do it at once', async () => {
      const other = await open();
      await Promise.all([migrate(store, [FIRST, SECOND]), migrate(other, [FIRST, SECOND])]);
      await other.query('insert into thing(id, more) values (1, $1)', ['m']);
      await migrate(store, [FIRST, SECOND]);
      expect(await store.query('select more from thing')).toEqual([{ more: 'm' }]);
      await other.close();
    });

    test('refuses a schema that is newer, or went another step', async () => {
      await migrate(store, [FIRST, SECOND]);
      await expect(migrate(store, [FIRST])).rejects.toMatchObject({ code: 'E_STORE_NEWER' });
      const other = { ...SECOND, statements: ['alter table thing add column other text'] };
      await expect(migrate(store, [FIRST, other])).rejects.toMatchObject({ code: 'E_STORE_CHANGED' });
    });

    test('a step that fails leaves the schema as it was', async () => {
      const wrong = { number: 2, name: 'wrong', statements: ['alter table thing add column x text', 'no sql'] };
      await expect(migrate(store, [FIRST, wrong])).rejects.toMatchObject({ code: 'E_STORE_SQL' });
      await migrate(store, [FIRST, SECOND]);
      await expect(store.query('select x from thing')).rejects.toMatchObject({ code: 'E_STORE_SQL' });
    });

    test('a lease has one owner, and an epoch that grows with each', async () => {
      const a = await takeLease(store, 'l', 'a', 60_000);
      expect(a).toMatchObject({ epoch: 1n });
      expect(await takeLease(store, 'l', 'b', 60_000)).toBeUndefined();
      expect(await takeLease(store, 'l', 'a', 60_000)).toEqual(a);
      await store.query('update lease set expires = 0');
      const b = await takeLease(store, 'l', 'b', 60_000);
      expect(b).toMatchObject({ epoch: 2n });
      if (a === undefined || b === undefined) throw new Error('no lease');
      await releaseLease(store, a);
      expect(await takeLease(store, 'l', 'c', 60_000)).toBeUndefined();
      await releaseLease(store, b);
      expect(await takeLease(store, 'l', 'a', 60_000)).toMatchObject({ epoch: 3n });
    });

    test('an owner that lost its lease writes nothing, also when it is its owner again', async () => {
      const old = await takeLease(store, 'l', 'a', 60_000);
      if (old === undefined) throw new Error('no lease');
      const write = (): Promise<void> =>
        store.transaction(async query => {
          await query(`${INSERT} on conflict do nothing`, [1, 'late']);
          await underLease(store, query, old, 60_000);
        });
      await store.query('update lease set expires = 0');
      await takeLease(store, 'l', 'b', 60_000);
      await expect(write()).rejects.toMatchObject({ code: 'E_STORE_LEASE' });
      await store.query('update lease set expires = 0');
      await takeLease(store, 'l', 'a', 60_000);
      await expect(write()).rejects.toMatchObject({ code: 'E_STORE_LEASE' });
      expect(await words()).toEqual([]);
    });

    test('one writes while another one waits', async () => {
      const other = await open();
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? store : other).query(INSERT, [i, String(i)])),
      );
      expect(await words()).toHaveLength(20);
      await other.close();
    });
  });
}
