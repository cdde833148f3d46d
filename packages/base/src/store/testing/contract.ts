/** What every engine of the store has to hold; each runs it with a store of its own. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LEASE_TABLE, releaseLease, takeLease, underLease } from '../lease.ts';
import { migrate, type Migration } from '../migrate.ts';
import type { Query, Store } from '../store.ts';
import { type LeaseEvent, leaseFaults } from './lease-history.ts';

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
    /** Further ones on the same store, as of other processes. */
    let others: Store[] = [];
    const another = async (): Promise<Store> => {
      const other = await open();
      others.push(other);
      return other;
    };
    const words = async (): Promise<unknown[]> =>
      (await store.query('select word from thing order by id')).map(r => r['word']);

    beforeEach(async () => {
      others = [];
      store = await open();
      await migrate(store, [FIRST]);
    });
    afterEach(async () => {
      // A test that was skipped has opened none.
      for (const one of [...others, store]) await one?.close();
      if (store !== undefined) await clear();
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

    test('keeps texts, however long; one with U+0000 in it has U+FFFD in its place', async () => {
      await store.query(INSERT, [1, 'a\0b']);
      const long = 'ä'.repeat(1_000_000);
      await store.query(INSERT, [2, long]);
      expect(await words()).toEqual(['a\ufffdb', long]);
    });

    test('sums, counts and comparisons are integers as well', async () => {
      for (const id of [1n, 2n, (1n << 62n) - 3n]) await store.query(INSERT, [id, 'w']);
      expect(await store.query('select sum(id) as s, count(*) as c, max(id) > 2 as more from thing')).toEqual([
        { s: 1n << 62n, c: 3n, more: 1n },
      ]);
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

    test('a transaction in which a statement failed is lost, also where that was passed over', async () => {
      const passed = store.transaction(async query => {
        await query(INSERT, [1, 'a']);
        await query(INSERT, [1, 'b']).catch(() => {});
        await query(INSERT, [2, 'c']).catch(() => {});
      });
      await expect(passed).rejects.toMatchObject({ code: 'E_STORE_SQL' });
      expect(await words()).toEqual([]);
    });

    /** Adds one to a number that it has read, without holding the row. */
    const addOne = (to: Store): Promise<void> =>
      to.transaction(async query => {
        const [row] = await query('select word from thing where id = 1');
        await new Promise(resolve => setImmediate(resolve));
        await query('update thing set word = $1 where id = 1', [String(Number(row?.['word']) + 1)]);
      });

    test('of transactions of several processes none is lost, though they have read the same', async () => {
      await store.query(INSERT, [1, '0']);
      const all = [store, await another(), await another()];
      await Promise.all(all.flatMap(one => Array.from({ length: 5 }, () => addOne(one))));
      expect(await words()).toEqual(['15']);
    });

    test('two that each look at what the other one writes are as if one had come first', async () => {
      for (const id of [1, 2]) await store.query(INSERT, [id, 'on']);
      const other = await another();
      /** Goes, unless it would be the last. */
      const go = (of: Store, id: number): Promise<void> =>
        of.transaction(async query => {
          const on = await query(`select id from thing where word = 'on'`);
          await new Promise(resolve => setImmediate(resolve));
          if (on.length > 1) await query(`update thing set word = 'off' where id = $1`, [id]);
        });
      for (let i = 0; i < 10; i++) {
        await Promise.all([go(store, 1), go(other, 2)]);
        expect(new Set(await words())).toEqual(new Set(['off', 'on']));
        await store.query(`update thing set word = 'on'`);
      }
    });

    test('what may be called once is, and is told where another one was in the way', async () => {
      await store.query(INSERT, [1, '0']);
      const other = await another();
      let [calls, done] = [0, 0];
      const once = async (of: Store): Promise<void> => {
        const add = async (query: Query): Promise<void> => {
          calls++;
          const [row] = await query('select word from thing where id = 1');
          await new Promise(resolve => setImmediate(resolve));
          await query('update thing set word = $1 where id = 1', [String(Number(row?.['word']) + 1)]);
        };
        await of.transaction(add, { once: true }).then(
          () => done++,
          (error: unknown) => expect(error).toMatchObject({ code: 'E_STORE_BUSY' }),
        );
      };
      await Promise.all(Array.from({ length: 10 }, (_, i) => once(i % 2 === 0 ? store : other)));
      expect(calls).toBe(10);
      expect(await words()).toEqual([String(done)]);
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

    test('of several that want a lease at the same moment one gets it', async () => {
      const all = [store, await another(), await another(), await another()];
      for (let epoch = 1n; epoch <= 5n; epoch++) {
        const leases = await Promise.all(all.map((one, i) => takeLease(one, 'l', `o${epoch}-${i}`, 60_000)));
        expect(leases.flatMap(lease => lease?.epoch ?? [])).toEqual([epoch]);
        await store.query('update lease set expires = 0');
      }
    });

    test('an owner that was paused for longer than its lease writes nothing once it goes on', async () => {
      const other = await another();
      const old = (await takeLease(store, 'l', 'a', 20)) ?? expect.fail('no lease');
      const until = performance.now() + 20_000;
      let next = await takeLease(other, 'l', 'b', 60_000);
      while (next === undefined && performance.now() < until) next = await takeLease(other, 'l', 'b', 60_000);
      expect(next).toMatchObject({ epoch: 2n });
      const late = store.transaction(async query => {
        await underLease(store, query, old, 60_000);
        await query(INSERT, [1, 'late']);
      });
      await expect(late).rejects.toMatchObject({ code: 'E_STORE_LEASE' });
      expect(await takeLease(store, 'l', 'a', 60_000)).toBeUndefined();
      await releaseLease(store, old);
      expect(await takeLease(store, 'l', 'c', 60_000)).toBeUndefined();
      expect(await words()).toEqual([]);
    });

    test('whatever several owners do, no epoch has two, and none writes after its time', async () => {
      await store.query('create table written(seq bigint primary key, id bigint not null, owner text, epoch bigint)');
      const history: LeaseEvent[] = [];
      let id = 0;
      /** Epochs in which something was written: as long as it is one, nobody has come after another. */
      const done = new Set<bigint>();
      const owner = async (of: Store, name: string): Promise<void> => {
        for (let turn = 0; turn < 25 || (done.size < 2 && turn < 10_000); turn++) {
          let asked = performance.now();
          // One that is over at once, mostly: whoever has it may lose it before it writes.
          const lease = await takeLease(of, 'l', `${name}-${turn % 5}`, turn % 4);
          history.push({
            kind: 'take',
            owner: `${name}-${turn % 5}`,
            epoch: lease?.epoch,
            asked,
            answered: performance.now(),
          });
          if (lease === undefined) continue;
          if (turn % 3 === 0) await new Promise(resolve => setTimeout(resolve, turn % 7));
          asked = performance.now();
          const write = { kind: 'write', owner: lease.owner, epoch: lease.epoch, id: ++id, asked } as const;
          const outcome = await of
            .transaction(async query => {
              await underLease(of, query, lease, turn % 4);
              const [last] = await query('select max(seq) as seq from written');
              await query('insert into written(seq, id, owner, epoch) values ($1, $2, $3, $4)', [
                ((last?.['seq'] as bigint | null) ?? 0n) + 1n,
                write.id,
                lease.owner,
                lease.epoch,
              ]);
            })
            .then(
              () => 'done' as const,
              (error: unknown) => {
                expect(error).toMatchObject({ code: 'E_STORE_LEASE' });
                return 'refused' as const;
              },
            );
          history.push({ ...write, outcome, answered: performance.now() });
          if (outcome === 'done') done.add(lease.epoch);
        }
      };
      const all = [store, await another(), await another()];
      await Promise.all(all.map((of, i) => owner(of, `o${i}`)));
      const rows = await store.query('select id, owner, epoch from written order by seq');
      const written = rows.map(row => ({
        id: Number(row['id']),
        owner: String(row['owner']),
        epoch: row['epoch'] as bigint,
      }));
      expect(leaseFaults(history, written)).toEqual([]);
      expect(written.length).toBeGreaterThan(0);
      expect(new Set(written.map(w => w.epoch)).size).toBeGreaterThan(1);
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
