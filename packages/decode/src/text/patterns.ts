/** @module Tables of one-line patterns: a regular expression, an event and how its groups become the event's fields. */
import type { EventKind, KindFields } from '../events/catalog.ts';
import type { KindEvent } from '../events/event.ts';
import type { FieldValue } from '../events/row.ts';
import { hexU64 } from './transport/line.ts';

/** How a group is read: `hex` → bigint, `dec` → number, `text` → string, cut to a bounded length, `there` → whether it took part. */
type Capture = 'hex' | 'dec' | 'text' | 'there';

/** A pattern of one of the events `K`. */
export type Pattern<K extends EventKind = EventKind> = {
  [N in K]: {
    /** Anchored, with bounded repetition: lines are untrusted. */
    re: RegExp;
    /** The event, without a layer where it is one of Linux. */
    event: N;
    /** Per group of `re`, in order: the field and how to read it. A group that did not take part sets no field. */
    captures: readonly (readonly [field: keyof KindFields<N> & string, as: Capture])[];
    /** Fields every match carries. */
    fixed?: Partial<KindFields<N>>;
    /** The fixed text of the program (its format string), as the source of the pattern. */
    source: string;
  };
}[K];

/** More of a text is not kept. */
export const MAX_TEXT = 512;

function read(value: string, as: Capture): FieldValue | undefined {
  if (as === 'hex') return hexU64(value);
  if (as === 'text') return value.slice(0, MAX_TEXT).trim();
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : undefined;
}

/** The event of the first pattern that matches, or undefined. */
export function matchPattern<K extends EventKind>(
  patterns: readonly Pattern<K>[],
  text: string,
): KindEvent<K> | undefined {
  for (const p of patterns) {
    const m = p.re.exec(text);
    if (m === null) continue;
    const fields: Record<string, FieldValue> = { ...p.fixed };
    p.captures.forEach(([field, as], i) => {
      const group = m[i + 1];
      const value = as === 'there' ? group !== undefined : group === undefined ? undefined : read(group, as);
      if (value !== undefined) fields[field] = value;
    });
    // Its fields are those that the table names, and the table is checked against the catalogue.
    return { name: p.event, fields } as KindEvent<K>;
  }
  return undefined;
}
