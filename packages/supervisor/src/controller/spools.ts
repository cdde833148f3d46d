/** @module Which rows of which spool are written: each once, whatever comes again and in whatever order. */
import type { Query } from '@syndrome/base/store/store.ts';
import type { Input } from '../core/input.ts';

/** All rows up to one are written, and some beyond. */
interface Written {
  host: string;
  spool: string;
  upto: number;
  beyond: Set<number>;
}

/** What is written of some spools once a commit is there, by spool. */
export type Grown = ReadonlyMap<string, Written>;

export class Spools {
  /** What is durable, and nothing else: an agent throws away what it is told of. */
  #known = new Map<string, Written>();

  /** Forgets all: the store is asked again. */
  clear(): void {
    // Another map: what is being read for the old one may be old by then.
    this.#known = new Map();
  }

  async upto(query: Query, host: string, spool: string): Promise<number> {
    return (await this.#written(query, host, spool)).upto;
  }

  /**
   * The inputs without rows that are written already, and what is written of their spools once these are: tell it to {@link written}
   * when the commit is there, and not before.
   */
  async fresh(query: Query, inputs: readonly Input[]): Promise<{ fresh: Input[]; grown: Grown }> {
    const fresh: Input[] = [];
    const copies = new Map<string, Written>();
    const grown = new Map<string, Written>();
    for (const input of inputs) {
      if (input.input !== 'row') {
        fresh.push(input);
        continue;
      }
      const { host, spool, seq } = input.row;
      const key = keyOf(host, spool);
      let written = copies.get(key);
      if (written === undefined) {
        const known = await this.#written(query, host, spool);
        written = { ...known, beyond: new Set(known.beyond) };
        copies.set(key, written);
      }
      if (seq <= written.upto || written.beyond.has(seq)) continue;
      fresh.push(input);
      written.beyond.add(seq);
      while (written.beyond.delete(written.upto + 1)) written.upto++;
      grown.set(key, written);
    }
    for (const { host, spool, upto } of grown.values()) {
      await query(
        'insert into spool(host, name, upto) values ($1, $2, $3) on conflict (host, name) do update set upto = excluded.upto',
        [host, spool, upto],
      );
    }
    return { fresh, grown };
  }

  /** A commit is there. */
  written(grown: Grown): void {
    for (const [key, written] of grown) this.#known.set(key, written);
  }

  async #written(query: Query, host: string, spool: string): Promise<Written> {
    const all = this.#known;
    const key = keyOf(host, spool);
    const known = all.get(key);
    if (known !== undefined) return known;
    const [row] = await query('select upto from spool where host = $1 and name = $2', [host, spool]);
    const upto = Number(row?.['upto'] ?? 0);
    const beyond = await query('select "row" from input where host = $1 and spool = $2 and "row" > $3', [
      host,
      spool,
      upto,
    ]);
    // A commit may have come in between, and know more.
    const newer = all.get(key);
    if (newer !== undefined) return newer;
    const written = { host, spool, upto, beyond: new Set(beyond.map(r => Number(r['row']))) };
    all.set(key, written);
    return written;
  }
}

const keyOf = (host: string, spool: string): string => JSON.stringify([host, spool]);
