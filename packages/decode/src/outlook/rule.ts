/** @module A rule: the smallest piece of behaviour an outlook stands on, with a stable id. */

/** `observed`: seen to act on a real machine; `read`: taken from the named source and not seen to act. */
export type Evidence = 'observed' | 'read';

export interface Rule {
  /** Stable: `linux.intel.pcc`. */
  id: string;
  /** One sentence in plain words. */
  text: string;
  /** The program and function, or the manual and section, that says so. */
  source: string;
  evidence: Evidence;
}

type Row = readonly [text: string, evidence?: Evidence, source?: string];

/** Makes the rules of one area: ids are `area.key`; `source` is the default source. */
export function defineRules<const K extends string>(
  area: string,
  source: string,
  rows: Record<K, Row>,
): Readonly<Record<K, Rule>> {
  const entries = (Object.entries(rows) as [K, Row][]).map(([key, [text, evidence, own]]) => [
    key,
    { id: `${area}.${key}`, text, source: own ?? source, evidence: evidence ?? 'read' },
  ]);
  return Object.fromEntries(entries) as Readonly<Record<K, Rule>>;
}

/** One row of an ordered table: the first row whose `when` holds decides. */
export interface Decision<Q, T> {
  rule: Rule;
  when: (question: Q) => boolean;
  gives: T;
}

/** The first row that applies, or undefined. Later rows are not asked, so that their questions stay unasked too. */
export function decide<Q, T>(table: readonly Decision<Q, T>[], question: Q): Decision<Q, T> | undefined {
  return table.find(row => row.when(question));
}
