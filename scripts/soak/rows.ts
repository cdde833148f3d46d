/** Rows that agents have accepted, as their spools have them, held against the ledger. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type StorePlace } from '@syndrome/base/store/open.ts';
import { readHeader, readRow } from '@syndrome/supervisor/agent/spool/line.ts';
import { toJson } from '@syndrome/supervisor/wire/json.ts';
import { parseRow } from '@syndrome/supervisor/wire/row.ts';

/** What a row says, in one form. */
function saidIn(body: string): string {
  const { at, said } = parseRow(body, '', '');
  return toJson({ at, said });
}

/** By host, spool and number. */
export class AcceptedRows {
  readonly #rows = new Map<string, string>();

  get size(): number {
    return this.#rows.size;
  }

  /** Keeps the whole lines of an agent's spool: a line that is not whole was not accepted. */
  keep(host: string, folder: string): void {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!/(?:^|\/)seg-\d+\.log$/.test(name)) continue;
      const [head = '', ...lines] = readFileSync(join(folder, name), 'utf8').split('\n');
      const { spool = '' } = readHeader(head) ?? {};
      for (const line of lines) {
        const row = readRow(line);
        if (row !== undefined)
          this.#rows.set(`${host} ${spool} ${row.seq}`, saidIn(`{"seq":${row.seq},"at":${row.at},"said":${row.body}}`));
      }
    }
  }

  /** Those that the ledger has not, or has otherwise. */
  async missingIn(place: StorePlace): Promise<string[]> {
    const store = await openStore(place);
    try {
      const found = await store.query(`select host, spool, "row", body from input where kind = 'row'`);
      const there = new Map(
        found.map(({ host, spool, row, body }) => [[host, spool, row].map(String).join(' '), saidIn(String(body))]),
      );
      return [...this.#rows].flatMap(([row, said]) => (there.get(row) === said ? [] : [`${row}: ${said}`]));
    } finally {
      await store.close();
    }
  }
}
