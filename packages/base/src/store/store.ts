/**
 * @module The port of all that is kept: three functions over SQL that every engine speaks. One contract suite
 * (`testing/contract.ts`) says what an engine has to hold.
 */

/** An integer is bound as one, exactly; a boolean has no form that all engines share. U+0000 in a text becomes U+FFFD: PostgreSQL has none. */
export type SqlValue = string | number | bigint | null;

/** Integers come back as bigint, whatever their size; everything else as text, number (floating point) or null. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * Runs one statement; its parameters are `$1`, `$2`, …
 * @throws StoreError; inside of a transaction it is lost then, and has to be left
 * @example const [row] = await query('select seq from input where host = $1', ['h1']);
 */
export type Query = (sql: string, values?: readonly SqlValue[]) => Promise<readonly SqlRow[]>;

/** What engines say differently. */
interface Dialect {
  engine: 'sqlite' | 'postgresql';
  /** Expression: the clock of the store, ms UTC, an integer. Several processes agree on it. */
  now: string;
  /** End of a select that keeps its rows for this transaction; with a space in front where it is not empty. */
  forUpdate: string;
  /** First statement of a transaction: nobody else writes to the table until it is over. */
  alone: (table: string) => string;
  /** Behind a column of text in `order by` and comparisons: by the bytes of UTF-8. */
  byBytes: string;
  /** Select: a row where there is a table of the name $1. */
  hasTable: string;
}

export interface TransactionOptions {
  /** `f` changes what a second call would find changed: where another transaction was in the way it is not called again (E_STORE_BUSY). */
  once?: boolean;
}

export interface Store {
  readonly dialect: Dialect;
  /** One statement that is a transaction of its own. */
  readonly query: Query;
  /**
   * All that `f` asks for, or nothing of it: durable when it resolves, and as if no two had run at the same time. `f` may wait for
   * nothing else. Where another transaction was in the way it is called again, unless it says that it may not be.
   * @throws what `f` throws; StoreError. Nothing is written then, save with E_STORE_UNKNOWN: look whether it is.
   */
  transaction<T>(f: (query: Query) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Waits for what runs. Anything later is refused with E_STORE_USE. */
  close(): Promise<void>;
}

/** A text as every engine keeps it. */
export const storable = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text);
