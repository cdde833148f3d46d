/** @module Many rows with few statements. */
import type { Query, SqlValue } from './store.ts';

/** Rows of one insert, largest first: few statements, that an engine prepares once; their parameters are bounded. */
const ROWS_AT_ONCE = [128, 16, 1] as const;

/** Inserts rows, many with one statement. */
export async function insert(
  query: Query,
  into: string,
  rows: readonly (readonly SqlValue[])[],
  conflict = '',
): Promise<void> {
  for (let at = 0; at < rows.length; ) {
    const size = ROWS_AT_ONCE.find(n => n <= rows.length - at) ?? 1;
    const some = rows.slice(at, at + size);
    let n = 0;
    const places = some.map(row => `(${row.map(() => `$${++n}`).join(', ')})`);
    await query(`insert into ${into} values ${places.join(', ')}${conflict}`, some.flat());
    at += size;
  }
}
