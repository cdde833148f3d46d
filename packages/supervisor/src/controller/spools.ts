/** @module Which rows of which spool are written: each once, whatever comes again and in whatever order. */
import type { Query } from '@syndrome/base/store/store.ts';
import type { Input } from '../core/input.ts';

/** All rows up to one are written, and some beyond. */
interface Written {
  upto: number;
  beyond: Set<number>;
}

export class Spools {
  readonly #known = new Map<string, Written>();

  /** Forgets all: the store is asked again. */
  clear(): void {
    this.#known.clear();
  }

  async upto(query: Query, host: string, spool: string): Promise<number> {
    return (await this.#written(query, host, spool)).upto;
  }

  /**
   * The inputs without rows that are written already, which are taken for written from now on: after a transaction that
   * failed, call {@link clear}.
   */
  async fresh(query: Query, inputs: readonly Input[]): Promise<Input[]> {
    const fresh: Input[] = [];
    const grown = new Map<Written, [host: string, spool: string]>();
    for (const input of inputs) {
      if (input.input !== 'row') {
        fresh.push(input);
        continue;
      }
      const { host, spool, seq } = input.row;
      const written = await this.#written(query, host, spool);
      if (seq <= written.upto || written.beyond.has(seq)) continue;
      fresh.push(input);
      written.beyond.add(seq);
      while (written.beyond.delete(written.upto + 1)) written.upto++;
      grown.set(written, [host, spool]);
    }
    for (const [{ upto }, [host, spool]] of grown) {
      await query(
        'insert into spool(host, name, upto) values ($1, $2, $3) on conflict (host, name) do update set upto = excluded.upto',
        [host, spool, upto],
      );
    }
    return fresh;
  }

  async #written(query: Query, host: string, spool: string): Promise<Written> {
    const key = JSON.stringify([host, spool]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const [row] = await query('select upto from spool where host = $1 and name = $2', [host, spool]);
    const upto = Number(row?.['upto'] ?? 0);
    const beyond = await query('select "row" from input where host = $1 and spool = $2 and "row" > $3', [
      host,
      spool,
      upto,
    ]);
    const written = { upto, beyond: new Set(beyond.map(r => Number(r['row']))) };
    this.#known.set(key, written);
    return written;
  }
}
